//! The names in a directory.
//!
//! The standard library panics where closing a directory fails, as it may on a network file system; whoever boots a database
//! would rather not know.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

/// The names of what is in a directory, in no order.
pub fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    visit(directory, |name, _| names.push(name.to_owned()))?;
    Ok(names)
}

/// Tells the name of everything in a directory, in no order, and whether it is a regular file as far as the directory itself
/// tells.
#[cfg(target_os = "linux")]
pub(crate) fn visit(directory: &Path, mut tell: impl FnMut(&OsStr, bool)) -> io::Result<()> {
    use std::mem::MaybeUninit;

    use rustix::fs::{FileType, RawDir};

    // Many names at a time, and any single one.
    let mut room = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(open(directory)?, &mut room);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        tell_named(entry.file_name(), entry.file_type() == FileType::RegularFile, &mut tell);
    }
    Ok(())
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn visit(directory: &Path, mut tell: impl FnMut(&OsStr, bool)) -> io::Result<()> {
    for entry in rustix::fs::Dir::new(open(directory)?)? {
        let entry = entry?;
        tell_named(entry.file_name(), entry.file_type() == rustix::fs::FileType::RegularFile, &mut tell);
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn visit(directory: &Path, mut tell: impl FnMut(&OsStr, bool)) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        tell(&entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_file()));
    }
    Ok(())
}

#[cfg(unix)]
fn open(directory: &Path) -> io::Result<std::os::fd::OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The directory itself and the one above it are not in it.
#[cfg(unix)]
fn tell_named(name: &std::ffi::CStr, is_file: bool, tell: &mut impl FnMut(&OsStr, bool)) {
    use std::os::unix::ffi::OsStrExt as _;
    match name.to_bytes() {
        b"." | b".." => {}
        name => tell(OsStr::from_bytes(name), is_file),
    }
}
