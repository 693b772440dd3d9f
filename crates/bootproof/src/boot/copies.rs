//! Backups and restores on request.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bootproof_catalog::Catalog;
use rusqlite::Connection;

use super::Boot;
use super::order::Run;
use crate::backup::{self, Backups, Original};
use crate::connection::{self, Session};
use crate::error::{Error, Failure};
use crate::figure::shown;
use crate::files::{directory, sidecar};
use crate::holders;
use crate::report::{BackupReport, ErrorReport};
use crate::restore::{Restore, RestoreReport};

/// How often it is tried to find the log empty, and the pause after an attempt that others stood in the way of.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// `BEGIN` alone takes no lock; the first read does.
const BEGIN_TO_READ: &str = "BEGIN; SELECT count(*) FROM main.sqlite_schema";

impl Boot<'_> {
    /// Copies the database now, verified and with a digest, without migrating it; [`Options::backup`] is for boots only.
    ///
    /// After success: beside the database lie `FILE.backup-YYYYMMDD_HHMMSS`, flushed and read back, and its digest, BLAKE3 in the line
    /// that `b3sum --check` reads. After a failure: nothing new does. The database is only read; but in WAL mode, where a running
    /// process has it open, the log is first folded into the file (`PRAGMA wal_checkpoint(TRUNCATE)`). The copy is of one
    /// moment: in WAL mode others go on writing meanwhile, but for the moments in which the rest of the log is folded, when a
    /// writer without a busy timeout gets `SQLITE_BUSY`; in rollback-journal mode a writer's commit waits until it is made.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] for a damaged database, [`Error::Locked`], [`Error::DiskFull`], [`Error::BackupFailed`],
    /// [`Error::Storage`] for one that is missing or empty, [`Error::RestoreInterrupted`], [`Error::Cancelled`].
    ///
    /// [`Options::backup`]: crate::Options::backup
    pub fn back_up(&self) -> Result<BackupReport, Failure> {
        self.act(Run::back_up_now)
    }

    /// The backups beside the database, the newest first; with `examine` each is read from beginning to end: digest and
    /// integrity. Those that somebody copied by hand to `FILE.backup-…` are listed too. The database itself may be missing
    /// or damaged: who made which backup is then not known, and those of boots are listed as an operator's.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`].
    pub fn backups(&self, examine: bool) -> Result<Backups, Failure> {
        self.act(|run| backup::catalogue(run.path, run.report.database.clone(), &run.options, examine, &run.watch))
    }

    /// Removes all but the newest `keep` of the backups that have a digest, of at least one. What somebody copied by hand
    /// has none and stays; and where none of the newest is sound, the newest that is stays too. Returns what was removed.
    ///
    /// # Errors
    ///
    /// [`Error::BackupNotRemoved`], after which older ones may be left; [`Error::Cancelled`].
    pub fn prune_backups(&self, keep: usize) -> Result<Vec<PathBuf>, Failure> {
        self.act(|run| {
            let name = run.report.database.clone();
            let listed = backup::catalogue(run.path, name, &run.options, false, &run.watch)?;
            backup::among_digested(&listed, keep, &run.watch)
        })
    }

    /// Replaces the database by a backup: checked, atomic, the old file kept.
    ///
    /// The backup is a path, or the name of a file beside the database. It is copied and the copy proven first: its digest,
    /// if one is recorded; its integrity, in full unless [`Integrity::Quick`](crate::Integrity::Quick) was asked for; and
    /// that this binary can boot it.
    ///
    /// Before: any database file, also a damaged one, or none. After success: the file is byte for byte the backup, and the
    /// old one is kept as `FILE.replaced-YYYYMMDD_HHMMSS`. After a failure, or a crash at any instant: the old database is
    /// whole, or the new one is; or `FILE.restoring` lies beside it, and everything refuses with
    /// [`Error::RestoreInterrupted`] until `restore` has run again.
    ///
    /// A database in use is not replaced. On Linux that is every database that a process has open which this one may look
    /// into, this process included; elsewhere, what an exclusive lock tells: connections in WAL mode, open transactions.
    /// Stop the application first.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] for a database in use; [`Error::DigestDiffers`], [`Error::BackupDamaged`],
    /// [`Error::BackupUnfit`], [`Error::RestoreRefused`] for the backup; [`Error::DiskFull`], [`Error::Storage`];
    /// [`Error::RestoreInterrupted`] if it got stuck halfway; [`Error::Cancelled`], which nothing is once the replacement
    /// has begun.
    pub fn restore(&self, backup: &Path) -> Result<RestoreReport, Failure> {
        self.act(|run| {
            let restore = Restore { schema: run.schema, path: run.path, options: &run.options, watch: &run.watch };
            restore.run(run.report.database.clone(), backup)
        })
    }

    /// Runs what has a result of its own, and turns its failure into one with a report.
    pub(crate) fn act<'r, T>(&'r self, act: impl FnOnce(&mut Run<'r>) -> Result<T, Error>) -> Result<T, Failure> {
        let start = Instant::now();
        let mut run = Run::new(self.schema, &self.path, self.name.clone(), &self.options);
        run.prepare_options().and_then(|()| act(&mut run)).map_err(Error::settled).map_err(|error| {
            let mut report = run.report;
            report.timeline = run.watch.timeline();
            report.duration_ms = start.elapsed().into();
            report.error = Some(ErrorReport::of(&error));
            Failure { error, report: Box::new(report) }
        })
    }
}

impl Run<'_> {
    fn back_up_now(&mut self) -> Result<BackupReport, Error> {
        self.must_exist()?;
        let length = |file: &Path| file.metadata().map(|file| file.len()).unwrap_or_default();
        if length(self.path) == 0 {
            let message = format!("`{}` is empty", shown(self.path));
            return Err(Error::Storage { action: "backed up", message });
        }
        let needed = length(self.path) + length(&sidecar(self.path, "-wal")) + (1 << 20);
        backup::require_space(directory(self.path), needed)?;
        // Before this connection is one of them.
        let is_in_use = holders::are_there(self.path);
        let mut connection = connection::open_to_look(self.path)?;
        let timeout = self.options.lock_timeout;
        let session = Session::new(&mut connection, self.path, timeout, &self.watch)?;
        session.begin_read()?;
        let (is_whole, companion) = self.read_the_file_alone(&session, is_in_use)?;
        let companion = Mutex::new(companion);
        let made = Catalog::read(session.connection)
            .map_err(|error| Error::from_reading("reading the schema", error))
            .and_then(|catalog| {
                let (connection, path) = (session.connection, self.path);
                let original = Original { connection, path, catalog: &catalog, is_whole, companion, is_sound: false };
                backup::make(&original, timeout, &self.watch)
            });
        let made = made.and_then(|made| session.refuse_moved().map(|()| made)).map_err(|error| session.blame(error));
        session.rollback();
        made.and_then(backup::Backup::publish_anew)
    }

    /// Whether a transaction that has just begun reads the file alone; then with another connection that reads the same, and can
    /// check it. In WAL mode that is brought about: the log is folded into the file, and the transaction begun anew. Where it
    /// cannot be, the file is copied page by page.
    ///
    /// Only of those who are at work is the log folded, which they do themselves again and again. One that nobody has open was
    /// left by a crash, or is of another file: it stays as it was found.
    fn read_the_file_alone(&self, session: &Session<'_>, is_in_use: bool) -> Result<(bool, Option<Connection>), Error> {
        let failed = |error| Error::from_sqlite("preparing the connection", error);
        if !session.is_wal()? {
            return Ok((true, None));
        }
        let is_worth_it = is_in_use && !connection::is_small(session.connection).map_err(failed)?;
        let prepare = |mut companion| connection::distrust(&mut companion).map(|()| companion).ok();
        // Without one, the copy is checked when it is made.
        let mut companion = connection::open_companion(self.path).ok().and_then(prepare);
        for attempt in 0.. {
            // It may see more than the other, but then the log is not empty.
            companion = companion.filter(|it| it.execute_batch(BEGIN_TO_READ).is_ok());
            if backup::is_whole(session.connection)? {
                return Ok((true, companion));
            }
            companion = companion.filter(|it| it.execute_batch("ROLLBACK").is_ok());
            if !is_worth_it || attempt == ATTEMPTS {
                break;
            }
            session.rollback();
            self.watch.proceed()?;
            let folded = session.fold_wal();
            if let Ok(false) = folded {
                std::thread::sleep(PAUSE);
            }
            session.begin_read()?;
            if let Err(error) = folded {
                log::debug!("the log was not folded into the file: {error}");
                break;
            }
        }
        Ok((false, None))
    }
}
