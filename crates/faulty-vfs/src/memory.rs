//! Memory that SQLite asks for and does not get.
//!
//! [`install`] puts a layer between SQLite and its allocator (<https://sqlite.org/malloc.html>), which has to be done before
//! anything else is done with SQLite. From then on [`count`] and [`with_shortage`] concern the thread that called them
//! alone; [`limit`] is SQLite's own, and concerns the process.
#![expect(unsafe_code, reason = "an allocator of SQLite is a table of C functions")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use rusqlite::ffi;

thread_local! {
    // Without a destructor: memory is asked for also while a thread ends.
    static PLAN: Cell<Option<Shortage>> = const { Cell::new(None) };
    static COUNTED: Cell<u64> = const { Cell::new(0) };
}

/// Which request for memory is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Its number, from 1.
    pub nth: u64,
    /// Whether every later one is denied too.
    pub lasting: bool,
}

/// SQLite was used before, and does not take another allocator any more.
#[derive(Clone, Copy, Debug)]
pub struct TooLate;

impl std::fmt::Display for TooLate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SQLite has its memory already")
    }
}

impl std::error::Error for TooLate {}

type Malloc = unsafe extern "C" fn(c_int) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void;

/// What the allocator below answers with.
struct Below {
    malloc: Malloc,
    realloc: Realloc,
}

static BELOW: OnceLock<Option<Below>> = OnceLock::new();

/// Has SQLite ask this layer for memory. Once is enough; more often does nothing.
///
/// # Errors
///
/// [`TooLate`] where SQLite was used before.
pub fn install() -> Result<(), TooLate> {
    if BELOW.get_or_init(register).is_some() { Ok(()) } else { Err(TooLate) }
}

fn register() -> Option<Below> {
    let mut methods = ffi::sqlite3_mem_methods {
        xMalloc: None,
        xFree: None,
        xRealloc: None,
        xSize: None,
        xRoundup: None,
        xInit: None,
        xShutdown: None,
        pAppData: std::ptr::null_mut(),
    };
    // SAFETY: with this option SQLite fills in the structure that the one argument points to.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods) };
    let below = Below { malloc: methods.xMalloc?, realloc: methods.xRealloc? };
    methods.xMalloc = Some(malloc);
    methods.xRealloc = Some(realloc);
    if code != ffi::SQLITE_OK {
        return None;
    }
    // SAFETY: with this option SQLite copies the structure that the one argument points to. Its functions live as long as
    // the process, and nothing is asked of them before this function has returned: SQLite is not in use yet, or refuses.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) };
    (code == ffi::SQLITE_OK).then_some(below)
}

/// Runs something and tells how often it asked for memory.
pub fn count<T>(run: impl FnOnce() -> T) -> (T, u64) {
    COUNTED.set(0);
    let result = run();
    (result, COUNTED.get())
}

/// Runs something short of memory, and tells whether it asked often enough to meet that.
pub fn with_shortage<T>(shortage: Shortage, run: impl FnOnce() -> T) -> (T, bool) {
    PLAN.set(Some(shortage));
    let _end = End;
    let (result, counted) = count(run);
    (result, counted >= shortage.nth)
}

/// Ends the shortage, also when what was run has panicked.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        PLAN.set(None);
    }
}

/// Limits what SQLite may have in all, in this process (<https://sqlite.org/c3ref/hard_heap_limit64.html>); 0 takes the
/// limit away.
pub fn limit(bytes: u64) {
    // SAFETY: any number is allowed; negative ones only ask.
    unsafe { ffi::sqlite3_hard_heap_limit64(i64::try_from(bytes).unwrap_or(i64::MAX)) };
}

/// What SQLite has now, in this process.
#[must_use]
pub fn used_bytes() -> u64 {
    // SAFETY: no argument, and no condition.
    u64::try_from(unsafe { ffi::sqlite3_memory_used() }).unwrap_or_default()
}

/// The most that SQLite had since it was last asked.
#[must_use]
pub fn most_bytes() -> u64 {
    // SAFETY: no condition; the argument has the mark start anew.
    u64::try_from(unsafe { ffi::sqlite3_memory_highwater(1) }).unwrap_or_default()
}

fn is_denied() -> bool {
    let counted = COUNTED.get() + 1;
    COUNTED.set(counted);
    PLAN.get().is_some_and(|shortage| counted == shortage.nth || (shortage.lasting && counted > shortage.nth))
}

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    match BELOW.get() {
        // SAFETY: the allocator below, asked what SQLite asks.
        Some(Some(below)) if !is_denied() => unsafe { (below.malloc)(bytes) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn realloc(memory: *mut c_void, bytes: c_int) -> *mut c_void {
    match BELOW.get() {
        // SAFETY: the allocator below, asked what SQLite asks, about memory that it gave.
        Some(Some(below)) if !is_denied() => unsafe { (below.realloc)(memory, bytes) },
        _ => std::ptr::null_mut(),
    }
}
