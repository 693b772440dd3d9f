//! What can go wrong with an operation, and how SQLite hears of it.

use std::ffi::c_int;

use rusqlite::ffi;

use crate::operation::{Operation, Step};

/// A way for an operation to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The device reports an error: `EIO`. SQLite's own layer tells `EACCES` and `ENOSPC` by the same codes, but for what
    /// follows.
    Io,
    /// The device is full: `ENOSPC` when writing or making the WAL index.
    Full,
    /// The system does not permit it: `EPERM` of a lock, `EACCES` of the WAL index.
    Denied,
    /// The system gives half of what was asked for and says that the file ends there.
    ShortRead,
    /// Another process holds a lock.
    Busy,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Io, Self::Full, Self::Denied, Self::ShortRead, Self::Busy];

    /// The code by which SQLite hears that an operation failed in this way; `None` where it cannot
    /// (<https://sqlite.org/rescode.html>).
    pub(crate) fn code(self, step: &Step) -> Option<c_int> {
        use Operation::{Access, Delete, FileSize, Lock, Open, Read, ShmLock, ShmMap, Sync, Truncate, Write};
        Some(match (self, step.operation) {
            (Self::Io, Open) => ffi::SQLITE_CANTOPEN,
            (Self::Io, Access) => ffi::SQLITE_IOERR_ACCESS,
            (Self::Io, Delete) => ffi::SQLITE_IOERR_DELETE,
            (Self::Io, Read) => ffi::SQLITE_IOERR_READ,
            (Self::Io, Write) => ffi::SQLITE_IOERR_WRITE,
            (Self::Io, Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (Self::Io, Sync) => ffi::SQLITE_IOERR_FSYNC,
            (Self::Io, FileSize) => ffi::SQLITE_IOERR_FSTAT,
            (Self::Io, Lock) => ffi::SQLITE_IOERR_LOCK,
            (Self::Io, ShmMap) => ffi::SQLITE_IOERR_SHMMAP,
            (Self::Io, ShmLock) => ffi::SQLITE_IOERR_SHMLOCK,
            (Self::Full, Write) => ffi::SQLITE_FULL,
            (Self::Full, ShmMap) => ffi::SQLITE_IOERR_SHMSIZE,
            (Self::Denied, Lock) => ffi::SQLITE_PERM,
            (Self::Denied, ShmMap) => ffi::SQLITE_READONLY_CANTINIT,
            // A journal that ends early is one that was not written to its end: every reader of it is right to stop there.
            (Self::ShortRead, Read) if step.is_database => ffi::SQLITE_IOERR_SHORT_READ,
            (Self::Busy, Lock | ShmLock) => ffi::SQLITE_BUSY,
            _ => return None,
        })
    }

    /// Whether an operation can fail in this way.
    #[must_use]
    pub fn fits(self, step: &Step) -> bool {
        self.code(step).is_some()
    }
}

/// Which operation fails, and how.
#[derive(Clone, Copy, Debug)]
pub struct Injection {
    /// How.
    pub fault: Fault,
    /// The kind of operation that is counted; `None` for any.
    pub operation: Option<Operation>,
    /// Which of them fails, from 1. One that cannot fail in this way passes.
    pub nth: u64,
    /// Whether every later one that can fail in this way does.
    pub lasting: bool,
}
