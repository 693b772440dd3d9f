//! Measures how a database is. Reads only, in one transaction, and takes what a damaged file still gives.

use std::path::Path;
use std::time::{Instant, SystemTime};

use bootproof_catalog::{Catalog, Difference, Severity, quoted};
use rusqlite::Connection;

use super::health::{
    BackupAge, DifferenceReport, DifferenceSeverity, Health, IndexHealth, Measure, QueryHealth, TableHealth,
};
use super::pages::Pages;
use crate::audit;
use crate::backup;
use crate::boot::{Boot, Run};
use crate::compiled::Contract;
use crate::connection::{self, Session};
use crate::error::{Error, Failure};
use crate::event::Step;
use crate::figure::shown;
use crate::files;
use crate::foreign_keys::Violations;
use crate::history;
use crate::integrity::{self, Companions};
use crate::look;
use crate::options::Integrity;
use crate::plan::Limit;
use crate::probe::{self, Shared};
use crate::report::ErrorReport;
use crate::undated;
use crate::watch::Watch;

/// How many of the last boots are told.
const BOOTS: u32 = 10;

impl Boot<'_> {
    /// Measures how the database is: sizes, rows, indexes, backups, hot queries. Changes nothing.
    ///
    /// Sizes and rows are of one state of the database, read in one transaction, also while another process uses it: in
    /// rollback-journal mode a commit of that process has to wait for it, in WAL mode nobody waits. The queries are timed
    /// after it, one by one, as an application runs them. Counting rows and
    /// looking for rows without a date reads an index of each table. With a million worklogs (1.1 GB, in the cache of the
    /// system, two cores) that took 0.05 s, and 7 s with [`Measure::EVERYTHING`]: the whole file, and every contract for
    /// about half a second.
    ///
    /// Where a boot would refuse, where the file is damaged, locked, missing, [`Health::error`] says so, and the rest is
    /// what could be had.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`], and what is wrong with the options or the binary itself.
    pub fn measure(&self, what: Measure) -> Result<Health, Failure> {
        let start = Instant::now();
        let mut health = Health::new(self.schema, &self.name);
        health.measure_files(&self.path);
        self.act(|run| {
            match self.read(&mut health, what, run) {
                Err(error @ Error::Cancelled) => return Err(error),
                Err(error) => health.refuse(&error),
                Ok(()) => {}
            }
            health.duration_ms = start.elapsed().into();
            Ok(health)
        })
    }

    /// Opens the file and measures what is in it.
    fn read(&self, health: &mut Health, what: Measure, run: &Run<'_>) -> Result<(), Error> {
        health.exists = run.path.exists();
        if !files::exists(run.path)? {
            let message = format!("`{}` does not exist", shown(run.path));
            return Err(Error::Storage { action: "opened", message });
        }
        let mut connection = connection::open_to_look(run.path)?;
        let session = Session::new(&mut connection, run.path, run.options.lock_timeout, &run.watch)?;
        session.begin_read()?;
        let measured = run.watch.step(Step::Measure, 0, || self.measure_session(health, what, &session, run));
        let measured = measured.map_err(|error| session.blame(error));
        session.rollback();
        let version = measured?;
        if what.contracts { self.measure_contracts(health, version, &session, &run.watch) } else { Ok(()) }
    }

    /// What is of one state; returns the version at which the schema is, -1 for none.
    fn measure_session(
        &self,
        health: &mut Health,
        what: Measure,
        session: &Session<'_>,
        run: &Run<'_>,
    ) -> Result<i64, Error> {
        health.is_readable = true;
        health.measure_header(session.connection)?;
        let version = self.look(health, session.connection, run.limit())?;
        self.measure_objects(health, session.connection, what.pages)?;
        if what.pages && run.options.integrity != Integrity::Off {
            prove(health, session, run)?;
        }
        Ok(version)
    }

    /// Outside a transaction: nobody's commit waits for a query that is timed ten times.
    fn measure_contracts(
        &self,
        health: &mut Health,
        version: i64,
        session: &Session<'_>,
        watch: &Watch,
    ) -> Result<(), Error> {
        let contracts: Vec<_> = self.schema.contracts().filter(|contract| contract.since <= version).collect();
        watch.step(Step::Benchmark, 0, || {
            session.shrink_cache()?;
            let mut shared = Shared::default();
            for (done, contract) in contracts.iter().enumerate() {
                watch.advance(done as u64, contracts.len() as u64)?;
                let (mut query, measured) =
                    session.patience.waiting(|| query(session.connection, contract, &mut shared));
                query.error = measured.as_ref().err().map(ToString::to_string);
                health.queries.push(query);
                // What a contract asks for may not be there, which is the contract's own trouble.
                if !matches!(measured, Err(Error::Unexpected { .. })) {
                    health.unless_damaged(measured)?;
                }
            }
            Ok(())
        })
    }

    /// Asks what a boot asks first, and returns the version at which the schema is, -1 for none.
    fn look(&self, health: &mut Health, connection: &Connection, limit: Limit) -> Result<i64, Error> {
        let entries = history::read(connection).ok().flatten().unwrap_or_default();
        health.version = entries.last().map(|entry| entry.version);
        health.last_migration = entries.into_iter().next_back().map(Into::into);
        health.adopted = audit::adoption(connection).is_ok_and(|adoption| adoption.is_some());
        health.boots = audit::latest(connection, BOOTS).unwrap_or_default();
        let (version, live) = match look::at(self.schema, connection, limit) {
            Ok(look) => {
                health.pending = look.plan.pending.len();
                health.differences = look.differences.iter().map(DifferenceReport::from).collect();
                (look.plan.version_recognised(), look.live)
            }
            Err(error) => {
                if let Error::Drifted { differences } | Error::NotAdoptable { differences, .. } = &error {
                    health.differences = differences.iter().map(DifferenceReport::from).collect();
                }
                // A damaged file can look like one of another version: boot checks it before it says so, and so does this.
                let error = match error.exit_code() {
                    1 | 4 => integrity::by_sqlite(connection, Integrity::Sqlite).err(),
                    _ => None,
                }
                .unwrap_or(error);
                health.unless_damaged::<()>(Err(error))?;
                (health.version, Catalog::read(connection).unwrap_or_default())
            }
        };
        let undated = health.unless_damaged(undated::find(connection, &live))?;
        health.undated = undated.unwrap_or_default();
        Ok(version.unwrap_or(-1))
    }

    /// Every table and index, as the schema of the file lists them.
    fn measure_objects(&self, health: &mut Health, connection: &Connection, pages: bool) -> Result<(), Error> {
        let pages = if pages { health.unless_damaged(Pages::read(connection))? } else { None };
        if let Some(pages) = pages.as_ref().filter(|pages| !pages.damaged.is_empty()) {
            health.refuse(&Error::Integrity { problems: pages.damaged.clone() });
        }
        let space = |name: &str| pages.as_ref().and_then(|pages| pages.of(name));
        for Object { kind, name, table, has_pages } in health.unless_damaged(objects(connection))?.unwrap_or_default() {
            let space = space(&name);
            if kind == "index" {
                health.indexes.push(IndexHealth { name, table, space });
            } else {
                let counted = has_pages.then(|| rows(connection, &name)).transpose();
                let rows = health.unless_damaged(counted)?.flatten();
                let limits = self.schema.row_limits().iter();
                let row_limit =
                    limits.rev().find(|(table, _)| table.eq_ignore_ascii_case(&name)).map(|(_, rows)| *rows);
                health.tables.push(TableHealth { name, rows, row_limit, space });
            }
        }
        Ok(())
    }
}

/// What a boot would prove besides: that the file is sound, and that every row has its parent.
fn prove(health: &mut Health, session: &Session<'_>, run: &Run<'_>) -> Result<(), Error> {
    let (connection, level) = (session.connection, run.options.integrity);
    let open = || connection::open_companion(run.path);
    let sound = integrity::check(connection, level, Companions::Opened(&open), &run.watch);
    let is_sound = health.unless_damaged(sound)?.is_some();
    if is_sound && let Ok(live) = Catalog::read(connection) {
        let violations = Violations::find(connection, &live, level, |table| run.schema.declares(table));
        health.unless_damaged(violations.and_then(|found| found.judge(run.options.foreign_keys, Some(&found))))?;
    }
    Ok(())
}

impl Health {
    /// Takes the first refusal for the one that counts.
    fn refuse(&mut self, error: &Error) {
        if self.error.is_none() {
            self.error = Some(ErrorReport::of(error));
        } else if !self.problems.contains(&error.to_string()) {
            self.problems.push(error.to_string());
        }
    }

    /// What was measured, or nothing: a damaged page must not hide the rest.
    fn unless_damaged<T>(&mut self, measured: Result<T, Error>) -> Result<Option<T>, Error> {
        match measured {
            Ok(measured) => Ok(Some(measured)),
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error @ Error::Unexpected { .. }) => {
                self.problems.push(error.to_string());
                Ok(None)
            }
            Err(error) => {
                self.refuse(&error);
                Ok(None)
            }
        }
    }

    /// What the directory tells, also of a file that cannot be read. Nothing is opened: closing it again would drop the
    /// locks of this process.
    fn measure_files(&mut self, path: &Path) {
        let bytes = |path: &Path| std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
        self.bytes = bytes(path);
        self.wal_bytes = bytes(&files::sidecar(path, "-wal"));
        self.journal_bytes = bytes(&files::sidecar(path, "-journal"));
        self.last_backup = backup::list(path).into_iter().next().map(|backup| {
            let written = std::fs::metadata(&backup.path).and_then(|file| file.modified());
            let age = written.map(|written| SystemTime::now().duration_since(written).unwrap_or_default());
            BackupAge {
                path: backup.path.display().to_string(),
                bytes: backup.bytes,
                age_seconds: age.ok().map(|age| age.as_secs()),
            }
        });
    }

    fn measure_header(&mut self, connection: &Connection) -> Result<(), Error> {
        let number = |pragma| connection.query_row(pragma, [], |row| row.get(0)).map(i64::unsigned_abs).ok();
        self.page_size = number("PRAGMA main.page_size");
        self.page_count = number("PRAGMA main.page_count");
        self.free_pages = number("PRAGMA main.freelist_count");
        let mode = connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0));
        self.journal_mode =
            self.unless_damaged(mode.map_err(|error| Error::from_reading("reading the header", error)))?;
        Ok(())
    }
}

impl From<&Difference> for DifferenceReport {
    fn from(difference: &Difference) -> Self {
        Self {
            severity: match difference.severity {
                Severity::Missing => DifferenceSeverity::Missing,
                Severity::Differs => DifferenceSeverity::Differs,
                Severity::Repairable => DifferenceSeverity::Repairable,
                Severity::Extra => DifferenceSeverity::Extra,
            },
            kind: difference.subject.to_string(),
            object: difference.object.clone(),
            message: difference.message.clone(),
        }
    }
}

/// A table or an index as the schema lists it.
struct Object {
    kind: String,
    name: String,
    table: String,
    /// A virtual table has its pages and rows elsewhere.
    has_pages: bool,
}

/// Everything that has pages, and virtual tables.
fn objects(connection: &Connection) -> Result<Vec<Object>, Error> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let mut statement = connection.prepare(
            "SELECT 'table', 'sqlite_schema', 'sqlite_schema', 1
             UNION ALL SELECT type, name, tbl_name, rootpage > 0 FROM main.sqlite_schema WHERE type IN ('table', 'index')
             ORDER BY 2",
        )?;
        let rows = statement.query_map([], |row| {
            let has_pages = row.get::<_, Option<bool>>(3)?.unwrap_or_default();
            Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, has_pages })
        })?;
        rows.collect()
    };
    read().map_err(|error| Error::from_reading("listing tables and indexes", error))
}

/// SQLite counts along the smallest index (<https://sqlite.org/optoverview.html>).
fn rows(connection: &Connection, table: &str) -> Result<u64, Error> {
    let sql = format!("SELECT count(*) FROM main.{}", quoted(table));
    let counted = connection.query_row(&sql, [], |row| row.get(0)).map(i64::unsigned_abs);
    counted.map_err(|error| Error::from_sqlite("counting rows", error))
}

/// Proves and times one contract: as far as that came, and why no further.
fn query(
    connection: &Connection,
    contract: &'static Contract,
    shared: &mut Shared,
) -> (QueryHealth, Result<(), Error>) {
    let mut health = QueryHealth {
        name: contract.name,
        expected_index: contract.index,
        index_used: None,
        missed: None,
        budget_ms: contract.budget.into(),
        timing: None,
        error: None,
    };
    let mut measure = || {
        let samples = probe::sample(connection, contract, shared)?;
        let proof = probe::prove(connection, contract, &samples)?;
        health.index_used = proof.index_used;
        if proof.missed.is_some() && !probe::is_direct(connection, contract, &samples)? {
            health.missed = proof.missed;
        }
        health.timing = Some(probe::time(connection, contract, &samples)?);
        Ok(())
    };
    let measured = measure();
    (health, measured)
}
