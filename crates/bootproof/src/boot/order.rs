//! The order of a boot. Every other module knows one step; this one and `transaction` know what comes after what.
//!
//! 1. **Open**; a missing file is made from the compiled image.
//! 2. **Look**, reading only: with nothing to migrate or repair, verify and be ready.
//! 3. Otherwise make the change in one proven **transaction**, and only then believe it.

use std::path::Path;

use rusqlite::Connection;

use super::change::Change;
use super::contracts::Contracts;
use crate::backup;
use crate::connection::{self, Session};
use crate::error::Error;
use crate::event::Step;
use crate::ffi;
use crate::figure::shown;
use crate::files::{self, Neighbours};
use crate::fresh;
use crate::history;
use crate::look::{self, Look, behind};
use crate::options::{Integrity, Options};
use crate::plan::{Limit, Start};
use crate::report::{AppliedMigration, BackupReport, BootReport, CheckName, HeldMigration, NewerMigration, Verdict};
use crate::restore;
use crate::revert;
use crate::schema::Schema;
use crate::seal::{self, Numbers};
use crate::statistics::Depth;
use crate::steps::Guard;
use crate::watch::Watch;
use crate::workload::Workload;

/// How often a boot starts over because another file took the name of the one it had opened.
const MOST_REPLACEMENTS: usize = 3;

/// One boot on its way.
pub(crate) struct Run<'r> {
    pub(crate) schema: &'r Schema,
    pub(crate) path: &'r Path,
    pub(crate) options: Options,
    pub(crate) watch: Watch,
    pub(super) report: BootReport,
    pub(super) contracts: Contracts,
    /// Whether the connection is the application's, and is to be left as it was.
    pub(super) is_guest: bool,
    /// How much there is of everything, for whoever wants to know how far a step is.
    pub(super) load: Workload,
    /// What holds steps in Rust to what they may do, on the connection that migrates.
    pub(super) guard: Option<Guard>,
    /// What is committed already, where a migration that runs outside the transaction makes several commits of one boot.
    pub(super) settled: Option<Settled>,
    /// Whether the last commit was all there was to do.
    pub(super) is_done: bool,
    /// Whether the connection is the application's own.
    pub(super) is_lent: bool,
    /// How the file is one of many.
    pub(super) membership: Option<Membership>,
}

/// A file that was found in a directory: it has to be there, none is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership {
    /// Whether a seal is believed, however much of the file is to be checked otherwise.
    pub(crate) believes_seals: bool,
}

/// What nothing takes back any more.
pub(super) struct Settled {
    pub(super) version: i64,
    pub(super) applied: Vec<AppliedMigration>,
    pub(super) backup: Option<BackupReport>,
    pub(super) adopted: bool,
    pub(super) created: bool,
}

/// How a look at an open database ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is ready.
    Ready,
    /// A migration is to run outside the transaction, which nobody may have the file open for.
    Outside,
}

impl<'r> Run<'r> {
    pub(super) fn new(schema: &'r Schema, path: &'r Path, name: String, options: &Options) -> Self {
        Self {
            schema,
            path,
            options: options.clone(),
            watch: Watch::new(options),
            report: BootReport::new(name),
            contracts: Contracts::default(),
            is_guest: false,
            load: Workload::default(),
            guard: None,
            settled: None,
            is_done: false,
            is_lent: false,
            membership: None,
        }
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
        if !files.is_empty() {
            return Err(Error::SourcesDisagree { files: files.to_vec() });
        }
        match (self.options.target, self.schema.baseline()) {
            (Some(version), Some(baseline)) if version < baseline.version => {
                let reason = format!("is below {}, the first", baseline.version);
                Err(Error::NoSuchVersion { version, reason })
            }
            _ => self.watch.proceed(),
        }
    }

    /// How far this boot may go.
    pub(crate) fn limit(&self) -> Limit {
        Limit { target: self.options.target, maintenance: self.options.maintenance }
    }

    /// A file that was replaced after it had been opened is another's affair: the boot is of the file at the path.
    pub(super) fn boot(&mut self) -> Result<(), Error> {
        for _ in 0..MOST_REPLACEMENTS {
            match self.boot_what_is_there() {
                Err(Error::Moved) => log::info!("`{}` was replaced: starting over", self.path.display()),
                booted => return booted,
            }
            self.settled = None;
            self.report = BootReport::new(std::mem::take(&mut self.report.database));
            self.contracts = Contracts::default();
        }
        self.boot_what_is_there()
    }

    fn boot_what_is_there(&mut self) -> Result<(), Error> {
        let mut create = false;
        let mut neighbours = Neighbours::of(self.path);
        if restore::is_under_way(&neighbours) {
            restore::await_and_finish(self.path, &self.options, &self.watch)?;
            neighbours = Neighbours::of(self.path);
        }
        let mut is_unsealed = false;
        if self.is_content_with_a_seal() && files::is_alone_among(&neighbours) {
            match self.is_sealed_alone(&neighbours)? {
                Some(true) => return Ok(()),
                known => is_unsealed = known.is_some(),
            }
        }
        let exists = files::exists_among(self.path, &neighbours)?;
        self.remove_remnants(&neighbours);
        if !exists && self.membership.is_some() {
            return Err(missing(self.path));
        }
        if !exists {
            create = true;
            // The image is at head, in the format that every file has: what is to be otherwise has to be made by its migrations.
            let is_limited = self.options.target.is_some_and(|target| target < self.schema.head())
                || self.schema.goes_outside()
                || self.schema.has_stand_ins();
            if !is_limited && self.create()? {
                return Ok(());
            }
        }
        let may_be_sealed = self.is_content_with_a_seal() && !is_unsealed && (!create || self.report.created);
        if may_be_sealed && self.is_sealed(&neighbours)? {
            return Ok(());
        }
        loop {
            let mut connection = connection::open(self.path, create)?;
            let next = self.boot_connection(&mut connection);
            // A migration outside the transaction needs the file to itself, and so does whoever else is at one.
            drop(connection);
            match next {
                Ok(Next::Ready) => return Ok(()),
                Ok(Next::Outside) => {
                    self.go_outside()?;
                    if self.is_done {
                        return Ok(());
                    }
                }
                Err(Error::Locked { .. }) if restore::is_remaking(self.path) => {
                    restore::await_and_finish(self.path, &self.options, &self.watch)?;
                }
                Err(error) => return Err(error),
            }
            create = false;
        }
    }

    pub(super) fn believes_seals(&self) -> bool {
        self.membership.is_some_and(|membership| membership.believes_seals)
    }

    /// Whether this boot is asked for no more than a seal tells.
    fn is_content_with_a_seal(&self) -> bool {
        (self.options.integrity == Integrity::Off || self.believes_seals())
            && !self.options.benchmark
            && self.options.target.is_none()
    }

    /// Whether a file that lies alone is sealed, and so ready: history and schema are as they were proven, and what is newer waits.
    /// `None` where only a connection can tell. Most starts of an application end here.
    fn is_sealed_alone(&mut self, neighbours: &Neighbours<'_>) -> Result<Option<bool>, Error> {
        let found = self.watch.clone().step(Step::Look, 0, || Ok(Numbers::of_lone_file(self.path)))?;
        let Some(numbers) = found else { return Ok(None) };
        let version = numbers.version(self.schema, self.options.maintenance);
        if let Some(version) = version {
            self.remove_remnants(neighbours);
            self.report_sealed(version);
        }
        Ok(Some(version.is_some()))
    }

    /// Whether any file is, by the word of a connection.
    fn is_sealed(&mut self, neighbours: &Neighbours<'_>) -> Result<bool, Error> {
        let version = self.watch.clone().step(Step::Look, 0, || {
            let connection = connection::open_among(self.path, false, neighbours)?;
            let found = Numbers::of(&connection).ok().filter(|_| !ffi::has_moved(&connection));
            Ok(found.and_then(|numbers| numbers.version(self.schema, self.options.maintenance)))
        });
        // Whatever the matter is, the general way will meet it too, and tell.
        if let Ok(Some(version)) = version {
            self.report_sealed(version);
            return Ok(true);
        }
        self.watch.proceed().map(|()| false)
    }

    /// The version that the audit table tells a boot which believes a seal, and found none in the header.
    fn sealed_by_record(&self, session: &Session<'_>) -> Option<i64> {
        let is_theirs = self.is_guest || self.is_lent;
        let may_be = self.is_content_with_a_seal() && !is_theirs && self.settled.is_none() && !self.report.created;
        may_be.then(|| seal::recorded(self.schema, session.connection, self.options.maintenance)).flatten()
    }

    /// Looks, and works, until a look finds nothing left to do: between a look and the lock, another process may have
    /// done the work.
    pub(super) fn boot_connection(&mut self, connection: &mut Connection) -> Result<Next, Error> {
        self.guard = self.schema.has_steps().then(|| Guard::install(connection)).transpose()?;
        let session = Session::new(connection, self.path, self.options.lock_timeout, &self.watch)?;
        loop {
            session.begin_read()?;
            if let Some(version) = self.sealed_by_record(&session) {
                let is_here = session.refuse_moved();
                session.rollback();
                is_here?;
                self.report_sealed(version);
                return Ok(Next::Ready);
            }
            let looked = self.look_or_blame_the_file(&session);
            let current = match looked {
                Ok(look) if look.is_current() => {
                    self.verify_current(&session, &look).and_then(|()| session.refuse_moved())
                }
                Ok(look) => {
                    let is_outside = self.may_go_outside(&look, session.connection);
                    session.rollback();
                    if is_outside? {
                        return Ok(Next::Outside);
                    }
                    if self.options.benchmark
                        && self.settled.is_none()
                        && !look.plan.pending.is_empty()
                        && look.plan.start != Start::Empty
                    {
                        self.benchmark_before(&session)?;
                    }
                    let change = |look: &Look| Ok((!look.is_current_inside()).then(|| Change::forward(look)));
                    if self.transact(&session, change)? && self.is_done {
                        return Ok(Next::Ready);
                    }
                    continue;
                }
                Err(error) => Err(error),
            };
            let current = current.map_err(|error| session.blame(error));
            session.rollback();
            current?;
            if let Err(error) = session.remove_dead_journal() {
                log::debug!("a journal that nobody needs stays: {error}");
            }
            self.after_reading(&session);
            return Ok(Next::Ready);
        }
    }

    /// Takes an existing database back to an earlier version.
    pub(super) fn revert(&mut self, to: i64) -> Result<(), Error> {
        self.must_exist()?;
        let mut connection = connection::open(self.path, false)?;
        let session = Session::new(&mut connection, self.path, self.options.lock_timeout, &self.watch)?;
        let was_reverted = self.transact(&session, |look| match (look.plan.ahead.first(), look.plan.start) {
            (Some(newer), _) => {
                let reason =
                    format!("cannot be gone back to: only a newer binary knows the way back from {}", newer.version);
                Err(Error::NoSuchVersion { version: to, reason })
            }
            (None, Start::Managed(from)) => {
                let migrations = revert::path(self.schema.compiled().migrations, from, to)?;
                Ok((!migrations.is_empty()).then_some(Change::Back { migrations, to }))
            }
            (None, Start::Empty | Start::Unmanaged(..) | Start::Foreign(..)) => {
                let reason = "cannot be gone back to: the database has no history".to_owned();
                Err(Error::NoSuchVersion { version: to, reason })
            }
        })?;
        if !was_reverted {
            self.options.target = Some(to);
            drop(connection);
            return self.boot_what_is_there();
        }
        let stay =
            format!("the next boot of this binary goes up again, unless `BOOTPROOF_TARGET={to}` tells it to stay");
        self.report.notes.push(stay);
        Ok(())
    }

    /// What killed processes left beside the database, whatever they were at: also where this boot finds nothing to do.
    pub(super) fn remove_remnants(&self, neighbours: &Neighbours<'_>) {
        if neighbours.are_none() {
            return;
        }
        backup::remove_remnants(self.path, neighbours);
        fresh::remove_remnants(neighbours);
        restore::remove_remnants(self.path, neighbours);
    }

    pub(crate) fn must_exist(&self) -> Result<(), Error> {
        if files::exists(self.path)? {
            return Ok(());
        }
        Err(missing(self.path))
    }

    /// A damaged file can look like one of another version: before such a refusal is believed, the file is checked.
    pub(super) fn look_or_blame_the_file(&mut self, session: &Session<'_>) -> Result<Look, Error> {
        let looked = self.watch.step(Step::Look, 0, || {
            let look = look::at(self.schema, session.connection, self.limit())?;
            Ok((Workload::measure(session.connection, &look.live), look))
        });
        match looked {
            Ok((load, look)) => {
                self.load = load;
                if !self.report.created && self.settled.is_none() {
                    self.report.from_version = look.plan.version_before();
                }
                self.report.held = look.plan.held.iter().map(HeldMigration::from).collect();
                self.report.ahead = look.plan.ahead.iter().map(NewerMigration::from).collect();
                Ok(look)
            }
            Err(error) => {
                let entries = history::read(session.connection).ok().flatten().unwrap_or_default();
                self.report.from_version = entries.last().map(|entry| entry.version);
                Err(self.blame_the_file(session, error))
            }
        }
    }

    /// The damage of the file, where that is what another refusal comes from.
    fn blame_the_file(&mut self, session: &Session<'_>, error: Error) -> Error {
        if !matches!(error.exit_code(), 1 | 4) {
            return error;
        }
        match self.check_integrity(session) {
            Err(damage @ Error::Integrity { .. }) => damage,
            _ => error,
        }
    }

    /// All validations on the database as it is.
    pub(super) fn verify_only(&mut self) -> Result<(), Error> {
        self.reading(|run, session| {
            session.begin_read()?;
            let look = run.look_or_blame_the_file(session)?;
            if look.is_current() {
                return run.verify_current(session, &look);
            }
            run.check_integrity(session)?;
            Err(look::not_ready(&look))
        })
    }

    /// The time of every query contract on the database as it is, also before it is migrated.
    pub(super) fn bench_only(&mut self) -> Result<(), Error> {
        self.options.integrity = Integrity::Off;
        self.reading(|run, session| {
            session.begin_read()?;
            let look = run.look_or_blame_the_file(session)?;
            if look.is_current() {
                run.verify_current(session, &look)?;
                session.rollback();
                return run.benchmark(session);
            }
            session.rollback();
            run.report.verdict = Verdict::Degraded;
            run.report.to_version = look.plan.version_before();
            let is_behind = matches!(look::not_ready(&look), Error::Behind { .. });
            let what = if is_behind { "not at head yet" } else { "not as compiled" };
            run.report.notes.extend(behind(&look).into_iter().map(|work| format!("{what}: {work}")));
            run.benchmark_before(session)?;
            run.report_before();
            Ok(())
        })
    }

    /// Opens an existing file to look at it; whatever transaction is open afterwards is ended.
    fn reading(&mut self, act: impl FnOnce(&mut Self, &Session<'_>) -> Result<(), Error>) -> Result<(), Error> {
        self.must_exist()?;
        let mut connection = connection::open_to_look(self.path)?;
        let session = Session::new(&mut connection, self.path, self.options.lock_timeout, &self.watch)?;
        let done = act(self, &session);
        let done = done.map_err(|error| session.blame(error));
        session.rollback();
        done
    }

    /// Everything there is to prove about a database that needs no work. Inside a read transaction.
    fn verify_current(&mut self, session: &Session<'_>, look: &Look) -> Result<(), Error> {
        let version = look.plan.version_after();
        self.report.to_version = Some(version);
        if self.report.created {
            self.report_stamped();
        }
        let checked = self.check_structure(session.connection, look);
        checked.map_err(|error| self.blame_the_file(session, error))?;
        self.report.skip(CheckName::RowCounts, "nothing was migrated");
        let checked = self.check_foreign_keys(session, &look.live, None);
        checked.map_err(|error| self.blame_the_file(session, error))?;
        self.check_integrity(session)?;
        self.report.verdict = Verdict::Ready;
        let broken = self.check_contracts(session, version, false)?;
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

    pub(super) fn benchmark_or_note(&mut self, session: &Session<'_>) {
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
        let version = self.report.to_version.unwrap_or_default();
        if self.check_contracts(session, version, true).is_ok_and(|broken| broken.is_empty()) {
            self.report.verdict = Verdict::Ready;
        }
    }

    /// Without waiting: whoever holds the database is at work.
    fn analyse(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let execute = |sql| {
            session.connection.execute_batch(sql).map_err(|error| Error::from_sqlite("gathering statistics", error))
        };
        execute("BEGIN IMMEDIATE")?;
        self.gather_statistics(session, Depth::Whole)?;
        execute("COMMIT")
    }
}

fn missing(path: &Path) -> Error {
    Error::Storage { action: "opened", message: format!("`{}` does not exist", shown(path)) }
}
