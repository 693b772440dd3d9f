//! The connections of an application, to a file that was booted.

use std::path::Path;

use bootproof::connections;
use rusqlite::Connection;

/// A connection that reads; a mistake in a query cannot write.
///
/// # Errors
///
/// What SQLite says, as below.
pub fn reader(database: &Path) -> rusqlite::Result<Connection> {
    connections::open_reader(database)
}

/// A connection that writes. SQLite has one writer at a time: an application needs one of these, and readers.
pub fn writer(database: &Path) -> rusqlite::Result<Connection> {
    let connection = connections::open_writer(database)?;
    // Readers and the writer do not wait for one another. The mode is kept in the file; a boot leaves it as it finds it.
    connection.pragma_update(None, "journal_mode", "wal")?;
    Ok(connection)
}
