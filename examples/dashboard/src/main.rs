//! Arguments, boot, and only then the server.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::path::PathBuf;
use std::process::ExitCode;

use bootproof::Options;
use clap::Parser;
use dashboard::app::App;
#[cfg(unix)]
use dashboard::handover;
use dashboard::server::{self, Door};
use dashboard::{Stop, demo, stop};

/// A small jira-worklog-dashboard
#[derive(Parser)]
struct Arguments {
    /// The database file [default: worklog.db; with --demo a file in a new temporary directory]
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: String,

    /// A socket through which the next process is given the door. If a process that listens there serves already, this one
    /// boots beside it, takes its door, and lets it finish what it has begun
    #[cfg(unix)]
    #[arg(long, value_name = "FILE")]
    handover: Option<PathBuf>,

    /// First make a database as found in production, with that many worklogs, and time its queries around the upgrade
    #[arg(long, value_name = "ROWS")]
    demo: Option<usize>,

    /// End after the boot
    #[arg(long)]
    no_serve: bool,
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
    Door::check(&arguments.listen)?;
    #[cfg(unix)]
    if let Some(path) = &arguments.handover {
        let failed = |error| Stop { code: 2, message: format!("--handover `{}`: {error}", path.display()) };
        handover::check(path).map_err(failed)?;
    }
    let database = match arguments.demo {
        Some(rows) => {
            let database = demo::place(arguments.db.as_deref())?;
            println!("making a database with {rows} worklogs: {}", database.display());
            let took = demo::create(rows, &database)?;
            println!("made in {:.1} s; now the upgrade\n", took.as_secs_f64());
            database
        }
        None => arguments.db.clone().unwrap_or_else(|| PathBuf::from("worklog.db")),
    };

    // First thing: nothing below runs on a database that was not proven.
    let (cancellation, signals) = stop::on_signal();
    let options =
        Options { benchmark: arguments.demo.is_some(), cancellation: cancellation.clone(), ..Options::default() };
    let report = worklog_schema::boot(&database).options(options).run()?;
    let drain = signals.booted();
    if cancellation.is_cancelled() {
        // It came too late for the boot, and in time for this.
        return Ok(());
    }
    print!("{report}");
    if arguments.no_serve {
        return Ok(());
    }

    let app = App::open(&database, report)?;
    let door = door(arguments)?;
    println!("\nlistening on http://{}", door.address());
    println!("  /                 the worklogs of a company, or of one person");
    println!("  /sync             what a synchronisation compares with Jira");
    println!("  /admin/database   version, boots, queries against their budgets, indexes, alerts");
    println!("  /api/dashboard    /api/sync    /healthz    /metrics");
    server::serve(app, door, &drain)
}

#[cfg(unix)]
fn door(arguments: &Arguments) -> Result<Door, Stop> {
    match &arguments.handover {
        Some(path) => Door::taken_over_or_opened(path, &arguments.listen),
        None => Door::open(&arguments.listen),
    }
}

#[cfg(not(unix))]
fn door(arguments: &Arguments) -> Result<Door, Stop> {
    Door::open(&arguments.listen)
}
