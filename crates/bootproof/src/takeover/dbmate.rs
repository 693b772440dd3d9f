//! dbmate: `schema_migrations`, one row for each migration.

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;

pub(super) static TOOL: Tool = Tool {
    name: "dbmate",
    table: "schema_migrations",
    columns: &["version"],
    is_exact: true,
    dialects: &["dbmate"],
    read,
};

fn read(_reading: &Reading<'_>, rows: &[Row]) -> History {
    History::of(rows, |row| {
        let text = row.text("version")?;
        let version = text.parse().map_err(|_| super::no_version(&text))?;
        Ok(Some(Record::applied(version, "")))
    })
}
