//! Reading many rows: a function that SQLite calls with the values of each.
//!
//! Whoever takes the rows of a query one by one enters and leaves SQLite for every row, and three times for every text in it. An
//! aggregate function is called from within, with all values of a row at once. The rows come in the order of the tree that the
//! statement reads: nothing else is asked of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Null;
use rusqlite::{Connection, Error, Result};

use super::entries::{Demanded, Found};

/// The function, for the statements of [`Reader::read`]: `SELECT reading(…) FROM …`.
pub(super) const READING: &str = "bootproof_reading";

/// What is made of the rows.
#[derive(Debug)]
pub(super) enum Reading {
    Rows(Demanded),
    Entries(Found),
}

/// A connection that has the function, for as long as this lives.
pub(super) struct Reader<'c> {
    connection: &'c Connection,
    desk: Desk,
}

/// Where a reading lies before SQLite begins with it, and after.
#[derive(Clone, Debug, Default)]
struct Desk(Arc<Mutex<Option<Reading>>>);

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self> {
        let desk = Desk::default();
        // Nothing that the file says of itself may call it.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_aggregate_function(READING, -1, flags, desk.clone())?;
        Ok(Self { connection, desk })
    }

    /// Reads all rows of a statement; an error where one of them is in doubt.
    pub(super) fn read(&self, sql: &str, reading: Reading) -> Result<Reading> {
        *self.desk.lock() = Some(reading);
        self.connection.query_row(sql, [], |_| Ok(()))?;
        self.desk.take()
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.connection.remove_function(READING, -1) {
            log::debug!("removing {READING}: {error}");
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Reading> {
        self.lock().take().ok_or_else(|| Error::UserFunctionError("nothing is to be read".into()))
    }
}

impl Aggregate<Reading, Null> for Desk {
    fn init(&self, _row: &mut Context<'_>) -> Result<Reading> {
        self.take()
    }

    fn step(&self, row: &mut Context<'_>, reading: &mut Reading) -> Result<()> {
        let is_beyond_doubt = match reading {
            Reading::Rows(demanded) => {
                demanded.add(row);
                true
            }
            // The last column comes first.
            Reading::Entries(found) => {
                let last = found.columns() - 1;
                found.add(|column| row.get_raw(last - column))
            }
        };
        if is_beyond_doubt {
            Ok(())
        } else {
            Err(Error::UserFunctionError("an entry does not follow the one before".into()))
        }
    }

    /// Without rows nothing has been taken.
    fn finalize(&self, _row: &mut Context<'_>, reading: Option<Reading>) -> Result<Null> {
        if reading.is_some() {
            *self.lock() = reading;
        }
        Ok(Null)
    }
}
