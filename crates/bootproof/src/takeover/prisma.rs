//! prisma: `_prisma_migrations`, a row for every attempt, with the SHA-256 of the file.

use std::collections::BTreeMap;

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;
use super::text::sha256;

pub(super) static TOOL: Tool = Tool {
    name: "prisma",
    table: "_prisma_migrations",
    columns: &["checksum", "finished_at", "migration_name", "rolled_back_at"],
    is_exact: false,
    dialects: &["prisma"],
    read,
};

/// An attempt that was given up is made good by a later one that finished.
fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::default();
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    for row in rows {
        let record = match attempt(reading, row) {
            Ok(record) => record,
            Err(problem) => {
                history.problems.push(problem);
                continue;
            }
        };
        let is_given_up = !row.is_null("rolled_back_at");
        let earlier = records.get(&record.title);
        if earlier.is_none() || !is_given_up {
            records.insert(record.title.clone(), record);
        }
    }
    history.records.extend(records.into_values());
    super::note_edited(&mut history, reading, TOOL.name);
    history
}

fn attempt(reading: &Reading<'_>, row: &Row) -> Result<Record, String> {
    let (name, checksum) = (row.text("migration_name")?, row.text("checksum")?);
    let digits = name.split_once('_').map_or(name.as_str(), |(digits, _)| digits);
    let version = digits.parse().map_err(|_| super::no_version(&name))?;
    let record = reading.compared(version, &name, |text| sha256(text).eq_ignore_ascii_case(&checksum));
    Ok(if !row.is_null("rolled_back_at") {
        record.unfinished("it failed, was marked as rolled back, and was not applied again")
    } else if row.is_null("finished_at") {
        record.unfinished("it was begun, and did not finish")
    } else {
        record
    })
}
