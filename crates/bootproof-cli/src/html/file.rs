//! Puts a page in its place: whole or not at all, and legible to nobody who may not read the database.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use bootproof::listing::names;
use tempfile::{Builder, NamedTempFile};

/// What the name of a page in progress ends with, after as many random characters.
const ENDING: &str = ".tmp";
const RANDOM: usize = 6;

/// Writes a page beside its place and renames it there.
///
/// `like` is the database the page tells of: the page is no more readable than that file, and without one readable to
/// its owner alone. A link at `path` is replaced, not followed. What is there and not called `.html` is never replaced: a
/// mistyped name must not cost a database, a backup or a device.
pub(crate) fn write(path: &Path, html: &str, like: Option<&Path>) -> io::Result<()> {
    may_be_replaced(path, like)?;
    let mut file = begin(path)?;
    file.write_all(html.as_bytes())?;
    share(&file, like)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Whether a page can be written there, asked before an hour's work rather than after it.
pub(crate) fn can_be_written(path: &Path, like: Option<&Path>) -> io::Result<()> {
    may_be_replaced(path, like)?;
    begin(path).map(drop)
}

/// An empty file beside the place of a page, readable to its owner alone, and locked against those who clean up.
fn begin(path: &Path) -> io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    remove_remnants(directory, &prefix);
    loop {
        let file = Builder::new().prefix(&prefix).suffix(ENDING).tempfile_in(directory)?;
        // Before it was locked, somebody may have taken it for a remnant. Not every file system knows locks.
        let is_others = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        if !is_others && file.path().exists() {
            return Ok(file);
        }
    }
}

/// Removes what killed processes left of this page. What is locked, somebody is at work on.
fn remove_remnants(directory: &Path, prefix: &OsStr) {
    let is_remnant = |name: &OsString| {
        let name = name.as_encoded_bytes();
        name.starts_with(prefix.as_encoded_bytes())
            && name.ends_with(ENDING.as_bytes())
            && name.len() == prefix.len() + RANDOM + ENDING.len()
    };
    for remnant in names(directory).unwrap_or_default().into_iter().filter(is_remnant) {
        let path = directory.join(remnant);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|there| there.is_file());
        if is_file && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(path);
        }
    }
}

fn may_be_replaced(path: &Path, like: Option<&Path>) -> io::Result<()> {
    let is_page = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("html") || it.eq_ignore_ascii_case("htm"));
    if !is_page {
        // A page by the name of a write-ahead log would be worse than none.
        let message = format!("`{}` does not end with `.html`", path.display());
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    // Of what is there, not of what a link there points to.
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    let is_database = like.is_some_and(|like| is_same(path, &there, like));
    if (there.is_file() || there.is_symlink()) && !is_database {
        return Ok(());
    }
    let message = format!("`{}` is there already and is no page: it is not replaced", path.display());
    Err(io::Error::new(ErrorKind::AlreadyExists, message))
}

/// Whether two names are of one file. Asks the directory only: to open and close a database that this process has open
/// through SQLite drops SQLite's locks.
#[cfg(unix)]
fn is_same(_path: &Path, there: &fs::Metadata, like: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(like).is_ok_and(|like| (like.dev(), like.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_same(path: &Path, there: &fs::Metadata, like: &Path) -> bool {
    let canonical = fs::canonicalize(path);
    !there.is_symlink() && canonical.is_ok_and(|path| fs::canonicalize(like).is_ok_and(|like| like == path))
}

/// Lets those read the page who may read the database.
#[cfg(unix)]
fn share(file: &NamedTempFile, like: Option<&Path>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let Some(like) = like.and_then(|like| fs::metadata(like).ok()) else { return Ok(()) };
    let mut mode = like.mode() & 0o666;
    if file.as_file().metadata()?.gid() != like.gid() {
        // Whoever is in the one group may not be in the other: both get what the database grants either way.
        let either_way = (mode >> 3) & mode & 0o006;
        mode = (mode & 0o600) | (either_way << 3) | either_way;
    }
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share(_file: &NamedTempFile, _like: Option<&Path>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_an_older_one_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("boot.html");
        write(&path, "one", None).unwrap();
        write(&path, "two", None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_page_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        for (name, kind) in [
            ("worklog.db", ErrorKind::InvalidInput),
            ("worklog.db-wal", ErrorKind::InvalidInput),
            ("worklog.db.backup-20251231_120000", ErrorKind::InvalidInput),
            ("page.html", ErrorKind::AlreadyExists),
        ] {
            let path = directory.path().join(name);
            assert!(kind == ErrorKind::AlreadyExists || write(&path, "page", None).is_err(), "{name} was not there");
            fs::write(&path, "rows").unwrap();
            assert_eq!(write(&path, "page", Some(&path)).unwrap_err().kind(), kind, "{name}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
        }
        let folder = directory.path().join("folder.html");
        fs::create_dir(&folder).unwrap();
        assert_eq!(write(&folder, "page", None).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let error = write(&directory.path().join("none/boot.html"), "page", None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    mod on_unix {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().mode() & 0o7777
        }

        #[test]
        fn a_link_is_replaced_and_what_it_points_to_is_left_alone() {
            let directory = tempfile::tempdir().unwrap();
            let (database, link) = (directory.path().join("worklog.db"), directory.path().join("boot.html"));
            fs::write(&database, "rows").unwrap();
            symlink(&database, &link).unwrap();
            write(&link, "page", Some(&database)).unwrap();
            assert_eq!(fs::read_to_string(&database).unwrap(), "rows");
            assert!(fs::symlink_metadata(&link).unwrap().is_file());
        }

        #[test]
        fn a_page_is_no_more_readable_than_the_database() {
            let directory = tempfile::tempdir().unwrap();
            let (database, path) = (directory.path().join("worklog.db"), directory.path().join("boot.html"));
            write(&path, "page", Some(&database)).unwrap();
            assert_eq!(mode(&path), 0o600, "without a database");
            fs::write(&database, "rows").unwrap();
            for (of_database, of_page) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644), (0o755, 0o644)] {
                fs::set_permissions(&database, fs::Permissions::from_mode(of_database)).unwrap();
                write(&path, "page", Some(&database)).unwrap();
                assert_eq!(mode(&path), of_page);
                write(&path, "page", None).unwrap();
                assert_eq!(mode(&path), 0o600);
            }
        }

        #[test]
        fn another_group_is_given_no_more_than_both_have() {
            let directory = tempfile::tempdir().unwrap();
            let (database, path) = (directory.path().join("worklog.db"), directory.path().join("boot.html"));
            fs::write(&database, "rows").unwrap();
            // Only the superuser can give a file to a group that it is not a member of.
            if std::os::unix::fs::chown(&database, None, Some(60_001)).is_err() {
                return;
            }
            for (of_database, of_page) in [(0o640, 0o600), (0o664, 0o644), (0o604, 0o600)] {
                fs::set_permissions(&database, fs::Permissions::from_mode(of_database)).unwrap();
                write(&path, "page", Some(&database)).unwrap();
                assert_eq!(mode(&path), of_page);
            }
        }
    }
}
