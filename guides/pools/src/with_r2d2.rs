//! A pool for threads.

use std::path::PathBuf;

use r2d2::ManageConnection;
use rusqlite::Connection;

use crate::{Open, PATIENCE};

/// Connections, one for each thread that asks.
pub type Pool = r2d2::Pool<Manager>;

/// Opens connections to one file.
#[derive(Debug)]
pub struct Manager {
    database: PathBuf,
    open: Open,
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> rusqlite::Result<Connection> {
        (self.open)(&self.database)
    }

    fn is_valid(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        connection.execute_batch("SELECT 1")
    }

    /// Whoever gets the connection next must not find himself in the middle of somebody's transaction.
    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_autocommit()
    }
}

/// A pool of so many connections to a file that was booted. They are opened now.
///
/// # Errors
///
/// What SQLite says, if none can be opened.
pub fn pool(database: impl Into<PathBuf>, open: Open, connections: u32) -> Result<Pool, r2d2::Error> {
    r2d2::Pool::builder()
        .max_size(connections)
        .connection_timeout(PATIENCE)
        // A file does not hang up. A connection that stays keeps its page cache and its prepared statements.
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .build(Manager { database: database.into(), open })
}
