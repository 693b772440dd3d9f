//! The databases that are booted, and what a boot makes of each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::HEAD;
use worklog_schema::bootproof::{Boot, BootReport, Failure, Options, Verdict};

use crate::proof::{State, is_backup};
use crate::support::PHASE_1;

/// Few enough for thousands of boots. Every table has some.
const ROWS: usize = 200;
/// How many backups there are to prune, and how many of them stay.
const BACKUPS: usize = 5;
pub(crate) const KEPT: usize = 2;
/// The newest row of a database that is to be replaced by a backup from before.
const NEWEST: &str = "INSERT INTO companies(id, name) VALUES (4711, 'newest')";
/// Nobody but the test holds a lock, and that one never lets go.
const LOCK_TIMEOUT: Duration = Duration::from_millis(2);

/// What a boot finds to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// An unmanaged database is adopted and migrated as far as no permission is needed.
    Migrate,
    /// The permission is given: tables are made anew.
    Rebuild,
    /// Nothing.
    Nothing,
    /// An index of the schema is missing.
    Repair,
    /// Not a boot: back to the baseline.
    Revert,
    /// There is no file yet.
    Create,
    /// Not a boot: a backup on request.
    BackUp,
    /// Not a boot: all but the newest backups are removed.
    Prune,
    /// Not a boot: a backup takes the place of a database that has a newer row.
    Restore,
}

impl Work {
    pub(crate) const ALL: [Self; 9] = [
        Self::Migrate,
        Self::Rebuild,
        Self::Nothing,
        Self::Repair,
        Self::Revert,
        Self::Create,
        Self::BackUp,
        Self::Prune,
        Self::Restore,
    ];

    /// Does it, as the operator's command would.
    pub(crate) fn carry_out(self, boot: &Boot<'_>, database: &Path) -> Result<(), Failure> {
        match self {
            Self::Migrate | Self::Nothing | Self::Repair | Self::Create => boot.run().map(drop),
            Self::Rebuild => boot.clone().maintenance(true).run().map(drop),
            Self::Revert => boot.revert(0).map(drop),
            Self::BackUp => boot.back_up().map(drop),
            Self::Prune => boot.prune_backups(KEPT).map(drop),
            Self::Restore => boot.restore(&oldest_backup(database)).map(drop),
        }
    }

    /// The arguments by which the operator's command does it.
    pub(crate) fn arguments(self, database: &Path) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Migrate | Self::Nothing | Self::Repair | Self::Create => &["boot"],
            Self::Rebuild => &["boot", "--maintenance"],
            Self::Revert => &["revert", "--to", "0"],
            Self::BackUp => &["backup"],
            // There is no command that prunes and does nothing else.
            Self::Prune => &["backup", "--keep", "2"],
            Self::Restore => return vec!["restore".to_owned(), oldest_backup(database).display().to_string()],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

fn oldest_backup(database: &Path) -> PathBuf {
    let directory = database.parent().unwrap();
    let backups = names_in(directory).into_iter().filter(|name| is_backup(name));
    directory.join(backups.min().unwrap())
}

/// How the database keeps its transactions whole.
///
/// A boot's own connection has the mode that the file names, `Delete` or `Wal`. The other two are settings of a connection,
/// so only an application can bring them, which migrates through its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journal {
    Delete,
    Wal,
    Truncate,
    Persist,
}

/// A database to be booted again and again, each time from the same bytes.
pub(crate) struct Scene {
    pub(crate) work: Work,
    pub(crate) journal: Journal,
    original: TempDir,
    pub(crate) before: State,
    pub(crate) after: State,
}

impl Scene {
    pub(crate) fn new(work: Work, journal: Journal) -> Self {
        Self::of_size(work, journal, ROWS)
    }

    /// With so many worklogs.
    pub(crate) fn of_size(work: Work, journal: Journal, rows: usize) -> Self {
        faulty_vfs::install().unwrap();
        let original = directory();
        let database = original.path().join("worklog.db");
        if work != Work::Create {
            Fixture::new(rows).wal(journal == Journal::Wal).create(&database).unwrap();
        }
        if !matches!(work, Work::Migrate | Work::Create) {
            worklog_schema::boot(&database).backup(false).run().unwrap();
        }
        prepare(work, &database);
        let mut scene = Self { work, journal, original, before: State::default(), after: State::default() };
        // Reading it leaves no log, which may be what it is about.
        scene.before = State::of(&scene.stage().database);
        let stage = scene.stage();
        work.carry_out(&worklog_schema::boot(&stage.database), &stage.database).unwrap();
        scene.after = State::of(&stage.database);
        scene
    }

    pub(crate) fn name(&self) -> String {
        format!("{:?} with {:?}", self.work, self.journal).to_lowercase()
    }

    /// A file as the work finds it; `None` where there is none of that name.
    pub(crate) fn file(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.original.path().join(name)).ok()
    }

    /// The files that lie beside the database before.
    pub(crate) fn files_beside(&self) -> Vec<String> {
        names_in(self.original.path()).into_iter().filter(|name| name != "worklog.db").collect()
    }

    /// A copy to work on.
    pub(crate) fn stage(&self) -> Stage {
        let directory = directory();
        for entry in fs::read_dir(self.original.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
        Stage { database: directory.path().canonicalize().unwrap().join("worklog.db"), directory }
    }

    /// `None` where the application could not even open its database.
    pub(crate) fn boot(&self, database: &Path) -> Option<Result<BootReport, Failure>> {
        let mode = match self.journal {
            Journal::Delete | Journal::Wal => {
                let boot = worklog_schema::boot(database).lock_timeout(LOCK_TIMEOUT);
                return Some(match self.work {
                    Work::Revert => boot.revert(0),
                    work => boot.maintenance(work == Work::Rebuild).run(),
                });
            }
            Journal::Truncate => "truncate",
            Journal::Persist => "persist",
        };
        let mut connection = Connection::open(database).ok()?;
        connection.pragma_update(None, "journal_mode", mode).ok()?;
        let options = Options { lock_timeout: LOCK_TIMEOUT, ..Options::default() };
        Some(worklog_schema::migrate(&mut connection, &options))
    }
}

/// A directory with one database.
pub(crate) struct Stage {
    directory: TempDir,
    pub(crate) database: PathBuf,
}

impl Stage {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What an operator does next: starts again. Returns what is wrong with that.
    pub(crate) fn boots_again(&self) -> Result<(), String> {
        match worklog_schema::boot(&self.database).run() {
            Ok(report) if report.verdict != Verdict::Ready => Err(format!("the next boot is {:?}", report.verdict)),
            Ok(report) => match (report.to_version, report.held.as_slice()) {
                (Some(HEAD), []) | (Some(PHASE_1), [_]) => Ok(()),
                (version, held) => Err(format!("the next boot ends at {version:?} and holds back {held:?}")),
            },
            Err(failure) => Err(format!("the next boot fails: {failure}")),
        }
    }

    /// The names of the files beside the database.
    pub(crate) fn files_beside(&self) -> Vec<String> {
        names_in(self.path()).into_iter().filter(|name| name != "worklog.db").collect()
    }
}

/// The names of the files in a directory.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// What there has to be for the work.
fn prepare(work: Work, database: &Path) {
    let boot = worklog_schema::boot(database);
    match work {
        Work::Repair => {
            let connection = Connection::open(database).unwrap();
            connection.execute_batch("DROP INDEX idx_worklogs_company_day").unwrap();
        }
        Work::Prune => (0..BACKUPS).for_each(|_| drop(boot.back_up().unwrap())),
        Work::Restore => {
            boot.back_up().unwrap();
            let connection = Connection::open(database).unwrap();
            // In WAL mode the row is in the log only, as a killed application leaves it.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
            connection.execute_batch(NEWEST).unwrap();
        }
        Work::Migrate | Work::Rebuild | Work::Nothing | Work::Revert | Work::Create | Work::BackUp => {}
    }
}

/// In memory where the system has such a place: thousands of databases are made.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
