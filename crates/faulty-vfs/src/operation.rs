//! What SQLite asks of a file system.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A kind of operation. Unlocking and closing are none: they always pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Opening a file, which may make it.
    Open,
    /// Asking whether a file exists or may be written.
    Access,
    /// Deleting a file.
    Delete,
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// Shortening a file.
    Truncate,
    /// Flushing a file.
    Sync,
    /// Asking how long a file is.
    FileSize,
    /// Taking a lock, or asking for one of another process.
    Lock,
    /// Making or mapping a piece of the WAL index.
    ShmMap,
    /// Taking a lock on the WAL index.
    ShmLock,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Access,
        Self::Delete,
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::FileSize,
        Self::Lock,
        Self::ShmMap,
        Self::ShmLock,
    ];

    /// Its name in a word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Access => "access",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Write => "write",
            Self::Truncate => "truncate",
            Self::Sync => "sync",
            Self::FileSize => "file size",
            Self::Lock => "lock",
            Self::ShmMap => "shm map",
            Self::ShmLock => "shm lock",
        }
    }
}

/// One operation that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its kind.
    pub operation: Operation,
    /// The name of the file, without its directory; empty for a temporary file.
    pub file: Arc<str>,
    /// Whether it is the file of a database, and not a journal, a WAL or a temporary file.
    pub is_database: bool,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file.is_empty() { "a temporary file" } else { &self.file };
        write!(f, "{} of {file}", self.operation.name())
    }
}

/// How many operations of each kind there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Operation::ALL.len()]);

impl Counts {
    /// Counts steps.
    #[must_use]
    pub fn of(steps: &[Step]) -> Self {
        let of = |operation| steps.iter().filter(|step| step.operation == operation).count() as u64;
        Self(Operation::ALL.map(of))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} operations", self.0.iter().sum::<u64>())?;
        let kinds = Operation::ALL.iter().zip(self.0).filter(|(_, count)| *count > 0);
        for (position, (operation, count)) in kinds.enumerate() {
            write!(f, "{} {count} {}", if position == 0 { ":" } else { "," }, operation.name())?;
        }
        Ok(())
    }
}

/// An operation about to be made, with all that it will do to the disk.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) step: Step,
    /// The file concerned; `None` for a temporary file, which no disk keeps.
    pub(crate) path: Option<&'a Path>,
    pub(crate) effect: Effect<'a>,
}

/// What an operation does to the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect<'a> {
    /// Nothing.
    None,
    /// Opens a file. If that makes it, its name is flushed together with its content where the file is a journal or a WAL.
    Open { may_create: bool, name_is_flushed: bool },
    /// Deletes a file.
    Delete { flushes_directory: bool },
    /// Writes at an offset.
    Write { offset: u64, data: &'a [u8] },
    /// Shortens to a length.
    Truncate { length: u64 },
    /// Flushes.
    Sync,
}
