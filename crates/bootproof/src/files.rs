//! Files by name: which one a path means, and what lies beside it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, storage};
use crate::figure::shown;
use crate::listing;

/// So many links lead from one to the next before the system calls it a loop.
const MOST_LINKS: usize = 40;

/// The file that a path means: absolute, so that SQLite takes no name for a URI or for a database in memory, and without
/// symbolic links, so that what lies beside it is looked for where SQLite puts it. A link to a file that is not there yet means
/// that file.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(found) = path.canonicalize() {
            return found;
        }
        match path.read_link() {
            Ok(target) => path = directory(&path).join(target),
            Err(_) => break,
        }
    }
    let parent = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    parent().or_else(|| std::path::absolute(&path).ok()).unwrap_or(path)
}

/// Opens a file of ours beside the database to read it. Where others may write the directory, anything can have its name: a
/// link is not followed, and a named pipe would keep us waiting for good.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.is_file() { File::open(path) } else { Err(not_regular()) }
}

pub(crate) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// The smallest page that SQLite knows (<https://sqlite.org/fileformat2.html#pages>).
const SMALLEST_PAGE: u64 = 512;

/// Whether a regular file is there; anything else under that name is refused before SQLite touches it.
pub(crate) fn exists(path: &Path) -> Result<bool, Error> {
    exists_among(path, &Neighbours::unknown(path))
}

/// As [`exists`], where it is known what lies beside the file.
pub(crate) fn exists_among(path: &Path, neighbours: &Neighbours<'_>) -> Result<bool, Error> {
    if neighbours.may_have(crate::restore::MARK) {
        crate::restore::refuse_interrupted(path)?;
    }
    refuse_strangers(path, neighbours)?;
    match std::fs::metadata(path) {
        // SQLite takes a file that is shorter than its smallest page for an empty one, and would overwrite it.
        Ok(file) if file.is_file() && (1..SMALLEST_PAGE).contains(&file.len()) => Err(Error::Integrity {
            problems: vec![format!("`{}` has {} bytes: too short for a database", shown(path), file.len())],
        }),
        Ok(file) if file.is_file() => Ok(true),
        Ok(_) => Err(Error::Storage { action: "opened", message: format!("`{}` is not a regular file", shown(path)) }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(storage("opened", path, &error)),
    }
}

/// The files that SQLite keeps beside a database.
const SIDECARS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Whether a regular file is there, and nothing of SQLite's beside it, nor of a restore's, which may have moved a log away.
pub(crate) fn is_alone_among(neighbours: &Neighbours<'_>) -> bool {
    neighbours.have_the_file()
        && !SIDECARS.iter().any(|suffix| neighbours.may_have(suffix))
        && !crate::restore::is_under_way(neighbours)
}

/// What has the name of a file that SQLite keeps beside the database must be one: SQLite would wait for a named pipe for good,
/// deaf to signals.
pub(crate) fn refuse_strangers(path: &Path, neighbours: &Neighbours<'_>) -> Result<(), Error> {
    let there = SIDECARS.into_iter().filter(|suffix| neighbours.may_have(suffix));
    for file in there.map(|suffix| sidecar(path, suffix)) {
        if file.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            return Err(storage("opened", &file, &not_regular()));
        }
    }
    Ok(())
}

/// A file that SQLite keeps beside the database: `-wal`, `-shm`, `-journal`.
pub(crate) fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What tells a file that is there from all others, whatever its names.
#[cfg(unix)]
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok()
}

/// What tells a file that is there from all others, as far as names tell.
#[cfg(not(unix))]
pub(crate) fn identity(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Whether two names are of one file.
pub(crate) fn same(first: &Path, second: &Path) -> bool {
    matches!((identity(first), identity(second)), (Some(first), Some(second)) if first == second)
}

/// Whether a file is there and has anything in it.
pub(crate) fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.len() > 0)
}

/// The directory of a file; the current one for a bare name.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What lies in the same directory and has a name that begins with the file's own, as one look at the directory has told.
#[derive(Debug)]
pub(crate) struct Neighbours<'p> {
    path: &'p Path,
    /// None where the directory was not looked at, or cannot be.
    names: Option<Vec<OsString>>,
    /// Whether the file itself is there, and a regular one, as far as the directory tells.
    has_file: bool,
}

impl<'p> Neighbours<'p> {
    pub(crate) fn of(path: &'p Path) -> Self {
        let own = path.file_name().unwrap_or_default();
        let (mut names, mut has_file) = (Vec::new(), false);
        let listed = listing::visit(directory(path), |name, is_file| {
            if name == own {
                has_file = is_file;
            } else if name.as_encoded_bytes().starts_with(own.as_encoded_bytes()) {
                names.push(name.to_owned());
            }
        });
        Self { path, names: listed.is_ok().then_some(names), has_file: has_file && listed.is_ok() }
    }

    /// Of a directory that nobody looks at.
    pub(crate) fn unknown(path: &'p Path) -> Self {
        Self { path, names: None, has_file: false }
    }

    /// Whether the file itself is known to be there, and to be a regular one.
    pub(crate) fn have_the_file(&self) -> bool {
        self.has_file
    }

    /// Whether there is nobody.
    pub(crate) fn are_none(&self) -> bool {
        self.names.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether there may be one with this behind the file's name. Where that is not known, the file has to be asked for.
    pub(crate) fn may_have(&self, suffix: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.iter().any(|name| self.rest(name) == suffix.as_bytes()))
    }

    /// Those with a name that goes on with this.
    pub(crate) fn with(&self, infix: &str) -> impl Iterator<Item = PathBuf> {
        let goes_on = move |name: &&OsString| self.rest(name).starts_with(infix.as_bytes());
        self.names.iter().flatten().filter(goes_on).map(|name| directory(self.path).join(name))
    }

    /// What stands behind the file's own name.
    fn rest<'n>(&self, name: &'n OsStr) -> &'n [u8] {
        let own = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        name.as_encoded_bytes().get(own.len()..).unwrap_or_default()
    }
}

/// The files in the same directory whose names start with the file's own and then this.
pub(crate) fn beside(path: &Path, infix: &str) -> Vec<PathBuf> {
    Neighbours::of(path).with(infix).collect()
}

/// Flushes a directory, so that a new name is on the disk.
///
/// Not everybody may open one, and not every file system can flush one: nothing more can be done there, and SQLite does not
/// mind either. That the disk would not is an error.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    let Ok(directory) = std::fs::File::open(directory) else { return Ok(()) };
    match directory.sync_all() {
        Err(error) if !matches!(error.kind(), InvalidInput | Unsupported) => Err(error),
        _ => Ok(()),
    }
}

/// Windows flushes names by itself.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub(crate) fn sync_directory(_directory: &Path) -> std::io::Result<()> {
    Ok(())
}
