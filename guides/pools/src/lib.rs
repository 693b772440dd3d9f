//! Pools of rusqlite connections: `with_r2d2` for threads, `with_deadpool` for asynchronous programs.
//!
//! The crates that would do this, `r2d2_sqlite`, `deadpool-sqlite` and `tokio-rusqlite`, link another SQLite than
//! bootproof does. It takes a manager of twenty lines.

pub mod with_deadpool;
pub mod with_r2d2;

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// How a connection is opened.
pub type Open = fn(&Path) -> rusqlite::Result<Connection>;

/// How long is waited for a connection that somebody else has.
const PATIENCE: Duration = Duration::from_secs(5);
