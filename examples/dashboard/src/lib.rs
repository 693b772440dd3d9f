//! A small jira-worklog-dashboard: it opens its door only on a database that was proven.
//!
//! ```console
//! $ cargo run --release -p dashboard -- --demo 100000
//! $ curl http://127.0.0.1:8000/api/dashboard
//! ```
//!
//! `--demo` first makes a database as found in production, so that one command shows a real upgrade with the time of
//! every hot query before and after. `docs/dashboard.md` tells how to live with it. In reading order:
//!
//! - `main.rs`: arguments, boot, and only then the server
//! - [`demo`]: a database to upgrade
//! - [`stop`]: what a signal does
//! - [`app`]: the pool, the monitor and the report of the boot, for every request
//! - [`handover`]: the next process gets the door while this one still serves
//! - [`server`]: HTTP, from the first request to the last
//! - `notify`: the service manager is told
//! - `stream`: a connection whose client has to take what it asked for
//! - `routes`: which path answers what
//! - `parameters`: what a request may ask
//! - `worklogs`: the proven queries, and what is made of their rows
//! - `api`, `page`, `health`: the answers, for programs, for people, for whoever watches

pub mod demo;
pub mod stop;

pub mod app;
#[cfg(unix)]
pub mod handover;
#[cfg(unix)]
mod notify;
pub mod server;
mod stream;

mod parameters;
mod routes;
mod worklogs;

mod api;
mod health;
mod page;

/// Why the dashboard did not start, and its exit code.
#[derive(Debug)]
pub struct Stop {
    /// The exit code: the operator's next act.
    pub code: u8,
    /// What happened.
    pub message: String,
}

impl Stop {
    /// The machine stands in the way: disk, permission, address.
    #[must_use]
    pub fn environment(message: String) -> Self {
        Self { code: 8, message }
    }
}

impl From<bootproof::Failure> for Stop {
    fn from(failure: bootproof::Failure) -> Self {
        Self { code: failure.exit_code(), message: failure.to_string() }
    }
}
