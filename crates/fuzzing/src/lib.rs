//! Hostile input to everything that parses, and the promises that must hold whatever it is.
//!
//! Each [`Target`] takes bytes, makes of them what a person or a program might hand over, drives the public API with that,
//! and panics exactly when a promise is broken. The same functions run in two ways:
//!
//! - on stable, as bounded properties over edited seeds: `cargo test -p fuzzing`, and for longer `RELIABILITY=long cargo
//!   test --release -p fuzzing -- --nocapture`;
//! - under libFuzzer, guided by coverage: `cargo +nightly fuzz run migrations` in `fuzz/`, see its README.
//!
//! | target | the bytes are |
//! |---|---|
//! | `migrations` | files of a migrations directory, with their names |
//! | `annotations` | a query contract, and the head of a migration |
//! | `sql_text` | a schema and a query, for the catalog |
//! | `history` | a history and an audit table, by whoever wrote them |
//! | `database` | a database file, damaged |
//! | `backup` | a backup, damaged, with its digest and the mark of a restore |
//! | `arguments` | a command line |
//! | `settings` | values of environment variables, and a file of thresholds |
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "to panic is how a target says that a promise is broken"
)]

// What a target is made of.
mod edits;
mod samples;
mod scratch;
mod seeds;

// What each target promises.
mod arguments;
mod database;
mod history;
mod migrations;
mod restoring;
mod settings;
mod sql_text;

pub use seeds::WORDS;

/// Something that parses, and what may be thrown at it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its binary in `fuzz/` too.
    pub name: &'static str,
    /// Takes the input, and panics if a promise is broken.
    pub run: fn(&[u8]),
    /// Input to begin with: what is valid, and what once broke a promise.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target { name: "migrations", run: migrations::directory, seeds: seeds::migrations },
    Target { name: "annotations", run: migrations::annotations, seeds: seeds::annotations },
    Target { name: "sql_text", run: sql_text::catalog, seeds: seeds::sql_text },
    Target { name: "history", run: history::rows, seeds: seeds::edits },
    Target { name: "database", run: database::file, seeds: seeds::edits },
    Target { name: "backup", run: restoring::backup, seeds: seeds::backups },
    Target { name: "arguments", run: arguments::line, seeds: seeds::arguments },
    Target { name: "settings", run: settings::values, seeds: seeds::settings },
];

/// Runs a target by its name.
///
/// # Panics
///
/// If a promise is broken, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target {name}")).run)(data);
}
