//! The database of the jira-worklog-dashboard.
//!
//! The application calls [`migrate_on_boot`] first thing. From then on it either has a database that was *proven* to be at
//! the version it was compiled for, or it does not start:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     match worklog_schema::migrate_on_boot("worklog.db") {
//!         Ok(report) => println!("{report}"),
//!         Err(failure) => {
//!             eprintln!("error: {failure}");
//!             return ExitCode::from(failure.exit_code());
//!         }
//!     }
//!     // … open connections, listen, serve.
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! The queries the dashboard runs are the ones that were proven: [`query`] has a function for each, with typed parameters and
//! rows, and a constant with its text. [`table`] and [`index`] name what the schema consists of, so that a misspelt name does not
//! compile.
//!
//! ```
//! use worklog_schema::query::{self, user_month};
//!
//! # let connection = worklog_schema::fresh()?;
//! let params = user_month::Params {
//!     company_id: 1,
//!     email: "ada@example.org",
//!     from_day: "2025-01-01",
//!     to_day: "2025-01-31",
//! };
//! let seconds: i64 = query::user_month(&connection, &params)?.iter().map(|worklog| worklog.time_spent_seconds).sum();
//! # assert_eq!(seconds, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::{Path, PathBuf};

use bootproof::connections;
use bootproof::{Boot, BootReport, Error, Failure, FleetReport, Options, Schema, Source};
use build_time::build_time_utc;
use include_dir::{Dir, include_dir};
use once_cell::sync::Lazy;
use rusqlite::Connection;

pub use bootproof;
pub use compiled::{COMPILED, HEAD, index, query, table};

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/bootproof.rs"));
}

/// The raw files: what an operator can print, and what boot compares the generated code with.
static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Everything this binary knows about its database.
#[expect(clippy::non_std_lazy_statics, reason = "the project pairs its generated table with its sources by once_cell")]
pub static SCHEMA: Lazy<Schema> = Lazy::new(|| {
    Schema::new(env!("CARGO_PKG_NAME"), &COMPILED)
        .with_sources(sources(&MIGRATIONS))
        .with_build(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), ", built ", build_time_utc!()))
        .with_default_database("worklog.db")
        // The monitoring defaults of the deployment guide.
        .with_row_limit("logs", 1_000_000)
        .with_row_limit("worklogs", 5_000_000)
});

/// Takes the database at `path` to the version this binary was compiled for, with the default options, or refuses.
///
/// Before: any file, or none. After success: the file is at [`HEAD`], or, where a migration waits for the operator's permission
/// as phase 2 does, below that one, which [`BootReport::held`] names; a new file is at [`HEAD`]. Every index, every row count,
/// every foreign key, the integrity of the file and the plan of every hot query are proven. After a failure: the file is as it
/// was. Variables such as `BOOTPROOF_FOREIGN_KEYS` overrule the options, so that an operator can act without a rebuild.
///
/// # Errors
///
/// A [`Failure`] with the reason, the state of the database, what to do next and the exit code for it.
///
/// # Examples
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("worklog.db");
/// let report = worklog_schema::migrate_on_boot(&path)?;
/// assert_eq!(report.to_version, Some(worklog_schema::HEAD));
///
/// // A file that is no database is refused, with the reason and what to do.
/// std::fs::write(&path, "a long text that is no database ".repeat(64))?;
/// let failure = worklog_schema::migrate_on_boot(&path).unwrap_err();
/// assert_eq!(failure.exit_code(), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn migrate_on_boot(path: impl Into<PathBuf>) -> Result<BootReport, Failure> {
    boot(path).run()
}

/// A boot of the database at `path`, to be given options before it is run.
#[must_use]
pub fn boot(path: impl Into<PathBuf>) -> Boot<'static> {
    Boot::new(&SCHEMA, path)
}

/// Boots every `*.db` of a directory, several at once: a server with one database for each tenant.
///
/// Each file is booted as [`migrate_on_boot`] does; one that fails is as it was, is reported, and never stops the others.
/// Started again after a crash or a deadline, it goes on. [`Fleet`](bootproof::Fleet) has the choices: which files, how many at
/// once, how much memory and time.
///
/// # Errors
///
/// What would fail every boot alike, such as a directory that cannot be read. What befalls a single database is in the report.
///
/// # Examples
///
/// ```
/// # let tenants = tempfile::tempdir()?;
/// for tenant in ["acme.db", "globex.db"] {
///     worklog_schema::migrate_on_boot(tenants.path().join(tenant))?;
/// }
/// std::fs::write(tenants.path().join("hooli.db"), "a long text that is no database ".repeat(64))?;
/// let report = worklog_schema::boot_fleet(tenants.path())?;
/// let failed: Vec<_> = report.databases.iter().filter(|database| database.error.is_some()).collect();
/// assert_eq!((report.databases.len(), failed.len(), failed[0].name.as_str()), (3, 1, "hooli.db"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn boot_fleet(directory: impl Into<PathBuf>) -> Result<FleetReport, Failure> {
    bootproof::boot_fleet(&SCHEMA, directory)
}

/// Migrates through a connection that the application opened, with the guarantees of [`migrate_on_boot`].
///
/// # Errors
///
/// As [`migrate_on_boot`].
pub fn migrate(connection: &mut Connection, options: &Options) -> Result<BootReport, Failure> {
    bootproof::migrate(&SCHEMA, connection, options)
}

/// Opens a database that was booted, to read it: settings as [`bootproof::connections`] explains, and every query of [`query`]
/// prepared.
///
/// # Errors
///
/// What SQLite says: that there is no such file, that it may not be read, or that another process holds it for too long.
///
/// # Examples
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("worklog.db");
/// worklog_schema::migrate_on_boot(&path)?;
/// let connection = worklog_schema::open_reader(&path)?;
/// let leaves = worklog_schema::query::user_leaves(
///     &connection,
///     &worklog_schema::query::user_leaves::Params { user_id: 1, status: "approved" },
/// )?;
/// assert!(leaves.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_reader(path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
    let connection = connections::open_reader(path)?;
    connections::warm(&connection, &SCHEMA)?;
    Ok(connection)
}

/// Opens a database that was booted, to read and write it, as [`open_reader`] does.
///
/// # Errors
///
/// As [`open_reader`].
pub fn open_writer(path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
    let connection = connections::open_writer(path)?;
    connections::warm(&connection, &SCHEMA)?;
    Ok(connection)
}

/// A new database in memory at [`HEAD`], for tests.
///
/// # Errors
///
/// [`Error::SourcesDisagree`] if the compiled image cannot be unpacked.
///
/// # Examples
///
/// ```
/// let connection = worklog_schema::fresh()?;
/// let worklogs: i64 = connection.query_row("SELECT count(*) FROM worklogs", [], |row| row.get(0))?;
/// assert_eq!(worklogs, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fresh() -> Result<Connection, Error> {
    bootproof::fresh(&SCHEMA)
}

/// A new database in memory at any version, for tests.
///
/// Others, in files and with rows, are in [`bootproof::testing`].
///
/// # Errors
///
/// [`Error::NoSuchVersion`] for a version that is none of [`SCHEMA`]'s.
///
/// # Examples
///
/// ```
/// let mut connection = worklog_schema::fresh_at(1)?;
/// let report = worklog_schema::migrate(&mut connection, &Default::default())?;
/// assert_eq!(report.from_version, Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fresh_at(version: i64) -> Result<Connection, Failure> {
    bootproof::testing::at(&SCHEMA, version)
}

/// Every file of a directory tree.
fn sources(directory: &'static Dir<'static>) -> Vec<Source> {
    let files =
        directory.files().filter_map(|file| Some(Source { path: file.path().to_str()?, bytes: file.contents() }));
    files.chain(directory.dirs().flat_map(sources)).collect()
}
