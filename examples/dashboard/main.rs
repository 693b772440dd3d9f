//! The smallest honest jira-worklog-dashboard: it opens its door only on a database that was proven.
//!
//! ```console
//! $ cargo run --release --example dashboard -- --demo 100000
//! $ curl http://127.0.0.1:8000/api/dashboard
//! ```
//!
//! `--demo` first makes a database as found in production, so that one command shows a real upgrade with the time of
//! every hot query before and after. In reading order:
//!
//! - this file: arguments, boot, and only then the server
//! - `demo`: a database to upgrade
//! - `stop`: what a signal does
//! - `server`: HTTP, a few threads with a connection each
//! - `routes`: which path answers what
//! - `parameters`: what a request may ask
//! - `worklogs`: the proven queries, and what is made of their rows

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod demo;
mod parameters;
mod routes;
mod server;
mod stop;
mod worklogs;

use std::path::PathBuf;
use std::process::ExitCode;

use bootproof::{Failure, Options};
use clap::Parser;

/// The smallest honest jira-worklog-dashboard
#[derive(Parser)]
struct Arguments {
    /// The database file [default: worklog.db; with --demo a file in a new temporary directory]
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: String,

    /// First make a database as found in production, with that many worklogs, and time its queries around the upgrade
    #[arg(long, value_name = "ROWS")]
    demo: Option<usize>,

    /// End after the boot
    #[arg(long)]
    no_serve: bool,
}

/// Why the dashboard did not start, and its exit code.
struct Stop {
    code: u8,
    message: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn,bootproof=info"))
        .format_target(false)
        .init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("error: {}", stop.message);
            ExitCode::from(stop.code)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Stop> {
    let database = match arguments.demo {
        Some(rows) => demo::create(rows, arguments.db.as_deref())?,
        None => arguments.db.clone().unwrap_or_else(|| PathBuf::from("worklog.db")),
    };

    // First thing: nothing below runs on a database that was not proven.
    let (cancellation, booted) = stop::on_signal();
    let options =
        Options { benchmark: arguments.demo.is_some(), cancellation: cancellation.clone(), ..Options::default() };
    let report = worklog_schema::boot(&database).options(options).run()?;
    booted.now();
    if cancellation.is_cancelled() {
        // It came too late for the boot, and in time for this.
        return Ok(());
    }
    print!("{report}");

    if arguments.no_serve {
        return Ok(());
    }
    server::serve(&arguments.listen, &database, &report)
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { code: failure.exit_code(), message: failure.to_string() }
    }
}
