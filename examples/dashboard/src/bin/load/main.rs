//! How long many clients wait for the views of the deployment guide, before its first phase and after: one run, one table.
//!
//! ```console
//! $ cargo run --release -p dashboard --bin load > load.md
//! ```
//!
//! A database as found in production is served as it is, then booted and served again, by the same server and to the same
//! clients on loopback. Everything is bounded: the rows, the clients, the requests and the time. In reading order:
//!
//! - this file: what is measured, in which order
//! - `targets`: which people and instances are asked for
//! - `clients`: the load
//! - `table`: what is printed

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod clients;
mod table;
mod targets;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use bootproof::BootReport;
use clap::Parser;
use dashboard::app::App;
use dashboard::server::{self, Door};
use dashboard::stop::Drain;
use dashboard::{Stop, demo};

use clients::{Load, Outcome};
use targets::Targets;

/// Measures the user view and the sync view under load, before and after phase 1, and prints a table in Markdown
#[derive(Parser)]
struct Arguments {
    /// How many worklogs the database has
    #[arg(long, value_name = "ROWS", default_value_t = 1_000_000)]
    rows: usize,

    /// How many clients ask at the same time
    #[arg(long, value_name = "CLIENTS", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    clients: u16,

    /// How long each load lasts at most, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,

    /// How many requests each load has at most
    #[arg(long, value_name = "REQUESTS", default_value_t = 100_000)]
    requests: u64,

    /// How long a client pauses between two requests, on average, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pause: u64,

    /// One request in so many is a synchronisation, the others are people at their page
    #[arg(long, value_name = "REQUESTS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    sync_every: u16,

    /// Where the database is made, which is removed afterwards [default: the directory for temporary files]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// What the two loads came to on one state of the database.
struct Measured {
    bytes: u64,
    with_pauses: Outcome,
    without: Outcome,
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("error")).format_target(false).init();
    match run(&Arguments::parse()) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(stop) => {
            eprintln!("error: {}", stop.message);
            ExitCode::from(stop.code)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Stop> {
    let failed = |error: std::io::Error| Stop::environment(format!("no temporary directory: {error}"));
    let mut builder = tempfile::Builder::new();
    builder.prefix("worklog-load-");
    let directory = match &arguments.directory {
        Some(directory) => builder.tempdir_in(directory),
        None => builder.tempdir(),
    };
    let directory = directory.map_err(failed)?;
    let database = directory.path().join("worklog.db");
    eprintln!("making a database with {} worklogs", arguments.rows);
    demo::create(arguments.rows, &database)?;
    let targets = Targets::of(&database).map_err(|error| Stop::environment(format!("its worklogs: {error}")))?;

    let before = measure(arguments, &database, &targets, BootReport::new("before".to_owned()), "before")?;
    eprintln!("booting");
    let options = bootproof::Options { backup: false, ..bootproof::Options::default() };
    let report = worklog_schema::boot(&database).options(options).run()?;
    let after = measure(arguments, &database, &targets, report, "after")?;
    Ok(table::markdown(arguments, &before, &after))
}

/// Serves the database as it is, and asks for its views.
fn measure(
    arguments: &Arguments,
    database: &Path,
    targets: &Targets,
    report: BootReport,
    name: &str,
) -> Result<Measured, Stop> {
    let bytes = std::fs::metadata(database).map(|file| file.len()).unwrap_or_default();
    let app = App::open(database, report)?;
    let door = Door::open("127.0.0.1:0")?;
    let (address, drain) = (door.address(), Drain::new(false));
    let stop = drain.clone();
    thread::scope(|scope| {
        let server = scope.spawn(move || server::serve(app, door, &drain));
        let measured = measure_at(arguments, address, targets, bytes, name);
        stop.send_replace(true);
        // What the server says first is why the clients failed.
        match server.join() {
            Ok(ended) => ended.and(measured),
            Err(_) => Err(Stop { code: 1, message: "the server ended unexpectedly".to_owned() }),
        }
    })
}

fn measure_at(
    arguments: &Arguments,
    address: SocketAddr,
    targets: &Targets,
    bytes: u64,
    name: &str,
) -> Result<Measured, Stop> {
    clients::warm_up(address, targets).map_err(|error| Stop::environment(format!("warming up: {error}")))?;
    let load = |pause| Load {
        address,
        clients: arguments.clients,
        time: Duration::from_secs(arguments.seconds.into()),
        requests: arguments.requests,
        sync_every: arguments.sync_every,
        pause,
    };
    eprintln!("{name}: {} clients with pauses", arguments.clients);
    let with_pauses = load(Duration::from_millis(arguments.pause)).run(targets);
    eprintln!("{name}: {} clients without pauses", arguments.clients);
    let without = load(Duration::ZERO).run(targets);
    Ok(Measured { bytes, with_pauses, without })
}
