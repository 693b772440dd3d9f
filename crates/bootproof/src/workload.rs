//! How much work the steps of a boot are, estimated before it is done: for progress, and for a plan.
//!
//! The unit is what [`Watch`](crate::watch::Watch) counts: a step of SQLite's virtual machine, or a page of an integrity
//! check. The factors were measured on the worklog schema with a million rows; they are for a bar and an "about".

use std::collections::BTreeMap;

use bootproof_catalog::{Catalog, quoted};
use rusqlite::Connection;

use crate::compiled::{Migration, ObjectKind};
use crate::integrity::Written;
use crate::options::Integrity;

/// The smallest row of a table takes about so many bytes of its page.
const SMALLEST_ROW: u64 = 4;

/// What building an index takes for each of its rows.
pub(crate) const INDEX_ENTRY: u64 = 13;

/// How much there is of everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workload {
    pub(crate) page_size: u64,
    pages: u64,
    tables: BTreeMap<String, Table>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Table {
    rows: u64,
    columns: u64,
    indexes: u64,
    keys: u64,
}

impl Workload {
    /// Asks for the highest row number of every table, which costs next to nothing and is nearly the number of rows.
    ///
    /// What cannot be asked counts for nothing: an estimate decides nothing, and must stop nothing.
    pub(crate) fn measure(connection: &Connection, catalog: &Catalog) -> Self {
        let number = |pragma| connection.query_row(pragma, [], |row| row.get(0)).map_or(0, i64::unsigned_abs);
        let (pages, page_size) = (number("PRAGMA main.page_count"), number("PRAGMA main.page_size"));
        let mut tables = BTreeMap::new();
        for (key, table) in catalog.tables.iter().filter(|(_, table)| !table.is_virtual) {
            // Row numbers need not be dense: nobody has more rows than fit.
            let highest = highest_row(connection, &table.name).unwrap_or_default();
            let rows = highest.min(pages.saturating_mul(page_size) / SMALLEST_ROW);
            let indexes = catalog.indexes.values().filter(|index| index.table.eq_ignore_ascii_case(&table.name));
            let (columns, keys) = (table.columns.len() as u64, table.foreign_keys.len() as u64);
            tables.insert(key.clone(), Table { rows, columns, indexes: indexes.count() as u64, keys });
        }
        Self { page_size, pages, tables }
    }

    /// Takes rows that were counted for what they are: the highest number can be far above them.
    pub(crate) fn count(&mut self, counts: &BTreeMap<String, i64>) {
        for (key, table) in &mut self.tables {
            table.rows = counts.get(key).map_or(table.rows, |rows| rows.unsigned_abs());
        }
    }

    /// The size of the database.
    pub(crate) fn bytes(&self) -> u64 {
        self.pages.saturating_mul(self.page_size)
    }

    /// The rows of a table, about.
    pub(crate) fn rows(&self, table: &str) -> u64 {
        self.tables.get(&table.to_ascii_lowercase()).map_or(0, |table| table.rows)
    }

    /// Every page and every row; and where indexes are compared with their tables, every row once more for each.
    pub(crate) fn integrity(&self, level: Integrity) -> u64 {
        let structure = |table: &Table| 4 + table.columns;
        match level {
            Integrity::Off => 0,
            Integrity::Quick => self.pages + self.sum(structure),
            Integrity::Sqlite => self.pages + self.sum(|table| structure(table) + 9 * table.indexes),
            Integrity::Full => self.pages + self.sum(|table| structure(table) + comparison(table.indexes)),
        }
    }

    /// What [`Workload::integrity`] is of a transaction's own work.
    pub(crate) fn integrity_of(&self, level: Integrity, written: &Written<'_>) -> u64 {
        if level != Integrity::Full {
            return self.integrity(level);
        }
        let tables = self.tables.iter().map(|(key, table)| {
            let indexes = written.after.indexes.iter().filter(|(_, index)| index.table.eq_ignore_ascii_case(key));
            let indexes = indexes.filter(|(name, _)| written.has_index(name)).count() as u64;
            match (written.has_table(key), indexes) {
                (true, _) => table.rows * (4 + table.columns + comparison(table.indexes)),
                (false, 0) => 0,
                (false, indexes) if written.foreseen.knows(key) => table.rows * entries(indexes),
                (false, indexes) => table.rows * comparison(indexes),
            }
        });
        tables.sum()
    }

    /// Every row, once for each of its keys.
    pub(crate) fn foreign_keys(&self) -> u64 {
        self.sum(|table| 5 * table.keys)
    }

    /// Every entry of every index.
    pub(crate) fn statistics(&self) -> u64 {
        self.sum(|table| 18 * table.indexes)
    }

    /// The new indexes, and the rows of the tables it writes.
    pub(crate) fn migration(&self, migration: &Migration, after: &Catalog) -> u64 {
        let new = migration.creates.iter().filter(|object| object.kind == ObjectKind::Index);
        let indexes = new.filter_map(|object| after.indexes.get(&object.name.to_ascii_lowercase()));
        let entries: u64 = indexes.map(|index| self.rows(&index.table)).sum();
        let written: u64 = migration.writes.iter().map(|table| self.rows(table)).sum();
        entries * INDEX_ENTRY + written * 30
    }

    fn sum(&self, each: impl Fn(&Table) -> u64) -> u64 {
        self.tables.values().map(|table| table.rows * each(table)).sum()
    }
}

/// The passes over a table and over so many of its indexes, for each row.
fn comparison(indexes: u64) -> u64 {
    if indexes == 0 { 0 } else { 6 + 2 * indexes + entries(indexes) }
}

/// The passes over the indexes alone.
fn entries(indexes: u64) -> u64 {
    6 * indexes
}

fn highest_row(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let (table, highest) = (quoted(table), |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>(0));
    let found = connection
        .query_row(&format!("SELECT max(rowid) FROM main.{table}"), [], highest)
        // A table WITHOUT ROWID has to be counted, and one in which something else is called so.
        .or_else(|_| connection.query_row(&format!("SELECT count(*) FROM main.{table}"), [], highest))?;
    Ok(found.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default())
}
