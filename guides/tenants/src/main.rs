//! A server with a database for each tenant.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod routes;
mod tenants;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bootproof::{Failure, Fleet, FleetReport};
use tasks::SCHEMA;
use tokio::net::TcpListener;
use tokio::task;

use crate::tenants::Tenants;

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut arguments = std::env::args_os().skip(1);
    let directory = arguments.next().map_or_else(|| PathBuf::from("tenants"), PathBuf::from);
    let address = arguments.next().and_then(|text| text.into_string().ok());
    if let Err(error) = std::fs::create_dir_all(&directory) {
        eprintln!("error: {}: {error}", directory.display());
        return ExitCode::from(8);
    }
    match upgrade(directory.clone()).await {
        Ok(report) => eprint!("{report}"),
        // Not one database could have been booted. One that fails is in the report.
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::from(failure.exit_code());
        }
    }
    match serve(directory, address.as_deref().unwrap_or("127.0.0.1:8000")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(8)
        }
    }
}

/// Boots all tenants that a minute suffices for. The others, and whoever is refused, are booted when somebody asks for them.
async fn upgrade(directory: PathBuf) -> Result<FleetReport, Failure> {
    let fleet = Fleet::new(&SCHEMA, directory).threads(tenants::MOST_BOOTING).deadline(Duration::from_mins(1));
    let booted = task::spawn_blocking(move || fleet.run()).await;
    booted.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

async fn serve(directory: PathBuf, address: &str) -> io::Result<()> {
    let tenants = Arc::new(Tenants::new(directory));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, routes::of(tenants)).await
}
