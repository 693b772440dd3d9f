//! A directory for each input, in memory where the system has such a place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    directory.expect("a directory for the input")
}

/// Every file in a directory, with its bytes.
pub(crate) fn files(directory: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("the directory") {
        let entry = entry.expect("its entry");
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path).into_iter().map(|(name, bytes)| {
                let mut inner = entry.file_name();
                inner.push("/");
                inner.push(name);
                (inner, bytes)
            }));
        } else {
            files.insert(entry.file_name(), fs::read(&path).unwrap_or_default());
        }
    }
    files
}

/// The names beside the program, where SQL that names a file without a path would make it.
pub(crate) fn names_here() -> Vec<OsString> {
    let entries = fs::read_dir(".").expect("the current directory");
    let mut names: Vec<OsString> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort();
    names
}

/// A name of any bytes, as far as the system has such names.
#[cfg(unix)]
pub(crate) fn name(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
pub(crate) fn name(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
