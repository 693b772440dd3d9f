//! Watches a database that bootproof migrates, from inside the application that uses it.
//!
//! [`Monitor`] times the queries that the application runs, and logs the slow ones; [`Checkup`] measures how the database is.
//! Both tell alerts, and metrics for Prometheus's own text or, with the feature `metrics`, through the facade of that name.
//! `docs/monitoring.md` leads from nothing to a dashboard with alerts.
//!
//! ```no_run
//! use bootproof_monitor::{Checkup, Monitor};
//! use worklog_schema::{SCHEMA, query};
//!
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let monitor = Monitor::new(&SCHEMA);
//! let checkup = Checkup::new(&SCHEMA, "worklog.db");
//! monitor.booted(&worklog_schema::migrate_on_boot("worklog.db")?);
//!
//! // Wherever a query is run, in any thread:
//! # let run_the_query = || Ok::<_, rusqlite::Error>(());
//! let rows = monitor.time(&query::COMPANY_MONTH, || run_the_query())?;
//!
//! // What `/metrics` answers, with the type `PROMETHEUS_CONTENT_TYPE`:
//! let page = monitor.prometheus() + &checkup.prometheus()?;
//! # Ok(()) }
//! ```

// What is measured of the queries that the application runs.
mod latency;
mod monitor;
mod slow;

// What is measured of the database.
mod checkup;

// What is too much.
mod alerts;
mod thresholds;

// How it is told to monitors.
#[cfg(feature = "metrics")]
mod facade;
mod health_metrics;
mod metric;
mod monitor_metrics;

pub use alerts::{Alert, FEWEST_RUNS, Severity, health_alerts, query_alerts};
pub use checkup::{Checkup, Diagnosis};
#[cfg(feature = "metrics")]
pub use facade::publish;
pub use health_metrics::health_metrics;
pub use latency::{QueryLatency, Recent};
pub use metric::{Metric, PROMETHEUS_CONTENT_TYPE, prometheus_text};
pub use monitor::{Monitor, Query};
pub use thresholds::{Rows, Thresholds};
