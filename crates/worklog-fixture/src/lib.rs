//! Production-like worklog databases, as files, for tests, benchmarks and the demo.
//!
//! A [`Fixture`] makes what an installation of the dashboard looks like before it ever ran a migration: tables that grew
//! by `ALTER TABLE`, no history, foreign keys never enforced. Nothing depends on a clock or on the machine: the same
//! arguments always give the same content, and the last day is always 2025-12-31.
//!
//! ```
//! use worklog_fixture::Fixture;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("worklog.db");
//! Fixture::new(100).wal(true).orphans(3).create(&path)?;
//!
//! let database = rusqlite::Connection::open(&path)?;
//! let worklogs: i64 = database.query_one("SELECT count(*) FROM worklogs", [], |row| row.get(0))?;
//! assert_eq!(worklogs, 100);
//! # Ok(())
//! # }
//! ```

mod fixture;

mod schema;

mod calendar;
mod random;
mod rows;

pub use fixture::{Fixture, Generation, REVISION};
