//! A verified copy of the database beside it, made while the write lock is held.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bootproof_catalog::Catalog;
use rusqlite::backup::{Backup as OnlineBackup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempPath;

use crate::error::Error;
use crate::ffi;
use crate::files::{beside, directory, sidecar, sync_directory};
use crate::options::Integrity;
use crate::report::{BackupFile, BackupReport};
use crate::verify;

/// Pages copied at once; between two steps there is time to say how far it is.
const PAGES_PER_STEP: i32 = 4096;
/// Between the name of the database and a random ending: a copy that is not whole yet.
const IN_PROGRESS: &str = ".backup-in-progress-";
/// How often a long copy says so.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A copy that is whole, verified and flushed, but has not got its name yet. Dropped, it is deleted.
#[derive(Debug)]
pub(crate) struct Backup {
    copy: TempPath,
    /// Where it will be.
    pub(crate) path: PathBuf,
    bytes: u64,
}

/// Copies the database, to become `FILE.backup-YYYYMMDD_HHMMSS` in its directory.
///
/// `connection` holds the write lock, so that what is copied is what will be migrated. The copy is made under another
/// name, read back and compared, and flushed to the disk: a backup that has its name is whole.
pub(crate) fn make(
    connection: &Connection,
    path: &Path,
    catalog: &Catalog,
    timeout: Duration,
) -> Result<Backup, Error> {
    remove_partials(path);
    let intended = first_free_name(path);
    let failed = |message: String| Error::BackupFailed { path: intended.clone(), message };
    let partial = tempfile::Builder::new()
        .prefix(sidecar(path, IN_PROGRESS).file_name().unwrap_or_default())
        .tempfile_in(directory(path))
        .map_err(|error| failed(error.to_string()))?;
    log::info!("backing up `{}`", path.display());
    copy(path, partial.path(), timeout).map_err(|error| failed(error.to_string()))?;
    if !sidecar(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0)
        && let Some(header) = ffi::file_header(connection)
    {
        restore_header(partial.path(), &header).map_err(|error| failed(error.to_string()))?;
    }
    verify(connection, partial.path(), catalog).map_err(failed)?;
    let flush = || {
        narrow_permissions(partial.path(), path)?;
        partial.as_file().sync_all()?;
        Ok(partial.as_file().metadata()?.len())
    };
    let bytes = flush().map_err(|error: std::io::Error| failed(error.to_string()))?;
    log::info!("the backup is verified");
    Ok(Backup { copy: partial.into_temp_path(), path: intended, bytes })
}

impl Backup {
    /// Gives the copy its name, just before the commit: a boot that is killed earlier leaves no backup of a migration that
    /// never happened.
    pub(crate) fn publish(self) -> Result<BackupReport, Error> {
        match self.copy.persist_noclobber(&self.path) {
            Ok(()) => {
                sync_directory(directory(&self.path));
                Ok(BackupReport { path: self.path, bytes: self.bytes, verified: true })
            }
            Err(error) => Err(Error::BackupFailed { message: error.error.to_string(), path: self.path }),
        }
    }
}

/// The online backup API copies page by page from a second connection, also where the newest pages are still in the WAL
/// (<https://sqlite.org/backup.html>).
fn copy(path: &Path, partial: &Path, timeout: Duration) -> Result<(), rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(path, flags)?;
    let mut target = Connection::open_with_flags(
        partial,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    // Nobody else knows this file, and it is flushed as a whole before it gets its name.
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")?;
    let backup = OnlineBackup::new(&source, &mut target)?;
    let (mut said, mut moved) = (Instant::now(), Instant::now());
    loop {
        match backup.step(PAGES_PER_STEP)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked if moved.elapsed() > timeout => {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                    Some("another connection locks the file exclusively".to_owned()),
                ));
            }
            StepResult::Busy | StepResult::Locked => std::thread::sleep(Duration::from_millis(10)),
            _ => moved = Instant::now(),
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            let progress = backup.progress();
            log::info!("backup: {} of {} pages", progress.pagecount - progress.remaining, progress.pagecount);
        }
    }
}

/// The backup API counts its own work as a change of the schema. With the header as it was, the backup of a file without
/// a WAL is that file, byte for byte.
fn restore_header(partial: &Path, header: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).open(partial)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(header)
}

/// Reads the copy back: sound, of the same schema, with as many rows in every table.
fn verify(connection: &Connection, partial: &Path, catalog: &Catalog) -> Result<(), String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let copy = Connection::open_with_flags(immutable_uri(partial), flags).map_err(|error| error.to_string())?;
    verify::integrity(&copy, Integrity::Quick).map_err(|error| error.to_string())?;
    let copied = Catalog::read(&copy).map_err(|error| error.to_string())?;
    if copied != *catalog {
        return Err("the copy has another schema than the database".to_owned());
    }
    let counts = |connection| verify::row_counts(connection, catalog).map_err(|error| error.to_string());
    if counts(connection)? != counts(&copy)? {
        return Err("the copy has other row counts than the database".to_owned());
    }
    Ok(())
}

/// Deletes a backup that turned out pointless, because what it was to protect from did not happen.
pub(crate) fn discard(backup: &BackupReport) {
    if let Err(error) = fs::remove_file(&backup.path) {
        log::warn!("could not remove `{}`: {error}", backup.path.display());
    }
}

/// Deletes all but the newest of the backups that boots have made, by the names the audit table has recorded, the newest
/// first. What somebody copied by hand is not touched.
pub(crate) fn prune(path: &Path, made: &[String], keep: usize) {
    for backup in list(path) {
        let is_old = |name: &std::ffi::OsStr| made.iter().skip(keep).any(|made| made.as_str() == name);
        if backup.path.file_name().is_some_and(is_old) {
            log::info!("removing the old backup `{}`", backup.path.display());
            if let Err(error) = fs::remove_file(&backup.path) {
                log::warn!("could not remove `{}`: {error}", backup.path.display());
            }
        }
    }
}

/// The backups beside a database, the newest first.
pub(crate) fn list(path: &Path) -> Vec<BackupFile> {
    let prefix = sidecar(path, ".backup-");
    let is_backup = |file: &PathBuf| {
        let stamp = file.as_os_str().as_encoded_bytes().strip_prefix(prefix.as_os_str().as_encoded_bytes());
        stamp.is_some_and(is_stamp)
    };
    let mut backups: Vec<BackupFile> = beside(path, ".backup-")
        .into_iter()
        .filter(is_backup)
        .map(|file| BackupFile { bytes: file.metadata().map(|file| file.len()).unwrap_or_default(), path: file })
        .collect();
    backups.sort_by(|first, second| second.path.cmp(&first.path));
    backups
}

/// Removes what a killed process left of its copy. Only the holder of the write lock copies, so nobody is at work on it.
fn remove_partials(path: &Path) {
    for partial in beside(path, IN_PROGRESS) {
        log::info!("removing `{}`, left by an interrupted backup", partial.display());
        let _ = fs::remove_file(&partial);
    }
}

/// `YYYYMMDD_HHMMSS`
fn is_stamp(bytes: &[u8]) -> bool {
    bytes.len() == 15
        && bytes.iter().enumerate().all(
            |(position, byte)| {
                if position == 8 { *byte == b'_' } else { byte.is_ascii_digit() }
            },
        )
}

/// The name of this second, or of the next one that is not taken.
fn first_free_name(path: &Path) -> PathBuf {
    let mut time = jiff::Zoned::now();
    loop {
        let name = sidecar(path, &format!(".backup-{}", time.strftime("%Y%m%d_%H%M%S")));
        if name.symlink_metadata().is_err() {
            return name;
        }
        time = time.saturating_add(jiff::SignedDuration::from_secs(1));
    }
}

/// A backup holds what the database holds: never more people may read it.
#[cfg(unix)]
fn narrow_permissions(file: &Path, database: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(database)?.permissions().mode() & 0o600;
    fs::set_permissions(file, fs::Permissions::from_mode(mode))
}

/// Elsewhere files inherit the permissions of their directory, as the database did.
#[cfg(not(unix))]
fn narrow_permissions(_file: &Path, _database: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A URI that opens a file without making a `-wal` or `-shm` beside it (<https://sqlite.org/uri.html>).
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') {
            uri.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_stamp_is_a_backup() {
        assert!(is_stamp(b"20260210_093000"));
        for other in ["2026", "20260210-093000", "20260210_093000x", "in-progress-abcdef"] {
            assert!(!is_stamp(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_uri_survives_any_name() {
        assert_eq!(immutable_uri(Path::new("/a b/50%?#.db")), "file:/a%20b/50%25%3F%23.db?immutable=1");
    }
}
