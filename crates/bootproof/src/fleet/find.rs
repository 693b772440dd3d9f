//! The databases of a directory: what is like the pattern, but for what belongs to another file.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::pattern::{Pattern, is_like};
use crate::backup::digest;
use crate::error::{Error, storage};
use crate::files;
use crate::listing;

/// What boots, restores and SQLite put behind the name of a database: it is none itself.
const BEHIND: [&str; 6] = [".backup-", ".new-", crate::restore::MARK, ".restore-new", ".replaced-", ".remade"];
/// What SQLite keeps beside a database, and a digest beside a copy, at the end of its name.
const SIDECARS: [&str; 4] = ["-wal", "-shm", "-journal", digest::ENDING];

/// A file of the directory that is like the pattern and is no database of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedFile {
    /// Its path relative to the directory.
    pub name: String,
    /// What it is instead.
    pub reason: &'static str,
}

/// The databases, and what was passed over.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Their paths relative to the directory, in the order of their bytes.
    pub(super) databases: Vec<PathBuf>,
    pub(super) skipped: Vec<SkippedFile>,
}

/// Looks for the databases. The same directory is always told in the same order.
pub(super) fn find(directory: &Path, pattern: &Pattern) -> Result<Found, Error> {
    let mut found = Found::default();
    look(directory, Path::new(""), pattern, &mut found).map_err(|error| storage("read", directory, &error))?;
    found.databases.sort();
    found.databases.dedup();
    // Two boots of one file under two names would wait for each other, or, where the names have a log each, not even that. The
    // name that is no link comes first.
    let whole = files::resolve(directory);
    let mut named: Vec<_> = std::mem::take(&mut found.databases)
        .into_iter()
        .map(|name| {
            let file = files::resolve(&directory.join(&name));
            (file != whole.join(&name), name, file)
        })
        .collect();
    named.sort_by(|first, second| (first.0, first.1.as_os_str()).cmp(&(second.0, second.1.as_os_str())));
    let (mut known, mut identities) = (BTreeSet::new(), BTreeSet::new());
    for (_, name, file) in named {
        let mut is_second_name =
            || files::identity(&directory.join(&name)).is_some_and(|file| !identities.insert(file));
        if file.file_name().is_some_and(|name| is_companion(&name.to_string_lossy())) {
            found.skip(&name, "belongs to another file");
        } else if !known.insert(file) || is_second_name() {
            found.skip(&name, "a link to another of these databases");
        } else {
            found.databases.push(name);
        }
    }
    found.databases.sort_by(|first, second| first.as_os_str().cmp(second.as_os_str()));
    found.skipped.sort_by(|first, second| first.name.cmp(&second.name));
    Ok(found)
}

fn look(directory: &Path, within: &Path, pattern: &Pattern, found: &mut Found) -> io::Result<()> {
    let Some((first, rest)) = pattern.split() else { return Ok(()) };
    let here = directory.join(within);
    for name in listing::names(&here)? {
        let shown = name.to_string_lossy();
        let path = within.join(&name);
        let there = std::fs::metadata(here.join(&name));
        match &rest {
            Some(rest) if is_like(&shown, first) && there.as_ref().is_ok_and(std::fs::Metadata::is_dir) => {
                match look(directory, &path, rest, found) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        // For the boot of what would be in there to tell.
                        found.databases.push(path.join(rest.as_path()));
                    }
                    // One that has gone meanwhile has nothing in it.
                    _ => {}
                }
            }
            Some(_) => {}
            None => {
                // A restore was interrupted between two files: the database may be away, and is one all the same.
                if let Some(database) = marked(&name).filter(|database| is_like(&database.to_string_lossy(), first)) {
                    found.databases.push(within.join(database));
                }
                if !is_like(&shown, first) {
                    continue;
                }
                match there {
                    _ if is_companion(&shown) => found.skip(&path, "belongs to another file"),
                    Ok(there) if !there.is_file() => found.skip(&path, "not a file"),
                    // What cannot even be looked at is for its boot to tell.
                    _ => found.databases.push(path),
                }
            }
        }
    }
    Ok(())
}

/// The database that a mark of a restore is of, by all bytes of its name, which need not be text.
fn marked(name: &OsStr) -> Option<&OsStr> {
    let name = Path::new(name);
    let is_mark =
        name.extension().is_some_and(|extension| crate::restore::MARK.strip_prefix('.') == extension.to_str());
    name.file_stem().filter(|_| is_mark)
}

impl Found {
    fn skip(&mut self, path: &Path, reason: &'static str) {
        self.skipped.push(SkippedFile { name: path.display().to_string(), reason });
    }
}

fn is_companion(name: &str) -> bool {
    BEHIND.iter().any(|infix| name.find(infix).is_some_and(|place| place > 0))
        || SIDECARS.iter().any(|ending| name.ends_with(ending))
}
