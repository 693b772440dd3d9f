//! The migrator's own tables in somebody's database: they may be missing, and anything may go by their name.

use rusqlite::{Connection, OptionalExtension as _};

use crate::apply::without_statement;
use crate::error::Error;

/// Whether a table of ours is there. Whatever else goes by its name, or has not its columns, refuses as malformed.
pub(crate) fn exists(connection: &Connection, table: &'static str, columns: &[&str]) -> Result<bool, Error> {
    let failed = |error| Error::from_sqlite("looking for the migrator's own tables", error);
    let malformed = |problem: String| Error::Malformed { table, problems: vec![problem] };
    // Only an ordinary table has pages: what is written into another is not in this file, and runs somebody's module.
    let sql = "SELECT CASE WHEN type = 'table' AND ifnull(rootpage, 0) <= 0 THEN 'virtual table' ELSE type END
               FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE";
    let kind: Option<String> = connection.query_row(sql, [table], |row| row.get(0)).optional().map_err(failed)?;
    match kind.as_deref() {
        None => return Ok(false),
        Some("table") => {}
        Some(other) => return Err(malformed(format!("it is a {other}, not a table"))),
    }
    if let Some(trigger) = trigger(connection, table).map_err(failed)? {
        return Err(malformed(format!("the trigger `{trigger}` is on it, and would run whenever a boot writes")));
    }
    // With the table's name before it, a missing column cannot be taken for text.
    let columns: Vec<String> = columns.iter().map(|column| format!("t.{column}")).collect();
    match connection.prepare(&format!("SELECT {} FROM main.{table} AS t", columns.join(", "))) {
        Ok(_) => Ok(true),
        Err(rusqlite::Error::SqlInputError { msg, .. }) => Err(malformed(msg)),
        Err(error) => Err(failed(error)),
    }
}

/// A trigger on a table of ours: nobody's but somebody else's.
fn trigger(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";
    connection.query_row(sql, [table], |row| row.get(0)).optional()
}

/// The error of a row that could not be written into a table of ours: the statement is always the same, so that whatever
/// has no better name is the table's own making, such as a constraint that none of ours has.
pub(crate) fn unwritten(table: &'static str, doing: &'static str, source: rusqlite::Error) -> Error {
    match Error::from_sqlite(doing, source) {
        Error::Unexpected { source, .. } => {
            Error::Malformed { table, problems: vec![format!("it takes no row: {}", without_statement(source))] }
        }
        other => other,
    }
}
