//! golang-migrate: `schema_migrations`, one row that says how far it is.

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;

pub(super) static TOOL: Tool = Tool {
    name: "golang-migrate",
    table: "schema_migrations",
    columns: &["version", "dirty"],
    is_exact: true,
    dialects: &["golang-migrate", "sqlx"],
    read,
};

/// The version of nothing, which it records while it takes back the first.
const NOTHING: i64 = -1;

fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::default();
    for row in rows {
        match (row.integer("version"), row.truth("dirty")) {
            (Ok(version), Ok(true)) => {
                let record = Record::applied(version, "").unfinished("the history is dirty: a migration failed midway");
                history.records.push(record);
            }
            (Ok(NOTHING), Ok(false)) => {}
            (Ok(version), Ok(false)) => history.records.extend(reading.up_to(version)),
            (Err(problem), _) | (_, Err(problem)) => history.problems.push(problem),
        }
    }
    if rows.len() > 1 {
        history.problems.push(format!("it has {} rows, and golang-migrate writes one", rows.len()));
    }
    history
}
