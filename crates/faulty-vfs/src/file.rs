//! An open file: our part in front, that of SQLite's own layer behind it, in one piece of memory.
#![expect(unsafe_code, reason = "the methods of a file are a table of C functions")]

use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ffi;

use crate::operation::{Call, Effect, Operation, Step};
use crate::plan;

/// Our part. SQLite knows the beginning.
#[repr(C)]
pub(crate) struct File {
    base: ffi::sqlite3_file,
    /// From a box that lives from opening to closing.
    pub(crate) info: *mut Info,
}

/// Which file it is.
pub(crate) struct Info {
    /// `None` for a temporary file.
    pub(crate) path: Option<PathBuf>,
    /// Its last part.
    pub(crate) name: Arc<str>,
    pub(crate) is_database: bool,
}

/// How much memory a file takes, with what the layer below needs.
pub(crate) fn size(below: c_int) -> c_int {
    c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX).saturating_add(below)
}

/// The part of the layer below.
///
/// # Safety
///
/// `file` points to memory of [`size`] bytes.
pub(crate) unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: our part is in front, and its size is a multiple of the alignment of pointers.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// Makes an operation, unless it is to fail.
pub(crate) fn guarded(call: &Call<'_>, make: impl FnOnce() -> c_int) -> c_int {
    if let Some(code) = plan::before(call) {
        return code;
    }
    let code = make();
    if code == ffi::SQLITE_OK {
        plan::after(call);
    }
    code
}

/// An operation on an open file.
///
/// # Safety
///
/// `file` was opened by this layer and is not closed yet; so it is while SQLite calls one of its methods.
unsafe fn call<'a>(file: *mut ffi::sqlite3_file, operation: Operation, effect: Effect<'a>) -> Call<'a> {
    // SAFETY: the caller's promise; the box lives until the file is closed, and the call does not outlive the method.
    let info: &'a Info = unsafe { &*(*file.cast::<File>()).info };
    let step = Step { operation, file: info.name.clone(), is_database: info.is_database };
    Call { step, path: info.path.as_deref(), effect }
}

/// The same method of the layer below, or an error where it has none.
macro_rules! pass {
    ($file:ident, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls methods of an open file only, so the one below is open too and has methods; the arguments
        // are what SQLite gave.
        unsafe {
            let inner = inner($file);
            match (*(*inner).pMethods).$method {
                Some(method) => method(inner $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

pub(crate) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = pass!(file, xClose);
    // SAFETY: the pointer is from a box made on opening; SQLite closes a file once, and without methods never again.
    unsafe {
        drop(Box::from_raw((*file.cast::<File>()).info));
        (*file).pMethods = std::ptr::null();
    }
    code
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, buffer: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Read, Effect::None) };
    match plan::before(&call) {
        Some(ffi::SQLITE_IOERR_SHORT_READ) => {
            let code = pass!(file, xRead, buffer, amount, offset);
            let length = usize::try_from(amount).unwrap_or_default();
            // SAFETY: the buffer has `amount` bytes, of which the second half is overwritten.
            unsafe { buffer.cast::<u8>().add(length / 2).write_bytes(0, length - length / 2) };
            if code == ffi::SQLITE_OK { ffi::SQLITE_IOERR_SHORT_READ } else { code }
        }
        Some(code) => code,
        None => pass!(file, xRead, buffer, amount, offset),
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: the buffer has `amount` bytes, which nobody changes while SQLite writes them.
    let data = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), usize::try_from(amount).unwrap_or_default()) };
    let effect = Effect::Write { offset: u64::try_from(offset).unwrap_or_default(), data };
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Write, effect) };
    guarded(&call, || pass!(file, xWrite, buffer, amount, offset))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    let effect = Effect::Truncate { length: u64::try_from(length).unwrap_or_default() };
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Truncate, effect) };
    guarded(&call, || pass!(file, xTruncate, length))
}

/// Nothing is flushed in truth: the power that is cut is simulated, and flushing takes time.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Sync, Effect::Sync) };
    guarded(&call, || ffi::SQLITE_OK)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::FileSize, Effect::None) };
    guarded(&call, || pass!(file, xFileSize, size))
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Lock, Effect::None) };
    guarded(&call, || pass!(file, xLock, level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::Lock, Effect::None) };
    guarded(&call, || pass!(file, xCheckReservedLock, result))
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, code: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, code, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::ShmMap, Effect::None) };
    let code = guarded(&call, || pass!(file, xShmMap, region, size, extend, mapped));
    if code != ffi::SQLITE_OK && code != ffi::SQLITE_READONLY {
        // SAFETY: SQLite gives where to store the address; a region that is not mapped has none.
        unsafe { *mapped = std::ptr::null_mut() };
    }
    code
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        return pass!(file, xShmLock, offset, count, flags);
    }
    // SAFETY: a method of an open file.
    let call = unsafe { call(file, Operation::ShmLock, Effect::None) };
    guarded(&call, || pass!(file, xShmLock, offset, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: the file is open, so the one below is open too and has methods.
    unsafe {
        let inner = inner(file);
        if let Some(barrier) = (*(*inner).pMethods).xShmBarrier {
            barrier(inner);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

/// Maps nothing, so that SQLite reads.
unsafe extern "C" fn fetch(
    _file: *mut ffi::sqlite3_file,
    _offset: i64,
    _amount: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite gives where to store the address.
    unsafe { *mapped = std::ptr::null_mut() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn unfetch(_file: *mut ffi::sqlite3_file, _offset: i64, _address: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}
