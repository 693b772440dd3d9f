//! A server with a database for each tenant.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod routes;
mod tenants;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::tenants::Tenants;

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut arguments = std::env::args_os().skip(1);
    let directory = arguments.next().map_or_else(|| PathBuf::from("tenants"), PathBuf::from);
    let address = arguments.next().and_then(|text| text.into_string().ok());
    match serve(directory, address.as_deref().unwrap_or("127.0.0.1:8000")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(8)
        }
    }
}

async fn serve(directory: PathBuf, address: &str) -> io::Result<()> {
    std::fs::create_dir_all(&directory)?;
    let tenants = Arc::new(Tenants::new(directory));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, routes::of(tenants)).await
}
