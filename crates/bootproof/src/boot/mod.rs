//! The ways into a boot, and the report that comes out.

mod change;
mod checks;
mod contracts;
mod copies;
mod created;
mod order;
pub(crate) mod outside;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use crate::compiled::Contract;
use crate::connection;
use crate::error::{Error, Failure};
use crate::event::{Cancellation, Observer};
use crate::ffi;
use crate::files::{self, Neighbours};
use crate::options::{ForeignKeys, Integrity, Options};
use crate::report::{BootReport, ErrorReport, Verdict};
use crate::schema::Schema;
use crate::steps::Guard;

pub(crate) use order::{Membership, Run};
pub(crate) use transaction::needs_rebuild;

/// Takes a database file to the version a binary was compiled for, or refuses.
///
/// ```no_run
/// # fn boot(schema: &bootproof::Schema) -> Result<(), bootproof::Failure> {
/// let report = bootproof::Boot::new(schema, "worklog.db").run()?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Boot<'s> {
    pub(crate) schema: &'s Schema,
    /// The path as it was given, for messages.
    pub(crate) name: String,
    /// The file itself.
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
}

impl<'s> Boot<'s> {
    /// A boot of the database at this path, with default options.
    ///
    /// A relative path is taken relative to the current directory now. Symbolic links are followed: backups lie beside
    /// the file itself. SQLite's special names (`:memory:`, `file:` URIs) are ordinary file names here.
    #[must_use]
    pub fn new(schema: &'s Schema, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { schema, name: path.display().to_string(), path: files::resolve(&path), options: Options::default() }
    }

    /// Replaces the options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How long to wait for another process.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: std::time::Duration) -> Self {
        self.options.lock_timeout = timeout;
        self
    }

    /// How much of the file is checked.
    #[must_use]
    pub fn integrity(mut self, integrity: Integrity) -> Self {
        self.options.integrity = integrity;
        self
    }

    /// Which rows without a parent are acceptable.
    #[must_use]
    pub fn foreign_keys(mut self, policy: ForeignKeys) -> Self {
        self.options.foreign_keys = policy;
        self
    }

    /// Whether a migrating boot backs the database up first.
    #[must_use]
    pub fn backup(mut self, backup: bool) -> Self {
        self.options.backup = backup;
        self
    }

    /// Whether the query contracts are timed, before and after.
    #[must_use]
    pub fn benchmark(mut self, benchmark: bool) -> Self {
        self.options.benchmark = benchmark;
        self
    }

    /// The newest version to migrate to. A database beyond it is left where it is: a boot never goes back.
    #[must_use]
    pub fn target(mut self, version: i64) -> Self {
        self.options.target = Some(version);
        self
    }

    /// Lets migrations run that wait for the operator's permission.
    #[must_use]
    pub fn maintenance(mut self, permitted: bool) -> Self {
        self.options.maintenance = permitted;
        self
    }

    /// Has somebody told how far the work is.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.options.observer = Some(observer);
        self
    }

    /// Gives the work a switch that calls it off.
    #[must_use]
    pub fn cancellation(mut self, cancellation: Cancellation) -> Self {
        self.options.cancellation = cancellation;
        self
    }

    /// Boots.
    ///
    /// Before: any file, or none. After success: the file is at head and proven, or it was already. After a failure: the
    /// file is as it was; only after [`Error::CommitUncertain`], an I/O error during the commit itself, it may be at head
    /// instead, proven all the same, and the backup is kept. A file that was made whole before the failure stays. Where a
    /// migration runs outside the transaction, by `-- bootproof: no-transaction`, what was committed before it stays as well: the
    /// report of the failure says at which version the file is, and it is proven there.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`] can occur; [`Failure::exit_code`] sorts them by the operator's next act.
    pub fn run(&self) -> Result<BootReport, Failure> {
        self.report(Run::boot)
    }

    /// As [`Boot::run`], of one file among many.
    pub(crate) fn run_as(&self, membership: Membership) -> Result<BootReport, Failure> {
        self.report(|run| {
            run.membership = Some(membership);
            run.boot()
        })
    }

    /// Runs all validations on an existing file and changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Boot::run`]; a database that a boot would have to migrate is refused with [`Error::Behind`], and one that it would only
    /// have to repair with [`Error::Unrepaired`].
    pub fn verify(&self) -> Result<BootReport, Failure> {
        self.report(Run::verify_only)
    }

    /// Times every query contract on an existing file and changes nothing.
    ///
    /// A database that is not at head yet is timed as it is: the verdict is then degraded, and the timings are those before
    /// migrating.
    ///
    /// # Errors
    ///
    /// As [`Boot::verify`], of which it makes every check but that of the integrity; never [`Error::Behind`] or
    /// [`Error::Unrepaired`].
    pub fn bench(&self) -> Result<BootReport, Failure> {
        self.report(Run::bench_only)
    }

    /// Takes an existing database back to an earlier version, with the revert of every migration above it, in one proven
    /// transaction; with a backup first.
    ///
    /// Before: a file with a history. After success: the file is at that version and proven to have its schema; rows and
    /// columns that came with the reverted migrations are gone, but for the backup. After a failure: the file is as it
    /// was. The next boot of the same binary goes up again, unless it is told a [`Boot::target`].
    ///
    /// # Errors
    ///
    /// As [`Boot::run`]; and [`Error::NotRevertable`], [`Error::RevertFailed`], [`Error::NoSuchVersion`].
    pub fn revert(&self, to: i64) -> Result<BootReport, Failure> {
        self.report(|run| run.revert(to))
    }

    /// Runs one of the above and turns its end, good or bad, into a report.
    fn report<'r>(&'r self, act: impl FnOnce(&mut Run<'r>) -> Result<(), Error>) -> Result<BootReport, Failure> {
        let start = Instant::now();
        let mut run = Run::new(self.schema, &self.path, self.name.clone(), &self.options);
        let outcome = run.prepare_options().and_then(|()| act(&mut run));
        finish(run, start, outcome)
    }
}

/// Migrates a database through a connection that the application opened, with the guarantees of [`Boot::run`].
///
/// The connection must not be inside a transaction. Its settings are as before afterwards, except for a busy handler,
/// which becomes a timeout of as many milliseconds as `PRAGMA busy_timeout` told, a progress handler, which is gone, and an
/// authorizer where a migration has a step in Rust, which is gone then too. A database in memory is not backed up. A migration
/// that runs outside the transaction needs the file to itself, which only [`Boot::run`] can give it: here it is refused
/// ([`Error::NotAlone`]), unless the database is in memory.
///
/// # Errors
///
/// As [`Boot::run`].
pub fn migrate(schema: &Schema, connection: &mut Connection, options: &Options) -> Result<BootReport, Failure> {
    let start = Instant::now();
    let path = ffi::file_of(connection);
    let name = path.as_ref().map_or_else(|| ":memory:".to_owned(), |path| path.display().to_string());
    let path = path.unwrap_or_default();
    let mut run = Run { is_guest: true, ..Run::new(schema, &path, name, options) };
    let outcome = run.prepare_options().and_then(|()| {
        if !connection.is_autocommit() {
            return Err(Error::InTransaction);
        }
        // A database in memory has no files beside it.
        if path.file_name().is_some() {
            crate::restore::refuse_interrupted(&path)?;
            run.remove_remnants(&Neighbours::of(&path));
        }
        let settings = connection::Settings::save(connection)?;
        let outcome = run.boot_application(connection);
        if run.guard.is_some()
            && let Err(error) = Guard::remove(connection)
        {
            log::warn!("{error}");
        }
        // Whatever was done is done: an application that cannot go on with this connection will notice.
        if let Err(error) = settings.restore(connection) {
            log::warn!("{error}");
        }
        outcome
    });
    finish(run, start, outcome)
}

/// A new database in memory at head, for tests and tools.
///
/// # Errors
///
/// [`Error::SourcesDisagree`] if the compiled image cannot be unpacked; [`Error::StepsMissing`] and [`Error::StepFailed`] where
/// migrations have steps in Rust; [`Error::MigrationFailed`] where one has called a function that only the application's own
/// connections have. [`migrate`] makes the database then, through such a connection:
///
/// ```
/// # use bootproof::{Options, Schema};
/// # use rusqlite::{Connection, functions::FunctionFlags};
/// # fn fresh(schema: &Schema) -> Result<Connection, Box<dyn std::error::Error>> {
/// let mut connection = Connection::open_in_memory()?;
/// connection.create_scalar_function("uuid", 0, FunctionFlags::SQLITE_UTF8, |_| Ok("018f"))?;
/// bootproof::migrate(schema, &mut connection, &Options::default())?;
/// # Ok(connection)
/// # }
/// ```
pub fn fresh(schema: &Schema) -> Result<Connection, Error> {
    crate::fresh::in_memory(schema)
}

fn finish(run: Run<'_>, start: Instant, outcome: Result<(), Error>) -> Result<BootReport, Failure> {
    let mut report = run.report;
    report.timeline = run.watch.timeline();
    report.duration_ms = start.elapsed().into();
    report.backup = report.backup.take().or(run.settled.as_ref().and_then(|settled| settled.backup.clone()));
    let Err(error) = outcome.map_err(Error::settled) else {
        for held in &report.held {
            log::info!("{:03} {} is held back: {}", held.version, held.name, held.why);
        }
        if let Some(version) = report.to_version.filter(|_| !report.held.is_empty()) {
            let waiting = run.schema.contracts().filter(|contract| contract.since > version);
            report.notes.extend(waiting.map(|Contract { name, since, .. }| {
                format!(
                    "the query contract `{name}` waits for version {since}, which has its index or something that it reads: until \
                     then its query is not proven, and may be slow or fail"
                )
            }));
        }
        return Ok(report);
    };
    // What had been done was rolled back.
    report.verdict = Verdict::Refused;
    report.reverted.clear();
    if let Some(settled) = run.settled {
        // What was committed before a migration that runs outside the transaction stays.
        report.to_version = Some(settled.version);
        report.applied = settled.applied;
        report.adopted = settled.adopted;
        report.created = settled.created;
    } else {
        report.to_version = report.from_version;
        report.applied.clear();
        report.repaired.clear();
        report.adopted = false;
        report.created = false;
    }
    report.error = Some(ErrorReport::of(&error));
    Err(Failure { error, report: Box::new(report) })
}
