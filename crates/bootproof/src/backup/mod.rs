//! A verified copy of the database beside it, and the digest of the copy beside that.

mod catalogue;
pub(crate) mod copy;
pub(crate) mod digest;
mod follow;
mod names;
mod prune;
mod text;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use bootproof_catalog::Catalog;
use foldhash::quality::RandomState;
use rusqlite::Connection;
use tempfile::NamedTempFile;

use crate::errands::{Errand, Errands};
use crate::error::{Error, storage};
use crate::event::Step;
use crate::figure::{bytes, shown};
use crate::files::{Neighbours, directory, sync_directory};
use crate::options::Integrity;
use crate::report::BackupReport;
use crate::verify;
use crate::watch::Watch;
use copy::Content;
pub(crate) use copy::is_whole;
use digest::Digest;
use follow::Follower;

pub(crate) use catalogue::of as catalogue;
pub use catalogue::{Backups, Condition, KnownBackup, Origin};
pub(crate) use names::{list, remove_remnants, stamp};
pub(crate) use prune::{among_digested, boots as prune};

/// A copy that is whole, verified and flushed, but has not got its name yet. Dropped, it is deleted.
#[derive(Debug)]
pub(crate) struct Backup {
    /// Open, and so locked against those who clean up, until it has its name.
    copy: NamedTempFile,
    digest: Digest,
    database: PathBuf,
    /// Where it will be.
    pub(crate) path: PathBuf,
    bytes: u64,
}

/// What is copied.
pub(crate) struct Original<'o> {
    /// In a transaction: what it sees is what is copied.
    pub(crate) connection: &'o Connection,
    pub(crate) path: &'o Path,
    pub(crate) catalog: &'o Catalog,
    /// Whether it reads the file alone, as [`is_whole`] has told when it had begun: later the log may have grown.
    pub(crate) is_whole: bool,
    /// Another connection in a transaction that reads the same, where there is one already.
    pub(crate) companion: Mutex<Option<Connection>>,
    /// Whether that transaction has found every page sound: then so is a copy of the same bytes.
    pub(crate) is_sound: bool,
}

impl<'o> Original<'o> {
    /// Of a transaction that has the write lock and has written nothing yet: while nobody else can commit, the log is what it
    /// was when the transaction began.
    pub(crate) fn of_writer(
        connection: &'o Connection,
        path: &'o Path,
        catalog: &'o Catalog,
        is_sound: bool,
    ) -> Result<Self, Error> {
        Ok(Self { connection, path, catalog, is_whole: is_whole(connection)?, companion: Mutex::default(), is_sound })
    }
}

/// Copies a database, to become `FILE.backup-YYYYMMDD_HHMMSS` in its directory.
///
/// The copy is made under another name, flushed to the disk, read back and compared: a backup that has its name is whole.
pub(crate) fn make(original: &Original<'_>, timeout: Duration, watch: &Watch) -> Result<Backup, Error> {
    let Original { connection, path, catalog, .. } = *original;
    names::remove_remnants(path, &Neighbours::of(path));
    let intended = names::first_free(path);
    let failed = |error: io::Error| unmade(&intended, &error);
    let partial = names::partial(path).map_err(failed)?;
    log::info!("backing up `{}`", shown(path));
    let copying = Copying { original, partial: &partial, intended: &intended, watch };
    let copied = if original.is_whole { copying.bytes()? } else { copying.pages(timeout)? };
    let differs = |what: &str| {
        let message = format!("the copy has {what} than the database");
        Err(Error::BackupFailed { path: intended.clone(), message })
    };
    let Some((digest, content)) = copied else { return differs("other content") };
    if content.catalog != *catalog {
        return differs("another schema");
    }
    if let Some(rows) = content.rows
        && rows != verify::row_counts(connection, catalog)?
    {
        return differs("other row counts");
    }
    let bytes = partial.as_file().metadata().map_err(failed)?.len();
    log::info!("the backup is verified");
    Ok(Backup { copy: partial, digest, database: path.to_owned(), path: intended, bytes })
}

/// A copy that is being made.
#[derive(Clone, Copy)]
struct Copying<'c> {
    original: &'c Original<'c>,
    partial: &'c NamedTempFile,
    intended: &'c Path,
    watch: &'c Watch,
}

impl Copying<'_> {
    /// Copies the file as it is; meanwhile the copy is flushed, read back and compared, and the file checked, unless it has been.
    /// None where the copy has other bytes.
    fn bytes(self) -> Result<Option<(Digest, Content)>, Error> {
        let Self { original, partial, watch, .. } = self;
        let (path, is_known_sound, follower) = (original.path, original.is_sound, Arc::new(Follower::default()));
        let companion = &original.companion;
        let (flush, read_back) = (|| follower.flush(partial.as_file()), || follower.read_back(partial.path(), watch));
        let companion = || companion.lock().unwrap_or_else(PoisonError::into_inner).take();
        let check = || is_known_sound || copy::is_sound(companion(), path, watch, &follower);
        let errands = Errands::default();
        thread::scope(|threads| {
            let writing = follower.writing();
            let flushing = spawn(threads, errands.begin(), flush);
            // It waits for what is flushed: without the other it would wait for this thread, which waits for it.
            let reading = if flushing.is_some() { spawn(threads, errands.begin(), read_back) } else { None };
            let checking = if is_known_sound { None } else { spawn(threads, errands.begin(), check) };
            watch.step(Step::Backup, 0, || {
                copy::bytes(original.connection, partial.as_file(), partial.path(), writing, watch)?;
                self.narrow_permissions()
            })?;
            watch.step(Step::VerifyBackup, 0, || {
                while errands.wait() {
                    let (done, expected) = follower.done();
                    watch.advance(done, expected).inspect_err(|_| follower.give_up())?;
                }
                joined(flushing, flush).map_err(|error| self.failed(&error))?;
                let digest = joined(reading, read_back).map_err(|stopped| stopped.or(|error| self.failed(&error)))?;
                let Some(digest) = digest else { return Ok(None) };
                let level = if joined(checking, check) { Integrity::Off } else { Integrity::Quick };
                Ok(Some((digest, Content::of_same(partial.path(), level, watch)?)))
            })
        })
    }

    /// Copies what the connection sees, wherever it stands, then flushes the copy and reads it back: pages are elsewhere in it, so
    /// that it is compared row by row, and its indexes with its rows. None where the copy has other rows.
    fn pages(self, timeout: Duration) -> Result<Option<(Digest, Content)>, Error> {
        let Self { original, partial, watch, .. } = self;
        watch.step(Step::Backup, 0, || {
            let copied = copy::pages(original.connection, original.path, partial.path(), timeout, watch);
            copied.map_err(|error| match error {
                // Of others it has been waited for before.
                Error::Locked { .. } => {
                    let message = "another connection of this process locks the file exclusively".to_owned();
                    Error::BackupFailed { path: self.intended.to_owned(), message }
                }
                other => other,
            })?;
            self.narrow_permissions()
        })?;
        watch.step(Step::VerifyBackup, 0, || {
            let key = RandomState::default();
            let read = || {
                let content = Content::of_rearranged(partial.path(), watch)?;
                let rows = copy::reading(partial.path(), watch, |copy| copy::rows_of(copy, &content.catalog, &key))?;
                Ok((content, rows))
            };
            let errands = Errands::default();
            thread::scope(|threads| {
                let reading = spawn(threads, errands.begin(), read);
                let rows = copy::rows_of(original.connection, original.catalog, &key)?;
                partial.as_file().sync_all().map_err(|error| self.failed(&error))?;
                let digest = Digest::of(partial.path(), watch);
                let digest = digest.map_err(|stopped| stopped.or(|error| self.failed(&error)))?;
                let (content, copied) = joined(reading, read)?;
                Ok((rows == copied).then_some((digest, content)))
            })
        })
    }

    fn narrow_permissions(self) -> Result<(), Error> {
        narrow_permissions(self.partial.as_file(), self.original.path).map_err(|error| self.failed(&error))
    }

    fn failed(self, error: &io::Error) -> Error {
        unmade(self.intended, error)
    }
}

/// Does something at the same time. None where the system gives no thread for it.
fn spawn<'t, T: Send + 't>(
    threads: &'t thread::Scope<'t, '_>,
    errand: Errand<'t>,
    work: impl FnOnce() -> T + Send + 't,
) -> Option<ScopedJoinHandle<'t, T>> {
    let run = move || {
        let done = work();
        drop(errand);
        done
    };
    thread::Builder::new().name("backup".to_owned()).spawn_scoped(threads, run).ok()
}

/// What came of it; where it could not be done at the same time, it is done now.
fn joined<T>(spawned: Option<ScopedJoinHandle<'_, T>>, work: impl FnOnce() -> T) -> T {
    spawned.and_then(|handle| handle.join().ok()).unwrap_or_else(work)
}

impl Backup {
    /// Opens the copy to copy it again.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        self.copy.reopen()
    }

    /// What the copy was when it was verified.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Gives the copy its name; a boot does so just before the commit: one that is killed earlier leaves no backup of a
    /// migration that never happened.
    ///
    /// The digest comes first. A crash in between leaves a digest without its backup, which the next backup removes, and
    /// never a backup beside the digest of another file.
    pub(crate) fn publish(self) -> Result<BackupReport, Error> {
        let path = self.path.clone();
        self.name().map_err(|error| unmade(&path, &error))
    }

    /// As [`Backup::publish`], under a later name where somebody took this one meanwhile.
    pub(crate) fn publish_anew(mut self) -> Result<BackupReport, Error> {
        self.path = names::first_free(&self.database);
        self.publish()
    }

    fn name(self) -> io::Result<BackupReport> {
        let recorded = digest::beside(&self.path);
        let mut line = names::partial(&self.database)?;
        line.write_all(self.digest.line(&self.path).as_bytes())?;
        narrow_permissions(line.as_file(), &self.database)?;
        line.as_file().sync_all()?;
        // Open, and so locked, until its backup is there.
        let _locked = line.persist_noclobber(&recorded)?;
        let flush = || sync_directory(directory(&self.path));
        flush()
            .and_then(|()| self.copy.persist_noclobber(&self.path).map_err(|error| error.error))
            .inspect_err(|_| drop(fs::remove_file(&recorded)))?;
        flush().inspect_err(|_| drop(remove(&self.path)))?;
        Ok(BackupReport { path: self.path, bytes: self.bytes, verified: true })
    }
}

/// An I/O error on a backup; of the kinds of error an operator tells apart, a full disk is another.
fn unmade(path: &Path, error: &io::Error) -> Error {
    match storage("copied", path, error) {
        Error::Storage { .. } => Error::BackupFailed { path: path.to_owned(), message: error.to_string() },
        other => other,
    }
}

/// Deletes a backup that turned out pointless, because what it was to protect from did not happen.
pub(crate) fn discard(backup: &BackupReport) {
    if let Err(error) = remove(&backup.path) {
        log::warn!("could not remove `{}`: {error}", shown(&backup.path));
    }
}

/// Deletes a backup and then its digest: a digest alone is cleaned up later, a backup alone would pass for hand-made.
fn remove(backup: &Path) -> io::Result<()> {
    fs::remove_file(backup)?;
    match fs::remove_file(digest::beside(backup)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Refuses to begin what the disk has no space for. Where the system does not tell, writing will.
pub(crate) fn require_space(directory: &Path, needed: u64) -> Result<(), Error> {
    match fs4::available_space(directory) {
        Ok(available) if available < needed => {
            let (available, needed) = (bytes(available), bytes(needed));
            let message = format!("{available} free in `{}`, about {needed} needed", shown(directory));
            Err(Error::DiskFull { message })
        }
        _ => Ok(()),
    }
}

/// A backup holds what the database holds: never more people may read it.
#[cfg(unix)]
fn narrow_permissions(file: &File, database: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(database)?.permissions().mode() & 0o600;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Elsewhere files inherit the permissions of their directory, as the database did.
#[cfg(not(unix))]
fn narrow_permissions(_file: &File, _database: &Path) -> io::Result<()> {
    Ok(())
}
