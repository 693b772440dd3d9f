//! A limit on all memory that SQLite takes, for as long as somebody rehearses.
//!
//! SQLite has one limit for the process, and its PRAGMA only ever lowers it: a program that goes on to boot a database after
//! it has compiled would keep it. The function behind the PRAGMA lifts it again
//! (<https://sqlite.org/c3ref/hard_heap_limit64.html>).
#![expect(unsafe_code, reason = "SQLite's function takes a number and returns one; rusqlite does not wrap it")]

use std::sync::{Mutex, PoisonError};

use rusqlite::ffi::{sqlite3_hard_heap_limit64, sqlite3_soft_heap_limit64};

/// How many hold it, and the limits before the first did: hard and soft, since lowering one lowers the other.
static HELD: Mutex<(usize, i64, i64)> = Mutex::new((0, 0, 0));

/// The limit, until the last of these is dropped.
#[derive(Debug)]
pub(crate) struct HeapLimit(());

impl HeapLimit {
    pub(crate) fn hold(bytes: u32) -> Self {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 == 0 {
            // SAFETY: both may be called at any time from any thread; a negative number asks and changes nothing.
            (held.1, held.2) = unsafe { (sqlite3_hard_heap_limit64(-1), sqlite3_soft_heap_limit64(-1)) };
            let is_lower = held.1 > 0 && held.1 <= i64::from(bytes);
            if !is_lower {
                // SAFETY: as above.
                unsafe { sqlite3_hard_heap_limit64(bytes.into()) };
            }
        }
        held.0 += 1;
        Self(())
    }
}

impl Drop for HeapLimit {
    fn drop(&mut self) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 = held.0.saturating_sub(1);
        if held.0 == 0 {
            // SAFETY: as above; what is set is what there was, 0 for no limit.
            unsafe {
                sqlite3_hard_heap_limit64(held.1);
                sqlite3_soft_heap_limit64(held.2);
            }
        }
    }
}
