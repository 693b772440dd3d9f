//! The databases that are booted, and what a boot makes of each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::bootproof::{BootReport, Failure, Options, Verdict};

use crate::proof::State;

/// Few enough for thousands of boots. Every table has some.
const ROWS: usize = 200;
/// Nobody but the test holds a lock, and that one never lets go.
const LOCK_TIMEOUT: Duration = Duration::from_millis(2);

/// What a boot finds to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// An unmanaged database is adopted and migrated to head.
    Migrate,
    /// Nothing.
    Nothing,
    /// An index of the schema is missing.
    Repair,
    /// Not a boot: back to the baseline.
    Revert,
    /// There is no file yet.
    Create,
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
        faulty_vfs::install().unwrap();
        let original = directory();
        let database = original.path().join("worklog.db");
        if work != Work::Create {
            Fixture::new(ROWS).wal(journal == Journal::Wal).create(&database).unwrap();
        }
        if !matches!(work, Work::Migrate | Work::Create) {
            worklog_schema::boot(&database).backup(false).run().unwrap();
        }
        if work == Work::Repair {
            let connection = Connection::open(&database).unwrap();
            connection.execute_batch("DROP INDEX idx_worklogs_company_day").unwrap();
        }
        let before = State::of(&database);
        let mut scene = Self { work, journal, original, after: before.clone(), before };
        let stage = scene.stage();
        scene.boot(&stage.database).unwrap().unwrap();
        scene.after = State::of(&stage.database);
        scene
    }

    pub(crate) fn name(&self) -> String {
        format!("{:?} with {:?}", self.work, self.journal).to_lowercase()
    }

    /// The database as a boot finds it; `None` where there is none.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        fs::read(self.original.path().join("worklog.db")).ok()
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
                return Some(if self.work == Work::Revert { boot.revert(0) } else { boot.run() });
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
            Ok(report) if report.to_version != Some(worklog_schema::HEAD) => {
                Err(format!("the next boot ends at {:?}", report.to_version))
            }
            Ok(_) => Ok(()),
            Err(failure) => Err(format!("the next boot fails: {failure}")),
        }
    }

    /// The names of the files beside the database.
    pub(crate) fn files_beside(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "worklog.db").collect()
    }
}

/// In memory where the system has such a place: thousands of databases are made.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
