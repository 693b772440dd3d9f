//! A server on axum: boots, and only then opens its door.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod routes;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bootproof::{Boot, BootReport, Cancellation, Failure};
use pools::with_deadpool::{pool, with};
use tasks::{SCHEMA, connect};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task;

use crate::routes::App;

const READERS: usize = 4;

/// Why the server does not run, and its exit code.
struct Stop {
    code: u8,
    message: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut arguments = std::env::args_os().skip(1);
    let database = arguments.next().map_or_else(|| PathBuf::from("tasks.db"), PathBuf::from);
    let address = arguments.next().and_then(|text| text.into_string().ok());
    match serve(database, address.as_deref().unwrap_or("127.0.0.1:8000")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("error: {}", stop.message);
            ExitCode::from(stop.code)
        }
    }
}

async fn serve(database: PathBuf, address: &str) -> Result<(), Stop> {
    // First thing: nothing below runs on a database that was not proven.
    let report = boot(database.clone()).await?;
    eprint!("{report}");
    let environment = |error: &dyn std::error::Error| Stop { code: 8, message: format!("`{address}`: {error}") };
    let writer = pool(&database, connect::writer, 1).map_err(|error| environment(&error))?;
    let readers = pool(&database, connect::reader, READERS).map_err(|error| environment(&error))?;
    // The writer is opened before there are readers: it sets the journal mode.
    with(&writer, |_| Ok(())).await.map_err(|error| environment(&error))?;
    let app = App { verdict: report.verdict, version: report.to_version, readers, writer };
    let listener = TcpListener::bind(address).await.map_err(|error| environment(&error))?;
    println!("listening on http://{}", listener.local_addr().map_err(|error| environment(&error))?);
    let server = axum::serve(listener, routes::of(Arc::new(app))).with_graceful_shutdown(asked_to_stop());
    server.await.map_err(|error| environment(&error))
}

/// Boots on a thread where blocking is allowed. A signal rolls back whatever has begun.
async fn boot(database: PathBuf) -> Result<BootReport, Failure> {
    let cancellation = Cancellation::default();
    let boot = Boot::new(&SCHEMA, database).cancellation(cancellation.clone());
    let stopping = task::spawn(async move {
        asked_to_stop().await;
        cancellation.cancel();
    });
    let booted = task::spawn_blocking(move || boot.run()).await;
    stopping.abort();
    // Nobody aborts the boot: it has returned, or it has panicked, and then so does this.
    booted.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Waits for Ctrl-C, or for what a service manager sends.
async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { code: failure.exit_code(), message: failure.to_string() }
    }
}
