//! How fast the engine is, against its peers and against SQLite itself.
//!
//! A [`Phase`](phase::Phase) is one thing that a boot does. Each of its cases has contenders: ours, and what is measured
//! beside it. Every measurement is a process of its own, started in turn with the others, so that memory is told apart and
//! a machine that becomes slower becomes slower for all. `main` is the command, `docs/performance.md` the page.

use std::error::Error;
use std::io;
use std::path::Path;

// What is measured, and how.
pub mod memory;
pub mod phase;
pub mod scene;

// What it is measured on.
pub mod cache;
pub mod databases;
pub mod history;
pub mod schemas;

// The phases, one file each.
mod copies;
pub mod phases;
mod shell;

// Measuring in turn, and what becomes of the figures.
pub mod chart;
pub mod compare;
pub mod document;
pub mod machine;
pub mod scaling;
pub mod table;

/// Whatever goes wrong stops the whole comparison: its message is for whoever started it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What went wrong with a file.
#[must_use]
pub fn at(path: &Path, error: &io::Error) -> Box<dyn Error + Send + Sync> {
    format!("`{}`: {error}", path.display()).into()
}
