//! SQLite's own checks, and what they say.

use bootproof_catalog::quoted;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::error::{Error, is_refused_sql};
use crate::options::Integrity;

/// What a check of this level that passed has shown.
pub(super) fn passed(level: Integrity) -> &'static str {
    match level {
        Integrity::Full | Integrity::Sqlite => "every page and index entry is sound",
        Integrity::Quick => "every page is sound; indexes not compared with their tables",
        Integrity::Off => "switched off",
    }
}

/// Runs SQLite's check of this level.
pub(crate) fn check(connection: &Connection, level: Integrity) -> Result<String, Error> {
    let sql = match level {
        Integrity::Full | Integrity::Sqlite => "PRAGMA main.integrity_check",
        Integrity::Quick => "PRAGMA main.quick_check",
        Integrity::Off => return Ok(passed(level).to_owned()),
    };
    let run = || strings(connection, sql);
    let found = if level == Integrity::Quick { run() } else { with_large_cache(connection, run) };
    let (problems, passed) = match found {
        Ok(problems) => (problems, passed(level).to_owned()),
        Err(error) if is_refused_sql(&error) => table_by_table(connection, sql)?,
        Err(error) => {
            return Err(Error::from_sqlite("checking the integrity", error).unless_unreadable(connection));
        }
    };
    // One row can tell of many pages, under a headline.
    let lines = problems.iter().flat_map(|row| row.lines()).filter(|line| !line.starts_with("*** in database"));
    let problems: Vec<String> = lines.map(str::to_owned).collect();
    if let Some(error) = unreadable(&problems) {
        return Err(Error::from_sqlite("checking the integrity", error));
    }
    match problems.as_slice() {
        [ok] if ok == "ok" => Ok(passed),
        _ => Err(Error::Integrity { problems }.unless_unreadable(connection)),
    }
}

/// The full check looks rows up in indexes in random order: with its default of 2 MB for pages, or with 8, it reads every page many
/// times (28 s against 15 s with a million worklogs and eight indexes).
pub(super) fn with_large_cache<T>(
    connection: &Connection,
    check: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    const KIBIBYTES: i64 = 64 * 1024;
    let before: i64 = connection.pragma_query_value(Some("main"), "cache_size", |row| row.get(0))?;
    connection.pragma_update(Some("main"), "cache_size", -KIBIBYTES)?;
    let checked = check();
    connection.pragma_update(Some("main"), "cache_size", before)?;
    checked
}

/// Whether SQLite finds nothing to say, asked for one problem at most.
pub(super) fn says_ok(connection: &Connection, check: &str, table: Option<&str>) -> rusqlite::Result<bool> {
    let of = table.map_or_else(|| "1".to_owned(), quoted);
    Ok(strings(connection, &format!("PRAGMA main.{check}({of})"))? == ["ok"])
}

/// A page that the system would not give is told among the problems, with the code of the error, and every index entry on it
/// as missing. Nothing is known of the page; that is no damage to restore a backup for.
fn unreadable(problems: &[String]) -> Option<rusqlite::Error> {
    let codes = problems.iter().filter_map(|problem| problem.rsplit_once("error code=")?.1.trim().parse().ok());
    let errors = codes.map(ffi::Error::new);
    let mut unread = errors.filter(|error| !matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    Some(rusqlite::Error::SqliteFailure(unread.next()?, None))
}

/// An index or a CHECK of somebody's, with a function or collation that only their program has, stops the check of the whole
/// file. Table by table, only the one concerned is left out.
fn table_by_table(connection: &Connection, sql: &str) -> Result<(Vec<String>, String), Error> {
    let failed = |error| Error::from_sqlite("checking the integrity", error);
    let tables = strings(connection, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0");
    let (mut problems, mut left_out) = (Vec::new(), Vec::new());
    for table in tables.map_err(failed)? {
        match strings(connection, &format!("{sql}({})", quoted(&table))) {
            Ok(found) => problems.extend(found.into_iter().filter(|result| result != "ok")),
            Err(error) if is_refused_sql(&error) => {
                left_out.push(format!("`{table}` ({error})"));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    if problems.is_empty() {
        problems.push("ok".to_owned());
    }
    Ok((problems, format!("every table is sound that can be checked here; not {}", left_out.join(", "))))
}

/// One column of text: what SQLite says of a damaged name need not be Unicode.
fn strings(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok(String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned()))?;
    rows.collect()
}
