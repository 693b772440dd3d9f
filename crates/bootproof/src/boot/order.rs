//! The order of a boot. Every other module knows one step; this one alone knows what comes after what.
//!
//! 1. **Open**; a missing file is made from the compiled image.
//! 2. **Look**, reading only: at head with nothing to repair, verify and be ready.
//! 3. **Prepare** under the write lock: look again, check the file, back it up.
//! 4. **Apply** the pending migrations, repair, gather statistics.
//! 5. **Verify** everything, still inside the transaction.
//! 6. **Commit**, and only then believe it.

use std::path::Path;

use bootproof_catalog::{Catalog, difference};
use rusqlite::Connection;

use super::contracts::Contracts;
use crate::apply::{self, Applied};
use crate::audit::{self, Detail, Event};
use crate::backup::{self, Backup};
use crate::connection::{self, Session};
use crate::error::{Error, bytes};
use crate::expected;
use crate::files;
use crate::foreign_keys::Violations;
use crate::fresh::{self, Created};
use crate::history;
use crate::look::{self, Look, behind, differences};
use crate::options::Options;
use crate::plan::Start;
use crate::repair;
use crate::report::{AppliedMigration, BootReport, CheckName, Verdict};
use crate::schema::Schema;
use crate::statistics;
use crate::verify;

/// One boot on its way.
pub(super) struct Run<'r> {
    pub(super) schema: &'r Schema,
    pub(super) path: &'r Path,
    pub(super) options: Options,
    pub(super) report: BootReport,
    pub(super) contracts: Contracts,
}

impl<'r> Run<'r> {
    pub(super) fn new(schema: &'r Schema, path: &'r Path, name: String, options: &Options) -> Self {
        let report = BootReport::new(name);
        Self { schema, path, options: options.clone(), report, contracts: Contracts::default() }
    }
}

impl Run<'_> {
    pub(super) fn prepare_options(&mut self) -> Result<(), Error> {
        if self.options.environment {
            self.options = self
                .options
                .clone()
                .with_environment(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))?;
        }
        let files = self.schema.disagreements();
        if files.is_empty() { Ok(()) } else { Err(Error::SourcesDisagree { files }) }
    }

    pub(super) fn boot(&mut self) -> Result<(), Error> {
        let mut create = false;
        if !files::exists(self.path)? {
            create = true;
            self.report.created = fresh::create(self.schema, self.path)? == Created::Yes;
        }
        let mut connection = connection::open(self.path, create)?;
        self.boot_connection(&mut connection)
    }

    /// Looks, and works, until a look finds nothing left to do: between a look and the lock, another process may have
    /// done the work.
    pub(super) fn boot_connection(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let session = Session::new(connection, self.path, self.options.lock_timeout)?;
        loop {
            session.begin_read()?;
            let looked = self.look_or_blame_the_file(&session);
            let current = match looked {
                Ok(look) if look.is_current() => self.verify_current(&session, &look),
                Ok(look) => {
                    session.rollback();
                    if self.migrate(&session, &look)? {
                        return Ok(());
                    }
                    continue;
                }
                Err(error) => Err(error),
            };
            session.rollback();
            current?;
            self.after_reading(&session);
            return Ok(());
        }
    }

    /// A damaged file can look like one of another version: before such a refusal is believed, the file is checked.
    fn look_or_blame_the_file(&mut self, session: &Session<'_>) -> Result<Look, Error> {
        let looked = look::at(self.schema, session.connection);
        match looked {
            Ok(look) => {
                if !self.report.created {
                    self.report.from_version = look.plan.version_before();
                }
                Ok(look)
            }
            Err(error) if matches!(error.exit_code(), 1 | 4) => {
                let entries = history::read(session.connection).ok().flatten().unwrap_or_default();
                self.report.from_version = entries.last().map(|entry| entry.version);
                match self.check_integrity(session) {
                    Err(damage @ Error::Integrity { .. }) => Err(damage),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn verify_only(
        &mut self,
        then: impl FnOnce(&mut Self, &Session<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !files::exists(self.path)? {
            let message = format!("`{}` does not exist", self.path.display());
            return Err(Error::Storage { action: "opened", message });
        }
        let mut connection = connection::open_to_look(self.path)?;
        let session = Session::new(&mut connection, self.path, self.options.lock_timeout)?;
        session.begin_read()?;
        let verified = self.look_or_blame_the_file(&session).and_then(|look| {
            if look.is_current() {
                return self.verify_current(&session, &look);
            }
            self.check_integrity(&session)?;
            Err(Error::Behind { work: behind(&look) })
        });
        session.rollback();
        verified?;
        then(self, &session)
    }

    /// Everything there is to prove about a database that needs no work. Inside a read transaction.
    fn verify_current(&mut self, session: &Session<'_>, look: &Look) -> Result<(), Error> {
        self.report.to_version = Some(self.schema.head());
        if self.report.created {
            self.report.applied = self.schema.compiled().migrations.iter().map(AppliedMigration::stamped).collect();
        }
        self.check_structure(session.connection, look)?;
        self.report.skip(CheckName::RowCounts, "nothing was migrated");
        self.check_foreign_keys(session, &look.live, None)?;
        self.check_integrity(session)?;
        self.report.verdict = Verdict::Ready;
        let broken = self.check_contracts(session, false)?;
        if !broken.is_empty() {
            self.report.verdict = Verdict::Degraded;
        }
        Ok(())
    }

    /// What follows a proof that needed no write: statistics, if a contract missed its index, and the benchmark.
    /// The database is proven: nothing from here on may turn it into a failure.
    fn after_reading(&mut self, session: &Session<'_>) {
        if self.report.verdict == Verdict::Degraded {
            self.retry_with_new_statistics(session);
        }
        self.benchmark_or_note(session);
    }

    fn benchmark_or_note(&mut self, session: &Session<'_>) {
        if self.options.benchmark
            && let Err(error) = self.benchmark(session)
        {
            self.report.notes.push(format!("the benchmark failed: {error}"));
        }
    }

    /// Slow is better than down: whatever goes wrong here leaves the verdict at degraded.
    fn retry_with_new_statistics(&mut self, session: &Session<'_>) {
        log::warn!("a query contract missed its index: gathering statistics anew");
        let analysed = self.analyse(session);
        session.rollback();
        if let Err(error) = analysed {
            self.report.notes.push(format!("statistics could not be gathered: {error}"));
            return;
        }
        if self.check_contracts(session, true).is_ok_and(|broken| broken.is_empty()) {
            self.report.verdict = Verdict::Ready;
        }
    }

    /// Without waiting: whoever holds the database is at work.
    fn analyse(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let execute = |sql| {
            session.connection.execute_batch(sql).map_err(|error| Error::from_sqlite("gathering statistics", error))
        };
        execute("BEGIN IMMEDIATE")?;
        self.report.notes.extend(statistics::gather(session.connection)?);
        execute("COMMIT")
    }

    /// Does the work under the write lock. Returns false if another process did it first.
    fn migrate(&mut self, session: &Session<'_>, seen: &Look) -> Result<bool, Error> {
        if self.options.benchmark && !seen.plan.pending.is_empty() && seen.plan.start != Start::Empty {
            self.benchmark_before(session);
        }
        session.begin_write()?;
        let outcome = self.look_or_blame_the_file(session).and_then(|look| {
            if look.is_current() {
                return Ok(false);
            }
            self.work(session, &look).map(|()| true)
        });
        match outcome {
            Ok(true) => {
                self.after_commit(session);
                Ok(true)
            }
            other => {
                let is_certain = !matches!(other, Err(Error::CommitUncertain { .. }));
                if session.rollback() && is_certain {
                    self.discard_backup();
                }
                other
            }
        }
    }

    /// Disk space, then the backup. Repairs alone need none: an index holds nothing that its table does not.
    fn back_up(&mut self, session: &Session<'_>, look: &Look) -> Result<Option<Backup>, Error> {
        let is_file = self.path.file_name().is_some();
        if look.plan.start == Start::Empty || !is_file {
            return Ok(None);
        }
        let backs_up = self.options.backup && !look.plan.pending.is_empty();
        let needed = disk_needed(self.path, backs_up);
        let directory = files::directory(self.path);
        // Where the system does not tell, SQLite itself will, and roll back.
        if let Ok(available) = fs4::available_space(directory)
            && available < needed
        {
            let (available, needed) = (bytes(available), bytes(needed));
            let message = format!("{available} free in `{}`, about {needed} needed", directory.display());
            return Err(Error::DiskFull { message });
        }
        let timeout = session.patience.timeout();
        backs_up.then(|| backup::make(session.connection, self.path, &look.live, timeout)).transpose()
    }

    fn discard_backup(&mut self) {
        if let Some(backup) = self.report.backup.take() {
            backup::discard(&backup);
        }
    }

    /// From the second look to the commit.
    fn work(&mut self, session: &Session<'_>, look: &Look) -> Result<(), Error> {
        let connection = session.connection;
        if look.plan.start != Start::Empty {
            self.check_integrity(session)?;
        }
        let violations = Violations::find(connection, &look.live, |table| self.schema.declares(table))?;
        violations.judge(self.options.foreign_keys, Some(&violations))?;
        let backup = self.back_up(session, look)?;
        let counts = verify::row_counts(connection, &look.live)?;

        let applied = self.apply(connection, look)?;
        self.record(connection, look, &applied, backup.as_ref())?;

        let after = self.check_result(session, look)?;
        if look.plan.start == Start::Empty {
            self.report.skip(CheckName::RowCounts, "there were none");
        } else {
            self.check(CheckName::RowCounts, |_| {
                let now = verify::row_counts(connection, &after.live)?;
                verify::same_row_counts(&counts, &now, &look.plan.pending)
            })?;
        }
        self.check_foreign_keys(session, &after.live, Some(&violations))?;
        self.check_integrity(session)?;
        let broken = self.check_contracts(session, true)?;
        if !broken.is_empty() {
            return Err(Error::ContractBroken { contracts: broken });
        }

        self.report.backup = backup.map(Backup::publish).transpose()?;
        session.commit().map_err(|error| match error {
            Error::Locked { .. } => error,
            // In WAL mode the commit may be in the log although flushing it failed.
            other => Error::CommitUncertain { message: other.to_string() },
        })?;
        self.report.to_version = Some(self.schema.head());
        self.report.verdict = Verdict::Ready;
        Ok(())
    }

    fn apply(&mut self, connection: &Connection, look: &Look) -> Result<Vec<Applied>, Error> {
        if let Start::Unmanaged(_, version) = look.plan.start {
            apply::record_baseline(connection, self.schema, version)?;
        }
        let applied = apply::pending(connection, self.schema, &look.plan.pending)?;
        let expected = expected::head_catalog(self.schema)?;
        let live = Catalog::read(connection).map_err(|error| Error::from_sqlite("reading the schema", error))?;
        let differences = difference::between(&expected, &live);
        self.report.repaired = repair::indexes(connection, &expected, &differences)?;
        self.report.applied = applied.iter().map(AppliedMigration::measured).collect();
        self.report.created |= look.plan.start == Start::Empty;
        self.report.adopted = look.plan.adopts();
        if look.plan.start != Start::Empty {
            self.report.notes.extend(statistics::gather(connection)?);
        }
        Ok(applied)
    }

    /// Looks once more: history and schema must be at head now, and nobody's additions lost.
    fn check_result(&mut self, session: &Session<'_>, look: &Look) -> Result<Look, Error> {
        let result = look::at(self.schema, session.connection)?;
        if !result.is_current() {
            return Err(Error::Behind { work: behind(&result) });
        }
        self.check_structure(session.connection, &result)?;
        if let Some(version) = look.plan.version_recognised() {
            let after = differences(self.schema, version, &result.live)?;
            let head = expected::head_catalog(self.schema)?;
            self.report.notes.extend(verify::additions_kept(&look.differences, &after, &head)?);
        }
        Ok(result)
    }

    /// Records what was done, in the transaction that does it.
    fn record(
        &self,
        connection: &Connection,
        look: &Look,
        applied: &[Applied],
        backup: Option<&Backup>,
    ) -> Result<(), Error> {
        let event = match look.plan.start {
            Start::Empty => Event::Create,
            Start::Unmanaged(..) => Event::Adopt,
            Start::Managed(_) if applied.is_empty() => Event::Repair,
            Start::Managed(_) => Event::Migrate,
        };
        let detail = Detail {
            applied: applied.iter().map(|applied| applied.migration.title().to_owned()).collect(),
            repaired: self.report.repaired.clone(),
            tolerated: if event == Event::Adopt { look.tolerated.iter().cloned().collect() } else { Vec::new() },
            backup: backup.and_then(|backup| Some(backup.path.file_name()?.to_string_lossy().into_owned())),
        };
        let (from, head, build) = (self.report.from_version, self.schema.head(), self.schema.build());
        audit::write(connection, event, from, head, build, &detail)
            .map_err(|error| Error::from_sqlite("recording the boot in the audit table", error))
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
        if self.report.backup.is_some()
            && let Ok(made) = audit::backups(connection)
        {
            backup::prune(self.path, &made, self.options.keep_backups.max(1));
        }
        self.benchmark_or_note(session);
    }
}

/// The space a boot may need: the backup, and a quarter of the file for new indexes, sorting and the journal.
///
/// Measured on the worklog schema, four new indexes take 13% of the file.
pub(crate) fn disk_needed(path: &Path, backs_up: bool) -> u64 {
    let length = |file: &Path| std::fs::metadata(file).map(|file| file.len()).unwrap_or_default();
    let size = length(path) + length(&files::sidecar(path, "-wal"));
    let backup = if backs_up { size } else { 0 };
    backup + size / 4 + (1 << 20)
}
