//! The layer that SQLite opens, deletes and looks for files through, between it and its own.
#![expect(unsafe_code, reason = "a VFS of SQLite is a table of C functions")]

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rusqlite::ffi;

use crate::file::{self, File, Info};
use crate::operation::{Call, Effect, Operation, Step};
use crate::plan;

/// SQLite has no default layer, or does not take another.
#[derive(Clone, Copy, Debug)]
pub struct Unregistered;

impl std::fmt::Display for Unregistered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SQLite does not take another VFS")
    }
}

impl std::error::Error for Unregistered {}

/// The layer below: SQLite's own.
struct Below(*mut ffi::sqlite3_vfs);

// SAFETY: the pointer is to SQLite's own VFS, a static that any thread may use and nobody changes but for its link to the
// next, under SQLite's mutex.
unsafe impl Send for Below {}
// SAFETY: as above.
unsafe impl Sync for Below {}

static BELOW: OnceLock<Option<Below>> = OnceLock::new();

/// Makes every database that this process opens from now on go through the layer. Once is enough; more often does nothing.
///
/// # Errors
///
/// [`Unregistered`] where SQLite does not take it.
pub fn install() -> Result<(), Unregistered> {
    if BELOW.get_or_init(register).is_some() { Ok(()) } else { Err(Unregistered) }
}

fn register() -> Option<Below> {
    // SAFETY: without a name SQLite returns its default VFS, a static, or NULL.
    let below = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    // SAFETY: a VFS that was found is a valid structure. Of version 3, all its fields are there.
    let own = unsafe { below.as_ref() }.filter(|below| below.iVersion >= 3)?;
    // Everything that is not replaced here goes to the layer below without a detour; its functions find in the copy what
    // they look for, such as `pAppData`.
    let layer = ffi::sqlite3_vfs {
        szOsFile: file::size(own.szOsFile),
        pNext: std::ptr::null_mut(),
        zName: c"faulty".as_ptr(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xSleep: Some(sleep),
        ..*own
    };
    // SAFETY: SQLite keeps the pointer for as long as the process lives, and so does the leaked box.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 1) };
    (code == ffi::SQLITE_OK).then_some(Below(below))
}

fn below() -> *mut ffi::sqlite3_vfs {
    BELOW.get().and_then(Option::as_ref).map_or(std::ptr::null_mut(), |below| below.0)
}

/// A path that SQLite names.
///
/// # Safety
///
/// `name` is NULL or ends with a NUL byte, and lives as long as the caller uses the path.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: the caller's promise.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(Path::new(OsStr::from_bytes(name.to_bytes())))
}

fn file_name(path: Option<&Path>) -> Arc<str> {
    path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into()
}

unsafe extern "C" fn open(
    _layer: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives memory of `szOsFile` bytes, aligned for any type. Without methods it is not closed after a failure.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: SQLite's names end with a NUL byte and live at least until the file is closed.
    let path = unsafe { path(name) };
    let is_database = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
    let is_log = flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
    let may_create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let info = Info { path: path.map(Path::to_owned), name: file_name(path), is_database };
    let call = Call {
        step: Step { operation: Operation::Open, file: info.name.clone(), is_database },
        path,
        effect: Effect::Open { may_create, name_is_flushed: is_log && may_create },
    };
    if let Some(code) = plan::before(&call) {
        return code;
    }
    let below = below();
    // SAFETY: `below` is SQLite's own VFS, and what lies behind our part of the memory has the size it asked for.
    let code = unsafe {
        let inner = file::inner(file);
        (*inner).pMethods = std::ptr::null();
        match (*below).xOpen {
            Some(open) => open(below, name, inner, flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    if code == ffi::SQLITE_OK {
        plan::after(&call);
        // SAFETY: `file` is our memory; the box is taken back when SQLite closes the file, which it does once.
        unsafe {
            (*file.cast::<File>()).info = Box::into_raw(Box::new(info));
            (*file).pMethods = &raw const file::METHODS;
        }
    }
    code
}

unsafe extern "C" fn delete(_layer: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite's names end with a NUL byte and live as long as this call.
    let path = unsafe { path(name) };
    let call = Call {
        step: Step { operation: Operation::Delete, file: file_name(path), is_database: false },
        path,
        effect: Effect::Delete { flushes_directory: sync_directory != 0 },
    };
    let below = below();
    file::guarded(&call, || {
        // SAFETY: `below` is SQLite's own VFS and `name` what SQLite gave. The directory is not flushed in truth.
        unsafe { (*below).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |delete| delete(below, name, 0)) }
    })
}

unsafe extern "C" fn access(
    _layer: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a NUL byte and live as long as this call.
    let path = unsafe { path(name) };
    let step = Step { operation: Operation::Access, file: file_name(path), is_database: false };
    let below = below();
    file::guarded(&Call { step, path, effect: Effect::None }, || {
        // SAFETY: `below` is SQLite's own VFS; the arguments are what SQLite gave.
        unsafe { (*below).xAccess.map_or(ffi::SQLITE_IOERR_ACCESS, |access| access(below, name, flags, result)) }
    })
}

/// Where operations are made to fail, SQLite waits for nobody: what it tries again for seconds is tried again at once.
unsafe extern "C" fn sleep(_layer: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    if plan::is_active() {
        return microseconds;
    }
    let below = below();
    // SAFETY: `below` is SQLite's own VFS.
    unsafe { (*below).xSleep.map_or(0, |sleep| sleep(below, microseconds)) }
}
