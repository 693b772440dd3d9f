//! What one statement of a rehearsal may take: a build ends, whatever it is given.
//!
//! A recursive common table expression need not end, and a function makes a blob of any size. At boot an operator sees how
//! long a migration takes and can call it off; nobody watches a build.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::heap::HeapLimit;

/// Steps of SQLite's virtual machine: enough to insert half a million rows.
const MOST_STEPS: u64 = 10_000_000;
/// For what is slow in a few steps.
const LONGEST: Duration = Duration::from_secs(30);
/// SQLite calls back after so many steps (<https://sqlite.org/c3ref/progress_handler.html>).
const STEPS_PER_TICK: u16 = 100;
/// The longest value, and the longest file, in bytes.
const LONGEST_VALUE: u32 = 64 << 20;
/// All memory that SQLite takes, in bytes. It is a limit of the process: <https://sqlite.org/c3ref/hard_heap_limit64.html>.
const MOST_MEMORY: u32 = 256 << 20;

/// Counts what the statement under way has taken.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Spent>);

#[derive(Debug)]
struct Spent {
    steps: AtomicU64,
    since: Mutex<Instant>,
    _memory: HeapLimit,
}

impl Budget {
    /// Limits everything that the connection does from now on, to what is in memory and to what a boot would allow.
    pub(crate) fn install(connection: &mut Connection) -> rusqlite::Result<Self> {
        let budget = Self(Arc::new(Spent {
            steps: AtomicU64::new(0),
            since: Mutex::new(Instant::now()),
            _memory: HeapLimit::hold(MOST_MEMORY),
        }));
        let handler = budget.clone();
        connection.progress_handler(STEPS_PER_TICK.into(), Some(move || handler.is_spent()))?;
        for limit in [Limit::SQLITE_LIMIT_LENGTH, Limit::SQLITE_LIMIT_SQL_LENGTH] {
            connection.set_limit(limit, i32::try_from(LONGEST_VALUE).unwrap_or(i32::MAX))?;
        }
        // What is sorted or materialised would otherwise be written to a file.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // As a boot does, so that nothing passes here that would fail there: <https://sqlite.org/security.html>.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        Ok(budget)
    }

    /// What follows is another statement.
    pub(crate) fn renew(&self) {
        self.0.steps.store(0, Ordering::Relaxed);
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_spent(&self) -> bool {
        let steps = self.0.steps.fetch_add(STEPS_PER_TICK.into(), Ordering::Relaxed);
        steps > MOST_STEPS || self.0.since.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > LONGEST
    }
}

/// What to say of an error that means that the budget is spent: the rule, what happened, and what to do.
pub(crate) fn explain(error: &rusqlite::Error) -> Option<(&'static str, String, &'static str)> {
    match error.sqlite_error_code()? {
        ErrorCode::OperationInterrupted => Some((
            "unending",
            format!("this statement has not ended after {} million steps or {LONGEST:?}", MOST_STEPS / 1_000_000),
            "if it recurses, give it an end; rows by the million belong into a program that fills the table, not into a \
             migration that every new database runs",
        )),
        ErrorCode::OutOfMemory | ErrorCode::TooBig => Some((
            "too-large",
            format!(
                "this makes a value of more than {} MB, or needs more than {} MB in all",
                LONGEST_VALUE >> 20,
                MOST_MEMORY >> 20
            ),
            "let the application write what is large",
        )),
        _ => None,
    }
}

/// The error of a statement that is too long to be looked at.
pub(crate) fn too_large() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None)
}
