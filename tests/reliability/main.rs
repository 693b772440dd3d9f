//! What the crate promises when things go wrong, as far as one machine can make them go wrong. `docs/reliability.md` lists the
//! promises, the suites and their last long run.
//!
//! `cargo test --test reliability` runs the short form of each suite, `RELIABILITY=long cargo test --release --test reliability
//! -- --nocapture` the long one.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there, and says what it covered"
)]

// What every suite uses.
#[path = "../promises/support.rs"]
#[allow(dead_code, reason = "the promises use more of it")]
mod support;

mod proof;
mod scene;
mod tally;

// The disk fails, or loses its power.
mod faults;

// The operating system fails the real binary.
mod system_calls;

// The process is killed, or called off.
mod crashes;

// Memory runs out.
mod memory;

// Many want the database at once.
mod crowds;

// The file is damaged.
mod corruption;

// Somebody made it to mislead.
mod hostile;

// All of it at random, against a model.
mod simulation;
