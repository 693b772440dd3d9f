//! Keeping everybody else out while the database is replaced: other restores, and whoever would open it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{copy, marker, remake};
use crate::connection::{self, Session};
use crate::error::{Error, storage};
use crate::event::Step;
use crate::files::{Neighbours, has_content, not_regular, sidecar};
use crate::integrity;
use crate::options::{Integrity, Options};
use crate::watch::Watch;

/// The lock of a restore is `FILE.restore-lock`.
const LOCK: &str = ".restore-lock";
/// How long to wait before looking at it again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// As long as it lives, no other restore of the database begins.
#[derive(Debug)]
pub(super) struct Alone {
    _file: File,
    path: PathBuf,
}

impl Alone {
    pub(super) fn begin(database: &Path) -> Result<Self, Error> {
        let path = sidecar(database, LOCK);
        let failed = |error| storage("restored", &path, &error);
        loop {
            let file = open_or_make(&path).map_err(failed)?;
            if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
                return Err(Error::InUse {
                    holders: vec!["another restore, or a boot that remakes the file".to_owned()],
                });
            }
            // Whoever had it before has removed it: another restore may hold a newer file of the name.
            if is_at(&file, &path) {
                return Ok(Self { _file: file, path });
            }
        }
    }
}

impl Alone {
    /// As [`Alone::begin`], after whoever is at it has ended.
    pub(super) fn wait(database: &Path, options: &Options, watch: &Watch) -> Result<Self, Error> {
        let since = Instant::now();
        loop {
            match Self::begin(database) {
                Err(Error::InUse { holders }) if since.elapsed() >= options.lock_timeout => {
                    return Err(Error::Locked { waited: since.elapsed(), holders });
                }
                Err(Error::InUse { .. }) => {
                    watch.proceed()?;
                    std::thread::sleep(BETWEEN_LOOKS);
                }
                begun => return begun,
            }
        }
    }
}

/// Whatever has the name of the lock and is no file, such as a link to one, is not opened.
fn open_or_make(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match path.symlink_metadata() {
            Ok(there) if there.is_file() => File::options().write(true).create(true).truncate(false).open(path),
            Ok(_) => Err(not_regular()),
            // Whoever had it has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::create_new(path),
            Err(error) => Err(error),
        },
        made => made,
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes what a restore left that was killed before it replaced anything: its copy, its unfinished mark and its lock.
/// One that is alive keeps what is its own, and one that was killed later has left its mark, for another restore to read.
pub(crate) fn remove_remnants(database: &Path, neighbours: &Neighbours<'_>) {
    let unfinished = [copy::name(database), marker::unfinished(database)].into_iter().chain(remake::files(database));
    let is_there = |suffix: &str| neighbours.may_have(suffix) && sidecar(database, suffix).symlink_metadata().is_ok();
    if [copy::NEW, marker::UNFINISHED, LOCK, remake::REMADE].into_iter().any(is_there)
        && let Ok(_alone) = Alone::begin(database)
        && marker::refuse_interrupted(database).is_ok()
    {
        log::info!("removing what an interrupted restore left beside `{}`", database.display());
        for file in unfinished {
            let _ = std::fs::remove_file(file);
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |file: &std::fs::Metadata| (file.dev(), file.ino());
    matches!((file.metadata(), path.metadata()), (Ok(open), Ok(there)) if identity(&open) == identity(&there))
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// The connection that keeps others from the database, where the file can be opened as one.
#[derive(Debug)]
pub(super) struct Others(pub(super) Option<Connection>);

impl Others {
    /// How many descriptors of the database this process has for it.
    pub(super) fn descriptors(&self) -> usize {
        usize::from(self.0.is_some())
    }

    /// Closing the last connection removes its log by its name. By then that may be the name of another file's.
    pub(super) fn forget_names(&self) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |connection| connection::fold_wal_on_close(connection, false))
    }
}

/// Waits until nobody else is connected, keeps it so, and folds the log into the file, so that one file is all there is to
/// replace. A file that cannot be opened as a database is left as it is, with its log.
pub(super) fn exclude(path: &Path, options: &Options, watch: &Watch, notes: &mut Vec<String>) -> Result<Others, Error> {
    let is_empty = !has_content(path);
    // SQLite throws away the log of an empty file, and makes a file where there is none.
    if is_empty && (!path.exists() || has_content(&sidecar(path, "-wal"))) {
        return Ok(Others(None));
    }
    match connect_alone(path, options, watch) {
        Ok(connection) => Ok(Others(Some(connection))),
        Err(error @ (Error::Locked { .. } | Error::Moved | Error::Cancelled)) => Err(error),
        Err(error) => {
            let message = error.to_string();
            let reason = message.lines().next().unwrap_or_default();
            notes.push(format!("the replaced file is kept as it was found, not sound: {reason}"));
            Ok(Others(None))
        }
    }
}

/// A connection that keeps all others out until it is closed, with the log folded in.
pub(super) fn connect_alone(path: &Path, options: &Options, watch: &Watch) -> Result<Connection, Error> {
    let mut connection = connection::open(path, false)?;
    let session = Session::new(&mut connection, path, options.lock_timeout, watch)?;
    watch.step(Step::Lock, 0, || session.exclude_others())?;
    fold_log(&session, path, watch)?;
    Ok(connection)
}

/// A log that does not belong to its file, or a damaged file, would be made worse: both are kept as they are.
fn fold_log(session: &Session<'_>, path: &Path, watch: &Watch) -> Result<(), Error> {
    if !has_content(&sidecar(path, "-wal")) {
        return Ok(());
    }
    watch.step(Step::Checkpoint, 0, || {
        integrity::by_sqlite(session.connection, Integrity::Quick)?;
        session
            .connection
            .query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| Error::from_reading("folding the log in", error))
    })
}
