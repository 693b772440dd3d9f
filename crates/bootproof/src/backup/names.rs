//! The files of backups by their names: whole ones, those in progress, and what killed processes left.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::digest;
use crate::figure::shown;
use crate::files::{Neighbours, beside, directory, sidecar};
use crate::report::BackupFile;

/// Between the name of the database and whatever tells its copies apart.
pub(super) const BACKUP: &str = ".backup-";
/// Between the name of the database and a random ending: a file that is not whole yet.
const IN_PROGRESS: &str = ".backup-in-progress-";

/// The backups beside a database, the newest first: those with a time for a name.
pub(crate) fn list(path: &Path) -> Vec<BackupFile> {
    let mut backups: Vec<BackupFile> = beside(path, BACKUP)
        .into_iter()
        .filter(|file| stamp_of(path, file).is_some())
        .map(|file| BackupFile { bytes: file.metadata().map(|file| file.len()).unwrap_or_default(), path: file })
        .collect();
    backups.sort_by(|first, second| second.path.cmp(&first.path));
    backups
}

/// The time in the name of a backup of this database.
pub(super) fn stamp_of<'f>(path: &Path, file: &'f Path) -> Option<&'f str> {
    let prefix = sidecar(path, BACKUP);
    let stamp = file.as_os_str().as_encoded_bytes().strip_prefix(prefix.as_os_str().as_encoded_bytes())?;
    std::str::from_utf8(stamp).ok().filter(|stamp| is_stamp(stamp.as_bytes()))
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

/// Whether a name that begins like a backup's is that of a file which belongs to another: in progress, a digest, or what
/// SQLite keeps beside a backup that somebody opened.
pub(super) fn is_companion(path: &Path, file: &Path) -> bool {
    let bytes = file.as_os_str().as_encoded_bytes();
    bytes.starts_with(sidecar(path, IN_PROGRESS).as_os_str().as_encoded_bytes())
        || [digest::ENDING, "-wal", "-shm", "-journal"].iter().any(|ending| bytes.ends_with(ending.as_bytes()))
}

/// The local time now, as in the names of backups: `YYYYMMDD_HHMMSS`, or of the next second for which nothing is there.
pub(crate) fn stamp(is_free: impl Fn(&str) -> bool) -> String {
    let mut time = jiff::Zoned::now();
    loop {
        let stamp = format_stamp(&time);
        if is_free(&stamp) {
            return stamp;
        }
        time = time.saturating_add(jiff::SignedDuration::from_secs(1));
    }
}

fn format_stamp(time: &jiff::Zoned) -> String {
    time.strftime("%Y%m%d_%H%M%S").to_string()
}

/// How far the clock that named the newest backup may have been ahead: it is put back an hour every autumn, further when a
/// machine moves. What is named later than that is nobody's clock.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(25);

/// A name for a backup made now, which no backup and no digest has, and which sorts after every other: pruning takes what has
/// the latest name for the newest.
pub(super) fn first_free(path: &Path) -> PathBuf {
    let name = |stamp: &str| sidecar(path, &format!("{BACKUP}{stamp}"));
    let is_free = |file: &Path| file.symlink_metadata().is_err();
    let latest = format_stamp(&jiff::Zoned::now().saturating_add(AHEAD));
    let backups = list(path);
    let newest =
        backups.iter().filter_map(|backup| stamp_of(path, &backup.path)).filter(|stamp| *stamp < &*latest).max();
    let is_newest = |stamp: &str| newest.is_none_or(|newest| stamp > newest);
    name(&stamp(|stamp| is_newest(stamp) && is_free(&name(stamp)) && is_free(&digest::beside(&name(stamp)))))
}

/// A file for something that is not whole yet, locked against those who clean up for as long as it is open.
pub(super) fn partial(path: &Path) -> io::Result<NamedTempFile> {
    loop {
        let prefix = sidecar(path, IN_PROGRESS);
        let file = tempfile::Builder::new()
            .prefix(prefix.file_name().unwrap_or(OsStr::new(IN_PROGRESS)))
            .tempfile_in(directory(path))?;
        // Before it was locked, somebody may have taken it for a remnant.
        if mark::take(file.as_file()) && file.path().exists() {
            return Ok(file);
        }
    }
}

/// Removes what killed processes left: files in progress, and digests whose backup never came. What is locked, somebody
/// is at work on.
pub(crate) fn remove_remnants(path: &Path, neighbours: &Neighbours<'_>) {
    for file in neighbours.with(BACKUP).filter(|file| is_remnant(path, file)) {
        // Whoever held the lock until now has given the backup its name, if it ever will.
        if let Some(_locked) = mark::abandoned(&file)
            && is_remnant(path, &file)
        {
            log::info!("removing `{}`, left by an interrupted backup", shown(&file));
            let _ = fs::remove_file(file);
        }
    }
}

/// Whether a file is in progress, or a digest without its backup.
fn is_remnant(path: &Path, file: &Path) -> bool {
    let is_partial =
        file.as_os_str().as_encoded_bytes().starts_with(sidecar(path, IN_PROGRESS).as_os_str().as_encoded_bytes());
    let backup = file.with_extension("");
    let is_alone = || stamp_of(path, &backup).is_some() && backup.symlink_metadata().is_err();
    is_partial || (digest::beside(&backup) == file && is_alone())
}

/// How a file in progress is known to be somebody's: by its lock. Not every file system knows locks.
#[cfg(unix)]
mod mark {
    use std::fs;
    use std::path::Path;

    /// Locks the file; false where somebody else holds it already.
    pub(super) fn take(file: &fs::File) -> bool {
        !matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
    }

    /// The file, locked, if nobody else is at work on it.
    pub(super) fn abandoned(file: &Path) -> Option<fs::File> {
        crate::files::open_regular(file).ok().filter(|file| file.try_lock().is_ok())
    }
}

/// Elsewhere a lock would keep SQLite from writing the file, and a file that is open cannot be removed anyway.
#[cfg(not(unix))]
mod mark {
    use std::fs;
    use std::path::Path;

    pub(super) fn take(_file: &fs::File) -> bool {
        true
    }

    pub(super) fn abandoned(file: &Path) -> Option<&Path> {
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_stamp_is_a_backup() {
        assert!(is_stamp(b"20260210_093000"));
        for other in ["2026", "20260210-093000", "20260210_093000x", "in-progress-abcdef", "20260210_093000.b3"] {
            assert!(!is_stamp(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_new_backup_sorts_after_those_that_a_clock_ahead_has_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.db");
        let ahead = |hours| {
            let time = jiff::Zoned::now().saturating_add(jiff::SignedDuration::from_hours(hours));
            sidecar(&path, &format!("{BACKUP}{}", format_stamp(&time)))
        };
        // The clock goes on meanwhile.
        let (soon, later) = (ahead(1), ahead(2));
        fs::write(sidecar(&path, ".backup-99991231_235959"), "x").unwrap();
        assert!(first_free(&path) < soon);
        fs::write(&soon, "x").unwrap();
        let first = first_free(&path);
        assert!(first > soon && first < later);
        fs::write(&first, "x").unwrap();
        assert!(first_free(&path) > first);
    }

    #[test]
    fn what_killed_processes_left_is_removed_and_what_is_at_work_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.db");
        let file = |name: &str| directory.path().join(name);
        let kept = ["w.db", "w.db.backup-20260210_093000", "w.db.backup-20260210_093000.b3", "w.db.backup-mine.b3"];
        let stale = ["w.db.backup-20260210_093001.b3", "w.db.backup-in-progress-abc"];
        for name in kept.iter().chain(&stale) {
            fs::write(file(name), "x").unwrap();
        }
        let at_work = partial(&path).unwrap();
        let published = partial(&path).unwrap().persist(file("w.db.backup-20260210_093002.b3")).unwrap();
        remove_remnants(&path, &Neighbours::of(&path));
        assert!(kept.iter().all(|name| file(name).exists()));
        assert!(stale.iter().all(|name| !file(name).exists()));
        assert!(at_work.path().exists() && file("w.db.backup-20260210_093002.b3").exists());
        drop(published);
        remove_remnants(&path, &Neighbours::of(&path));
        assert!(!file("w.db.backup-20260210_093002.b3").exists());
    }
}
