//! What SQLite knows and a build script would need a library for: the calendar, and JSON.

use rusqlite::Connection;

/// A time in seconds since 1970 as `YYYYMMDDHHMMSS` in UTC: SQLite's calendar saves every build script a library.
pub(crate) fn timestamp(seconds: i64) -> rusqlite::Result<i64> {
    let connection = Connection::open_in_memory()?;
    let sql = "SELECT CAST(strftime('%Y%m%d%H%M%S', ?1, 'unixepoch') AS INTEGER)";
    connection.query_row(sql, [seconds], |row| row.get(0))
}

/// An entry of drizzle's journal.
pub(crate) struct JournalEntry {
    pub(crate) index: i64,
    /// The name of the file without its extension.
    pub(crate) tag: String,
    /// In milliseconds since 1970.
    pub(crate) when: i64,
}

/// Reads drizzle's journal: SQLite knows JSON, which saves every build script a library.
pub(crate) fn journal(text: &str) -> rusqlite::Result<Vec<JournalEntry>> {
    let connection = Connection::open_in_memory()?;
    let sql = "SELECT value ->> 'idx', value ->> 'tag', value ->> 'when' FROM json_each(?1, '$.entries')
               ORDER BY value ->> 'idx'";
    let mut statement = connection.prepare(sql)?;
    let entries = statement
        .query_map([text], |row| Ok(JournalEntry { index: row.get(0)?, tag: row.get(1)?, when: row.get(2)? }))?;
    entries.collect()
}
