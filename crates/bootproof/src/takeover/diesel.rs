//! diesel: `__diesel_schema_migrations`, one row for each migration.

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;

pub(super) static TOOL: Tool = Tool {
    name: "diesel",
    table: "__diesel_schema_migrations",
    columns: &["version"],
    is_exact: false,
    dialects: &["diesel"],
    read,
};

fn read(_reading: &Reading<'_>, rows: &[Row]) -> History {
    History::of(rows, |row| {
        let text = row.text("version")?;
        // It leaves out the hyphens itself, as our versions do.
        let version = text.replace('-', "").parse().map_err(|_| super::no_version(&text))?;
        Ok(Some(Record::applied(version, "")))
    })
}
