//! The order of a boot. Every other module knows one step; this one alone knows what comes after what.
//!
//! 1. **Open**; a missing file is made from the compiled image.
//! 2. **Look**, reading only: at head with nothing to repair, verify and be ready.
//! 3. **Prepare** under the write lock: look again, check the file, back it up.
//! 4. **Apply** the pending migrations, repair, gather statistics.
//! 5. **Verify** everything, still inside the transaction.
//! 6. **Commit**, and only then believe it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use bootproof_catalog::{Catalog, difference};
use rusqlite::Connection;

use super::contracts::Contracts;
use crate::apply::{self, Applied};
use crate::audit::{self, Detail, Event};
use crate::backup;
use crate::connection::{self, Session};
use crate::error::Error;
use crate::expected;
use crate::fresh::{self, Created};
use crate::history;
use crate::look::{Look, behind, differences_from_head, look};
use crate::options::Options;
use crate::plan::Start;
use crate::repair;
use crate::report::{AppliedMigration, BootReport, CheckName, Verdict};
use crate::schema::Schema;
use crate::verify::{self, Violations};

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
            self.options = self.options.clone().with_environment(|name| std::env::var(name).ok())?;
        }
        let files = self.schema.disagreements();
        if files.is_empty() { Ok(()) } else { Err(Error::SourcesDisagree { files }) }
    }

    pub(super) fn boot(&mut self) -> Result<(), Error> {
        let mut create = false;
        if !connection::exists(self.path)? {
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
            return self.after_reading(&session);
        }
    }

    /// A damaged file can look like one of another version: before such a refusal is believed, the file is checked.
    fn look_or_blame_the_file(&mut self, session: &Session<'_>) -> Result<Look, Error> {
        let looked = look(self.schema, session.connection);
        match looked {
            Err(error) if matches!(error.exit_code(), 1 | 4) => {
                let entries = history::read(session.connection).ok().flatten().unwrap_or_default();
                self.report.from_version = entries.last().map(|entry| entry.version);
                self.check_integrity(session)?;
                Err(error)
            }
            looked => looked.map_err(|error| session.patience.explain(error)),
        }
    }

    pub(super) fn verify_only(
        &mut self,
        then: impl FnOnce(&mut Self, &Session<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !connection::exists(self.path)? {
            let message = format!("`{}` does not exist", self.path.display());
            return Err(Error::Storage { action: "opened", message });
        }
        let mut connection = connection::open_to_look(self.path)?;
        let session = Session::new(&mut connection, self.path, self.options.lock_timeout)?;
        session.begin_read()?;
        let verified = self.look_or_blame_the_file(&session).and_then(|look| {
            if !look.is_current() {
                return Err(Error::Drifted { differences: behind(&look) });
            }
            self.verify_current(&session, &look)
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
        } else {
            self.report.from_version = look.plan.version_before();
        }
        self.check_structure(look)?;
        self.report.skip(CheckName::RowCounts, "nothing was migrated");
        self.check(CheckName::ForeignKeys, |run| {
            Violations::find(session.connection, &look.live)?.judge(run.options.foreign_keys, None)
        })?;
        self.check_integrity(session)?;
        self.report.verdict = Verdict::Ready;
        let broken = self.check_contracts(session, false)?;
        if !broken.is_empty() {
            self.report.verdict = Verdict::Degraded;
        }
        Ok(())
    }

    /// What follows a proof that needed no write: statistics, if a contract missed its index, and the benchmark.
    fn after_reading(&mut self, session: &Session<'_>) -> Result<(), Error> {
        if self.report.verdict == Verdict::Degraded {
            self.retry_with_new_statistics(session);
        }
        if self.options.benchmark { self.benchmark(session) } else { Ok(()) }
    }

    /// Slow is better than down: whatever goes wrong here leaves the verdict at degraded.
    fn retry_with_new_statistics(&mut self, session: &Session<'_>) {
        log::warn!("a query contract missed its index: gathering statistics anew");
        let analyzed = session.patience.suspended(|| {
            session.connection.execute_batch("BEGIN IMMEDIATE; ANALYZE main; COMMIT; ANALYZE main.sqlite_schema")
        });
        if let Err(error) = analyzed {
            session.rollback();
            self.report.notes.push(format!("statistics could not be gathered: {error}"));
            return;
        }
        if self.check_contracts(session, true).is_ok_and(|broken| broken.is_empty()) {
            self.report.verdict = Verdict::Ready;
        }
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
                session.rollback();
                self.discard_backup();
                other
            }
        }
    }

    /// Disk space, then the backup. Repairs alone need none: an index holds nothing that its table does not.
    fn back_up(&mut self, session: &Session<'_>, look: &Look) -> Result<(), Error> {
        let is_file = self.path.file_name().is_some();
        if look.plan.start == Start::Empty || !is_file {
            return Ok(());
        }
        let backs_up = self.options.backup && !look.plan.pending.is_empty();
        let needed = disk_needed(self.path, backs_up);
        let directory = backup::directory(self.path);
        // Where the system does not tell, SQLite itself will, and roll back.
        if let Ok(available) = fs4::available_space(directory)
            && available < needed
        {
            return Err(Error::DiskFull { directory: directory.to_owned(), available, needed });
        }
        if backs_up {
            self.report.backup = Some(backup::make(session.connection, self.path, &look.live)?);
        }
        Ok(())
    }

    fn discard_backup(&mut self) {
        if let Some(backup) = self.report.backup.take() {
            backup::discard(&backup);
        }
    }

    /// From the second look to the commit.
    fn work(&mut self, session: &Session<'_>, look: &Look) -> Result<(), Error> {
        self.report.from_version = look.plan.version_before();
        let catalog = &look.live;
        let connection = session.connection;
        if look.plan.start != Start::Empty {
            self.check_integrity(session)?;
        }
        let violations = Violations::find(connection, catalog)?;
        violations.judge(self.options.foreign_keys, Some(&violations))?;
        self.back_up(session, look)?;
        let counts = verify::row_counts(connection, catalog)?;

        let applied = session.patience.suspended(|| self.apply(connection, look))?;

        let (after, tolerated) = self.check_result(session, look)?;
        if look.plan.start == Start::Empty {
            self.report.skip(CheckName::RowCounts, "there were none");
        } else {
            self.check(CheckName::RowCounts, |_| {
                let now = verify::row_counts(connection, &after)?;
                verify::same_row_counts(&counts, &now, &look.plan.pending)
            })?;
        }
        self.check(CheckName::ForeignKeys, |run| {
            Violations::find(connection, &after)?.judge(run.options.foreign_keys, Some(&violations))
        })?;
        self.check_integrity(session)?;
        let broken = self.check_contracts(session, true)?;
        if !broken.is_empty() {
            return Err(Error::ContractBroken { contracts: broken });
        }
        self.record(connection, look, &applied, tolerated)?;
        session.execute("committing", "COMMIT")?;
        self.report.to_version = Some(self.schema.head());
        self.report.verdict = Verdict::Ready;
        Ok(())
    }

    fn apply(&mut self, connection: &Connection, look: &Look) -> Result<Vec<Applied>, Error> {
        let failed = |error| Error::from_sqlite("gathering statistics", error);
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
            // Statistics are read with the schema: what ANALYZE wrote counts for this connection only after a reload
            // (https://sqlite.org/lang_analyze.html).
            log::info!("gathering statistics");
            connection.execute_batch("ANALYZE main; ANALYZE main.sqlite_schema").map_err(failed)?;
        }
        Ok(applied)
    }

    /// The schema that resulted, and what of it is tolerated because the adoption found it so.
    fn check_result(&mut self, session: &Session<'_>, look: &Look) -> Result<(Catalog, BTreeSet<String>), Error> {
        let start = Instant::now();
        let live =
            Catalog::read(session.connection).map_err(|error| Error::from_sqlite("reading the schema", error))?;
        let result = Look {
            differences: differences_from_head(self.schema, &live)?,
            live,
            tolerated: look.tolerated.clone(),
            plan: look.plan.clone(),
            took: start.elapsed(),
        };
        self.check_structure(&result)?;
        if let Some(version) = look.plan.version_recognised() {
            let before = expected::catalog_at(self.schema, version)?;
            let changes = |live| difference::between(&before, live);
            let head = expected::head_catalog(self.schema)?;
            self.report.notes.extend(verify::additions_kept(&changes(&look.live), &changes(&result.live), &head)?);
        }
        Ok((result.live, result.tolerated))
    }

    /// Records what was done, in the transaction that does it.
    fn record(
        &mut self,
        connection: &Connection,
        look: &Look,
        applied: &[Applied],
        tolerated: BTreeSet<String>,
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
            tolerated: if event == Event::Adopt { tolerated.into_iter().collect() } else { Vec::new() },
            backup: self.report.backup.as_ref().map(|backup| backup.path.display().to_string()),
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
        let folded = session
            .patience
            .suspended(|| connection.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)));
        if let Ok(1) = folded {
            self.report
                .notes
                .push("readers keep the write-ahead log from being folded in; SQLite will do it later".to_owned());
        }
        if self.report.backup.is_some() {
            backup::prune(self.path, self.options.keep_backups.max(1));
        }
        if self.options.benchmark
            && let Err(error) = self.benchmark(session)
        {
            self.report.notes.push(format!("the benchmark failed: {error}"));
        }
    }
}

/// The space a boot may need: the backup, and a quarter of the file for new indexes, sorting and the journal.
///
/// Measured on the worklog schema, four new indexes take 13% of the file.
pub(crate) fn disk_needed(path: &Path, backs_up: bool) -> u64 {
    let size = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    let backup = if backs_up { size } else { 0 };
    backup + size / 4 + (1 << 20)
}
