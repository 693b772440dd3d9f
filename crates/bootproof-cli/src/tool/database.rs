//! `bootproof boot`, `status`, `plan`, `verify` and `diff`: the operator's commands, with migrations compiled just now.

use std::path::Path;

use bootproof::{Boot, BootReport, ErrorReport, Options, Schema, takeover};
use bootproof_build::{Compiler, Diagnostics, Dialect};

use super::args::{DatabaseArgs, EveryArgs, HistoryArgs, ReadingArgs, SourceArgs};
use super::loaded;
use crate::args::{self, Cli};
use crate::output::Answer;
use crate::progress::Progress;
use crate::{logging, run, signal};

/// The exit code where the database is not what the migrations make.
const DRIFTED: u8 = 4;
/// The exit code of migrations that cannot be run.
const FAILED: u8 = 5;

/// Runs a command of the operator's.
pub(super) fn operate(
    database: &DatabaseArgs,
    command: args::Command,
    watched: impl FnOnce(&Cli) -> Progress,
) -> Answer {
    let (directory, compiler) = database.source();
    let schema = match compile(directory, &compiler, database.names_dialect(), &database.db) {
        Ok(schema) => loaded::with_history(schema, database.history.history_table.as_deref()),
        Err(diagnostics) => return not_compiled(&diagnostics, &database.db, database.every.answer.is_json()),
    };
    let cli = database.every.cli(&database.db, command);
    let progress = watched(&cli);
    let answer = run::run(&schema, "bootproof", &cli, &progress);
    progress.clear();
    // Only a database that nobody has named is left to be an error here.
    answer.unwrap_or_else(|error| Answer { message: error.to_string(), code: 2, ..Answer::default() })
}

/// Boots every database of a directory.
pub(super) fn fleet(
    migrations: &Path,
    reading: &ReadingArgs,
    fleet: args::FleetArgs,
    every: &EveryArgs,
    watched: impl FnOnce(&Cli) -> Progress,
) -> Answer {
    let directory = fleet.directory.clone();
    // Of thousands of databases none tells for all of them which tool has migrated it.
    let checked = reading.compiler(migrations).check();
    let schema = match checked.map(|compilation| loaded::schema(&compilation, migrations)) {
        Ok(schema) => schema,
        Err(diagnostics) => return not_compiled(&diagnostics, &directory, every.answer.is_json()),
    };
    let cli = every.cli(&directory, args::Command::Fleet(fleet));
    let progress = watched(&cli);
    let answer = run::run(&schema, "bootproof", &cli, &progress);
    progress.clear();
    answer.unwrap_or_else(|error| Answer { message: error.to_string(), code: 2, ..Answer::default() })
}

/// Compares.
pub(super) fn diff(
    source: &SourceArgs,
    db: &Path,
    at: Option<i64>,
    history: &HistoryArgs,
    every: &EveryArgs,
) -> Answer {
    let schema = match compile(&source.directory, &source.compiler(), source.names_dialect(), db) {
        Ok(schema) => loaded::with_history(schema, history.history_table.as_deref()),
        Err(diagnostics) => return not_compiled(&diagnostics, db, every.answer.is_json()),
    };
    let options = Options { cancellation: signal::cancellation(), ..every.options() };
    let drift = Boot::new(&schema, db).options(options).drift(at);
    let is_drifted = drift.as_ref().is_ok_and(|drift| !drift.differences.is_empty());
    let answer = Answer::of_inspection(drift, every.answer.is_json());
    if is_drifted { Answer { code: DRIFTED, ..answer } } else { answer }
}

/// A bar and a log, as the operator's command has them.
pub(super) fn watched(cli: &Cli) -> Progress {
    let progress = Progress::new(cli.shows_progress());
    logging::init(cli.log_level(progress.is_shown()), &progress);
    progress
}

/// Compiles the directory. sqlx's names look like others'; a database that sqlx has migrated tells.
fn compile(directory: &Path, compiler: &Compiler, is_named: bool, db: &Path) -> Result<Schema, Diagnostics> {
    let checked = compiler.check();
    let dialect = match &checked {
        Ok(compilation) => compilation.dialect(),
        Err(diagnostics) => diagnostics.dialect(),
    };
    let may_be_sqlx = !is_named && matches!(dialect, Dialect::Bootproof | Dialect::GolangMigrate);
    let checked = if may_be_sqlx && takeover::tools_of(db) == [Dialect::Sqlx.name()] {
        compiler.clone().dialect(Dialect::Sqlx).check()
    } else {
        checked
    };
    checked.map(|compilation| loaded::schema(&compilation, directory))
}

/// The refusal of a directory that does not compile: the database was not looked at.
fn not_compiled(diagnostics: &Diagnostics, db: &Path, json: bool) -> Answer {
    let hint = "correct what is reported above; `bootproof check` says the same without a database";
    let answer = if json {
        let error = ErrorReport { code: FAILED, kind: "not_compiled", message: diagnostics.to_string(), hint };
        Answer::of_json(&BootReport { error: Some(error), ..BootReport::new(db.display().to_string()) })
    } else {
        Answer::default()
    };
    Answer { message: format!("{diagnostics}hint: {hint}\n"), code: FAILED, ..answer }
}
