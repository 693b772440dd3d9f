//! The operator's whole command line for any schema that bootproof compiled.
//!
//! An application's crate makes its command of it in one line:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     bootproof_cli::main(&worklog_schema::SCHEMA)
//! }
//! ```
//!
//! The answer goes to standard output, as text or with `--json` as one object on one line; everything else goes to
//! standard error. The exit code says what to do next; `--help` lists them.
//!
//! In reading order:
//!
//! - `args`: what can be asked, and the help that teaches it
//! - `run`: asks the engine
//! - `copies`: a backup, and what becomes of older ones
//! - `health`: judges what the engine measured
//! - `sql`, `directory`: what needs no database
//! - `output`, `paint`: what is said where, how it looks, and the exit code
//! - `page`, `html`: the report as a page
//! - `progress`, `logging`, `signal`: what happens while it works

mod args;
mod copies;
mod directory;
mod health;
mod html;
mod logging;
mod output;
mod page;
mod paint;
mod progress;
mod run;
mod signal;
mod sql;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use bootproof::Schema;
use clap::error::ErrorKind;

use crate::output::Answer;
use crate::progress::Progress;

/// Runs the command that the arguments of this process ask for, on the database they name.
///
/// Reads the arguments, the environment variables that `--help` lists, and `RUST_LOG`; installs a logger unless the
/// program has one already, and answers Ctrl-C by rolling back unless the program does. Prints, and returns the exit code:
/// it exits by itself only when Ctrl-C is pressed twice.
#[must_use]
pub fn main(schema: &Schema) -> ExitCode {
    signal::listen();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = program_name(arguments.first(), schema.name());
    let answer = args::parse(schema, &program, arguments).and_then(|cli| {
        let progress = Progress::new(cli.shows_progress());
        logging::init(cli.log_level(progress.is_shown()), &progress);
        let answer = run::run(schema, &program, &cli, &progress);
        progress.clear();
        answer
    });
    match answer {
        Ok(answer) => answer.deliver(),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => {
            Answer::of_text(format!("{}\n", schema.build())).deliver()
        }
        Err(error) => {
            // If even this cannot be printed, the exit code still says it.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

/// The name under which the operator called this program, for the examples in its help.
fn program_name(called: Option<&OsString>, fallback: &str) -> String {
    called
        .and_then(|path| Path::new(path).file_stem())
        .map_or_else(|| fallback.to_owned(), |name| name.to_string_lossy().into_owned())
}
