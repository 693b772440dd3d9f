//! The command `bootproof`, for any directory of migrations: it needs neither a build nor a program that carries them.
//!
//! In reading order:
//!
//! - `args`: what can be asked
//! - `check`, `schema`: the commands that need no database; `lock`, `new` and `squash` are those of every program
//! - `database`, `loaded`: the operator's, with migrations compiled just now
//! - `finding`: a diagnostic, as every format shows it
//! - `github`, `sarif`: formats of others

mod args;
mod check;
mod database;
mod finding;
mod github;
mod loaded;
mod sarif;
mod schema;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Command, Format};
use crate::args as operator;
use crate::directory;
use crate::output::Answer;
use crate::progress::Progress;

/// Runs the command that the arguments of this process ask for. Prints, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    crate::signal::listen();
    match Cli::try_parse() {
        Ok(cli) => run(cli, database::watched).deliver(),
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
        Ok(cli) => run(cli, |_| Progress::new(false)),
        Err(error) if error.use_stderr() => {
            Answer { message: error.to_string(), code: crate::usage_code(&error), ..Answer::default() }
        }
        Err(error) => Answer::of_text(error.to_string()),
    }
}

fn run(cli: Cli, watched: impl FnOnce(&operator::Cli) -> Progress) -> Answer {
    match cli.command {
        Command::Check { source, format, json } => check::run(&source, if json { Format::Json } else { format }),
        Command::Schema { source, at } => schema::run(&source, at),
        Command::Lock { source, answer } => directory::lock(&source.compiler(), answer.is_json()),
        Command::New { name, contract, migrations } => directory::new(&migrations, &name, contract.as_deref()),
        Command::Squash { source, to, out } => directory::squash(&source.compiler(), to, out.as_deref(), false),
        Command::Boot { database, boot } => database::operate(&database, operator::Command::Boot(boot), watched),
        Command::Status { database, limit } => database::operate(&database, operator::Command::Status(limit), watched),
        Command::Plan { database, limit } => database::operate(&database, operator::Command::Plan(limit), watched),
        Command::Verify { database, checks, report } => {
            database::operate(&database, operator::Command::Verify { checks, report }, watched)
        }
        Command::Fleet { migrations, reading, fleet, every } => {
            database::fleet(&migrations, &reading, fleet, &every, watched)
        }
        Command::Diff { source, db, at, history, every } => database::diff(&source, &db, at, &history, &every),
    }
}
