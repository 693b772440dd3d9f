//! Connections that read at the same time, and all of one state.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::connection;
use crate::error::Error;
use crate::watch::Watch;

/// How many read at most: from there on it is the disk that takes the time.
const MOST: usize = 4;
/// How often a writer may come between two of them before they are done without.
const ATTEMPTS: usize = 3;

/// Who can help to read a file.
#[derive(Clone, Copy)]
pub(crate) enum Companions<'a> {
    /// Nobody: the file is in memory, or has been changed in a way that nobody else can see yet.
    Nobody,
    /// Further connections to the same file, opened like this.
    Opened(&'a (dyn Fn() -> Result<Connection, Error> + 'a)),
}

/// Whether a check has come to a doubt, or nobody waits for it any more, so that the rest need not be done.
#[derive(Clone, Default)]
pub(super) struct Doubt {
    is_raised: Arc<AtomicBool>,
    is_in_vain: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Doubt {
    /// One that is also there as soon as somebody says so.
    pub(super) fn or(is_in_vain: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        Self { is_in_vain: Some(is_in_vain), ..Self::default() }
    }

    pub(super) fn raise(&self) {
        self.is_raised.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Relaxed) || self.is_in_vain.as_ref().is_some_and(|is_in_vain| is_in_vain())
    }
}

impl Companions<'_> {
    /// How many can read at the same time.
    pub(super) fn processors() -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
    }

    /// As many connections as there are processors, each in a transaction that reads the same state of the file, with the schema
    /// that the boot's own connection sees; none where they cannot be had.
    pub(super) fn assemble(self, connection: &Connection, watch: &Watch, doubt: &Doubt) -> Vec<Connection> {
        let count = Self::processors();
        let Self::Opened(open) = self else { return Vec::new() };
        let assembled = (0..ATTEMPTS).find_map(|_| assemble(open, count, watch, doubt).transpose());
        let schema = |connection: &Connection| -> rusqlite::Result<i64> {
            connection.pragma_query_value(Some("main"), "schema_version", |row| row.get(0))
        };
        match assembled {
            Some(Ok(connections)) => {
                let ours = schema(connection).ok();
                let is_ours = connections.iter().all(|other| schema(other).ok() == ours);
                if is_ours { connections } else { Vec::new() }
            }
            Some(Err(error)) => {
                log::debug!("checking on one connection: {error}");
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

/// None where a writer has committed between two of them.
///
/// Whoever writes into a rollback journal waits for readers to end before it commits, and there is one already; in WAL mode a
/// writer goes on. `data_version` tells whether one has (<https://sqlite.org/pragma.html#pragma_data_version>): if the first
/// connection sees the same before the others begin and when it begins itself, they all read the same.
fn assemble(
    open: &dyn Fn() -> Result<Connection, Error>,
    count: usize,
    watch: &Watch,
    doubt: &Doubt,
) -> Result<Option<Vec<Connection>>, Error> {
    let failed = |error| Error::from_sqlite("reading on another connection", error);
    let next = || open().and_then(|connection| prepared(connection, watch, doubt).map_err(failed));
    let version =
        |connection: &Connection| connection.query_row("PRAGMA main.data_version", [], |row| row.get::<_, i64>(0));
    let begin = |connection: &Connection| connection.execute_batch("BEGIN; SELECT count(*) FROM main.sqlite_schema");
    let first = next()?;
    let before = version(&first).map_err(failed)?;
    let mut connections = Vec::new();
    for _ in 1..count {
        let another = next()?;
        begin(&another).map_err(failed)?;
        connections.push(another);
    }
    begin(&first).map_err(failed)?;
    let is_one_state = version(&first).map_err(failed)? == before;
    connections.push(first);
    Ok(is_one_state.then_some(connections))
}

fn prepared(mut connection: Connection, watch: &Watch, doubt: &Doubt) -> rusqlite::Result<Connection> {
    connection::distrust(&mut connection)?;
    let doubt = doubt.clone();
    watch.attach_helper(&mut connection, move || doubt.is_raised())?;
    Ok(connection)
}
