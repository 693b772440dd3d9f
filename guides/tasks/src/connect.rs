//! The connections of an application, to a file that was booted.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Longer than any writer should hold the database, shorter than a person waits for a page.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that reads.
///
/// # Errors
///
/// What SQLite says, as below.
pub fn reader(database: &Path) -> rusqlite::Result<Connection> {
    // A mistake in a query cannot write.
    open(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection that writes. SQLite has one writer at a time: an application needs one of these, and readers.
pub fn writer(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Readers and the writer do not wait for one another. The mode is kept in the file; a boot leaves it as it finds it.
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A boot proves foreign keys; that they stay so is a setting of every connection that writes.
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn open(database: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Without SQLITE_OPEN_CREATE: where the file is gone, nobody goes on with an empty one that was never proven. Without
    // SQLITE_OPEN_URI: a name that begins with `file:` is a name, as it is for a boot.
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // One for each query contract and some more: they are prepared once for each connection.
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
