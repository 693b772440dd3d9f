//! Boots a database and ends: for a program whose own SQLite cannot be the one that boots.

#![expect(clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::process::ExitCode;

use bootproof::Boot;
use tasks::SCHEMA;

fn main() -> ExitCode {
    let Some(database) = std::env::args_os().nth(1) else {
        eprintln!("usage: guide-boot FILE");
        return ExitCode::from(2);
    };
    match Boot::new(&SCHEMA, database).run() {
        Ok(report) => {
            eprint!("{report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
