//! Opens the connections that an application works with once its database is proven, and gives them the settings that suit.
//!
//! A boot closes its own connection. The application opens its pool afterwards, with one function for each kind:
//!
//! ```
//! use bootproof::connections;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("app.db");
//! # rusqlite::Connection::open(&path)?.execute_batch("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT)")?;
//! let writer = connections::open_writer(&path)?;
//! writer.execute("INSERT INTO notes(text) VALUES ('a')", [])?;
//!
//! let reader = connections::open_reader(&path)?;
//! let notes: i64 = reader.query_one("SELECT count(*) FROM notes", [], |row| row.get(0))?;
//! assert_eq!(notes, 1);
//! assert!(reader.execute("DELETE FROM notes", []).is_err(), "a reader changes nothing");
//! # Ok(()) }
//! ```
//!
//! A pool that opens its connections itself is given [`prepare_reader`] or [`prepare_writer`] for each new one, and [`warm`] lets
//! a connection prepare every proven query before somebody waits for it.
//!
//! # What is set, and why
//!
//! | setting | value | why |
//! |---|---|---|
//! | `busy_timeout` | 5 s | longer than a writer should hold the database, shorter than a person waits for a page |
//! | `query_only` | on for readers | SQLite refuses every change, whatever SQL a mistake or an attacker gets to run |
//! | `foreign_keys` | on for writers | the next boot refuses rows without a parent: better the statement that would leave one |
//! | `trusted_schema`, defensive mode | off, on | nothing that a file says of itself is run or lets itself be corrupted (<https://sqlite.org/security.html>) |
//! | `cell_size_check` | on | a damaged page is an error where it is read |
//! | cached statements | 64 | every query contract is prepared once, in place of rusqlite's 16 |
//!
//! A connection never makes a file: a path where the boot saw a database and where there is none any more is an error, not an
//! empty database. Left as they are: the journal mode, which is a property of the file (`PRAGMA journal_mode = wal`, once, lets
//! readers read while somebody writes), `synchronous`, `cache_size` and `mmap_size`, which turns a disk that fails into a signal
//! that ends the process.
//!
//! A reader opens the file for reading and writing all the same, where the system lets it. Somebody who was killed while writing
//! leaves a journal, which a connection that may only read cannot play back, so that all reading would end until
//! somebody writes again (<https://sqlite.org/lockingv3.html#hot_journals>).

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

use crate::schema::Schema;

/// How long a connection waits for another that holds the database.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Room for the contracts of a large application and some statements of its own.
const STATEMENTS: usize = 64;

/// Opens an existing database to read it, with the settings of [`prepare_reader`].
///
/// # Errors
///
/// What SQLite says: that there is no such file, or that it may not be read.
pub fn open_reader(path: impl AsRef<Path>) -> Result<Connection> {
    let connection = open(path.as_ref())?;
    prepare_reader(&connection)?;
    Ok(connection)
}

/// Opens an existing database to read and write it, with the settings of [`prepare_writer`].
///
/// SQLite lets one connection write at a time. An application with one writer, behind a mutex or on a thread of its own, and a
/// pool of readers never waits for itself; a transaction that will write begins with `BEGIN IMMEDIATE`, since one that begins
/// by reading cannot wait for its turn later.
///
/// # Errors
///
/// As [`open_reader`]. A file that may only be read is opened, and says so when it is written.
pub fn open_writer(path: impl AsRef<Path>) -> Result<Connection> {
    let connection = open(path.as_ref())?;
    prepare_writer(&connection)?;
    Ok(connection)
}

/// Gives a connection that somebody else opened the settings of a reader.
///
/// # Errors
///
/// What SQLite says; none of the settings reads the file.
pub fn prepare_reader(connection: &Connection) -> Result<()> {
    prepare(connection)?;
    connection.pragma_update(None, "query_only", true)
}

/// Gives a connection that somebody else opened the settings of a writer.
///
/// # Errors
///
/// As [`prepare_reader`].
pub fn prepare_writer(connection: &Connection) -> Result<()> {
    prepare(connection)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Reads the schema and prepares every query contract, so that the first request does not wait for it.
///
/// A contract that cannot be prepared on this database, which `BOOTPROOF_TARGET` may hold at an earlier version, is left to fail
/// where it is executed.
///
/// # Errors
///
/// What SQLite says of a database that cannot be read, or is held by another process for longer than [`BUSY_TIMEOUT`].
pub fn warm(connection: &Connection, schema: &Schema) -> Result<()> {
    connection.query_one("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))?;
    for contract in schema.contracts() {
        if let Err(error) = connection.prepare_cached(contract.sql) {
            log::debug!("query {} cannot be prepared: {error}", contract.name);
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<Connection> {
    // Without a mutex: a pool lends each connection to one thread at a time. Without URIs: a path is a path.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}
