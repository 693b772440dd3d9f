//! Temporary files for sorting that cost few calls to the system.
//!
//! What an index is built of goes through up to three temporary files, and SQLite writes and reads them page by page. With pages of
//! 4 KiB the calls take longer than what they carry. So a connection gets a layer over SQLite's own (<https://sqlite.org/vfs.html>)
//! that is another only for these files: their beginning is in memory, which is all there is of those that merging fills and
//! empties again and again, and what comes behind is written in larger pieces.
//!
//! Nothing else is SQLite's own file of such a kind, and nobody else sees it. What cannot be written is told later than it was, with
//! a later write or with the first read, but before anything is missing. Nobody asks for what is left when the file is closed:
//! it is deleted then.

mod content;

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use rusqlite::ffi;

use super::LAYERS;
use content::{Below, Content};

/// The layer, which comes first for SQLite to find it, and the one under it.
#[repr(C)]
struct Layer {
    vfs: ffi::sqlite3_vfs,
    below: *mut ffi::sqlite3_vfs,
}

/// An open temporary file. SQLite knows the beginning; behind it lies the file of the layer below.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// From a box that lives from opening to closing. One thread writes and another reads: never at once, says SQLite's code, and
    /// here it need not be believed.
    content: *mut Mutex<Content>,
}

/// The name of the layer over the one that connections get now; `None` where that is none of which it is known what it does.
///
/// Once made it is there for good, as connections may outlive whoever opened them. It is never the default.
pub(crate) fn layer() -> Option<&'static CStr> {
    /// The layers below that have one.
    static MADE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    // SAFETY: without a name this is the layer that connections get; it was registered as a valid structure, whose name ends with
    // a NUL byte.
    let (below, own, is_called) = unsafe {
        let below = ffi::sqlite3_vfs_find(ptr::null());
        let own = below.as_ref()?;
        (below, own, CStr::from_ptr(own.zName))
    };
    let (_, name) = LAYERS.into_iter().find(|(known, _)| *known == is_called)?;
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.contains(&below.addr()) {
        return Some(name);
    }
    // SAFETY: the name ends with a NUL byte.
    if unsafe { !ffi::sqlite3_vfs_find(name.as_ptr()).is_null() } {
        return None;
    }
    let ours = c_int::try_from(size_of::<File>()).ok()?;
    // Everything else goes to the layer below without a detour; its functions find in the copy what they look for, such as
    // `pAppData`.
    let vfs = ffi::sqlite3_vfs {
        szOsFile: own.szOsFile.checked_add(ours)?,
        pNext: ptr::null_mut(),
        zName: name.as_ptr(),
        xOpen: Some(open),
        ..*own
    };
    // SAFETY: SQLite keeps the pointer for as long as the process lives, and so does the leaked box.
    let code = unsafe { ffi::sqlite3_vfs_register(ptr::from_mut(Box::leak(Box::new(Layer { vfs, below }))).cast(), 0) };
    if code != ffi::SQLITE_OK {
        return None;
    }
    made.push(below.addr());
    Some(name)
}

unsafe extern "C" fn open(
    layer: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    const TEMPORARY: c_int = ffi::SQLITE_OPEN_TEMP_JOURNAL | ffi::SQLITE_OPEN_DELETEONCLOSE;
    let is_ours = flags & TEMPORARY == TEMPORARY;
    // SAFETY: SQLite calls this for a layer that `layer` made, and gives memory of `szOsFile` bytes, aligned for any type: enough
    // for our part and the one below. A file without methods is not closed after a failure.
    unsafe {
        let below = (*layer.cast::<Layer>()).below;
        let Some(open) = (*below).xOpen else { return ffi::SQLITE_CANTOPEN };
        if !is_ours {
            return open(below, name, file, flags, out_flags);
        }
        (*file).pMethods = ptr::null();
        let inner = inner(file);
        (*inner).pMethods = ptr::null();
        let code = open(below, name, inner, flags, out_flags);
        if code == ffi::SQLITE_OK {
            (*file.cast::<File>()).content = Box::into_raw(Box::new(Mutex::new(Content::new())));
            (*file).pMethods = &raw const METHODS;
        } else if let Some(close) = (*inner).pMethods.as_ref().and_then(|methods| methods.xClose) {
            close(inner);
        }
        code
    }
}

/// The part of the layer below.
///
/// # Safety
///
/// `file` points to memory for one of our files.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: our part is in front, and its size is a multiple of the alignment of pointers.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// The open file of the layer below.
struct Inner(*mut ffi::sqlite3_file);

/// Calls the method of the layer below; without one it is an error.
macro_rules! pass {
    ($inner:expr, $method:ident $(, $argument:expr)*) => {{
        let inner = $inner;
        // SAFETY: SQLite calls methods of an open file only, so the one below is open too and has methods; the arguments are what
        // SQLite gave, or a live buffer with its length.
        unsafe {
            match (*(*inner).pMethods).$method {
                Some(method) => method(inner $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

impl Below for Inner {
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), c_int> {
        let (amount, offset) = arguments(buffer.len(), offset)?;
        match pass!(self.0, xRead, buffer.as_mut_ptr().cast(), amount, offset) {
            // SQLite's layer takes some errors of the system for damage, with which the statement would end
            // (`ffi::read_error`). The database it is not that could not be read.
            ffi::SQLITE_IOERR_CORRUPTFS => Err(ffi::SQLITE_IOERR_READ),
            code => told(code),
        }
    }

    fn write(&self, data: &[u8], offset: u64) -> Result<(), c_int> {
        let (amount, offset) = arguments(data.len(), offset)?;
        told(pass!(self.0, xWrite, data.as_ptr().cast(), amount, offset))
    }

    fn truncate(&self, length: u64) -> Result<(), c_int> {
        let (_, length) = arguments(0, length)?;
        told(pass!(self.0, xTruncate, length))
    }
}

fn arguments(amount: usize, offset: u64) -> Result<(c_int, i64), c_int> {
    let amount = c_int::try_from(amount).map_err(|_| ffi::SQLITE_IOERR)?;
    Ok((amount, i64::try_from(offset).map_err(|_| ffi::SQLITE_IOERR)?))
}

fn told(code: c_int) -> Result<(), c_int> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(code) }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // The first version knows neither memory that is shared or mapped.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Does something with the content of a file, one thread at a time.
///
/// # Safety
///
/// SQLite calls one of [`METHODS`] for the file.
unsafe fn with_content(
    file: *mut ffi::sqlite3_file,
    run: impl FnOnce(&mut Content, &Inner) -> Result<(), c_int>,
) -> c_int {
    // SAFETY: the caller's promise; the box lives until the file is closed.
    let (content, inner) = unsafe { (&*(*file.cast::<File>()).content, Inner(inner(file))) };
    let mut content = content.lock().unwrap_or_else(PoisonError::into_inner);
    run(&mut content, &inner).err().unwrap_or(ffi::SQLITE_OK)
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: a method of ours, and the last one: SQLite closes a file once, and without methods never again. `open` made the box.
    let inner = unsafe {
        drop(Box::from_raw((*file.cast::<File>()).content));
        (*file).pMethods = ptr::null();
        inner(file)
    };
    pass!(inner, xClose)
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, buffer: *mut c_void, amount: c_int, offset: i64) -> c_int {
    let (Ok(length), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: a method of ours; the buffer is SQLite's, and has as many bytes as are asked for, which may be anything.
    unsafe {
        buffer.cast::<u8>().write_bytes(0, length);
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length);
        with_content(file, |content, below| content.read(below, buffer, offset))
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    let (Ok(length), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: a method of ours; the buffer has as many bytes, which nobody changes while SQLite writes them.
    unsafe {
        let data = std::slice::from_raw_parts(buffer.cast::<u8>(), length);
        with_content(file, |content, below| content.write(below, data, offset))
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    let Ok(length) = u64::try_from(length) else { return ffi::SQLITE_IOERR_TRUNCATE };
    // SAFETY: a method of ours.
    unsafe { with_content(file, |content, below| content.truncate(below, length)) }
}

/// What is deleted on closing no power cut leaves behind: there is nothing to flush to the disk.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: a method of ours.
    unsafe { with_content(file, Content::flush) }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: a method of ours; SQLite gives where to store the size.
    unsafe {
        with_content(file, |content, _| {
            *size = i64::try_from(content.length()).map_err(|_| ffi::SQLITE_IOERR_FSTAT)?;
            Ok(())
        })
    }
}

/// Nobody else has the file.
unsafe extern "C" fn lock(_file: *mut ffi::sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: SQLite gives where to store the answer.
    unsafe { *result = 0 };
    ffi::SQLITE_OK
}

/// None is known: those that SQLite has for temporary files say how to lay the file out, or how much of it to map.
unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _code: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: a method of ours.
    let inner = unsafe { inner(file) };
    pass!(inner, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: a method of ours.
    let inner = unsafe { inner(file) };
    pass!(inner, xDeviceCharacteristics)
}

#[cfg(test)]
mod tests;
