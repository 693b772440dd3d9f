//! A list of tasks: the database that every program here boots, as a crate of its own.

pub mod connect;

use std::sync::LazyLock;

use bootproof::Schema;
use rusqlite::{Connection, named_params};

pub use compiled::{COMPILED, HEAD, index, query, table};
pub use query::open_tasks::Row as Task;

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/bootproof.rs"));
}

/// What the migrations compiled to.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("tasks", &COMPILED));

/// The last day there is: what a task without a date is due on.
pub const SOME_DAY: &str = "9999-12-31";

/// What SQLite says of a task that the schema does not admit, such as one without a title.
pub const CONSTRAINT: rusqlite::ErrorCode = rusqlite::ErrorCode::ConstraintViolation;

/// What SQLite says while another process, such as the next release that boots, holds the database for longer than a connection waits.
pub const BUSY: rusqlite::ErrorCode = rusqlite::ErrorCode::DatabaseBusy;

/// What is to be done until a day, the most urgent first: the query that was proven.
///
/// # Errors
///
/// What SQLite says, as below.
pub fn open(connection: &Connection, until: &str) -> rusqlite::Result<Vec<Task>> {
    query::open_tasks(connection, &query::open_tasks::Params { until })
}

/// Writes a task down, and returns its number.
pub fn add(connection: &Connection, title: &str, due: &str) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO task(title, due) VALUES (:title, :due)";
    connection.prepare_cached(sql)?.execute(named_params! { ":title": title, ":due": due })?;
    Ok(connection.last_insert_rowid())
}

/// Takes a task off the list. Returns whether it was on it.
pub fn finish(connection: &Connection, id: i64) -> rusqlite::Result<bool> {
    Ok(connection.execute("UPDATE task SET done = 1 WHERE id = ?1 AND NOT done", [id])? > 0)
}
