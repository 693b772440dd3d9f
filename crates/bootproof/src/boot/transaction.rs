//! One change of the schema in one transaction, proven before it commits.
//!
//! 1. **Prepare** under the write lock: look again, check the file, back it up.
//! 2. **Change**: run the scripts, repair, gather statistics, record it all.
//! 3. **Verify** everything, still inside the transaction.
//! 4. **Commit**. Whatever fails before rolls back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bootproof_catalog::{AUDIT_TABLE, Catalog, difference};

use super::change::Change;
use super::order::{Run, Settled};
use crate::apply::Applied;
use crate::audit::{self, Detail, TakenOver};
use crate::backup::{self, Backup, Original};
use crate::connection::{self, Session};
use crate::early::Flushing;
use crate::error::Error;
use crate::estimate;
use crate::event::Step;
use crate::expected;
use crate::files;
use crate::foreign_keys::Violations;
use crate::integrity::{Coming, Foreseen, Written};
use crate::look::{self, Look, behind, differences};
use crate::options::Integrity;
use crate::own_table;
use crate::repair;
use crate::report::{AppliedMigration, CheckName, Verdict};
use crate::seal;
use crate::statistics::Depth;
use crate::verify;
use crate::workload::Workload;

/// What a change must leave as it was.
pub(super) struct Before {
    violations: Violations,
    counts: BTreeMap<String, i64>,
    /// Whether there are rows that nobody counts.
    has_virtual: bool,
    /// What the rows demand of the indexes that are to be built, where it was found while they were checked.
    foreseen: Foreseen,
}

impl Before {
    /// Whether any table has a row, or may have.
    pub(super) fn has_rows(&self) -> bool {
        self.has_virtual || self.counts.values().any(|rows| *rows > 0)
    }
}

impl Run<'_> {
    /// Takes the write lock, asks what is to be done now, and does it. Returns false where nothing is: another process
    /// did it first.
    pub(super) fn transact(
        &mut self,
        session: &Session<'_>,
        decide: impl FnOnce(&Look) -> Result<Option<Change>, Error>,
    ) -> Result<bool, Error> {
        self.watch.clone().step(Step::Lock, 0, || session.begin_write())?;
        let prepared = if self.is_guest { Ok(()) } else { session.spill_late() };
        let looked = prepared.and_then(|()| self.look_or_blame_the_file(session));
        let outcome = looked.and_then(|look| match decide(&look)? {
            Some(change) => self.make(session, &look, &change).map(|()| true),
            None => Ok(false),
        });
        match outcome {
            Ok(true) => {
                self.after_commit(session);
                Ok(true)
            }
            other => {
                let other = other.map_err(|error| session.blame(error));
                let is_certain = !matches!(other, Err(Error::CommitUncertain { .. }));
                if session.rollback() && is_certain {
                    self.discard_backup();
                }
                other
            }
        }
    }

    /// From the second look to the commit.
    fn make(&mut self, session: &Session<'_>, look: &Look, change: &Change) -> Result<(), Error> {
        let watch = self.watch.clone();
        let foreseen = if change.is_on_nothing() {
            Foreseen::default()
        } else {
            self.check_integrity_and_foresee(session, &self.coming(change)?)?
        };
        let before = Before { foreseen, ..self.examine(session, look)? };
        let backup = self.back_up(session, look, change)?;
        session.still_open()?;

        let applied = change.run(session.connection, self.schema, self.guard.as_ref(), &self.watch, &self.load)?;
        let flushing = Flushing::begin(session.connection);
        let path = backup.as_ref().map(|backup| &*backup.path);
        self.prove_all(session, look, change, &before, &applied, path)?;

        // From here it can be called off only while the commit waits for readers.
        watch.proceed()?;
        session.refuse_moved()?;
        self.report.backup = backup.map(Backup::publish).transpose()?;
        watch.step(Step::Commit, 0, || flushing.finish().and_then(|()| commit(session)))?;
        self.settle(look, change);
        Ok(())
    }

    /// What is there before anything is changed.
    pub(super) fn examine(&mut self, session: &Session<'_>, look: &Look) -> Result<Before, Error> {
        let (connection, watch) = (session.connection, self.watch.clone());
        let violations = watch.step(Step::ForeignKeys, self.load.foreign_keys(), || {
            Violations::find(connection, &look.live, self.options.integrity, |table| self.schema.declares(table))
        })?;
        violations.judge(self.options.foreign_keys, Some(&violations))?;
        let counts = watch.step(Step::RowCounts, 0, || verify::row_counts(connection, &look.live))?;
        self.load.count(&counts);
        let has_virtual = look.live.tables.values().any(|table| table.is_virtual);
        Ok(Before { violations, counts, has_virtual, foreseen: Foreseen::default() })
    }

    /// From the last statement to the proof; of a change outside the transaction, whose every page may be new, all but the
    /// integrity.
    pub(super) fn prove_all(
        &mut self,
        session: &Session<'_>,
        look: &Look,
        change: &Change,
        before: &Before,
        applied: &[Applied],
        backup: Option<&Path>,
    ) -> Result<(), Error> {
        let (connection, Before { violations, counts, .. }) = (session.connection, before);
        let repaired = self.complete(session, look, change, applied)?;
        self.record(session, look, change, applied, repaired, backup)?;

        let after = self.check_result(session, look, change)?;
        if change.is_on_nothing() {
            self.report.skip(CheckName::RowCounts, "there were none");
        } else {
            self.check(CheckName::RowCounts, |run| {
                let now = run.watch.step(Step::RowCounts, 0, || verify::row_counts(connection, &after.live))?;
                verify::same_row_counts(counts, &now, &change.writes())
            })?;
            self.report.notes.extend(verify::rows_gone(counts, &after.live));
        }
        self.check_foreign_keys(session, &after.live, Some(violations))?;
        session.still_open()?;
        if change.is_outside() {
            self.prove_contracts(session, change)?;
        } else {
            let repaired = self.report.repaired.iter().map(|name| name.to_ascii_lowercase());
            let indexes = change.indexes().map(str::to_ascii_lowercase).chain(repaired).collect();
            let tables = change.writes();
            let foreseen = &before.foreseen;
            let written =
                Written { before: &look.live, after: &after.live, tables: &tables, indexes: &indexes, foreseen };
            self.check_written(session, &written, |run| run.prove_contracts(session, change))?;
            self.report.tell_last(CheckName::QueryPlans);
        }
        session.still_open()?;

        let is_known_to_the_end = look.plan.ahead.is_empty();
        seal::renew(self.schema, connection, is_known_to_the_end.then_some(change.to()))
    }

    fn prove_contracts(&mut self, session: &Session<'_>, change: &Change) -> Result<(), Error> {
        self.contracts.look_again();
        self.require_contracts(session, change.to())?;
        session.still_open()
    }

    /// Notes what nothing takes back any more.
    pub(super) fn settle(&mut self, look: &Look, change: &Change) {
        self.report.to_version = Some(change.to());
        self.report.verdict = Verdict::Ready;
        // The first is of the database as the boot found it; the later ones are of versions on the way.
        let (earlier, made) = (self.settled.take().and_then(|settled| settled.backup), self.report.backup.take());
        if let (Some(_), Some(later)) = (&earlier, &made) {
            self.report.notes.push(format!("another backup, made on the way: {later}"));
        }
        self.settled = Some(Settled {
            version: change.to(),
            applied: self.report.applied.clone(),
            backup: earlier.or(made),
            adopted: self.report.adopted,
            created: self.report.created,
        });
        self.is_done = change.to() == look.plan.version_after() || matches!(change, Change::Back { .. });
    }

    /// The indexes that are to be built on tables whose rows stay as they are.
    fn coming(&self, change: &Change) -> Result<Coming, Error> {
        let (indexes, writes): (BTreeSet<&str>, _) = (change.indexes().collect(), change.writes());
        if indexes.is_empty() {
            return Ok(Coming::default());
        }
        let is_wanted = |table: &str, index: &str| {
            indexes.iter().any(|name| name.eq_ignore_ascii_case(index)) && !writes.contains(table)
        };
        Coming::read(&expected::database_at(self.schema, change.to())?, is_wanted)
            .map_err(|error| Error::from_sqlite("reading the compiled schema", error))
    }

    /// Disk space, then the backup. Repairs alone need none: an index holds nothing that its table does not.
    fn back_up(&mut self, session: &Session<'_>, look: &Look, change: &Change) -> Result<Option<Backup>, Error> {
        let is_file = self.path.file_name().is_some();
        if change.is_on_nothing() || !is_file {
            return Ok(None);
        }
        // What this boot has made holds nothing that it could not make again.
        let backs_up = self.options.backup && change.needs_backup() && !self.report.created;
        backup::require_space(files::directory(self.path), self.disk_needed(session, look, change, backs_up)?)?;
        let timeout = session.patience.timeout();
        let is_sound = self.options.integrity != Integrity::Off;
        let original = || Original::of_writer(session.connection, self.path, &look.live, is_sound);
        backs_up.then(|| backup::make(&original()?, timeout, &self.watch)).transpose()
    }

    fn disk_needed(&self, session: &Session<'_>, look: &Look, change: &Change, backs_up: bool) -> Result<u64, Error> {
        let after = expected::catalog_at(self.schema, change.to())?;
        let new = estimate::new_indexes(session.connection, look, &after, &self.load);
        let new = new.iter().map(|index| index.bytes).sum();
        let backup = if backs_up { self.load.bytes() } else { 0 };
        Ok(estimate::disk_needed(self.path, look, new, backup, session.is_wal()?))
    }

    pub(super) fn discard_backup(&mut self) {
        if let Some(backup) = self.report.backup.take() {
            backup::discard(&backup);
        }
    }

    /// What belongs to a change beside its scripts: declared indexes, statistics, the report.
    fn complete(
        &mut self,
        session: &Session<'_>,
        look: &Look,
        change: &Change,
        applied: &[Applied],
    ) -> Result<Vec<String>, Error> {
        let connection = session.connection;
        let expected = expected::catalog_at(self.schema, change.to())?;
        let live = Catalog::read(connection).map_err(|error| Error::from_sqlite("reading the schema", error))?;
        let differences = difference::between(&expected, &live);
        let repaired = if repair::is_due(&differences) {
            self.watch.step(Step::Repair, 0, || repair::indexes(connection, &expected, &differences))?
        } else {
            Vec::new()
        };
        self.report.repaired.extend(repaired.iter().cloned());
        let told = applied.iter().map(AppliedMigration::measured);
        match change {
            Change::Forward { .. } => self.report.applied.extend(told),
            Change::Back { .. } => self.report.reverted.extend(told),
        }
        self.report.created |= change.is_on_nothing();
        self.report.adopted |= look.plan.adopts();
        self.report.notes.extend(look.foreign.iter().flat_map(|foreign| foreign.notes.clone()));
        if !change.is_on_nothing() {
            self.gather_statistics(session, Depth::Sampled)?;
        }
        Ok(repaired)
    }

    /// Looks once more: history and schema must be where they were to go, and nobody's additions lost.
    fn check_result(&mut self, session: &Session<'_>, look: &Look, change: &Change) -> Result<Look, Error> {
        let result = look::at(self.schema, session.connection, self.limit())?;
        if result.plan.version_before() != Some(change.to()) || result.repairs().next().is_some() {
            return Err(Error::Behind { work: behind(&result) });
        }
        self.load = Workload::measure(session.connection, &result.live);
        self.check_structure(session.connection, &result)?;
        verify::nothing_left_over(&look.differences, &result.differences)?;
        if let Some(version) = look.plan.version_recognised() {
            let after = differences(self.schema, version, &result.live)?;
            let expected = expected::catalog_at(self.schema, change.to())?;
            self.report.notes.extend(verify::additions_kept(&look.differences, &after, &expected)?);
        }
        Ok(result)
    }

    /// Records what was done, in the transaction that does it.
    fn record(
        &self,
        session: &Session<'_>,
        look: &Look,
        change: &Change,
        scripts: &[Applied],
        repaired: Vec<String>,
        backup: Option<&Path>,
    ) -> Result<(), Error> {
        let run = scripts.iter().map(|script| script.migration);
        let done = match change {
            Change::Forward { .. } => Detail::of_applied(run),
            Change::Back { .. } => Detail::of_reverted(run),
        };
        let detail = Detail {
            repaired,
            taken_over: look.foreign.as_ref().map(|it| TakenOver { tool: it.tool.to_owned(), version: it.version }),
            tolerated: if look.plan.adopts() { look.tolerated.iter().cloned().collect() } else { Vec::new() },
            backup: backup.and_then(|backup| Some(backup.file_name()?.to_string_lossy().into_owned())),
            ..done
        };
        let (from, build) = (look.plan.version_before(), self.schema.build());
        audit::write(session.connection, change.event(), from, change.to(), build, &detail)
            .map_err(|error| own_table::unwritten(AUDIT_TABLE, "recording the boot in the audit table", error))
    }

    /// The work is committed: nothing from here on may turn it into a failure.
    fn after_commit(&mut self, session: &Session<'_>) {
        let connection = session.connection;
        if let Err(error) = connection::fold_wal_on_close(connection, true) {
            log::warn!("{error}");
        }
        // In WAL mode a log of the size of the new indexes would stay behind (https://sqlite.org/wal.html#avoiding_excessively_large_wal_files).
        let folded = connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        let later = |why: &str| format!("the write-ahead log was not folded in: {why}; SQLite will do it later");
        match folded {
            Ok(1) => self.report.notes.push(later("readers are at work")),
            Ok(_) => {}
            Err(error) => self.report.notes.push(later(&error.to_string())),
        }
        if let Ok(made) = audit::backups(connection) {
            self.prune_backups(&made);
        }
        if self.is_done {
            self.benchmark_or_note(session);
        }
    }

    /// Removes the oldest of those that boots have made, after one of them has.
    pub(super) fn prune_backups(&self, made: &[String]) {
        if self.settled.as_ref().is_some_and(|settled| settled.backup.is_some()) {
            backup::prune(self.path, made, self.options.keep_backups.max(1));
        }
    }
}

/// Commits, or finds out what became of a commit that failed.
///
/// Without a log, reading the file once more plays a journal back that was left, and what is then read is what there is
/// (<https://sqlite.org/atomiccommit.html#_rollback>). With a log, nobody knows before it is next recovered: the commit may
/// be in it although flushing it failed.
fn commit(session: &Session<'_>) -> Result<(), Error> {
    let (ours, is_wal) = (audit::newest(session.connection)?, session.is_wal()?);
    session.commit().map_err(|error| match error {
        Error::Locked { .. } | Error::Cancelled => error,
        other => {
            let is_undone = || match audit::newest(session.connection) {
                Ok(newest) => newest != ours,
                Err(_) => audit::exists(session.connection).is_ok_and(|exists| !exists),
            };
            if !is_wal && session.rollback() && is_undone() {
                other
            } else {
                Error::CommitUncertain { message: other.to_string() }
            }
        }
    })
}

/// The declared indexes that are missing or differ, by their keys.
pub(crate) fn needs_rebuild(look: &Look) -> impl Iterator<Item = String> {
    look.repairs().map(|difference| difference.object.clone())
}
