//! Failing operations, power cuts and missing memory under SQLite, for tests.
//!
//! [`install`] puts a layer between SQLite and the operating system (<https://sqlite.org/vfs.html>) and makes it the default
//! of the process, so that whatever opens a database from then on goes through it, unchanged. Operations pass through
//! until a test runs something in one of three ways:
//!
//! - [`observe`] tells which operations it makes, in order;
//! - [`with_fault`] makes one of them fail, once or from then on;
//! - [`with_power_cut`] stops the disk before one of them, and then makes the directory what it may be after the power is
//!   back: any state that a disk allows which keeps what was flushed and promises nothing of the rest.
//!
//! Each concerns the operations of the thread that called it alone: tests run beside one another, and what a test does
//! before and after meets no fault.
//!
//! ```
//! use faulty_vfs::{Fault, Injection, Operation};
//!
//! faulty_vfs::install()?;
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("test.db");
//! let connection = rusqlite::Connection::open(&path)?;
//! let full = Injection { fault: Fault::Full, operation: Some(Operation::Write), nth: 2, lasting: true };
//! let (result, struck) = faulty_vfs::with_fault(full, || connection.execute_batch("CREATE TABLE t (a)"));
//! assert_eq!(result.unwrap_err().sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
//! assert_eq!(struck.unwrap().operation, Operation::Write);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`memory`] does the same to the allocator that SQLite has, for processes that begin with it.
//!
//! # What is not simulated
//!
//! What a program does to files without SQLite (creating, renaming, flushing) never fails and is on the disk at once, in
//! the order in which it was done. Unlocking and closing never fail. Memory-mapped reading is not offered, so that every
//! read can fail. Nothing is flushed in truth: only the simulated power is ever cut.

#![cfg(unix)]

// What happens.
mod fault;
mod operation;

// Who decides what happens.
mod plan;

// What a disk holds when the power is gone.
mod disk;
mod random;

// Between SQLite and the operating system.
mod file;
mod vfs;

// Between SQLite and its allocator.
pub mod memory;

pub use disk::PowerCut;
pub use fault::{Fault, Injection};
pub use operation::{Counts, Operation, Step};
pub use plan::{observe, with_fault, with_power_cut};
pub use random::Random;
pub use vfs::{Unregistered, install};

#[cfg(test)]
mod tests;
