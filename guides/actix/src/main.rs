//! A server on actix-web: boots before there is a runtime, and only then opens its door.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

mod routes;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actix_web::{App, HttpServer, rt, web};
use bootproof::{Boot, BootReport};
use pools::with_r2d2::pool;
use tasks::{SCHEMA, connect};

use crate::routes::Database;

const READERS: u32 = 4;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut arguments = std::env::args_os().skip(1);
    let database = arguments.next().map_or_else(|| PathBuf::from("tasks.db"), PathBuf::from);
    let address = arguments.next().and_then(|text| text.into_string().ok());

    // First thing: nothing below runs on a database that was not proven. A boot blocks, so it comes before the runtime. Whoever
    // ends the program meanwhile, by Ctrl-C for instance, loses nothing: SQLite rolls back when the file is next opened.
    let report = match Boot::new(&SCHEMA, &database).run() {
        Ok(report) => report,
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::from(failure.exit_code());
        }
    };
    eprint!("{report}");
    match serve(&database, &report, address.as_deref().unwrap_or("127.0.0.1:8000")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(8)
        }
    }
}

fn serve(database: &Path, report: &BootReport, address: &str) -> io::Result<()> {
    // The writer is opened before there are readers: it sets the journal mode.
    let writer = pool(database, connect::writer, 1).map_err(io::Error::other)?;
    let readers = pool(database, connect::reader, READERS).map_err(io::Error::other)?;
    let database = web::Data::new(Database { verdict: report.verdict, readers, writer });
    rt::System::new().block_on(async {
        let server = HttpServer::new(move || App::new().app_data(database.clone()).configure(routes::of));
        let server = server.workers(2).bind(address)?;
        for address in server.addrs() {
            println!("listening on http://{address}");
        }
        // Ctrl-C and SIGTERM end it when the requests under way are answered.
        server.run().await
    })
}
