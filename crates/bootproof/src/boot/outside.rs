//! A migration that runs outside the transaction: on a copy, which takes the database's place when it is proven.
//!
//! 1. **Take** the database: nobody else has it open until the end.
//! 2. **Copy** it, as a verified backup, and the backup once more, to work on.
//! 3. **Run** the statements on the copy, record them, and prove everything there, from the first page to the last.
//! 4. **Replace** the database by the copy, as a restore does. Whatever fails before leaves it untouched.

use std::path::Path;
use std::time::{Duration, Instant};

use bootproof_catalog::{HISTORY_TABLE, quoted};
use rusqlite::Connection;

use super::change::Change;
use super::order::{Next, Run};
use super::transaction::Before;
use crate::apply::{self, Applied};
use crate::audit;
use crate::backup::{self, Backup, Original};
use crate::compiled::Migration;
use crate::connection::{self, Session};
use crate::error::Error;
use crate::event::Step;
use crate::files::directory;
use crate::format;
use crate::history;
use crate::integrity::{self, Companions};
use crate::look::Look;
use crate::options::Integrity;
use crate::own_table;
use crate::report::CheckName;
use crate::restore::Taken;

pub(crate) const WITHOUT_BACKUP: &str = "backups are switched off, and the database has rows";

/// What is to be done on the copy.
struct Task {
    look: Look,
    migration: &'static Migration,
    change: Change,
    before: Before,
    backup: Backup,
}

impl Run<'_> {
    /// Whether the next thing to do is a migration outside the transaction. Refuses one that cannot be run, also where it is not
    /// the next: before anything is done.
    pub(super) fn may_go_outside(&mut self, look: &Look, connection: &Connection) -> Result<bool, Error> {
        let Some(migration) = look.plan.outside() else { return Ok(false) };
        let refused = |message| Err(Error::NotAlone { migration: migration.title(), message });
        let is_file = self.path.file_name().is_some();
        if is_file && self.is_lent {
            return refused("the connection was opened by the application");
        }
        if is_file && !self.options.backup && !self.report.created && has_rows(look, connection) {
            return refused(WITHOUT_BACKUP);
        }
        Ok(look.is_current_inside())
    }

    /// Boots through a connection of the application's.
    pub(super) fn boot_application(&mut self, connection: &mut Connection) -> Result<(), Error> {
        self.is_lent = true;
        while self.boot_connection(connection)? == Next::Outside {
            self.go_outside_in_memory(connection)?;
            if self.is_done {
                break;
            }
        }
        Ok(())
    }

    /// Applies the next migration, which runs outside the transaction, unless another process did it first.
    pub(super) fn go_outside(&mut self) -> Result<(), Error> {
        self.is_done = false;
        let watch = self.watch.clone();
        let mut taken = Taken::begin(self.path, &self.options, &watch)?;
        let Some(task) = self.prepare(&mut taken)? else { return Ok(()) };
        watch.step(Step::CopyBackup, 0, || taken.copy(&task.backup, &watch))?;
        let made = self.work_on(taken.work(), &task)?;

        let Task { look, migration, change, before, backup } = task;
        let path = if self.keeps_backup(&before) {
            self.report.backup = Some(backup.publish()?);
            self.report.backup.as_ref().map(|backup| backup.path.clone()).unwrap_or_default()
        } else {
            backup.path.clone()
        };
        if let Err(error) = taken.replace(&path, &self.options, &watch) {
            if !matches!(error, Error::RestoreInterrupted { .. }) {
                self.discard_backup();
            }
            return Err(error);
        }
        self.settle(&look, &change);
        self.note_outside(migration);
        self.prune_backups(&made);
        self.is_done &= !self.options.benchmark;
        Ok(())
    }

    /// From the look under the lock to the verified backup.
    fn prepare(&mut self, taken: &mut Taken) -> Result<Option<Task>, Error> {
        let watch = self.watch.clone();
        let session = Session::new(taken.connection(), self.path, self.options.lock_timeout, &watch)?;
        watch.step(Step::Lock, 0, || session.begin_write())?;
        let prepared = self.look_or_blame_the_file(&session).and_then(|look| {
            let is_next = look.is_current_inside();
            let Some(migration) = look.plan.outside().filter(|_| is_next) else { return Ok(None) };
            self.prepare_under_lock(&session, look, migration).map(Some)
        });
        let prepared = prepared.map_err(|error| session.blame(error));
        session.rollback();
        prepared
    }

    fn prepare_under_lock(
        &mut self,
        session: &Session<'_>,
        look: Look,
        migration: &'static Migration,
    ) -> Result<Task, Error> {
        let change = Change::outside(&look, migration);
        if !change.is_on_nothing() {
            // Nobody else can open the file, to help or for anything else.
            self.check_integrity_by(self.load.integrity(self.options.integrity), |level, watch| {
                integrity::check(session.connection, level, Companions::Nobody, watch)
            })?;
        }
        let before = self.examine(session, &look)?;
        if !self.options.backup && !self.report.created && before.has_rows() {
            return Err(Error::NotAlone { migration: migration.title(), message: WITHOUT_BACKUP });
        }
        // The backup, the copy, and what the copy needs for itself while it is rewritten.
        backup::require_space(directory(self.path), 3 * self.load.bytes() + (1 << 20))?;
        let is_sound = self.options.integrity != Integrity::Off && !change.is_on_nothing();
        let original = Original::of_writer(session.connection, self.path, &look.live, is_sound)?;
        let backup = backup::make(&original, session.patience.timeout(), &self.watch)?;
        Ok(Task { look, migration, change, before, backup })
    }

    /// Runs the migration on the copy and proves it there. Returns which backups the audit table knows.
    fn work_on(&mut self, work: &Path, task: &Task) -> Result<Vec<String>, Error> {
        let failed = |error| Error::from_sqlite("preparing the copy", error);
        let mut connection = connection::open(work, false)?;
        let watch = self.watch.clone();
        let session = Session::new(&mut connection, work, self.options.lock_timeout, &watch)?;
        let is_wal = session.is_wal()?;
        let mode = |mode| session.connection.pragma_update(Some("main"), "journal_mode", mode).map_err(failed);
        // In WAL mode a VACUUM does not change the size of the pages. Nobody sees the copy before it is flushed as a whole.
        mode("DELETE")?;
        session.connection.pragma_update(Some("main"), "synchronous", "OFF").map_err(failed)?;
        let applied = self.run_outside(&session, task.migration)?;
        if is_wal && !format::chooses_journal(task.migration) {
            mode("WAL")?;
        }
        format::require(session.connection, task.migration)?;
        self.commit_outside(&session, &task.look, &task.change, &task.before, &applied, Some(&task.backup.path))?;

        session.begin_read()?;
        let open = || connection::open_companion(work);
        let checked = self.check_whole(&session, Companions::Opened(&open));
        let backups = audit::backups(session.connection);
        session.rollback();
        checked?;
        let folded = session.connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        folded.map_err(|error| Error::from_sqlite("folding the log in", error))?;
        connection::fold_wal_on_close(session.connection, true)?;
        backups
    }

    /// The statements, each by itself.
    fn run_outside(&mut self, session: &Session<'_>, migration: &'static Migration) -> Result<Applied, Error> {
        log::info!("applying {} outside a transaction", migration.title());
        // Or what it drops would take its children along.
        session
            .connection
            .pragma_update(None, "foreign_keys", false)
            .map_err(|error| Error::from_sqlite("preparing the copy", error))?;
        let start = Instant::now();
        let run = || apply::statements(session.connection, migration);
        self.watch.clone().step(Step::Migrate(migration.title()), 0, run)?;
        Ok(Applied { migration, took: start.elapsed() })
    }

    /// Records the migration and proves all but the integrity, in a transaction of its own.
    fn commit_outside(
        &mut self,
        session: &Session<'_>,
        look: &Look,
        change: &Change,
        before: &Before,
        applied: &Applied,
        backup: Option<&Path>,
    ) -> Result<(), Error> {
        let failed = |error| own_table::unwritten(HISTORY_TABLE, "recording a migration in the history", error);
        session.begin_write()?;
        history::record(session.connection, std::slice::from_ref(applied.migration)).map_err(failed)?;
        let backup = backup.filter(|_| self.keeps_backup(before));
        self.prove_all(session, look, change, before, &[*applied], backup)?;
        let watch = self.watch.clone();
        watch.step(Step::Commit, 0, || session.commit())
    }

    /// The whole file, of which every page may be new: at least quickly, as before a restore.
    fn check_whole(&mut self, session: &Session<'_>, companions: Companions<'_>) -> Result<(), Error> {
        let level = match self.options.integrity {
            Integrity::Off => Integrity::Quick,
            level => level,
        };
        let expected = self.load.integrity(level);
        self.check(CheckName::Integrity, |run| {
            run.watch
                .clone()
                .step(Step::Integrity, expected, || integrity::check(session.connection, level, companions, &run.watch))
        })
    }

    /// The same for a database in memory: it is its own copy, and what it was is kept until it is proven.
    fn go_outside_in_memory(&mut self, connection: &mut Connection) -> Result<(), Error> {
        self.is_done = false;
        let failed = |error| Error::from_sqlite("copying the database in memory", error);
        let before = connection.serialize(rusqlite::MAIN_DB).map_err(failed)?.to_vec();
        let made = self.work_in_memory(connection);
        if made.is_err() {
            let length = before.len();
            connection.deserialize_read_exact(rusqlite::MAIN_DB, &*before, length, false).map_err(failed)?;
        }
        made
    }

    fn work_in_memory(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let watch = self.watch.clone();
        let session = Session::new(connection, self.path, Duration::ZERO, &watch)?;
        let work = |run: &mut Self| {
            let look = run.look_or_blame_the_file(&session)?;
            let Some(migration) = look.plan.outside() else { return Ok(()) };
            let change = Change::outside(&look, migration);
            let before = run.examine(&session, &look)?;
            let applied = run.run_outside(&session, migration)?;
            run.commit_outside(&session, &look, &change, &before, &applied, None)?;
            run.check_whole(&session, Companions::Nobody)?;
            run.settle(&look, &change);
            run.note_outside(migration);
            Ok(())
        };
        let worked = work(self);
        session.rollback();
        worked
    }

    /// Whether there is anything that the backup is to be kept for.
    fn keeps_backup(&self, before: &Before) -> bool {
        self.options.backup && !self.report.created && before.has_rows()
    }

    fn note_outside(&mut self, migration: &'static Migration) {
        let why = migration.no_transaction.unwrap_or_default();
        self.report.notes.push(format!("{} ran outside the transaction, on a copy: {why}", migration.title()));
    }
}

/// Whether any table has a row, or may have.
pub(crate) fn has_rows(look: &Look, connection: &Connection) -> bool {
    look.live.tables.values().any(|table| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM main.{})", quoted(&table.name));
        table.is_virtual || connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(true)
    })
}
