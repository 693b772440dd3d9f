//! A pool for asynchronous programs: they wait without a thread, and work on one where blocking is allowed.

use std::fmt;
use std::path::PathBuf;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult};
use rusqlite::{Connection, ErrorCode};
use tokio::task::{self, JoinError};

use crate::{Open, PATIENCE};

/// Connections, one for each task that asks.
pub type Pool = managed::Pool<Manager>;

/// Opens connections to one file.
#[derive(Debug)]
pub struct Manager {
    database: PathBuf,
    open: Open,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let (database, open) = (self.database.clone(), self.open);
        Ok(task::spawn_blocking(move || open(&database)).await??)
    }

    /// Whoever gets the connection next must not find himself in the middle of somebody's transaction.
    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        if connection.is_autocommit() { Ok(()) } else { Err(RecycleError::message("inside a transaction")) }
    }
}

/// A pool of at most so many connections to a file that was booted. Each is opened when it is first needed.
///
/// # Errors
///
/// None, as long as there is a runtime.
pub fn pool(database: impl Into<PathBuf>, open: Open, connections: usize) -> Result<Pool, managed::BuildError> {
    Pool::builder(Manager { database: database.into(), open })
        .max_size(connections)
        .wait_timeout(Some(PATIENCE))
        .runtime(Runtime::Tokio1)
        .build()
}

/// Waits for a connection, and works with it on a thread of its own.
///
/// Work that has begun goes on to its end, also where nobody waits for it any more.
///
/// # Errors
///
/// [`Error`], and [`Error::Sqlite`] for what the work returned.
pub async fn with<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let mut connection = pool.get().await?;
    // The connection goes along, and back to the pool from there.
    Ok(task::spawn_blocking(move || work(&mut connection)).await??)
}

/// Why work was not done.
#[derive(Debug)]
pub enum Error {
    /// Every connection was in use for too long, or somebody else held the database.
    Busy,
    /// What SQLite says.
    Sqlite(rusqlite::Error),
    /// The work panicked, or the program is ending.
    Ended(JoinError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the database is busy"),
            Self::Sqlite(error) => error.fmt(f),
            Self::Ended(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Self::Ended(error)
    }
}

impl From<PoolError<Error>> for Error {
    fn from(error: PoolError<Error>) -> Self {
        match error {
            PoolError::Backend(error) => error,
            _ => Self::Busy,
        }
    }
}
