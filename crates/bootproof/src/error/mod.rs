//! Why a boot did not happen: every refusal and failure, what it means for the operator, and what to do next.

mod advice;
mod cause;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bootproof_catalog::Difference;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::report::BootReport;
pub(crate) use words::in_words;
use words::{lines, listed, more, said, seconds, shown, violating};

/// What stopped a boot, a revert or a restore. Before it is returned, everything has been rolled back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process held the database for longer than the timeout.
    #[error("the database is locked: waited {} for {}", seconds(*waited), in_words(holders))]
    Locked {
        /// How long this process waited.
        waited: Duration,
        /// Who holds the lock, as far as the system tells.
        holders: Vec<String>,
    },

    /// Somebody has the database open, and a restore would replace it under their hands.
    #[error("the database is in use by {}", in_words(holders))]
    InUse {
        /// Who, as far as the system tells.
        holders: Vec<String>,
    },

    /// The file was renamed or deleted, or another took its name, after it had been opened.
    #[error("the database was replaced by another file, or moved, after it had been opened")]
    Moved,

    /// A migration was edited after it was applied.
    #[error("the history diverges from this binary{}", lines(migrations))]
    Divergent {
        /// Each such migration, and how it differs.
        migrations: Vec<String>,
    },

    /// The history names migrations that this binary does not have, or lacks one below those it names.
    #[error("the history and this binary do not have the same migrations{}", lines(migrations))]
    Missing {
        /// Each such migration.
        migrations: Vec<String>,
    },

    /// The database is at a version that this binary has only as a part of its baseline.
    #[error(
        "the database is at version {version}, and this binary begins with `{baseline}`, which stands for every \
         migration up to `{last}`"
    )]
    BelowBaseline {
        /// The version of the database.
        version: i64,
        /// The first migration of this binary.
        baseline: &'static str,
        /// The last migration that the baseline was made of.
        last: String,
    },

    /// The database was migrated by a newer binary.
    #[error(
        "the database is at version {version}, newer than this binary, which knows versions up to {head}; `{obstacle}` \
         was not marked as compatible with older binaries"
    )]
    Newer {
        /// The version of the database.
        version: i64,
        /// The head of this binary.
        head: i64,
        /// The oldest migration that this binary does not know and that is not marked as compatible.
        obstacle: String,
    },

    /// One of the migrator's own tables cannot be understood.
    #[error("the table `{table}` is malformed{}", lines(problems))]
    Malformed {
        /// Which: the history or the audit table.
        table: &'static str,
        /// What is wrong with it.
        problems: Vec<String>,
    },

    /// A database without history does not have the structure of the baseline.
    #[error("the database has no history and does not contain the baseline {baseline}{}", lines(differences))]
    NotAdoptable {
        /// The migration whose structure was expected.
        baseline: &'static str,
        /// Everything that is missing or incompatible.
        differences: Vec<Difference>,
    },

    /// Another tool's history says that it has not finished, or has failed.
    #[error("{tool} has left the database half migrated, as its table `{table}` says{}", lines(migrations))]
    HalfMigrated {
        /// The tool.
        tool: &'static str,
        /// The table.
        table: &'static str,
        /// Each such migration, and what is known of it.
        migrations: Vec<String>,
    },

    /// A database that another tool manages does not have the structure of the version which that tool's history names.
    #[error(
        "the database is managed by {tool}, which says that it is at version {version}, and its structure is not that of \
         {migration}{}",
        lines(differences)
    )]
    NotTakenOver {
        /// The tool.
        tool: &'static str,
        /// The version.
        version: i64,
        /// The title of the migration of that version.
        migration: &'static str,
        /// What is missing or incompatible, and what only a later migration makes.
        differences: Vec<Difference>,
    },

    /// The live schema lacks something that was compiled, or has it differently.
    #[error("the schema differs from what was compiled{}", lines(differences))]
    Drifted {
        /// The differences.
        differences: Vec<Difference>,
    },

    /// The database is not at head yet; told by [`Boot::verify`](crate::Boot::verify), which changes nothing.
    #[error("the database is not at head yet{}", lines(work))]
    Behind {
        /// What a boot would do.
        work: Vec<String>,
    },

    /// By its history the database is where it should be, and a boot would make an index as it was compiled; told by
    /// [`Boot::verify`](crate::Boot::verify), which changes nothing.
    #[error("the database is at version {version}, but not as it was compiled{}", lines(work))]
    Unrepaired {
        /// The version.
        version: i64,
        /// What a boot would repair.
        work: Vec<String>,
    },

    /// Something in the database, an addition as a rule, keeps SQLite from doing what every boot does.
    #[error("the database holds what this binary cannot work with: while {doing}: {}", said(message))]
    Incompatible {
        /// What the engine was doing.
        doing: &'static str,
        /// What SQLite said.
        message: String,
    },

    /// The generated code and the embedded sources of this binary come from different states of the directory.
    #[error("this binary was built from two states of its migrations directory{}", lines(files))]
    SourcesDisagree {
        /// The files concerned.
        files: Vec<String>,
    },

    /// A migration's statement failed.
    #[error(
        "migration {migration} failed: {}\n  at {file}:{line} (statement {statement} of {statements}){}",
        said(message),
        lines(notes)
    )]
    MigrationFailed {
        /// The migration's title.
        migration: &'static str,
        /// Its file, relative to the migrations directory.
        file: &'static str,
        /// The line of the statement.
        line: u32,
        /// The number of the statement, from 1.
        statement: usize,
        /// How many there are.
        statements: usize,
        /// What SQLite said.
        message: String,
        /// What else was found out.
        notes: Vec<String>,
    },

    /// Pending migrations call functions that this binary has not registered; found out before anything is done.
    #[error("this binary lacks what its migrations call{}", lines(steps))]
    StepsMissing {
        /// Each migration and the name of its step.
        steps: Vec<String>,
    },

    /// The step in Rust of a migration failed, panicked, or tried what no step may do.
    #[error("the step `{step}` of migration {migration} failed: {}\n  at {file}:{line}", said(message))]
    StepFailed {
        /// The migration's title.
        migration: &'static str,
        /// Its file, relative to the migrations directory.
        file: &'static str,
        /// The line that calls the step.
        line: u32,
        /// The name of the step.
        step: &'static str,
        /// What it said, or what it tried.
        message: String,
    },

    /// A migration that runs outside the transaction cannot be run in this way; found out before anything is done.
    #[error("migration {migration} cannot run outside a transaction here: {message}")]
    NotAlone {
        /// The migration's title.
        migration: &'static str,
        /// What it lacks.
        message: &'static str,
    },

    /// A declared index could not be rebuilt.
    #[error("index `{index}` could not be rebuilt: {}", said(message))]
    RepairFailed {
        /// The index.
        index: String,
        /// What SQLite said.
        message: String,
    },

    /// Rows appeared or vanished in tables that were not to be written.
    #[error("row counts changed in tables that were not to be written{}", lines(tables))]
    RowCountsChanged {
        /// Each table with its counts.
        tables: Vec<String>,
    },

    /// A migration would drop what somebody else added to the database.
    #[error("migrating would lose what is not part of the compiled schema{}", lines(objects))]
    AdditionsLost {
        /// The tables and columns.
        objects: Vec<String>,
    },

    /// After migrating, a hot query would not use its index.
    #[error("a query contract does not hold on this data{}", lines(contracts))]
    ContractBroken {
        /// Each contract, its index and the plan SQLite chose.
        contracts: Vec<String>,
    },

    /// The file is damaged.
    #[error("the integrity check failed{}", lines(problems))]
    Integrity {
        /// What SQLite found.
        problems: Vec<String>,
    },

    /// Rows refer to parents that do not exist.
    #[error(
        "{} a foreign key{}{}",
        violating(*total),
        if *are_new { " since the migration" } else { "" },
        listed(violations, *total)
    )]
    ForeignKeys {
        /// The rows, the first thousand of them.
        violations: Vec<String>,
        /// How many there are.
        total: usize,
        /// Whether the policy tolerates what was there before, and these were not: the migration brings the key that they
        /// violate, or has made them.
        are_new: bool,
    },

    /// The commit failed in a way that leaves open whether it happened; SQLite decides it when the file is next opened.
    #[error("the commit failed: {message}")]
    CommitUncertain {
        /// What SQLite said.
        message: String,
    },

    /// A backup could not be made or is not what was copied.
    #[error("the backup `{}` could not be made: {}", shown(path), said(message))]
    BackupFailed {
        /// The backup.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },

    /// A page about the run cannot be written; found out before anything is done.
    #[error("the report `{}` cannot be written: {}", shown(path), said(message))]
    ReportUnwritable {
        /// The page.
        path: PathBuf,
        /// What the system said.
        message: String,
    },

    /// There is too little space left on the disk.
    #[error("the disk is too full: {}", said(message))]
    DiskFull {
        /// How much there is and how much is needed, or what SQLite said.
        message: String,
    },

    /// SQLite could not get the memory it needs.
    #[error("out of memory while {doing}")]
    OutOfMemory {
        /// What the engine was doing.
        doing: &'static str,
    },

    /// The operating system would not let the file be used.
    #[error("the database cannot be {action}: {}", said(message))]
    Storage {
        /// What was attempted, as a participle.
        action: &'static str,
        /// What the system said.
        message: String,
    },

    /// The connection handed over is inside a transaction of the application's.
    #[error("the connection is inside a transaction")]
    InTransaction,

    /// An environment variable has a value that means nothing.
    #[error("the environment variable `{variable}` is `{}`; expected {expected}", said(value))]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },

    /// Somebody called the work off.
    #[error("cancelled")]
    Cancelled,

    /// There is no way back from these migrations.
    #[error("there is no way back to version {to}{}", lines(migrations))]
    NotRevertable {
        /// The version that was asked for.
        to: i64,
        /// Each migration that stands in the way, and why.
        migrations: Vec<String>,
    },

    /// A statement of a revert failed.
    #[error(
        "the revert of {migration} failed: {}\n  at {place} (statement {statement} of {statements})",
        said(message)
    )]
    RevertFailed {
        /// The migration's title.
        migration: &'static str,
        /// The file and line of the script, or that the compiler derived it.
        place: String,
        /// The number of the statement, from 1.
        statement: usize,
        /// How many there are.
        statements: usize,
        /// What SQLite said.
        message: String,
    },

    /// A version was asked for that cannot be gone to.
    #[error("version {version} {reason}")]
    NoSuchVersion {
        /// The version.
        version: i64,
        /// Why it cannot.
        reason: String,
    },

    /// A backup that a restore was to be made from cannot be used as it is.
    #[error("the backup `{}` cannot be restored: {}", shown(backup), said(message))]
    RestoreRefused {
        /// The backup, as it was named.
        backup: PathBuf,
        /// Why not.
        message: String,
    },

    /// A backup is not what was once written.
    #[error(
        "the backup `{}` is not what was written: its digest is {found}, and {recorded} is recorded",
        shown(backup)
    )]
    DigestDiffers {
        /// The backup.
        backup: PathBuf,
        /// The digest beside it.
        recorded: String,
        /// The digest it has.
        found: String,
    },

    /// A backup is not a sound database.
    #[error("the backup `{}` is damaged{}", shown(backup), lines(problems))]
    BackupDamaged {
        /// The backup.
        backup: PathBuf,
        /// What SQLite found.
        problems: Vec<String>,
    },

    /// A backup is sound, and this binary could not boot it.
    #[error("the backup `{}` does not fit this binary: {reason}", shown(backup))]
    BackupUnfit {
        /// The backup.
        backup: PathBuf,
        /// Why a boot of it would be refused.
        reason: Box<Error>,
    },

    /// A restore has begun to replace the database and has not finished.
    #[error("a restore of `{}` was interrupted{}", shown(backup), more(message))]
    RestoreInterrupted {
        /// The backup.
        backup: PathBuf,
        /// What went wrong, where that is known.
        message: String,
    },

    /// An old backup could not be removed.
    #[error("the backup `{}` could not be removed: {}", shown(path), said(message))]
    BackupNotRemoved {
        /// The backup.
        path: PathBuf,
        /// What the system said.
        message: String,
    },

    /// SQLite said something that no rule above expects.
    #[error("unexpected error while {doing}: {}", said(&source.to_string()))]
    Unexpected {
        /// What the engine was doing.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl Error {
    /// Sorts an error of SQLite by what the operator can do about it.
    pub(crate) fn from_sqlite(doing: &'static str, source: rusqlite::Error) -> Self {
        let message = source.to_string();
        match source.sqlite_error_code() {
            Some(
                // The last: others held the WAL index whenever SQLite tried (https://sqlite.org/rescode.html#protocol).
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Locked { waited: Duration::ZERO, holders: Vec::new() },
            Some(ErrorCode::OperationInterrupted) => Self::Cancelled,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Integrity { problems: vec![format!("while {doing}: {message}")] }
            }
            Some(ErrorCode::DiskFull) => Self::DiskFull { message: format!("{message} (while {doing})") },
            Some(ErrorCode::OutOfMemory) => Self::OutOfMemory { doing },
            // Before it writes a journal beside the path, SQLite itself looks whether the file is still there.
            Some(ErrorCode::ReadOnly)
                if source.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_DBMOVED) =>
            {
                Self::Moved
            }
            Some(ErrorCode::ReadOnly) => Self::Storage { action: "written", message },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::Storage { action: "opened", message },
            Some(ErrorCode::SystemIoFailure | ErrorCode::NoLargeFileSupport) => {
                Self::Storage { action: "used", message: format!("{message} (while {doing})") }
            }
            None if is_nonsense(&source) => Self::Integrity { problems: vec![format!("while {doing}: {message}")] },
            _ => Self::Unexpected { doing, source },
        }
    }

    /// What was taken for damage is a disk that would not read, where the connection has met one.
    pub(crate) fn unless_unreadable(self, connection: &Connection) -> Self {
        match (self, crate::ffi::read_error(connection)) {
            (Self::Integrity { .. }, Some(error)) => Self::Storage { action: "read", message: error.to_string() },
            (other, _) => other,
        }
    }

    /// What an error is that no step has given a name: SQLite's refusal of what was asked of it comes from what is in the
    /// database, since the same is asked of every other. Anything else is a bug.
    pub(crate) fn settled(self) -> Self {
        match self {
            Self::Unexpected { doing, source } if is_refused_by_content(&source) => {
                Self::Incompatible { doing, message: source.to_string() }
            }
            Self::BackupUnfit { backup, reason } => Self::BackupUnfit { backup, reason: Box::new(reason.settled()) },
            other => other,
        }
    }

    /// As [`Error::from_sqlite`], of what every sound database allows: an error that has no better name is damage.
    pub(crate) fn from_reading(doing: &'static str, source: rusqlite::Error) -> Self {
        match Self::from_sqlite(doing, source) {
            Self::Unexpected { source, .. } => Self::Integrity { problems: vec![format!("while {doing}: {source}")] },
            other => other,
        }
    }
}

/// A boot that did not happen: the reason, and the report as far as it got.
#[derive(Debug)]
pub struct Failure {
    /// The reason.
    pub error: Error,
    /// What was found and done until then; everything done was rolled back.
    pub report: Box<BootReport>,
}

impl Failure {
    /// The exit code of a program that stops for this reason.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.error.exit_code()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.error {
            Error::RestoreInterrupted { .. } => {
                format!("database `{}` is between two files, and neither is lost", self.report.database)
            }
            _ => self.report.state(),
        };
        write!(f, "{}\n  {state}\nhint: {}", self.error, self.error.hint())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Whether a value is not what every sound database has in its place: a name that is no text, a row that was counted and is
/// not there.
fn is_nonsense(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..)
    )
}

/// Whether SQLite refused because of what is in the database: an object that needs a function, collation or module of
/// somebody else's program, a constraint, an expression whose value is too large.
fn is_refused_by_content(error: &rusqlite::Error) -> bool {
    is_refused_sql(error)
        || matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::ConstraintViolation
                    | ErrorCode::TooBig
                    | ErrorCode::TypeMismatch
                    | ErrorCode::SchemaChanged
                    | ErrorCode::OperationAborted
                    | ErrorCode::AuthorizationForStatementDenied
            )
        )
}

/// Whether SQLite understood its file and not what it was asked: no such function, collation, module.
pub(crate) fn is_refused_sql(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqlInputError { error, .. } | rusqlite::Error::SqliteFailure(error, _) => {
            error.code == ErrorCode::Unknown
        }
        _ => false,
    }
}

/// The error for an I/O error on a path.
pub(crate) fn storage(action: &'static str, path: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let message = format!("`{}`: {error}", shown(path));
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => Error::DiskFull { message },
        _ => Error::Storage { action, message },
    }
}
