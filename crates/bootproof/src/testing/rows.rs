//! Every row of a small database, to be compared with what an upgrade makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bootproof_catalog::{is_bookkeeping, quoted};
use rusqlite::{Connection, OpenFlags};

/// The rows of every ordinary table, by its name in lower case: one map from column to value each.
pub(super) struct Rows(BTreeMap<String, Vec<Row>>);

/// Values as literals of SQL, by the name of the column in lower case.
type Row = BTreeMap<String, String>;

impl Rows {
    pub(super) fn read(path: &Path) -> rusqlite::Result<Self> {
        Self::of(&Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let sql =
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*'";
        let tables =
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        let tables = tables.into_iter().filter(|table| !is_bookkeeping(table));
        let read = tables.map(|table| Ok((table.to_ascii_lowercase(), rows_of(connection, &table)?)));
        Ok(Self(read.collect::<rusqlite::Result<_>>()?))
    }

    /// A table, a row of it that is gone and one that is new, where a table is not as it was that nobody wrote.
    pub(super) fn first_difference(&self, after: &Self, written: &BTreeSet<&str>) -> Option<(String, String, String)> {
        let unwritten = self.0.iter().filter(|(table, _)| !written.contains(table.as_str()));
        unwritten.into_iter().find_map(|(table, before)| {
            let after = after.0.get(table).map(Vec::as_slice).unwrap_or_default();
            // A column that was added or dropped changes no row.
            let (Some(old), Some(new)) = (before.first(), after.first().or(before.first())) else {
                return after.first().map(|row| (table.clone(), "no row".to_owned(), shown(row)));
            };
            let common: BTreeSet<&String> = old.keys().filter(|column| new.contains_key(*column)).collect();
            let mut before: Vec<Row> = before.iter().map(|row| only(row, &common)).collect();
            let mut after: Vec<Row> = after.iter().map(|row| only(row, &common)).collect();
            before.sort();
            after.sort();
            let first = |rows: &[Row], others: &[Row]| {
                rows.iter().find(|row| !others.contains(row)).map_or_else(|| format!("{} rows", rows.len()), shown)
            };
            (before != after).then(|| (table.clone(), first(&before, &after), first(&after, &before)))
        })
    }
}

fn rows_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Row>> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let values: Vec<_> = columns.iter().map(|column| format!("quote({})", quoted(column))).collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM {}", values.join(", "), quoted(table)))?;
    let rows = statement.query_map([], |row| {
        let value = |(at, column): (usize, &String)| Ok((column.to_ascii_lowercase(), row.get(at)?));
        columns.iter().enumerate().map(value).collect()
    })?;
    rows.collect()
}

fn only(row: &Row, columns: &BTreeSet<&String>) -> Row {
    row.iter()
        .filter(|(column, _)| columns.contains(column))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn shown(row: &Row) -> String {
    row.iter().map(|(column, value)| format!("{column} = {value}")).collect::<Vec<_>>().join(", ")
}
