//! What SQLite says of tables and of the keys of indexes, asked many times with statements that are prepared once.

use std::collections::BTreeSet;

use bootproof_catalog::{index_terms, quoted};
use rusqlite::{Connection, Statement};

use super::entries::Sequence;
use super::order::Collation;
use super::shape::Terms;

/// An index as the schema lists it.
pub(super) struct Listed {
    pub(super) name: String,
    /// That of its table.
    pub(super) table: String,
    pub(super) root: i64,
    pub(super) sql: Option<String>,
}

/// The statements.
pub(super) struct Questions<'c> {
    columns: Statement<'c>,
    indexes: Statement<'c>,
    terms: Statement<'c>,
}

impl<'c> Questions<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            columns: connection.prepare("SELECT lower(name) FROM pragma_table_xinfo(?1, 'main')")?,
            indexes: connection
                .prepare("SELECT \"unique\", partial FROM pragma_index_list(?1, 'main') WHERE name = ?2")?,
            terms: connection.prepare(
                "SELECT cid, name, \"desc\", coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno",
            )?,
        })
    }

    /// A name of the row number that no column has taken (<https://sqlite.org/rowidtable.html>).
    pub(super) fn rowid(&mut self, table: &str) -> rusqlite::Result<Option<&'static str>> {
        let taken: BTreeSet<String> = self.columns.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken.contains(*name)))
    }

    /// The key of an index: what each term reads in a row, and its order. None where that is not understood.
    pub(super) fn key(&mut self, index: &Listed, rowid: &str) -> rusqlite::Result<Option<(Terms, Sequence)>> {
        let is_so = |row: &rusqlite::Row<'_>| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?));
        let (is_unique, is_partial) = self.indexes.query_row([&index.table, &index.name], is_so)?;
        if is_partial {
            return Ok(None);
        }
        let written = index.sql.as_deref().map(index_terms).unwrap_or_default();
        let (mut terms, mut order) = (Vec::new(), Vec::new());
        let mut rows = self.terms.query([&index.name])?;
        while let Some(row) = rows.next()? {
            let term = match row.get::<_, i64>(0)? {
                ROWID => rowid.to_owned(),
                EXPRESSION => match written.get(terms.len()).filter(|text| !text.is_empty()) {
                    Some(text) => format!("({text})"),
                    None => return Ok(None),
                },
                _ => quoted(&row.get::<_, String>(1)?),
            };
            let Some(collation) = Collation::parse(&row.get::<_, String>(3)?) else { return Ok(None) };
            order.push((collation, row.get(2)?));
            terms.push(term);
        }
        Ok(Some((terms, Sequence { terms: order, is_unique })))
    }
}

/// What `pragma_index_xinfo` calls a column that is none (<https://sqlite.org/pragma.html#pragma_index_info>).
const ROWID: i64 = -1;
const EXPRESSION: i64 = -2;
