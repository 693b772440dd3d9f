//! What became of some work: compared with what the model expects, which then follows.

use std::path::Path;

use faulty_vfs::Fault;
use rusqlite::Connection;
use worklog_schema::COMPILED;
use worklog_schema::bootproof::Error;
use worklog_schema::bootproof::compiled::ObjectKind;

use super::model::{Content, Done, Expectation};
use super::operation::{Other, Work};
use super::world::{Told, World};
use crate::proof::{State, immutable, is_honest, sound_state};

/// What came in between.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disturbance {
    None,
    Crash,
    Fault(Fault),
    CalledOff,
    Beside { other: Other, is_wal: bool },
}

impl World {
    pub(super) fn settle(&mut self, work: Work, told: &Told, disturbance: Disturbance) -> Result<String, String> {
        self.end_restore(work)?;
        let expectation = self.disturbed(work, disturbance);
        let made = self.made()?;
        let found = content(&self.database)?;
        let is_old = found == self.model.database;
        let done = match &expectation {
            Expectation::Done(done) => Some(done),
            Expectation::Refused(_) => None,
        };
        let is_new = done.is_some_and(|done| found == after(done, found.as_ref(), made.first(), told));
        let ends_well = match told {
            Ok(_) => is_new,
            Err(failure) => {
                let may_be_done = matches!(disturbance, Disturbance::Crash)
                    || matches!(failure.error, Error::CommitUncertain { .. })
                    || self.model.database.is_none();
                is_allowed(work, failure.exit_code(), &expectation, disturbance)?;
                is_old || (may_be_done && is_new)
            }
        };
        let told_words =
            told.as_ref().map_or_else(|failure| format!("`{}`", failure.error.kind()), |_| "ready".to_owned());
        if !ends_well {
            let found = Content::words(found.as_ref());
            let failure = told.as_ref().err().map(ToString::to_string).unwrap_or_default();
            return Err(format!("{told_words}, {disturbance:?}: old {is_old}, new {is_new}, found {found} {failure}"));
        }
        let is_disturbed = matches!(disturbance, Disturbance::Crash | Disturbance::Fault(_));
        self.follow(work, told, &expectation, &made, is_disturbed)?;
        self.model.database = found;
        let is_boot = matches!(work, Work::Boot { .. });
        self.is_tidy = !is_disturbed && (self.is_tidy || (is_boot && told.is_ok()));
        Ok(format!("{}{}: {told_words}", work.name(), disturbance.words()))
    }

    /// Where a restore was interrupted, everything waits for another.
    fn end_restore(&mut self, work: Work) -> Result<(), String> {
        if !self.database.with_file_name("worklog.db.restoring").exists() {
            return Ok(());
        }
        let boot = worklog_schema::boot(&self.database);
        match boot.run() {
            Err(failure) if failure.exit_code() == 7 => {}
            other => return Err(format!("between two files a boot ends with {other:?}")),
        }
        self.run(work, &boot).map(drop).map_err(|failure| format!("another restore fails: {failure}"))
    }

    /// What is expected beside somebody else.
    fn disturbed(&self, work: Work, disturbance: Disturbance) -> Expectation {
        let expectation = self.expect(work);
        let (Disturbance::Beside { other, is_wal }, Expectation::Done(done)) = (disturbance, &expectation) else {
            return expectation;
        };
        let changes = done.backup || done.database != self.model.database;
        match work {
            Work::Restore { .. } if self.model.nth_backup(work).is_some() => Expectation::Refused(&[3]),
            Work::Boot { .. } | Work::Revert { .. } if changes && !is_wal && matches!(other, Other::Reader) => {
                Expectation::Refused(&[3])
            }
            _ => expectation,
        }
    }

    /// The backups that are new, each of what there was before.
    fn made(&self) -> Result<Vec<String>, String> {
        let made: Vec<String> =
            self.backups().into_iter().filter(|name| !self.model.backups.contains_key(name)).collect();
        for name in &made {
            let backup = self.database.with_file_name(name);
            let read = || -> rusqlite::Result<Content> {
                let backup = immutable(&backup)?;
                Ok(content_of(State::read(&backup)?, recorded(&backup)?))
            };
            if read().ok() != self.model.database {
                return Err(format!("`{name}` is no backup"));
            }
        }
        Ok(made)
    }

    /// The backups of the model are those that there should be.
    fn follow(
        &mut self,
        work: Work,
        told: &Told,
        expectation: &Expectation,
        made: &[String],
        is_disturbed: bool,
    ) -> Result<(), String> {
        let names = self.backups();
        let gone: Vec<String> = self.model.backups.keys().filter(|name| !names.contains(*name)).cloned().collect();
        let may_go = self.model.may_go(work, made.first());
        let should_be_made =
            usize::from(matches!((told, expectation), (Ok(_), Expectation::Done(done)) if done.backup));
        let is_as_told = match told {
            Ok(name) => made.first() == name.as_ref() && made.len() == should_be_made,
            // What was to protect from something that did not happen is removed where that is certain.
            Err(_) => made.is_empty() || (is_disturbed && made.len() == 1),
        };
        let is_as_allowed = gone.iter().all(|name| may_go.contains(name));
        let is_complete = told.is_err() || is_disturbed || gone.len() == may_go.len();
        if !is_as_told || !is_as_allowed || !is_complete {
            return Err(format!("made {made:?}, removed {gone:?}, which may go: {may_go:?}"));
        }
        if let Some(old) = &self.model.database {
            self.model.backups.extend(made.iter().map(|name| (name.clone(), old.clone())));
        }
        self.model.backups.retain(|name, _| names.contains(name));
        Ok(())
    }
}

/// Whether the exit code is one of those that what happened can have.
fn is_allowed(work: Work, code: u8, expectation: &Expectation, disturbance: Disturbance) -> Result<(), String> {
    let is_expected = matches!(expectation, Expectation::Refused(codes) if codes.contains(&code));
    let is_allowed = match disturbance {
        Disturbance::None | Disturbance::Beside { .. } => false,
        // Nobody is there to read it.
        Disturbance::Crash => true,
        Disturbance::CalledOff => code == 130,
        Disturbance::Fault(fault) => {
            // Short reads make a backup look damaged, too.
            let is_backup = matches!(work, Work::Restore { .. }) && fault == Fault::ShortRead;
            is_honest(fault, code) || (is_backup && code == 7)
        }
    };
    if is_expected || is_allowed {
        Ok(())
    } else {
        Err(format!("exit code {code}, {disturbance:?}, expected {}", expectation.words()))
    }
}

/// What is expected when the work is done: with the backup that was made in the record, as far as it is told.
fn after(done: &Done, found: Option<&Content>, made: Option<&String>, told: &Told) -> Option<Content> {
    let mut database = done.database.clone()?;
    if done.is_recorded {
        let name = told.as_ref().ok().and_then(Clone::clone).or_else(|| made.cloned());
        // Cut off after the commit, it may be told by nothing but the record.
        let name = name.or_else(|| found?.recorded.first().cloned());
        database.recorded.splice(0..0, name);
    }
    Some(database)
}

/// What there is; `None` where there is no file.
pub(super) fn content(database: &Path) -> Result<Option<Content>, String> {
    if !database.exists() {
        return Ok(None);
    }
    let state = sound_state(database)?;
    let recorded = Connection::open(database).and_then(|connection| recorded(&connection));
    Ok(Some(content_of(state, recorded.map_err(|error| error.to_string())?)))
}

pub(super) fn content_of(state: State, recorded: Vec<String>) -> Content {
    let version = state.version();
    let known = COMPILED.migrations.iter().filter(|migration| migration.version <= version.unwrap_or(0));
    let mut indexes = known.flat_map(|migration| migration.creates).filter(|object| object.kind == ObjectKind::Index);
    let lacks_index = indexes.any(|index| !state.schema.contains_key(index.name));
    let mut rows = state.rows;
    // SQLite's own numbers.
    rows.remove("sqlite_sequence");
    Content { version, rows, lacks_index, recorded }
}

/// The backups that boots say they made, the newest first.
fn recorded(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    if !connection.table_exists(None, "bootproof_audit")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT detail ->> 'backup' FROM bootproof_audit WHERE detail ->> 'backup' IS NOT NULL ORDER BY id DESC",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

impl Expectation {
    fn words(&self) -> String {
        match self {
            Self::Refused(codes) => format!("one of {codes:?}"),
            Self::Done(done) => format!("to end at {}", Content::words(done.database.as_ref())),
        }
    }
}

impl Disturbance {
    fn words(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Crash => ", power cut".to_owned(),
            Self::CalledOff => ", called off".to_owned(),
            Self::Fault(fault) => format!(", {fault:?}"),
            Self::Beside { other, .. } => format!(" beside {other:?}"),
        }
    }
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Boot { .. } => "boot",
            Self::Revert { .. } => "revert",
            Self::BackUp => "back up",
            Self::Prune { .. } => "prune",
            Self::Restore { .. } => "restore",
        }
    }
}
