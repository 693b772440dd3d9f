//! The trees of a file, as its schema lists them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::pragma;
use super::shape::Shape;
use super::tree::{Kind, Rules};

/// A tree whose entries are compared with nothing.
#[derive(Debug)]
pub(super) struct Root {
    name: String,
    pub(super) page: u32,
    pub(super) kind: Kind,
    pub(super) holds: Holds,
    /// How many rows or entries were found.
    pub(super) count: AtomicU64,
}

/// What is to be asked of it beside its structure.
#[derive(Debug)]
pub(super) enum Holds {
    /// The rows of a table, and where it is known what its columns may hold.
    Rows(Option<Rules>),
    /// Entries, or rows of a table that is left to SQLite.
    Others,
}

/// Every tree but the first; of each whether it is that of a table without row numbers, whether the rules of a table are those of its
/// columns alone, and whether there is nothing in quotes somewhere.
const TREES: &str = "SELECT s.type, s.name, s.rootpage,
                            s.name IN (SELECT l.name FROM pragma_table_list AS l WHERE l.schema = 'main' AND l.wr),
                            s.name IN (SELECT l.name FROM pragma_table_list AS l
                                       WHERE l.schema = 'main' AND NOT l.wr AND NOT l.strict AND l.type <> 'virtual')
                            AND s.sql NOT LIKE '%check%',
                            s.sql LIKE '%\"\"%' OR s.sql LIKE '%''''%' OR s.sql LIKE '%``%' OR s.sql LIKE '%[]%'
                     FROM main.sqlite_schema AS s WHERE s.rootpage IS NOT NULL AND s.rootpage <> 0";

impl Root {
    /// Every tree but those of the indexes that are compared with their tables.
    pub(super) fn of_all_but(connection: &Connection, compared: &Shape) -> rusqlite::Result<Vec<Self>> {
        let others = &compared.others;
        let compared: Vec<i64> =
            compared.tables.iter().flat_map(|table| &table.indexes).map(|index| index.root).collect();
        let first = "sqlite_schema".to_owned();
        let holds = Holds::Rows(Rules::read(connection, &first, false)?);
        let mut roots = vec![Self { name: first, page: 1, kind: Kind::Table, holds, count: AtomicU64::default() }];
        let mut statement = connection.prepare(TREES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, number): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if compared.contains(&number) {
                continue;
            }
            let page = u32::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, number))?;
            let has_keys = kind == "table" && row.get(3)?;
            let holds = match kind.as_str() {
                "index" => Holds::Others,
                // SQLite is asked of all of it.
                "table" if others.contains(&name) => Holds::Others,
                "table" if row.get(4)? => Holds::Rows(Rules::read(connection, &name, row.get(5)?)?),
                "table" => Holds::Rows(None),
                _ => return Err(rusqlite::Error::InvalidColumnName(kind)),
            };
            let kind = if kind == "index" || has_keys { Kind::Index } else { Kind::Table };
            roots.push(Self { name, page, kind, holds, count: AtomicU64::default() });
        }
        Ok(roots)
    }

    /// The tables that have no tree: what is to be asked of them SQLite asks of their module.
    pub(super) fn without(connection: &Connection) -> rusqlite::Result<Vec<String>> {
        let ask = "SELECT l.name FROM pragma_table_list AS l WHERE l.schema = 'main' AND l.type = 'virtual'
                   UNION SELECT s.name FROM main.sqlite_schema AS s
                   WHERE s.type = 'table' AND coalesce(s.rootpage, 0) = 0";
        connection.prepare(ask)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Whether every index that is not partial has as many entries as its table has rows, of the tables that were read here.
    pub(super) fn are_as_many(roots: &[Self], connection: &Connection) -> rusqlite::Result<bool> {
        let counts: BTreeMap<&str, u64> =
            roots.iter().map(|root| (root.name.as_str(), root.count.load(Ordering::Relaxed))).collect();
        let mut statement = connection.prepare("SELECT name FROM pragma_index_list(?1, 'main') WHERE NOT partial")?;
        for root in roots.iter().filter(|root| matches!(root.holds, Holds::Rows(Some(_)))) {
            let mut rows = statement.query([&root.name])?;
            while let Some(row) = rows.next()? {
                if counts.get(row.get::<_, String>(0)?.as_str()) != counts.get(root.name.as_str()) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether it is that of a table, given in lower case.
    pub(super) fn is_of(&self, name: &str) -> bool {
        matches!(self.holds, Holds::Rows(_)) && self.name.eq_ignore_ascii_case(name)
    }

    /// What a row of it counts, in steps of SQLite.
    pub(super) fn weight(&self) -> u64 {
        match &self.holds {
            Holds::Rows(Some(rules)) => 4 + rules.len() as u64,
            Holds::Rows(None) | Holds::Others => 1,
        }
    }

    /// Whether SQLite finds its rows sound.
    pub(super) fn by_sqlite(&self, connection: &Connection) -> rusqlite::Result<bool> {
        match &self.holds {
            Holds::Rows(_) => pragma::says_ok(connection, "quick_check", Some(&self.name)),
            Holds::Others => Ok(true),
        }
    }
}
