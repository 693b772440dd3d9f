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
//! - `fleet`: many databases at once
//! - `copies`: a backup, and what becomes of older ones
//! - `health`: judges what the engine measured
//! - `sql`, `directory`: what needs no database
//! - `output`, `paint`: what is said where, how it looks, and the exit code
//! - `page`, `html`: the report as a page
//! - `progress`, `logging`, `signal`: what happens while it works
//! - [`tool`]: the command `bootproof`, for any directory of migrations

mod args;
mod copies;
mod directory;
mod fleet;
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
pub mod tool;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use bootproof::Schema;
use clap::error::ErrorKind;

use crate::args::Cli;
use crate::progress::Progress;

pub use crate::output::Answer;

/// Runs the command that the arguments of this process ask for, on the database they name.
///
/// Reads the arguments, the environment variables that `--help` lists, and `RUST_LOG`; installs a logger unless the
/// program has one already, and answers Ctrl-C by rolling back unless the program does. Prints, and returns the exit code:
/// it exits by itself only when Ctrl-C is pressed twice.
#[must_use]
pub fn main(schema: &Schema) -> ExitCode {
    signal::listen();
    let watched = |cli: &Cli| {
        let progress = Progress::new(cli.shows_progress());
        logging::init(cli.log_level(progress.is_shown()), &progress);
        progress
    };
    match ask(schema, std::env::args_os().collect(), watched) {
        Ok(answer) => answer.deliver(),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => version(schema).deliver(),
        Err(error) => {
            // If even this cannot be printed, the exit code still says it.
            let _ = error.print();
            ExitCode::from(usage_code(&error))
        }
    }
}

/// What [`main`] would print for these arguments, the first of which is the program itself, and its exit code.
///
/// Prints nothing, logs to whatever logger the program has, shows no progress.
#[must_use]
pub fn answer(schema: &Schema, arguments: impl IntoIterator<Item = OsString>) -> Answer {
    match ask(schema, arguments.into_iter().collect(), |_| Progress::new(false)) {
        Ok(answer) => answer,
        Err(error) if error.kind() == ErrorKind::DisplayVersion => version(schema),
        Err(error) if error.use_stderr() => {
            Answer { message: error.to_string(), code: usage_code(&error), ..Answer::default() }
        }
        Err(error) => Answer::of_text(error.to_string()),
    }
}

/// Reads the arguments and runs the command; what can be asked before that is an error, the help among it.
fn ask(
    schema: &Schema,
    arguments: Vec<OsString>,
    watched: impl FnOnce(&Cli) -> Progress,
) -> Result<Answer, clap::Error> {
    let program = program_name(arguments.first(), schema.name());
    let cli = args::parse(schema, &program, arguments)?;
    let progress = watched(&cli);
    let answer = run::run(schema, &program, &cli, &progress);
    progress.clear();
    answer
}

fn version(schema: &Schema) -> Answer {
    Answer::of_text(format!("{}\n", schema.build()))
}

fn usage_code(error: &clap::Error) -> u8 {
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// The name under which the operator called this program, for the examples in its help.
fn program_name(called: Option<&OsString>, fallback: &str) -> String {
    called
        .and_then(|path| Path::new(path).file_stem())
        .map_or_else(|| fallback.to_owned(), |name| name.to_string_lossy().into_owned())
}
