//! The validations: each asks the database one question and answers in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bootproof_catalog::{Catalog, Difference, Severity};
use rusqlite::Connection;

use crate::compiled::Migration;
use crate::error::Error;
use crate::options::{ForeignKeys, Integrity};

/// How many violations are kept in full; beyond that they are counted.
const KEPT_VIOLATIONS: usize = 1000;

/// Checks the pages of the file, and every index against its table.
///
/// # Errors
///
/// [`Error::Integrity`] with what SQLite found (<https://sqlite.org/pragma.html#pragma_integrity_check>).
pub(crate) fn integrity(connection: &Connection, level: Integrity) -> Result<String, Error> {
    let (sql, passed) = match level {
        Integrity::Full => ("PRAGMA main.integrity_check", "every page and index entry is sound"),
        Integrity::Quick => ("PRAGMA main.quick_check", "every page is sound; indexes not compared with their tables"),
        Integrity::Off => return Ok("switched off".to_owned()),
    };
    let problems = strings(connection, sql).map_err(|error| Error::from_sqlite("checking the integrity", error))?;
    match problems.as_slice() {
        [ok] if ok == "ok" => Ok(passed.to_owned()),
        _ => Err(Error::Integrity { problems }),
    }
}

/// The rows whose parent is missing, by what identifies them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Violations {
    kept: BTreeSet<String>,
    total: usize,
}

impl Violations {
    /// Finds every row of every table whose foreign key has no parent.
    pub(crate) fn find(connection: &Connection, catalog: &Catalog) -> Result<Self, Error> {
        let failed = |error| Error::from_sqlite("checking foreign keys", error);
        let mut violations = Self::default();
        for table in catalog.tables.values().filter(|table| !table.foreign_keys.is_empty()) {
            violations.find_in(connection, &table.name).map_err(failed)?;
        }
        Ok(violations)
    }

    fn find_in(&mut self, connection: &Connection, table: &str) -> rusqlite::Result<()> {
        let mut columns: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let mut statement =
            connection.prepare("SELECT id, \"from\" FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            columns.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        let mut statement =
            connection.prepare("SELECT rowid, parent, fkid FROM pragma_foreign_key_check(?1, 'main')")?;
        let mut rows = statement.query([table])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(()),
                // "foreign key mismatch": the key itself is not well defined, so no row of it can be checked.
                Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => {
                    self.add(format!("`{table}`: {error}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let (rowid, parent, key): (Option<i64>, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let columns = columns.get(&key).map(Vec::as_slice).unwrap_or_default();
            if self.total < KEPT_VIOLATIONS {
                self.add(describe_violation(connection, table, rowid, columns, &parent));
            } else {
                self.total += 1;
            }
        }
    }

    fn add(&mut self, violation: String) {
        self.total += 1;
        self.kept.insert(violation);
    }

    /// Judges by policy; `before` are the violations found before the migration, where there was one.
    pub(crate) fn judge(&self, policy: ForeignKeys, before: Option<&Self>) -> Result<String, Error> {
        let refuse = |violations: Vec<String>, total| Err(Error::ForeignKeys { violations, total });
        match (policy, before) {
            _ if self.total == 0 => Ok("every row has its parent".to_owned()),
            (ForeignKeys::Strict, _) => refuse(self.kept.iter().cloned().collect(), self.total),
            (ForeignKeys::NoNew, Some(before)) if self.total > before.total || !self.kept.is_subset(&before.kept) => {
                let new: Vec<_> = self.kept.difference(&before.kept).cloned().collect();
                let total = new.len().max(self.total.saturating_sub(before.total));
                refuse(new, total)
            }
            (ForeignKeys::NoNew, _) => Ok(format!("{} rows without their parent, tolerated", self.total)),
        }
    }
}

/// One violation as a person needs it: which row, which column, which value.
fn describe_violation(
    connection: &Connection,
    table: &str,
    rowid: Option<i64>,
    columns: &[String],
    parent: &str,
) -> String {
    let Some(rowid) = rowid else {
        return format!("a row of `{table}`: ({}) has no parent in `{parent}`", columns.join(", "));
    };
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            let sql = format!("SELECT quote({}) FROM main.{} WHERE rowid = ?1", quoted(column), quoted(table));
            let value = connection.query_row(&sql, [rowid], |row| row.get::<_, String>(0));
            format!("{column} = {}", value.unwrap_or_else(|_| "?".to_owned()))
        })
        .collect();
    format!("`{table}` row {rowid}: {} has no parent in `{parent}`", values.join(", "))
}

/// The number of rows of every table.
pub(crate) fn row_counts(connection: &Connection, catalog: &Catalog) -> Result<BTreeMap<String, i64>, Error> {
    let mut counts = BTreeMap::new();
    for (key, table) in &catalog.tables {
        let sql = format!("SELECT count(*) FROM main.{}", quoted(&table.name));
        let count = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(|error| Error::from_sqlite("counting rows", error))?;
        counts.insert(key.clone(), count);
    }
    Ok(counts)
}

/// Compares the counts before and after, for every table that no pending migration writes.
pub(crate) fn same_row_counts(
    before: &BTreeMap<String, i64>,
    after: &BTreeMap<String, i64>,
    pending: &[&Migration],
) -> Result<String, Error> {
    let written = |table: &str| {
        pending.iter().any(|migration| migration.writes.iter().any(|name| name.eq_ignore_ascii_case(table)))
    };
    let mut changed = Vec::new();
    let (mut tables, mut rows) = (0_usize, 0_i64);
    for (table, count) in before.iter().filter(|(table, _)| !written(table)) {
        match after.get(table) {
            Some(now) if now == count => {
                tables += 1;
                rows += count;
            }
            Some(now) => changed.push(format!("`{table}`: {count} before, {now} after")),
            None => changed.push(format!("`{table}`: {count} before, gone after")),
        }
    }
    if changed.is_empty() {
        Ok(format!("{rows} rows in {tables} tables, as before"))
    } else {
        Err(Error::RowCountsChanged { tables: changed })
    }
}

/// Judges the structure: what is missing refuses; what merely differs refuses unless the adoption recorded it.
pub(crate) fn schema(differences: &[Difference], tolerated: &BTreeSet<String>, tables: usize) -> Result<String, Error> {
    let refused: Vec<Difference> = differences
        .iter()
        .filter(|difference| match difference.severity {
            Severity::Missing => true,
            Severity::Differs => !tolerated.contains(&difference.message),
            Severity::Repairable | Severity::Extra => false,
        })
        .cloned()
        .collect();
    if !refused.is_empty() {
        return Err(Error::Drifted { differences: refused });
    }
    let count = |severity| differences.iter().filter(|difference| difference.severity == severity).count();
    let mut detail = format!("{tables} tables as compiled");
    for (count, what) in
        [(count(Severity::Differs), "differences known since adoption"), (count(Severity::Extra), "additions")]
    {
        if count > 0 {
            // Writing to a String cannot fail.
            let _ = write!(detail, ", {count} {what}");
        }
    }
    Ok(detail)
}

/// Somebody else's tables and columns must survive; both lists are differences from the schema before the migration. An
/// index or a trigger that a rebuild drops is only reported: it holds no data.
pub(crate) fn additions_kept(
    before: &[Difference],
    after: &[Difference],
    head: &Catalog,
) -> Result<Vec<String>, Error> {
    let additions = |differences: &[Difference]| -> BTreeSet<Difference> {
        differences.iter().filter(|difference| difference.severity == Severity::Extra).cloned().collect()
    };
    let (data, rest): (Vec<_>, Vec<_>) = additions(before).difference(&additions(after)).cloned().partition(|lost| {
        let is_column = lost.message.starts_with("column ");
        lost.message.starts_with("table ") || (is_column && head.tables.contains_key(&lost.object))
    });
    if data.is_empty() {
        Ok(rest.into_iter().map(|lost| format!("gone since the migration: {lost}")).collect())
    } else {
        Err(Error::AdditionsLost { objects: data.into_iter().map(|lost| lost.message).collect() })
    }
}

/// A name as SQL text, whatever it contains.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn strings(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}
