//! HTTP: a few threads, each with its own connection to the database.

use std::path::Path;
use std::thread;
use std::time::Duration;

use bootproof::BootReport;
use rusqlite::{Connection, OpenFlags};
use tiny_http::{Header, Request, Response, Server};

use crate::Stop;
use crate::routes::{self, Dashboard, Reply};

const WORKERS: usize = 4;

/// Longer than any writer should hold the database, shorter than a person waits for a page.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers requests until the process is ended.
pub(crate) fn serve(listen: &str, database: &Path, report: &BootReport) -> Result<(), Stop> {
    let connections = (0..WORKERS)
        .map(|_| open(database))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Stop { code: 8, message: format!("`{}`: {error}", database.display()) })?;
    let server = Server::http(listen)
        .map_err(|error| Stop { code: 8, message: format!("cannot listen on `{listen}`: {error}") })?;
    println!("\nlistening on http://{}", server.server_addr());
    println!("  /healthz");
    println!("  /api/dashboard?company_id=1&from=2025-01-01&to=2025-01-31&email=someone@example.com");
    println!("  /api/sync?company_id=1&instance=Main&from=2025-01-01&to=2025-01-31");
    println!("whatever is left out is chosen from the data");
    let server = &server;
    thread::scope(|scope| {
        for connection in connections {
            let dashboard = Dashboard::new(connection, report);
            scope.spawn(move || work(server, &dashboard));
        }
    });
    Ok(())
}

/// This program only reads.
fn open(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn work(server: &Server, dashboard: &Dashboard) {
    loop {
        match server.recv() {
            Ok(request) => {
                let reply = routes::reply(dashboard, request.method(), request.url());
                respond(request, &reply);
            }
            Err(error) => log::error!("a request could not be received: {error}"),
        }
    }
}

fn respond(request: Request, reply: &Reply) {
    let mut response = Response::from_string(format!("{}\n", reply.body)).with_status_code(reply.status);
    let headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Allow", "GET")];
    for (field, value) in headers {
        if let Ok(header) = Header::from_bytes(field, value) {
            response.add_header(header);
        }
    }
    if let Err(error) = request.respond(response) {
        log::debug!("the client went away: {error}");
    }
}
