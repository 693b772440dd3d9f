//! Rows that refer to a parent that does not exist.

mod by_index;

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::{Catalog, quoted};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::connection;
use crate::error::{Error, is_refused_sql};
use crate::figure::{self, short_line};
use crate::options::{ForeignKeys, Integrity};

/// How many violations are told one by one; beyond that they are counted.
const TOLD: usize = 1000;

/// Every violation: what is violated, and how often.
///
/// Known by table, columns, values and parent, not by row number: a table rebuild may number its rows anew. There can be as
/// many as there are rows, so that most are known by no more than a digest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Violations {
    counts: BTreeMap<Known, usize>,
    told: Vec<(String, String)>,
    total: usize,
}

/// The half of a digest: enough that no two are taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known(u128);

impl Known {
    fn of(violation: &str) -> Self {
        let digest = Sha256::digest(violation);
        Self(digest.iter().take(16).fold(0, |half, byte| half << 8 | u128::from(*byte)))
    }
}

impl Violations {
    /// Finds every row without its parent, in the tables that are asked for. Indexes are trusted where the check of the
    /// integrity compares them with their tables.
    pub(crate) fn find(
        connection: &Connection,
        catalog: &Catalog,
        integrity: Integrity,
        asked: impl Fn(&str) -> bool,
    ) -> Result<Self, Error> {
        let failed = |error| Error::from_sqlite("checking foreign keys", error);
        let mut violations = Self::default();
        if none_at_all(connection) {
            return Ok(violations);
        }
        let with_keys = catalog.tables.iter().filter(|(_, table)| !table.foreign_keys.is_empty());
        let trusts_indexes = matches!(integrity, Integrity::Full | Integrity::Sqlite);
        for (_, table) in with_keys.filter(|(key, _)| asked(key)) {
            if trusts_indexes && by_index::every_row_has_its_parent(connection, catalog, &table.name) {
                continue;
            }
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
                Err(error) if is_refused_sql(&error) => {
                    self.add(format!("`{table}`: {error}"), String::new());
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let (rowid, parent, key): (Option<i64>, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let columns = columns.get(&key).map(Vec::as_slice).unwrap_or_default();
            let values = values(connection, table, rowid, columns)?;
            let which = rowid.map_or_else(String::new, |rowid| format!(" row {rowid}"));
            self.add(format!("`{table}`{{row}}: {values} has no parent in `{parent}`"), which);
        }
    }

    fn add(&mut self, violation: String, row: String) {
        self.total += 1;
        *self.counts.entry(Known::of(&violation)).or_default() += 1;
        if self.told.len() < TOLD {
            self.told.push((violation, row));
        }
    }

    /// Judges by policy; `before` are the violations found before the migration, where there was one.
    pub(crate) fn judge(&self, policy: ForeignKeys, before: Option<&Self>) -> Result<String, Error> {
        match (policy, before) {
            _ if self.total == 0 => Ok("every row has its parent".to_owned()),
            (ForeignKeys::Strict, _) => Err(self.refusal(|_| true, self.total, false)),
            (ForeignKeys::NoNew, before) => {
                let known = |violation: &Known| match before {
                    Some(before) => before.counts.get(violation).copied().unwrap_or_default(),
                    None => usize::MAX,
                };
                let new = self.counts.iter().map(|(violation, count)| count.saturating_sub(known(violation))).sum();
                if new > 0 {
                    let is_new = |violation: &Known| self.counts.get(violation) > Some(&known(violation));
                    return Err(self.refusal(is_new, new, true));
                }
                Ok(format!(
                    "{} without {} parent, tolerated",
                    figure::rows(self.total as u64),
                    if self.total == 1 { "its" } else { "their" }
                ))
            }
        }
    }

    /// What to say of tables that are somebody else's.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let told: BTreeSet<&String> = self.told.iter().map(|(violation, _)| violation).collect();
        let count = |violation: &str| self.counts.get(&Known::of(violation)).copied().unwrap_or_default();
        let notes: Vec<String> = told
            .into_iter()
            .map(|told| format!("{} ({})", told.replace("{row}", ""), figure::rows(count(told) as u64)))
            .collect();
        let more = self.counts.len() - notes.len();
        let more = (more > 0).then(|| format!("… and {more} more such violations"));
        notes.into_iter().chain(more)
    }

    fn refusal(&self, which: impl Fn(&Known) -> bool, total: usize, are_new: bool) -> Error {
        let told = self.told.iter().filter(|(violation, _)| which(&Known::of(violation)));
        let violations = told.map(|(violation, row)| violation.replace("{row}", row)).collect();
        Error::ForeignKeys { violations, total, are_new }
    }
}

/// Whether a small database has no violation in any table: SQLite answers for all of them at once. False where that would take
/// long, or is not so simple.
fn none_at_all(connection: &Connection) -> bool {
    let check = || connection.prepare("PRAGMA main.foreign_key_check")?.exists([]).map(|exists| !exists);
    connection::is_small(connection).is_ok_and(|is_small| is_small) && check().unwrap_or_default()
}

/// The columns of a foreign key with what they hold, such as `team_id = 42`.
fn values(connection: &Connection, table: &str, rowid: Option<i64>, columns: &[String]) -> rusqlite::Result<String> {
    let Some(rowid) = rowid else { return Ok(format!("({})", columns.join(", "))) };
    let mut told = Vec::new();
    for column in columns {
        let sql = format!("SELECT quote({}) FROM main.{} WHERE rowid = ?1", quoted(column), quoted(table));
        let quote = |row: &rusqlite::Row<'_>| Ok(String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned());
        let value = connection.prepare_cached(&sql)?.query_row([rowid], quote)?;
        told.push(format!("{column} = {}", short_line(&value)));
    }
    Ok(told.join(", "))
}
