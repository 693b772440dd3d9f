//! A database that a boot makes anew on a copy, and the copy's way into its place: the replacement of a restore, begun by a
//! boot and, where it was killed in the middle, finished by the next.
//!
//! | found | so far | the next boot |
//! |---|---|---|
//! | `FILE.remade`, with what SQLite keeps beside it | at work on the copy | removes them, and begins anew |
//! | `FILE.restore-new` without a mark | the copy is proven | removes it, and begins anew |
//! | `FILE.restoring` that a boot wrote | between two files | goes back to the old file, or on to the new one |
//! | `FILE.replaced-…` and that mark | replaced | removes both: the backup has what the old file had |
//!
//! The database itself is never in the middle of anything.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempPath;

use super::exclusion::{self, Alone, Others};
use super::marker::{self, MARK, Marker};
use super::users::Users;
use super::{copy, interrupted, recover, replace};
use crate::backup::Backup;
use crate::backup::digest::Digest;
use crate::error::{Error, storage};
use crate::event::Step;
use crate::files::{Neighbours, directory, has_content, sidecar, sync_directory};
use crate::options::Options;
use crate::watch::Watch;

/// The copy that is worked on is `FILE.remade`. It is there for as long as a boot is at it, so that others see that one is.
pub(super) const REMADE: &str = ".remade";

/// How long others may have the lock that this one has given up for them.
const BETWEEN_TRIES: Duration = Duration::from_millis(60);

/// What SQLite keeps beside a database that is open.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The database, with nobody else connected for as long as this lives.
#[derive(Debug)]
pub(crate) struct Taken {
    path: PathBuf,
    connection: Connection,
    sign: Work,
    // Dropped last: whoever gets it finds everything else gone.
    _alone: Alone,
}

/// A copy that is worked on. Dropped, it is deleted, with what SQLite keeps beside it.
#[derive(Debug)]
pub(crate) struct Work(TempPath);

/// Whether a boot is at work on a copy of the database, or was killed then.
pub(crate) fn is_remaking(path: &Path) -> bool {
    sidecar(path, REMADE).symlink_metadata().is_ok()
}

/// Whether there may be something to wait for or to finish before the database is opened.
pub(crate) fn is_under_way(neighbours: &Neighbours<'_>) -> bool {
    neighbours.may_have(REMADE) || neighbours.may_have(MARK)
}

/// Every file that a boot at work on a copy may have left.
pub(super) fn files(path: &Path) -> impl Iterator<Item = PathBuf> {
    let work = sidecar(path, REMADE);
    let beside = BESIDE.map(|suffix| sidecar(&work, suffix));
    beside.into_iter().chain([work])
}

/// Waits for another boot that is at work on a copy, and ends what one that was killed had begun. The mark of an operator's
/// restore stays.
pub(crate) fn await_and_finish(path: &Path, options: &Options, watch: &Watch) -> Result<(), Error> {
    let mark = marker::read(path)?.filter(|mark| mark.by_boot);
    if mark.is_none() && !is_remaking(path) {
        return Ok(());
    }
    let _alone = Alone::wait(path, options, watch)?;
    if let Some(mark) = marker::read(path)?.filter(|mark| mark.by_boot) {
        log::info!("finishing what an interrupted boot began");
        let is_replaced = recover::from(path, &mark)?;
        conclude(path, &mark, is_replaced).map_err(|error| mark.interrupted(&error.to_string()))?;
    }
    remove_files(path);
    Ok(())
}

/// Takes the mark away, and before it what the backup has as well. In this order a crash leaves nothing behind.
fn conclude(path: &Path, mark: &Marker, is_replaced: bool) -> io::Result<()> {
    let kept = mark.kept(path);
    if is_replaced {
        for log in ["-wal", "-journal"] {
            copy::remove_if_there(&sidecar(&kept, log))?;
        }
        copy::remove_if_there(&kept)?;
    }
    marker::remove(path)
}

fn remove_files(path: &Path) {
    for file in files(path) {
        let _ = fs::remove_file(file);
    }
}

impl Taken {
    /// Waits until nobody else has the database open.
    ///
    /// A boot that waits for the lock sees the sign and lets go; it waits for the sign to be gone instead.
    pub(crate) fn begin(path: &Path, options: &Options, watch: &Watch) -> Result<Self, Error> {
        let alone = Alone::wait(path, options, watch)?;
        marker::refuse_interrupted(path)?;
        remove_files(path);
        let since = Instant::now();
        loop {
            let connection = exclusion::connect_alone(path, options, watch)?;
            let sign = Work::begin(path)?;
            match Users::of(path)?.refuse(1) {
                Ok(()) => return Ok(Self { path: path.to_owned(), connection, sign, _alone: alone }),
                Err(Error::InUse { holders }) if since.elapsed() >= options.lock_timeout => {
                    return Err(Error::Locked { waited: since.elapsed(), holders });
                }
                // Who waits for the lock may have it now, and go: without it, SQLite closes no file in this process either.
                Err(Error::InUse { .. }) => watch.proceed()?,
                Err(error) => return Err(error),
            }
            drop((sign, connection));
            std::thread::sleep(BETWEEN_TRIES);
        }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Where the copy is.
    pub(crate) fn work(&self) -> &Path {
        &self.sign.0
    }

    /// Makes the copy, from a backup and byte for byte what that is.
    pub(crate) fn copy(&self, backup: &Backup, watch: &Watch) -> Result<(), Error> {
        let work = self.work();
        let failed = |error: &io::Error| storage("copied", work, error);
        let mut target = File::options().write(true).truncate(true).open(work).map_err(|error| failed(&error))?;
        let mut source = backup.reopen().map_err(|error| failed(&error))?;
        let digest = Digest::while_reading(&mut source, watch, |bytes| target.write_all(bytes))
            .map_err(|stopped| stopped.or(|error| failed(&error)))?;
        if digest != *backup.digest() {
            let message = "it was read back as something else".to_owned();
            return Err(Error::BackupFailed { path: backup.path.clone(), message });
        }
        Ok(())
    }

    /// Puts the copy, closed and whole, in the place of the database.
    ///
    /// After an error the database is what it was, unless that is [`Error::RestoreInterrupted`].
    pub(crate) fn replace(self, backup: &Path, options: &Options, watch: &Watch) -> Result<(), Error> {
        let Self { path, connection, sign, _alone } = self;
        let unplaced = |error: io::Error| storage("replaced", &path, &error);
        let digest = watch.step(Step::VerifyBackup, 0, || sign.finish(&path, watch))?;
        let others = Others(Some(connection));
        // Whoever has come since and does not let go.
        Users::of(&path)?.outlast(others.descriptors(), options, watch)?;
        let mark = Marker::new(&path, backup, &digest).by_boot();
        others.forget_names()?;
        let new = sign.into_new(&path).map_err(unplaced)?;
        // The last moment to call it off.
        watch.proceed()?;
        mark.write(&path).map_err(unplaced)?;
        let carry_out = || replace::carry_out(&path, &mark.kept(&path), new, others);
        if let Err(error) = watch.point_of_no_return(Step::Replace, carry_out) {
            return Err(match recover::from(&path, &mark) {
                Ok(false) => {
                    marker::remove(&path).map_or_else(|error| interrupted(backup, &error), |()| unplaced(error))
                }
                _ => interrupted(backup, &error),
            });
        }
        // The next boot does it, where this one cannot.
        conclude(&path, &mark, true).map_err(|error| interrupted(backup, &error))
    }
}

impl Work {
    /// An empty file, for nobody else to read before it has the permissions of the database.
    fn begin(path: &Path) -> Result<Self, Error> {
        let work = sidecar(path, REMADE);
        let begin = || {
            let file = copy::create(&work)?;
            let guard = Self(TempPath::try_from_path(&work)?);
            if let Some(note) = copy::adopt_permissions(&file, &work, &fs::metadata(path)?, true)? {
                log::warn!("{note}");
            }
            Ok(guard)
        };
        begin().map_err(|error: io::Error| storage("copied", &work, &error))
    }

    /// Flushes it, and tells what it is.
    fn finish(&self, path: &Path, watch: &Watch) -> Result<Digest, Error> {
        let failed = |error: io::Error| storage("copied", &self.0, &error);
        if let Some(log) = BESIDE.map(|suffix| sidecar(&self.0, suffix)).iter().find(|log| has_content(log)) {
            return Err(storage("copied", log, &io::Error::other("it was not folded in")));
        }
        File::options().write(true).open(&self.0).and_then(|file| file.sync_all()).map_err(failed)?;
        sync_directory(directory(path)).map_err(failed)?;
        Digest::of(&self.0, watch).map_err(|stopped| stopped.or(failed))
    }

    /// Gives it the name of what takes the place of a database.
    fn into_new(self, path: &Path) -> io::Result<TempPath> {
        let new = copy::name(path);
        fs::rename(&self.0, &new)?;
        TempPath::try_from_path(new)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        for suffix in BESIDE {
            let _ = fs::remove_file(sidecar(&self.0, suffix));
        }
    }
}
