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
//! - `output`: what is said where, and the exit code

mod args;
mod output;
mod run;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use bootproof::Schema;
use clap::error::ErrorKind;
use log::LevelFilter;

use crate::output::Answer;

/// Runs the command that the arguments of this process ask for, on the database they name.
///
/// Reads the arguments, the environment variables that `--help` lists, and `RUST_LOG`; installs [`env_logger`] unless
/// the program has a logger already. Prints, and returns the exit code: it never exits by itself.
#[must_use]
pub fn main(schema: &Schema) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = program_name(arguments.first(), schema.name());
    let answer = args::parse(schema, &program, arguments).and_then(|cli| {
        init_logging(cli.log_level());
        run::run(schema, &program, &cli)
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

/// Shows the engine at `level` and everyone else's warnings; `RUST_LOG` overrules both.
fn init_logging(level: LevelFilter) {
    let mut builder = if std::env::var_os("RUST_LOG").is_some_and(|filter| !filter.is_empty()) {
        env_logger::Builder::from_default_env()
    } else {
        let mut builder = env_logger::Builder::new();
        builder.filter_level(level.min(LevelFilter::Warn)).filter_module("bootproof", level);
        builder
    };
    // A program that has its own logger keeps it.
    let _ = builder.format_target(false).try_init();
}
