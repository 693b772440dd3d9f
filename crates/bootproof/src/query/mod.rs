//! Executes query contracts with typed parameters and rows: what the generated functions go through.
//!
//! For every file of `queries/` the compiler generates a function, and a module of the same name with the struct of its
//! parameters and that of its rows:
//!
//! ```ignore
//! use my_app::query::{self, user_month};
//!
//! let params = user_month::Params { company_id: 1, email: "ada@example.org", from_day: "2025-01-01", to_day: "2025-01-31" };
//! for worklog in query::user_month(&connection, &params)? {
//!     println!("{} {}", worklog.started, worklog.issue_key);
//! }
//! let first: Option<user_month::Row> = user_month::first(&connection, &params)?;
//! let seconds: i64 = user_month::stream(&connection, &params, |rows| rows.map(|row| Ok(row?.time_spent_seconds)).sum())?;
//! ```
//!
//! The types were derived from the schema that was compiled: a column that is renamed or retyped is an error of the Rust
//! compiler wherever its field is used. SQLite itself stores any value in most columns, and a program adopts databases with
//! columns that refuse less than its own. A value that its field cannot hold is an error that names the query and the column
//! ([`ColumnError`]), never a panic and never another value.
//!
//! Statements are prepared once for each connection and kept in its cache, which has room for 16: an application with more
//! contracts gives it more, `connection.set_prepared_statement_cache_capacity(64)`.
//!
//! # For all contracts at once
//!
//! What is done to every query, such as executing it on a thread of its own, is generic over [`Query`], which the parameters of
//! each contract implement:
//!
//! ```
//! use bootproof::query::{self, Query};
//! use rusqlite::Connection;
//!
//! /// The only row of a query that has one.
//! fn only<Q: Query>(connection: &Connection, query: &Q) -> rusqlite::Result<Q::Row> {
//!     query::first(connection, query)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
//! }
//! ```
//!
//! What watches every query, such as a histogram of latencies, is a function that is given to [`observe`] once, or to
//! [`observed`] for a single query.

mod columns;
mod observe;

use rusqlite::{Connection, Statement};

use crate::compiled::Contract;

pub use columns::{Column, ColumnError, Columns, serialize_value};
pub use observe::{AlreadyObserved, Run, observe, observed};

/// A query contract with its parameters: implemented by generated code.
pub trait Query {
    /// What a row of it becomes.
    type Row;

    /// The contract.
    const CONTRACT: &'static Contract;

    /// Binds every parameter.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()>;

    /// Reads a row.
    ///
    /// # Errors
    ///
    /// A value that its field cannot hold: [`ColumnError`].
    fn row(columns: &Columns<'_>) -> rusqlite::Result<Self::Row>;
}

/// Every row of a query.
///
/// # Errors
///
/// What SQLite says; a value that its field cannot hold ([`ColumnError`]).
pub fn all<Q: Query>(connection: &Connection, query: &Q) -> rusqlite::Result<Vec<Q::Row>> {
    stream(connection, query, |rows| rows.collect())
}

/// The first row of a query, if there is one. No other is read.
///
/// # Errors
///
/// As [`all`].
pub fn first<Q: Query>(connection: &Connection, query: &Q) -> rusqlite::Result<Option<Q::Row>> {
    stream(connection, query, |rows| rows.next().transpose())
}

/// The rows of a query one by one: returns what `read` makes of them. It need not read all.
///
/// # Errors
///
/// As [`all`], and what `read` returns.
pub fn stream<Q: Query, T>(
    connection: &Connection,
    query: &Q,
    read: impl FnOnce(&mut Rows<'_, Q::Row>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    match observe::installed() {
        None => execute(connection, query, &mut 0, read),
        Some(observer) => observed(connection, query, observer, read),
    }
}

/// The only place where a contract is executed.
fn execute<Q: Query, T>(
    connection: &Connection,
    query: &Q,
    count: &mut u64,
    read: impl FnOnce(&mut Rows<'_, Q::Row>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let mut statement = connection.prepare_cached(Q::CONTRACT.sql)?;
    query.bind(&mut statement)?;
    let found = statement.raw_query();
    read(&mut Rows { found, contract: Q::CONTRACT, convert: Q::row, count })
}

/// The rows of a query that is being executed.
pub struct Rows<'a, R> {
    found: rusqlite::Rows<'a>,
    contract: &'static Contract,
    convert: fn(&Columns<'_>) -> rusqlite::Result<R>,
    count: &'a mut u64,
}

impl<R> Iterator for Rows<'_, R> {
    type Item = rusqlite::Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.found.next() {
            Ok(Some(row)) => {
                *self.count += 1;
                Some((self.convert)(&Columns::new(row, self.contract)))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl<R> std::fmt::Debug for Rows<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("contract", &self.contract.name)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
