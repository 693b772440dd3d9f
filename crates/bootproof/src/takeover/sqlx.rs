//! sqlx: `_sqlx_migrations`, one row for each migration, with the SHA-384 of its file.

use super::Tool;
use super::record::{History, Reading};
use super::rows::Row;
use super::text::sha384;

pub(super) static TOOL: Tool = Tool {
    name: "sqlx",
    table: "_sqlx_migrations",
    columns: &["version", "description", "success", "checksum"],
    is_exact: false,
    // Its pairs of files look like golang-migrate's, and are called that unless somebody says better.
    dialects: &["sqlx", "golang-migrate"],
    read,
};

fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::of(rows, |row| {
        let (version, checksum) = (row.integer("version")?, row.bytes("checksum")?);
        let title = row.text("description").unwrap_or_default();
        let record = reading.compared(version, &title, |text| sha384(text) == checksum);
        let is_done = row.truth("success")?;
        Ok(Some(if is_done { record } else { record.unfinished("sqlx has recorded that it did not succeed") }))
    });
    super::note_edited(&mut history, reading, TOOL.name);
    history
}
