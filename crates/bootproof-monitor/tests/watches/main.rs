//! What the crate promises, through its public API, on real databases.
#![allow(clippy::unwrap_used, reason = "a test that fails stops")]

mod page;
mod scene;

mod checks_the_database;
mod deploys;
mod logs_slow_queries;
#[cfg(feature = "metrics")]
mod speaks_through_the_facade;
mod tells_prometheus;
mod times_queries;
