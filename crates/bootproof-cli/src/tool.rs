//! The command `bootproof`, for any directory of migrations: it needs neither a build nor a program that carries them.
//!
//! In reading order:
//!
//! - `args`: what can be asked
//! - `check`, `schema`: the commands that are its own; `lock` and `squash` are those of every program
//! - `finding`: a diagnostic, as every format shows it
//! - `github`, `sarif`: formats of others

mod args;
mod check;
mod finding;
mod github;
mod sarif;
mod schema;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Command};
use crate::directory;
use crate::output::Answer;

/// Runs the command that the arguments of this process ask for. Prints, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(&cli).deliver(),
        Err(error) => {
            // If even this cannot be printed, the exit code still says it.
            let _ = error.print();
            ExitCode::from(crate::usage_code(&error))
        }
    }
}

/// What [`main`] would print for these arguments, the first of which is the program itself, and its exit code.
#[must_use]
pub fn answer(arguments: impl IntoIterator<Item = OsString>) -> Answer {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => run(&cli),
        Err(error) if error.use_stderr() => {
            Answer { message: error.to_string(), code: crate::usage_code(&error), ..Answer::default() }
        }
        Err(error) => Answer::of_text(error.to_string()),
    }
}

fn run(cli: &Cli) -> Answer {
    match &cli.command {
        Command::Check { source, format } => check::run(source, *format),
        Command::Schema { source, at } => schema::run(source, *at),
        Command::Lock { source } => directory::lock(&source.compiler(), false),
        Command::Squash { source, to, out } => directory::squash(&source.compiler(), *to, out.as_deref(), false),
    }
}
