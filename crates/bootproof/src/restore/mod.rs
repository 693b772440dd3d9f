//! Replacing a database by a backup: checked, atomic, and never halfway without saying so.
//!
//! 1. **Copy** the backup beside the database, and prove the copy: digest, integrity, a schema this binary can boot.
//! 2. **Exclude** everybody else, and fold the log into the old file.
//! 3. **Mark** that a replacement has begun: until the mark is gone, nothing opens the database but another restore.
//! 4. **Replace**: the old file gets a second name, with its log if that could not be folded; the copy takes the first.
//! 5. **Unmark**.
//!
//! Up to the mark everything is as it was. From then on nothing can be called off, and [`recover`] knows every state that
//! a crash can leave.

mod copy;
mod exclusion;
mod marker;
mod recover;
mod remake;
mod replace;
mod report;
mod users;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::backup::digest::Digest;
use crate::error::{Error, storage};
use crate::event::Step;
use crate::figure::shown;
use crate::files::{Neighbours, resolve, sidecar};
use crate::options::Options;
use crate::schema::Schema;
use crate::watch::Watch;
use copy::Proof;
use exclusion::Alone;
use marker::Marker;
use users::Users;

pub(crate) use exclusion::remove_remnants;
pub(crate) use marker::{MARK, refuse_interrupted};
pub(crate) use remake::{Taken, await_and_finish, is_remaking, is_under_way};
pub use report::{DigestCheck, Replaced, RestoreReport};

/// The other processes that have a database open; none where the system does not tell.
pub(crate) fn open_elsewhere(path: &Path) -> Vec<String> {
    Users::of(path).map(|users| users.others()).unwrap_or_default()
}

/// What is to be restored, and where.
pub(crate) struct Restore<'r> {
    pub(crate) schema: &'r Schema,
    /// The database.
    pub(crate) path: &'r Path,
    pub(crate) options: &'r Options,
    pub(crate) watch: &'r Watch,
}

impl Restore<'_> {
    /// Restores the database; `name` is how the operator calls it.
    pub(crate) fn run(&self, name: String, backup: &Path) -> Result<RestoreReport, Error> {
        let start = Instant::now();
        let backup = find(self.path, backup)?;
        let mut report = RestoreReport::new(name, backup.clone());
        crate::files::refuse_strangers(self.path, &Neighbours::unknown(self.path))?;
        let _alone = Alone::begin(self.path)?;
        let users = Users::of(self.path)?;
        users.refuse(0)?;
        let is_done = match marker::read(self.path)? {
            Some(marker) => recover::from(self.path, &marker)? && self.is_in_place(&marker, &mut report)?,
            None => false,
        };
        if !is_done {
            self.replace(&backup, &mut report)?;
        }
        marker::remove(self.path).map_err(|error| interrupted(&backup, &error))?;
        report.duration_ms = start.elapsed().into();
        Ok(report)
    }

    fn replace(&self, backup: &Path, report: &mut RestoreReport) -> Result<(), Error> {
        marker::remove(self.path).map_err(|error| storage("restored", self.path, &error))?;
        let (copy, digest) =
            self.watch.step(Step::CopyBackup, 0, || copy::make(self.path, backup, self.watch, report))?;
        report.accept(self.prove(&copy, backup)?);
        report.bytes = copy.metadata().map(|copy| copy.len()).unwrap_or_default();

        let users = Users::of(self.path)?;
        users.refuse(0)?;
        let others = exclusion::exclude(self.path, self.options, self.watch, &mut report.notes)?;
        // What was opened since, and waits for a lock; one descriptor is that of our own connection.
        users.refuse(others.descriptors())?;
        let marker = Marker::new(self.path, backup, &digest);
        others.forget_names()?;
        // The last moment to call it off.
        self.watch.proceed()?;
        marker.write(self.path).map_err(|error| storage("restored", self.path, &error))?;
        let kept = marker.kept(self.path);
        let replace = || replace::carry_out(self.path, &kept, copy, others);
        self.watch.point_of_no_return(Step::Replace, replace).map_err(|error| self.undo(&marker, backup, &error))?;
        report.replaced = Replaced::at(kept);
        if !users::are_known() {
            report
                .notes
                .push("this system does not tell who has the database open: restart whatever used it".to_owned());
        }
        report.notes.extend(users.latecomers());
        Ok(())
    }

    /// Takes back what was begun and could not be finished.
    fn undo(&self, marker: &Marker, backup: &Path, error: &std::io::Error) -> Error {
        match recover::from(self.path, marker) {
            Ok(false) => match marker::remove(self.path) {
                Ok(()) => storage("replaced", self.path, error),
                Err(error) => interrupted(backup, &error),
            },
            _ => interrupted(backup, error),
        }
    }

    /// Whether an interrupted restore of this very backup had done all but say so.
    fn is_in_place(&self, marker: &Marker, report: &mut RestoreReport) -> Result<bool, Error> {
        // Reading the database past SQLite is safe where it is known that this process has not opened it.
        if !users::are_known()
            || ["-wal", "-journal"].iter().any(|log| crate::files::has_content(&sidecar(self.path, log)))
        {
            return Ok(false);
        }
        let digest = |path: &Path| {
            let failed = |error| storage("read", path, &error);
            let digest = || Digest::of(path, self.watch).map(Some).map_err(|stopped| stopped.or(failed));
            self.watch.step(Step::CopyBackup, 0, digest)
        };
        let backup = report.backup.clone();
        if !self.path.is_file() || marker.digest() != digest(&backup)? || marker.digest() != digest(self.path)? {
            return Ok(false);
        }
        report.compare(&backup, marker.digest().as_ref())?;
        report.accept(self.prove(self.path, &backup)?);
        report.bytes = self.path.metadata().map(|file| file.len()).unwrap_or_default();
        report.replaced = Replaced::at(marker.kept(self.path));
        report.notes.push("an interrupted restore had put it in place".to_owned());
        Ok(true)
    }

    fn prove(&self, file: &Path, backup: &Path) -> Result<Proof, Error> {
        copy::prove(self.schema, file, backup, self.options, self.watch)
    }
}

/// The file that an operator means: by its path, or by its name beside the database.
fn find(path: &Path, backup: &Path) -> Result<PathBuf, Error> {
    let refused = |message: String| Err(Error::RestoreRefused { backup: backup.to_owned(), message });
    let here = is_there(backup)?.then(|| resolve(backup));
    let is_name = backup.components().count() == 1 && backup.file_name().is_some();
    let beside = crate::files::directory(path).join(backup);
    let beside = (is_name && is_there(&beside)?).then(|| resolve(&beside));
    let found = match (here, beside) {
        (Some(here), Some(beside)) if here != beside => {
            return refused("there is one here and one beside the database: give its path".to_owned());
        }
        (Some(found), _) | (None, Some(found)) => found,
        (None, None) => return refused("it does not exist".to_owned()),
    };
    if !found.metadata().map_err(|error| storage("read", &found, &error))?.is_file() {
        return refused("it is not a regular file".to_owned());
    }
    if crate::files::same(&found, path) {
        return refused("it is the database itself".to_owned());
    }
    for log in ["-wal", "-journal"].map(|suffix| sidecar(&found, suffix)) {
        if crate::files::has_content(&log) {
            return refused(format!(
                "`{}` may hold its newest rows: somebody has opened it, or copied both; open it once with `sqlite3 FILE \
                 \"PRAGMA wal_checkpoint(TRUNCATE)\"`, which makes it whole, and remove its `.b3`",
                shown(&log)
            ));
        }
    }
    Ok(found)
}

/// Whether there is something, as far as the system tells.
fn is_there(file: &Path) -> Result<bool, Error> {
    file.try_exists().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotADirectory => Ok(false),
        _ => Err(storage("read", file, &error)),
    })
}

fn interrupted(backup: &Path, error: &std::io::Error) -> Error {
    Error::RestoreInterrupted { backup: backup.to_owned(), message: error.to_string() }
}
