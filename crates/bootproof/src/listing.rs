//! The names in a directory.
//!
//! The standard library panics where closing a directory fails, as it may on a network file system; whoever boots a database
//! would rather not know.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// The names of what is in a directory, in no order.
#[cfg(unix)]
pub fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt as _;

    use rustix::fs::{Dir, Mode, OFlags, open};

    let opened = open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::new(opened)? {
        match entry?.file_name().to_bytes() {
            b"." | b".." => {}
            name => names.push(OsString::from_vec(name.to_vec())),
        }
    }
    Ok(names)
}

#[cfg(not(unix))]
pub fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}
