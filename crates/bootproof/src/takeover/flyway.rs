//! flyway: `flyway_schema_history`, a row for everything it did, with a CRC-32 of the lines of the file.

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;
use super::text::crc32_of_lines;
use crate::compiled::Migration;

pub(super) static TOOL: Tool = Tool {
    name: "flyway",
    table: "flyway_schema_history",
    columns: &["installed_rank", "version", "description", "type", "checksum", "success"],
    is_exact: false,
    dialects: &["flyway"],
    read,
};

fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::default();
    let mut ranked = Vec::new();
    for row in rows {
        match (row.integer("installed_rank"), row.truth("success")) {
            (Ok(rank), Ok(is_done)) => ranked.push((rank, is_done, row)),
            (Err(problem), _) | (_, Err(problem)) => history.problems.push(problem),
        }
    }
    ranked.sort_by_key(|(rank, ..)| *rank);
    for (_, is_done, row) in ranked {
        if let Err(problem) = step(reading, row, is_done, &mut history.records) {
            history.problems.push(problem);
        }
    }
    super::note_edited(&mut history, reading, TOOL.name);
    history
}

/// What one row adds to the records, or takes from them.
fn step(reading: &Reading<'_>, row: &Row, is_done: bool, records: &mut Vec<Record>) -> Result<(), String> {
    let title = row.text("description").unwrap_or_default();
    let failed = "flyway has recorded that it did not succeed";
    // What is repeated has no version, and no file here; nor has the making of the schema itself.
    if row.is_null("version") {
        if !is_done {
            records.push(Record::unknown(&title).unfinished(failed));
        }
        return Ok(());
    }
    let text = row.text("version")?;
    let version = version(reading, &text).ok_or_else(|| super::no_version(&text))?;
    let kind = row.text("type")?;
    if !is_done {
        records.push(Record::applied(version, &title).unfinished(failed));
    } else if kind.starts_with("UNDO") || kind == "DELETE" {
        records.retain(|record| record.version != Some(version));
    } else if kind == "BASELINE" {
        // What the number itself stands for need not be a file.
        let is_known = |record: &Record| record.version.is_some_and(|it| reading.schema.migration(it).is_some());
        records.extend(reading.up_to(version).into_iter().filter(is_known));
    } else if row.is_null("checksum") {
        records.push(Record::applied(version, &title));
    } else {
        let checksum = row.integer("checksum")?;
        records.push(reading.compared(version, &title, |text| i64::from(crc32_of_lines(text)) == checksum));
    }
    Ok(())
}

/// Which of our versions is meant: that of the file with the same parts, or the number itself.
fn version(reading: &Reading<'_>, text: &str) -> Option<i64> {
    let wanted = parts(text)?;
    let migrations = reading.schema.compiled().migrations;
    let known = migrations.iter().find(|migration| parts_of(migration).as_ref() == Some(&wanted));
    // As the compiler counts: where one version has dots, `1.2.3` is 1002003, and 1 is 1000000.
    let is_dotted = migrations.iter().filter_map(parts_of).any(|parts| parts.len() > 1);
    let counted = |wanted: &[i64]| match *wanted {
        [major] if is_dotted => major.checked_mul(1_000_000),
        [only] => Some(only),
        [major, minor] => major.checked_mul(1_000_000)?.checked_add(minor.checked_mul(1_000)?),
        [major, minor, patch] => {
            major.checked_mul(1_000_000)?.checked_add(minor.checked_mul(1_000)?)?.checked_add(patch)
        }
        _ => None,
    };
    known.map(|migration| migration.version).or_else(|| counted(&wanted))
}

/// The numbers in the name of a file.
fn parts_of(migration: &Migration) -> Option<Vec<i64>> {
    let title = migration.title().rsplit('/').next()?;
    parts(title.strip_prefix('V')?.split_once("__")?.0)
}

/// The numbers of `1.2` or `1_2`, without zeros at the end: to flyway `1.0` is `1`.
fn parts(version: &str) -> Option<Vec<i64>> {
    let mut parts = version.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?;
    while parts.len() > 1 && parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}
