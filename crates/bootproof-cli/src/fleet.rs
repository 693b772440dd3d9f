//! Many databases, one after the other and several at once.

use std::sync::Arc;
use std::time::Duration;

use bootproof::Schema;

use crate::args::{Cli, FleetArgs};
use crate::output::Answer;
use crate::progress::Progress;
use crate::run;

/// How long one database is waited for, where nobody says: the others must not wait for the one that somebody holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Boots them all.
pub(crate) fn answer(schema: &Schema, fleet: &FleetArgs, cli: &Cli, progress: &Progress) -> Answer {
    let options = match run::options(cli, progress) {
        Ok(options) => options,
        Err(error) => return Answer::of_error(&error, &fleet.directory, cli.is_json()),
    };
    let is_patience_asked_for = cli.names_patience() || std::env::var_os("BOOTPROOF_LOCK_TIMEOUT").is_some();
    let lock_timeout = if is_patience_asked_for { options.lock_timeout } else { PATIENCE };
    let asked = fleet.fleet(schema, bootproof::Options { lock_timeout, ..options });
    let asked = if progress.is_shown() { asked.observer(Arc::new(progress.clone())) } else { asked };
    let booted = asked.run();
    let code = booted.as_ref().map_or(0, bootproof::FleetReport::exit_code);
    let answer = Answer::of_inspection(booted, cli.is_json());
    if code == 0 { answer } else { Answer { code, ..answer } }
}
