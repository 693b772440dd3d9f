//! refinery: its table is our own history, but what plain refinery wrote has its own checksums.
//!
//! It hashes the name, the version, of 32 bits unless it was built with `int8-versions`, and the text as the file has it.

use bootproof_catalog::{HISTORY_TABLE, source};

use super::record::{History, Reading, Record, State};
use super::rows::Row;
use super::{TakeOver, Tool, text};
use crate::compiled::Migration;
use crate::schema::Schema;

const NAME: &str = "refinery";

/// Under a name that refinery was told to use.
pub(super) static TOOL: Tool = Tool {
    name: NAME,
    table: HISTORY_TABLE,
    columns: &["version", "name", "applied_on", "checksum"],
    is_exact: true,
    dialects: &[NAME],
    read,
};

fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::of(rows, |row| {
        let (version, title, checksum) = (row.integer("version")?, row.text("name")?, row.text("checksum")?);
        let record = Record::applied(version, &title);
        let is_known = |migration: &Migration| {
            let checksum = checksum.parse().ok();
            checksum.is_some_and(|checksum| is_checksum_of(reading.schema, migration, checksum))
        };
        let is_edited = reading.schema.replaced(version).next().is_none()
            && reading.schema.migration(version).is_some_and(|migration| !is_known(migration));
        Ok(Some(if is_edited { Record { state: State::Edited, ..record } } else { record }))
    });
    super::note_edited(&mut history, reading, NAME);
    history
}

/// Whether refinery would have recorded this checksum for a migration.
pub(crate) fn is_checksum_of(schema: &Schema, migration: &Migration, checksum: u64) -> bool {
    let Migration { version, name, .. } = *migration;
    text::any(schema, migration, |text| {
        let Ok(text) = std::str::from_utf8(text) else { return false };
        let of_32_bits = source::checksum_of_32_bits(version, name, text);
        of_32_bits == Some(checksum) || source::checksum(version, name, text) == checksum
    })
}

/// That a history which no boot has written is continued.
pub(crate) fn taken_over(version: i64) -> TakeOver {
    let note = format!("taken over from {NAME} at version {version}; its rows in the history are left as they were");
    TakeOver { tool: NAME, version, notes: vec![note] }
}
