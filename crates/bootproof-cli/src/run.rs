//! Asks the engine what the operator asked.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use bootproof::{Boot, BootReport, Error, Failure, Options, Schema};
use bootproof_build::Compiler;
use clap::error::ErrorKind;

use crate::args::{self, Cli, Command};
use crate::health::Format;
use crate::output::Answer;
use crate::page::Page;
use crate::progress::Progress;
use crate::{copies, directory, fleet, health, signal, sql};

/// Runs one command.
///
/// # Errors
///
/// What is wrong with the arguments that only the schema can tell: no database named, no such version.
pub(crate) fn run(schema: &Schema, program: &str, cli: &Cli, progress: &Progress) -> Result<Answer, clap::Error> {
    let usage = |kind, message: String| args::command(schema, program).error(kind, message);
    match &cli.command {
        Command::Sql { version } => {
            return sql::print(schema, *version, cli.is_json())
                .map_err(|message| usage(ErrorKind::InvalidValue, message));
        }
        Command::Check { directory } => return Ok(directory::check(directory, cli.is_json())),
        Command::Lock { directory } => return Ok(directory::lock(&Compiler::new(directory), cli.is_json())),
        Command::Squash { directory, to, out } => {
            return Ok(directory::squash(&Compiler::new(directory), *to, out.as_deref(), cli.is_json()));
        }
        Command::New { name, contract, migrations } => {
            return Ok(directory::new(migrations, name, contract.as_deref()));
        }
        Command::Completions { shell } => return Ok(completions(schema, program, *shell)),
        Command::Fleet(fleet) => return Ok(fleet::answer(schema, fleet, cli, progress)),
        _ => {}
    }
    let Some(path) = &cli.db else {
        let message = "no database named: give `--db FILE` or set `BOOTPROOF_DB`";
        return Err(usage(ErrorKind::MissingRequiredArgument, message.to_owned()));
    };
    Ok(match options(cli, progress) {
        Ok(options) => on_database(schema, &Boot::new(schema, path).options(options), cli, path),
        Err(error) => Answer::of_error(&error, path, cli.is_json()),
    })
}

/// The commands that need a database.
fn on_database(schema: &Schema, boot: &Boot<'_>, cli: &Cli, database: &Path) -> Answer {
    let json = cli.is_json();
    let page = match cli.report().map(|path| Page::begin(schema, boot, path, database)).transpose() {
        Ok(page) => page,
        Err(error) => return Answer::of_error(&error, database, json),
    };
    let reported = |result: Result<BootReport, Failure>| {
        let written = page.as_ref().map_or(Ok(()), |page| page.finish(&result));
        let timeline = cli.shows_timeline().then(|| match &result {
            Ok(report) => report.timeline_text(),
            Err(failure) => failure.report.timeline_text(),
        });
        Answer::of_boot(result, json).and(timeline.as_deref().unwrap_or_default()).after(written)
    };
    match &cli.command {
        Command::Boot(_) => reported(boot.run()),
        Command::Verify { .. } => reported(boot.verify()),
        Command::Bench(_) => reported(boot.bench()),
        Command::Revert(revert) => reported(boot.revert(revert.to)),
        Command::Status(_) => Answer::of_inspection(boot.status(), json),
        Command::Plan(_) => Answer::of_inspection(boot.plan(), json),
        Command::Health { config, prometheus, quick } => {
            let format = match (json, *prometheus) {
                (_, true) => Format::Prometheus,
                (true, false) => Format::Json,
                (false, false) => Format::Text,
            };
            health::answer(boot, config.as_deref(), *quick, format)
        }
        Command::Backup { keep } => Answer::of_inspection(copies::back_up(boot, *keep), json),
        Command::Backups { examine } => Answer::of_inspection(boot.backups(*examine), json),
        Command::Restore { backup } => Answer::of_inspection(boot.restore(backup), json),
        // Answered before there was a database.
        Command::Fleet(_)
        | Command::Sql { .. }
        | Command::Check { .. }
        | Command::Lock { .. }
        | Command::Squash { .. }
        | Command::New { .. }
        | Command::Completions { .. } => Answer::default(),
    }
}

/// Flag before environment before default.
pub(crate) fn options(cli: &Cli, progress: &Progress) -> Result<Options, Error> {
    // A value that is not Unicode must be refused like any other that means nothing, not taken for unset.
    let lossy = |value: OsString| value.to_string_lossy().into_owned();
    let mut options = Options::default().with_environment(|name| std::env::var_os(name).map(lossy))?;
    // It has had its say; the engine must not let it overrule the flags.
    options.environment = false;
    options.cancellation = signal::cancellation();
    if progress.is_shown() {
        options.observer = Some(Arc::new(progress.clone()));
    }
    Ok(cli.apply_to(options))
}

/// What a shell reads to complete this command, under the name it was called by.
fn completions(schema: &Schema, program: &str, shell: clap_complete::Shell) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(schema, program), program, &mut script);
    Answer::of_bytes(script)
}
