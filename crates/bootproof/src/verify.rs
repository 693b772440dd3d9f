//! The validations: each asks the database one question and answers in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bootproof_catalog::difference::Subject;
use bootproof_catalog::{Catalog, Difference, Severity, quoted};
use rusqlite::Connection;

use crate::error::{Error, is_refused_sql};
use crate::figure::{self, count};

/// The number of rows of every ordinary table; a virtual one has its rows elsewhere, and one with a collation that only
/// somebody else's program has cannot be read here at all.
pub(crate) fn row_counts(connection: &Connection, catalog: &Catalog) -> Result<BTreeMap<String, i64>, Error> {
    let mut counts = BTreeMap::new();
    for (key, table) in catalog.tables.iter().filter(|(_, table)| !table.is_virtual) {
        let sql = format!("SELECT count(*) FROM main.{}", quoted(&table.name));
        match connection.query_row(&sql, [], |row| row.get(0)) {
            Ok(count) => {
                counts.insert(key.clone(), count);
            }
            Err(error) if is_refused_sql(&error) => {}
            Err(error) => return Err(Error::from_sqlite("counting rows", error)),
        }
    }
    Ok(counts)
}

/// Compares the counts before and after, for every table that nothing was to write.
pub(crate) fn same_row_counts(
    before: &BTreeMap<String, i64>,
    after: &BTreeMap<String, i64>,
    writes: &BTreeSet<&str>,
) -> Result<String, Error> {
    let written = |table: &str| writes.iter().any(|name| name.eq_ignore_ascii_case(table));
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
        Ok(format!("{} in {}, as before", figure::rows(rows.unsigned_abs()), count(tables, "table", "tables")))
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
            Severity::Differs => !tolerated.contains(&difference.key),
            Severity::Repairable | Severity::Extra => false,
        })
        .cloned()
        .collect();
    if !refused.is_empty() {
        return Err(Error::Drifted { differences: refused });
    }
    let mut detail = format!("{} as compiled", count(tables, "table", "tables"));
    for (severity, one, many) in [
        (Severity::Differs, "difference known since adoption", "differences known since adoption"),
        (Severity::Extra, "addition", "additions"),
    ] {
        let number = differences.iter().filter(|difference| difference.severity == severity).count();
        if number > 0 {
            // Writing to a String cannot fail.
            let _ = write!(detail, ", {}", count(number, one, many));
        }
    }
    Ok(detail)
}

/// What a dropped table held, for whoever is to know that it is gone.
pub(crate) fn rows_gone(before: &BTreeMap<String, i64>, after: &Catalog) -> Vec<String> {
    let gone = before.iter().filter(|(table, rows)| **rows > 0 && !after.tables.contains_key(*table));
    gone.map(|(table, rows)| {
        format!(
            "{} of `{table}` {} gone with it",
            figure::rows(rows.unsigned_abs()),
            if *rows == 1 { "is" } else { "are" }
        )
    })
    .collect()
}

/// What is somebody else's addition now has to have been one before: the rest was to go, and stayed.
pub(crate) fn nothing_left_over(before: &[Difference], after: &[Difference]) -> Result<(), Error> {
    let is_addition = |difference: &&Difference| difference.severity == Severity::Extra;
    let left: Vec<Difference> =
        after.iter().filter(is_addition).filter(|difference| !before.contains(difference)).cloned().collect();
    if left.is_empty() { Ok(()) } else { Err(Error::Drifted { differences: left }) }
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
        lost.subject == Subject::Table || (lost.subject == Subject::Column && head.tables.contains_key(&lost.object))
    });
    if data.is_empty() {
        Ok(rest.into_iter().map(|lost| format!("gone since the migration: {lost}")).collect())
    } else {
        Err(Error::AdditionsLost { objects: data.into_iter().map(|lost| lost.message).collect() })
    }
}
