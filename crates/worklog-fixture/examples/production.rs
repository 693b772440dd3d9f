//! Makes a database as found in production before phase 1, to try the operator's command on:
//!
//! ```console
//! $ cargo run --release -p worklog-fixture --example production -- 100000 worklog.db
//! ```
#![expect(clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::process::ExitCode;

use worklog_fixture::Fixture;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, path] = arguments.as_slice() else {
        eprintln!("usage: production ROWS FILE");
        return ExitCode::from(2);
    };
    match rows.parse() {
        Ok(rows) => match Fixture::new(rows).create(path.as_ref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: `{path}`: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("error: the number of rows: {error}");
            ExitCode::from(2)
        }
    }
}
