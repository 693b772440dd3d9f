//! goose: `goose_db_version`, a row for every step, there and, in its older versions, back.

use std::collections::BTreeMap;

use super::Tool;
use super::record::{History, Reading, Record};
use super::rows::Row;

pub(super) static TOOL: Tool = Tool {
    name: "goose",
    table: "goose_db_version",
    columns: &["id", "version_id", "is_applied"],
    is_exact: false,
    dialects: &["goose"],
    read,
};

/// The version of nothing, with which it begins.
const NOTHING: i64 = 0;

/// The newest row of a version counts: what was taken back is not applied.
fn read(_reading: &Reading<'_>, rows: &[Row]) -> History {
    let mut history = History::default();
    let mut newest: BTreeMap<i64, (i64, bool)> = BTreeMap::new();
    for row in rows {
        match (row.integer("id"), row.integer("version_id"), row.truth("is_applied")) {
            (Ok(id), Ok(version), Ok(is_applied)) => {
                let entry = newest.entry(version).or_insert((id, is_applied));
                *entry = (*entry).max((id, is_applied));
            }
            (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => history.problems.push(problem),
        }
    }
    let applied = newest.into_iter().filter(|(version, (_, is_applied))| *version != NOTHING && *is_applied);
    history.records.extend(applied.map(|(version, _)| Record::applied(version, "")));
    history
}
