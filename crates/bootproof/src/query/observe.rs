//! What watches query contracts: told of every execution when it is over.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{Query, Rows, execute};
use crate::compiled::Contract;

/// One execution of a query contract, when it is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run<'a> {
    /// The contract.
    pub contract: &'static Contract,
    /// The connection, which is free again: to ask for the plan of a slow query, for instance.
    pub connection: &'a Connection,
    /// From preparing the statement to the last row that was read, with what was done with the rows meanwhile.
    pub elapsed: Duration,
    /// How many rows were read.
    pub rows: u64,
    /// Why it failed, if it did.
    pub error: Option<&'a rusqlite::Error>,
}

/// What is told of every execution.
type Observer = dyn Fn(&Run<'_>) + Send + Sync;

static INSTALLED: OnceLock<Box<Observer>> = OnceLock::new();

/// There is an observer already: a process has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyObserved;

impl fmt::Display for AlreadyObserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the query contracts of this process have an observer already")
    }
}

impl std::error::Error for AlreadyObserved {}

/// From now on tells `observer` of every query contract that this process executes, on whatever connection and thread.
///
/// It is called on the thread of the query, before the query returns: what takes long belongs elsewhere. What it executes
/// itself is told to it as well. Without an observer nothing is measured, and a query costs what it costs without this.
///
/// # Errors
///
/// [`AlreadyObserved`] from the second call on.
///
/// # Examples
///
/// ```
/// bootproof::query::observe(|run| {
///     if run.elapsed.as_millis() > 500 {
///         log::warn!("{} took {:?} for {} rows", run.contract.name, run.elapsed, run.rows);
///     }
/// })?;
/// # Ok::<(), bootproof::query::AlreadyObserved>(())
/// ```
pub fn observe(observer: impl Fn(&Run<'_>) + Send + Sync + 'static) -> Result<(), AlreadyObserved> {
    INSTALLED.set(Box::new(observer)).map_err(|_| AlreadyObserved)
}

pub(super) fn installed() -> Option<&'static Observer> {
    INSTALLED.get().map(Box::as_ref)
}

/// As [`stream`](super::stream), with an observer for this one execution, in the place of the one that [`observe`] was given.
///
/// # Errors
///
/// As [`stream`](super::stream).
pub fn observed<Q: Query, T>(
    connection: &Connection,
    query: &Q,
    observer: impl Fn(&Run<'_>),
    read: impl FnOnce(&mut Rows<'_, Q::Row>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let mut rows = 0;
    let begun = Instant::now();
    let outcome = execute(connection, query, &mut rows, read);
    let elapsed = begun.elapsed();
    observer(&Run { contract: Q::CONTRACT, connection, elapsed, rows, error: outcome.as_ref().err() });
    outcome
}
