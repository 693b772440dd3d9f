//! The header of a file that has no connection yet.

use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr::null_mut;

use rusqlite::ffi;

use super::HEADER;

/// The header of a database, and the length of its file in bytes, where that file is all there is of it: without a journal, and
/// without a log that may hold newer pages. `None` where anything is otherwise, or cannot be told.
///
/// It is read through SQLite's own layer over the system (<https://sqlite.org/vfs.html>), which knows the locks that this process
/// has on the file, and under the lock of a reader, so that it is of one state. What a connection is besides, its page cache, its
/// parser, all the functions and modules of SQL, nobody needs for a hundred bytes.
///
/// While there is a reader's lock nobody commits by way of a journal, and nobody removes a log. Where there is none afterwards, or an
/// empty one, whose pages have all come into the file, nothing newer was in a log while the header was read. The path has to be
/// that of a regular file.
pub(crate) fn of_lone_file(path: &Path) -> Option<LoneFile> {
    let file = OpenFile::open(path)?;
    let lock = file.lock()?;
    let (header, length) = (file.header()?, file.length()?);
    let is_alone = !file.may_have(&file.journal) && !file.may_have(&file.log) && !file.has_moved();
    drop(lock);
    is_alone.then(|| LoneFile { header, length, takes_neighbours: file.takes_neighbours(path) })
}

/// What there is to know of it without a connection.
pub(crate) struct LoneFile {
    pub(crate) header: [u8; HEADER],
    pub(crate) length: u64,
    /// Whether files can be made in its directory: in WAL mode whoever as much as reads makes a log and its index.
    pub(crate) takes_neighbours: bool,
}

/// A file that SQLite's layer has open for us.
struct OpenFile {
    vfs: *mut ffi::sqlite3_vfs,
    /// Memory of SQLite's, as much as the layer asks for.
    file: *mut ffi::sqlite3_file,
    /// Memory of SQLite's, which the layer uses as long as the file is open.
    name: ffi::sqlite3_filename,
    journal: CString,
    log: CString,
}

/// The lock of a reader.
struct Lock<'f>(&'f OpenFile);

impl OpenFile {
    fn open(path: &Path) -> Option<Self> {
        // SAFETY: without a name this is the layer that connections get, which is there for good.
        let vfs = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        let full = full_name(vfs, path)?;
        let beside = |suffix: &CStr| CString::new([full.to_bytes(), suffix.to_bytes()].concat()).ok();
        let (journal, log) = (beside(c"-journal")?, beside(c"-wal")?);
        // SAFETY: the layer was found; the names end with NUL bytes, and are copied. What is asked for is zeroed, as SQLite itself
        // does it: a file that is not open has no methods.
        let opened = unsafe {
            let bytes = usize::try_from((*vfs).szOsFile).ok()?;
            let file: *mut ffi::sqlite3_file = ffi::sqlite3_malloc((*vfs).szOsFile).cast();
            let name = ffi::sqlite3_create_filename(full.as_ptr(), journal.as_ptr(), log.as_ptr(), 0, null_mut());
            if !file.is_null() {
                file.cast::<u8>().write_bytes(0, bytes);
            }
            Self { vfs, file, name, journal, log }
        };
        if opened.file.is_null() || opened.name.is_null() {
            return None;
        }
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_MAIN_DB;
        // SAFETY: the file has the memory that the layer wants, and the name is of SQLite's form; both outlive the open file.
        let code = unsafe { (*vfs).xOpen?(vfs, opened.name, opened.file, flags, null_mut()) };
        (code == ffi::SQLITE_OK && opened.methods().is_some()).then_some(opened)
    }

    /// `None` while the file is not open.
    fn methods(&self) -> Option<&ffi::sqlite3_io_methods> {
        // SAFETY: the memory is there as long as this is; the methods of an open file are there as long as it is open.
        unsafe { self.file.as_ref()?.pMethods.as_ref() }
    }

    fn lock(&self) -> Option<Lock<'_>> {
        // SAFETY: a file that has methods is open.
        let code = unsafe { self.methods()?.xLock?(self.file, ffi::SQLITE_LOCK_SHARED) };
        (code == ffi::SQLITE_OK).then_some(Lock(self))
    }

    fn header(&self) -> Option<[u8; HEADER]> {
        let mut header = [0_u8; HEADER];
        let length = c_int::try_from(header.len()).ok()?;
        // SAFETY: a file that has methods is open, and the buffer has as many bytes as are wanted.
        let code = unsafe { self.methods()?.xRead?(self.file, header.as_mut_ptr().cast(), length, 0) };
        (code == ffi::SQLITE_OK).then_some(header)
    }

    fn length(&self) -> Option<u64> {
        let mut length = 0;
        // SAFETY: a file that has methods is open, and what is stored is an integer, in a live one.
        let code = unsafe { self.methods()?.xFileSize?(self.file, &raw mut length) };
        (code == ffi::SQLITE_OK).then(|| u64::try_from(length).ok())?
    }

    /// Whether something has this name, or may have: SQLite takes an empty file for none, and so does its layer.
    fn may_have(&self, name: &CStr) -> bool {
        let mut exists: c_int = 1;
        // SAFETY: the layer was found, and what is stored is an integer, in a live one.
        let code = unsafe {
            let Some(access) = (*self.vfs).xAccess else { return true };
            access(self.vfs, name.as_ptr(), ffi::SQLITE_ACCESS_EXISTS, &raw mut exists)
        };
        code != ffi::SQLITE_OK || exists != 0
    }

    fn takes_neighbours(&self, path: &Path) -> bool {
        let Some(directory) = path.parent().and_then(c_name) else { return false };
        let mut may: c_int = 0;
        // SAFETY: as above.
        let code = unsafe {
            let Some(access) = (*self.vfs).xAccess else { return false };
            access(self.vfs, directory.as_ptr(), ffi::SQLITE_ACCESS_READWRITE, &raw mut may)
        };
        code == ffi::SQLITE_OK && may != 0
    }

    /// As [`has_moved`](super::has_moved).
    fn has_moved(&self) -> bool {
        let mut moved: c_int = 0;
        // SAFETY: a file that has methods is open, and what is stored is an integer, in a live one.
        let code = unsafe {
            let Some(control) = self.methods().and_then(|methods| methods.xFileControl) else { return true };
            control(self.file, ffi::SQLITE_FCNTL_HAS_MOVED, (&raw mut moved).cast())
        };
        code == ffi::SQLITE_OK && moved != 0
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // SAFETY: a file that has methods is open. Where that fails, closing the file ends the lock.
        unsafe {
            if let Some(unlock) = self.0.methods().and_then(|methods| methods.xUnlock) {
                unlock(self.0.file, ffi::SQLITE_LOCK_NONE);
            }
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // SAFETY: a file that has methods is to be closed, also where opening it failed halfway; nobody uses the memory afterwards.
        unsafe {
            if let Some(close) = self.methods().and_then(|methods| methods.xClose) {
                close(self.file);
            }
            ffi::sqlite3_free(self.file.cast());
            ffi::sqlite3_free_filename(self.name);
        }
    }
}

/// The path as the layer wants it to be opened; `None` where it is a link, or too long or no path at all for SQLite.
///
/// It is absolute and without links already, which is all that SQLite's own layer for Unix would see to, with a call to the system
/// for every directory on the way. Any other may make another name of it.
fn full_name(vfs: *mut ffi::sqlite3_vfs, path: &Path) -> Option<CString> {
    let path = c_name(path)?;
    // SAFETY: the layer, if one was found, is there for good, and its name ends with a NUL byte. It writes at most as many bytes as
    // it is told, the last of them NUL.
    unsafe {
        let vfs = vfs.as_mut()?;
        let longest = usize::try_from(vfs.mxPathname).ok()?;
        if cfg!(unix) && CStr::from_ptr(vfs.zName) == c"unix" {
            return (path.count_bytes() <= longest).then_some(path);
        }
        let room = vfs.mxPathname.checked_add(1)?;
        let mut full = vec![0_u8; longest.checked_add(1)?];
        let code = vfs.xFullPathname?(vfs, path.as_ptr(), room, full.as_mut_ptr().cast());
        let full = CStr::from_bytes_until_nul(&full).ok()?;
        (code == ffi::SQLITE_OK).then(|| full.to_owned())
    }
}

#[cfg(unix)]
fn c_name(path: &Path) -> Option<CString> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(path.as_os_str().as_bytes()).ok()
}

/// SQLite's names are UTF-8 here.
#[cfg(not(unix))]
fn c_name(path: &Path) -> Option<CString> {
    CString::new(path.to_str()?).ok()
}
