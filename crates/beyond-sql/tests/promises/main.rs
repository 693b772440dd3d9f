//! What is promised of migrations that are more than SQL in one transaction, one file a promise, on real files.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]

mod support;

mod goes_outside_a_transaction;
mod rebuilds_tables;
mod runs_steps_in_rust;
mod survives_a_crash;
