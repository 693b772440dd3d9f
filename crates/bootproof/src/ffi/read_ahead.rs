//! Reading a database file in larger pieces than pages, where it is read from one end to the other.
//!
//! SQLite asks the system for one page at a time, and with pages of 4 KiB asking takes longer than copying what the system has in
//! memory. Mapping the file into memory costs as little, but then a disk that does not read kills the process
//! (<https://sqlite.org/mmap.html>). So the open file gets other methods, which read a piece at once where the next page is asked
//! for, and hand it out page by page; everything else goes to SQLite's own methods as it is.
//!
//! What is handed out is what a read would have found. Of the pages that SQLite reads while it holds a lock nobody else changes
//! one: with a rollback journal nobody writes then, and in WAL mode a checkpoint writes only what a reader takes from the log.
//! With every change of a lock a piece is forgotten, and so it is when this connection writes into it.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use rusqlite::{Connection, ffi};

use super::{LAYERS, file_pointer};

/// What is read at once.
const PIECE: usize = 64 * 1024;
/// How far behind the page before the next may begin: pages of indexes lie between those of a table, and reading four of them for
/// one costs no more than asking.
const GAP: i64 = 16 * 1024;
/// So many pages have to follow each other before more is read than was asked for: a look at one row begins with the first two of the
/// file.
const SURE: u32 = 3;
/// No page is smaller; whatever is asked for less wants to know it as it is now.
const SMALLEST_PAGE: usize = 512;

/// The methods of an open file, which come first for SQLite to find them, and what was read ahead.
#[repr(C)]
struct Reader {
    methods: ffi::sqlite3_io_methods,
    own: *const ffi::sqlite3_io_methods,
    piece: Vec<u8>,
    /// Where the piece begins, and how much of it there is.
    begin: i64,
    length: usize,
    /// Where the page ended that was read last, and how many have followed each other.
    next: i64,
    followed: u32,
}

/// Reads a connection's file ahead, until the connection is closed.
pub(crate) fn install(connection: &Connection) {
    let Some(file) = file_pointer(connection, ffi::SQLITE_FCNTL_FILE_POINTER) else { return };
    if !is_known(connection) {
        return;
    }
    // SAFETY: the file lives as long as the connection, whose thread this is. A file that has methods is open; they are a
    // structure that lives as long as it is. Ours live until it is closed, where `close` takes them back.
    unsafe {
        let own = (*file).pMethods;
        if own.is_null() {
            return;
        }
        let mut methods = *own;
        methods.xClose = Some(close);
        methods.xRead = Some(read);
        methods.xWrite = Some(write);
        methods.xTruncate = Some(truncate);
        methods.xLock = Some(lock);
        methods.xUnlock = Some(unlock);
        methods.xShmLock = methods.xShmLock.map(|_| shm_lock as _);
        let reader = Reader { methods, own, piece: Vec::new(), begin: 0, length: 0, next: 0, followed: 0 };
        (*file).pMethods = Box::into_raw(Box::new(reader)).cast();
    }
}

/// Whether a connection reads and writes its file through one of the layers that are known here.
pub(crate) fn is_known(connection: &Connection) -> bool {
    let mut layer: *mut ffi::sqlite3_vfs = ptr::null_mut();
    // SAFETY: the handle is valid while `connection` is borrowed; what is stored is a pointer to the layer, which lives as long
    // as the process, and so does its name.
    unsafe {
        let code = ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_VFS_POINTER,
            (&raw mut layer).cast(),
        );
        if code != ffi::SQLITE_OK || layer.is_null() {
            return false;
        }
        let name = CStr::from_ptr((*layer).zName);
        LAYERS.into_iter().any(|(below, over)| name == below || name == over)
    }
}

impl Reader {
    fn forget(&mut self) {
        self.length = 0;
    }

    /// What there is of the file from here on.
    fn held(&self, offset: i64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.begin)?).ok()?;
        self.piece.get(..self.length)?.get(from..from.checked_add(length)?)
    }

    /// Takes note of the page that is asked for.
    fn follow(&mut self, offset: i64, length: usize) {
        let is_next = (self.next..=self.next.saturating_add(GAP)).contains(&offset);
        self.followed = if is_next { self.followed.saturating_add(1) } else { 0 };
        self.next = offset.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// Reads what comes from here on; false where it is not to be had.
    ///
    /// # Safety
    ///
    /// `file` is open, and this is its reader.
    unsafe fn fill(&mut self, file: *mut ffi::sqlite3_file, offset: i64) -> bool {
        self.forget();
        if self.piece.is_empty() {
            if self.piece.try_reserve_exact(PIECE).is_err() {
                return false;
            }
            self.piece.resize(PIECE, 0);
        }
        // SAFETY: the methods of an open file, and a buffer of as many bytes as are asked for at most.
        unsafe {
            let (Some(size_of), Some(read)) = ((*self.own).xFileSize, (*self.own).xRead) else { return false };
            let mut size = 0;
            if size_of(file, &raw mut size) != ffi::SQLITE_OK {
                return false;
            }
            let left = usize::try_from(size.saturating_sub(offset)).unwrap_or_default();
            let length = left.min(self.piece.len());
            let Ok(amount) = c_int::try_from(length) else { return false };
            if amount == 0 {
                return false;
            }
            if read(file, self.piece.as_mut_ptr().cast(), amount, offset) != ffi::SQLITE_OK {
                // Of the pages before the one that cannot be read each would fail like this.
                self.followed = 0;
                // The system's error stays in the file as its last one (`ffi::read_error`), and nobody has asked for that page. Reading
                // behind the end, which is none, takes it off (`unixRead` in `os_unix.c`).
                read(file, self.piece.as_mut_ptr().cast(), 1, size);
                return false;
            }
            (self.begin, self.length) = (offset, length);
        }
        true
    }
}

/// The reader of a file.
///
/// # Safety
///
/// The file has the methods that [`install`] gave it: SQLite calls one of them. No two of them are at work at a time, and what is
/// borrowed is given back before it goes on.
unsafe fn reader<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Reader {
    // SAFETY: the caller's promise; the methods are the first field of a reader.
    unsafe { &mut *(*file).pMethods.cast_mut().cast::<Reader>() }
}

/// Calls SQLite's own method.
macro_rules! pass {
    ($file:ident, $own:expr, $method:ident $(, $argument:expr)*) => {
        // SAFETY: SQLite calls methods of an open file only; the arguments are what SQLite gave.
        unsafe {
            match (*$own).$method {
                Some(method) => method($file $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    };
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, buffer: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    let length = usize::try_from(amount).unwrap_or_default();
    let is_page = (SMALLEST_PAGE..PIECE).contains(&length);
    if is_page {
        reader.follow(offset, length);
        if reader.held(offset, length).is_none() && reader.followed >= SURE {
            // SAFETY: as above. Where it fails the page is asked for alone, and what is wrong is told of that page.
            unsafe { reader.fill(file, offset) };
        }
        if let Some(held) = reader.held(offset, length) {
            // SAFETY: the buffer is SQLite's, and has as many bytes as were asked for.
            unsafe { ptr::copy_nonoverlapping(held.as_ptr(), buffer.cast(), held.len()) };
            return ffi::SQLITE_OK;
        }
    }
    pass!(file, reader.own, xRead, buffer, amount, offset)
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    let end = reader.begin.saturating_add(i64::try_from(reader.length).unwrap_or(i64::MAX));
    if offset < end && reader.begin < offset.saturating_add(amount.into()) {
        reader.forget();
    }
    pass!(file, reader.own, xWrite, buffer, amount, offset)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    reader.forget();
    pass!(file, reader.own, xTruncate, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    reader.forget();
    pass!(file, reader.own, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    reader.forget();
    pass!(file, reader.own, xUnlock, level)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, number: c_int, flags: c_int) -> c_int {
    // SAFETY: a method of ours.
    let reader = unsafe { reader(file) };
    reader.forget();
    pass!(file, reader.own, xShmLock, offset, number, flags)
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: a method of ours, and the last one: the file has its own methods again, and `install` made the box.
    let reader = unsafe {
        let reader = Box::from_raw((*file).pMethods.cast_mut().cast::<Reader>());
        (*file).pMethods = reader.own;
        reader
    };
    pass!(file, reader.own, xClose)
}

#[cfg(test)]
mod tests;
