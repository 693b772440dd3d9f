//! The rows of some tables as text, to be compared later, and the references among them that dangle.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::quoted;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::fill::primary_key;

/// A table that a migration filled with more rows than this has none of ours.
const MOST: usize = 100;

/// A value as text: whether a column holds a number or its digits is for its type to say. `None` is NULL.
pub(super) type Cell = Option<String>;

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// In lower case; generated columns are not among them.
    pub(super) columns: Vec<String>,
    /// In the order of the rowid where there is one.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Content {
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The values of one column, row by row.
    pub(super) fn values(&self, at: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(at))
    }
}

/// Reads some tables of a schema; those with too many rows are left out.
pub(super) fn survey(
    connection: &Connection,
    catalog: &Catalog,
    tables: &BTreeSet<String>,
) -> rusqlite::Result<BTreeMap<String, Content>> {
    let mut survey = BTreeMap::new();
    for (key, table) in tables.iter().filter_map(|key| catalog.tables.get_key_value(key)) {
        if table.is_virtual {
            continue;
        }
        let content = read(connection, table)?;
        if content.rows.len() <= MOST {
            survey.insert(key.clone(), content);
        }
    }
    Ok(survey)
}

fn read(connection: &Connection, table: &Table) -> rusqlite::Result<Content> {
    let columns = table.columns.iter().filter(|(_, column)| column.generated.is_none());
    let columns: Vec<String> = columns.map(|(key, _)| key.clone()).collect();
    let names: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
    let order = if table.options.contains("without rowid") {
        primary_key(table).iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
    } else {
        "rowid".to_owned()
    };
    let name = quoted(&table.name);
    let sql = format!("SELECT {} FROM {name} ORDER BY {order} LIMIT {}", names.join(", "), MOST + 1);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| (0..names.len()).map(|at| cell(row, at)).collect())?;
    Ok(Content { columns, rows: rows.collect::<rusqlite::Result<_>>()? })
}

fn cell(row: &Row<'_>, at: usize) -> rusqlite::Result<Cell> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => None,
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(real.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// How many rows point to no parent, by child and parent. Tables that are missing have none.
pub(super) fn dangling(
    connection: &Connection,
    catalog: &Catalog,
    tables: &BTreeSet<String>,
) -> rusqlite::Result<BTreeMap<(String, String), usize>> {
    let mut found = BTreeMap::new();
    let mut check = connection.prepare("SELECT parent FROM pragma_foreign_key_check(?1, 'main')")?;
    for (key, table) in &catalog.tables {
        let concerns = |parent: &String| tables.contains(key) || tables.contains(parent);
        if !table.foreign_keys.iter().any(|foreign| concerns(&foreign.parent)) {
            continue;
        }
        let parents = check.query_map([&table.name], |row| row.get::<_, String>(0));
        // Foreign keys that cannot be checked, and tables that are not there, are reported elsewhere.
        let Ok(parents) = parents.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>) else { continue };
        for parent in parents {
            *found.entry((key.clone(), parent.to_ascii_lowercase())).or_default() += 1;
        }
    }
    Ok(found)
}
