//! A verified copy of the database beside it, made while the write lock is held.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bootproof_catalog::Catalog;
use rusqlite::backup::{Backup as OnlineBackup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::connection::sidecar;
use crate::error::Error;
use crate::ffi;
use crate::inspect::BackupFile;
use crate::options::Integrity;
use crate::report::BackupReport;
use crate::verify;

/// Pages copied at once; between two steps there is time to say how far it is.
const PAGES_PER_STEP: i32 = 4096;
/// How often a long copy says so.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Copies the database to `FILE.backup-YYYYMMDD_HHMMSS` in its directory.
///
/// `connection` holds the write lock, so that what is copied is what will be migrated. The copy is made under another
/// name, read back and compared, flushed to the disk, and only then gets its name: a backup that exists is whole.
pub(crate) fn make(connection: &Connection, path: &Path, catalog: &Catalog) -> Result<BackupReport, Error> {
    remove_partials(path);
    let directory = directory(path);
    let intended = name_at(path, &jiff::Zoned::now());
    let failed = |message: String| Error::BackupFailed { path: intended.clone(), message };
    let partial = tempfile::Builder::new()
        .prefix(&partial_prefix(path))
        .suffix(".partial")
        .tempfile_in(directory)
        .map_err(|error| failed(error.to_string()))?;
    log::info!("backing up `{}`", path.display());
    copy(connection, path, partial.path()).map_err(|error| failed(error.to_string()))?;
    if !sidecar(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0)
        && let Some(header) = ffi::file_header(connection)
    {
        restore_header(partial.path(), &header).map_err(|error| failed(error.to_string()))?;
    }
    verify(connection, partial.path(), catalog).map_err(failed)?;
    let (name, bytes) = publish(partial, path).map_err(|error| failed(error.to_string()))?;
    log::info!("backup `{}` verified", name.display());
    Ok(BackupReport { path: name, bytes, verified: true })
}

/// The online backup API copies page by page from a second connection, also where the newest pages are still in the WAL
/// (<https://sqlite.org/backup.html>).
fn copy(connection: &Connection, path: &Path, partial: &Path) -> Result<(), rusqlite::Error> {
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
    let mut said = Instant::now();
    loop {
        match backup.step(PAGES_PER_STEP)? {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => std::thread::sleep(Duration::from_millis(10)),
            _ => {}
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            let progress = backup.progress();
            log::info!("backup: {} of {} pages", progress.pagecount - progress.remaining, progress.pagecount);
        }
    }
    drop(backup);
    drop(target);
    debug_assert!(!connection.is_autocommit(), "the write lock is held until the copy is complete");
    Ok(())
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

/// Flushes the copy and gives it the first free name from now on; also narrows its permissions to what the database
/// allows its owner.
fn publish(partial: tempfile::NamedTempFile, path: &Path) -> std::io::Result<(PathBuf, u64)> {
    narrow_permissions(partial.path(), path)?;
    partial.as_file().sync_all()?;
    let bytes = partial.as_file().metadata()?.len();
    let mut partial = partial.into_temp_path();
    let mut now = jiff::Zoned::now();
    loop {
        let name = name_at(path, &now);
        match partial.persist_noclobber(&name) {
            Ok(()) => {
                sync_directory(directory(path))?;
                return Ok((name, bytes));
            }
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                partial = error.path;
                now = now.saturating_add(jiff::SignedDuration::from_secs(1));
            }
            Err(error) => return Err(error.error),
        }
    }
}

/// Deletes a backup that turned out pointless, because what it was to protect from did not happen.
pub(crate) fn discard(backup: &BackupReport) {
    if let Err(error) = fs::remove_file(&backup.path) {
        log::warn!("could not remove `{}`: {error}", backup.path.display());
    }
}

/// Deletes all but the newest backups.
pub(crate) fn prune(path: &Path, keep: usize) {
    for backup in list(path).into_iter().skip(keep) {
        log::info!("removing the old backup `{}`", backup.path.display());
        if let Err(error) = fs::remove_file(&backup.path) {
            log::warn!("could not remove `{}`: {error}", backup.path.display());
        }
    }
}

/// The backups beside a database, the newest first.
pub(crate) fn list(path: &Path) -> Vec<BackupFile> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".backup-");
    let mut backups: Vec<BackupFile> = files_starting_with(path, &prefix)
        .filter(|(rest, _)| is_stamp(rest))
        .map(|(_, file)| BackupFile { bytes: file.metadata().map(|file| file.len()).unwrap_or_default(), path: file })
        .collect();
    backups.sort_by(|first, second| second.path.cmp(&first.path));
    backups
}

/// Removes what a killed process left of its copy. Only the holder of the write lock copies, so nobody is at work on it.
fn remove_partials(path: &Path) {
    for (rest, file) in files_starting_with(path, &partial_prefix(path)) {
        if rest.ends_with(b".partial") {
            log::info!("removing `{}`, left by an interrupted backup", file.display());
            let _ = fs::remove_file(&file);
        }
    }
}

fn partial_prefix(path: &Path) -> std::ffi::OsString {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".backup-in-progress-");
    prefix
}

fn files_starting_with(path: &Path, prefix: &std::ffi::OsStr) -> impl Iterator<Item = (Vec<u8>, PathBuf)> {
    let prefix = prefix.as_encoded_bytes().to_vec();
    fs::read_dir(directory(path)).into_iter().flatten().flatten().filter_map(move |entry| {
        let name = entry.file_name();
        let rest = name.as_encoded_bytes().strip_prefix(prefix.as_slice())?.to_vec();
        Some((rest, entry.path()))
    })
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

fn name_at(path: &Path, time: &jiff::Zoned) -> PathBuf {
    sidecar(path, &format!(".backup-{}", time.strftime("%Y%m%d_%H%M%S")))
}

/// The directory of a file; the current one for a bare name.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
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

/// A new name is on the disk only when its directory is.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Windows flushes names by itself.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_directory: &Path) -> std::io::Result<()> {
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
        for other in ["2026", "20260210-093000", "20260210_093000.partial", "in-progress-abc.partial"] {
            assert!(!is_stamp(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_uri_survives_any_name() {
        assert_eq!(immutable_uri(Path::new("/a b/50%?#.db")), "file:/a%20b/50%25%3F%23.db?immutable=1");
    }
}
