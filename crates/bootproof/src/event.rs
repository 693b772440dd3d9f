//! What a boot announces while it works, and how it is called off.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One step of a boot, a revert or a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Waiting for the write lock.
    Lock,
    /// Reading history and schema.
    Look,
    /// Checking the integrity of the file.
    Integrity,
    /// Looking for rows without a parent.
    ForeignKeys,
    /// Copying the database.
    Backup,
    /// Reading a copy back.
    VerifyBackup,
    /// Running the migration of this title.
    Migrate(&'static str),
    /// Running the way back from the migration of this title.
    Revert(&'static str),
    /// Rebuilding declared indexes.
    Repair,
    /// Gathering statistics.
    Statistics,
    /// Counting rows.
    RowCounts,
    /// Asking for the plan of every query contract.
    Contracts,
    /// Committing.
    Commit,
    /// Folding the write-ahead log into the file.
    Checkpoint,
    /// Timing every query contract.
    Benchmark,
    /// Measuring tables and indexes.
    Measure,
    /// Copying a backup to where the database is.
    CopyBackup,
    /// Putting the copy in the place of the database.
    Replace,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lock => "waiting for the lock",
            Self::Look => "reading the schema",
            Self::Integrity => "checking the integrity",
            Self::ForeignKeys => "checking foreign keys",
            Self::Backup => "backing up",
            Self::VerifyBackup => "reading the copy back",
            Self::Migrate(title) => return write!(f, "applying {title}"),
            Self::Revert(title) => return write!(f, "reverting {title}"),
            Self::Repair => "rebuilding indexes",
            Self::Statistics => "gathering statistics",
            Self::RowCounts => "counting rows",
            Self::Contracts => "proving query plans",
            Self::Commit => "committing",
            Self::Checkpoint => "folding the log in",
            Self::Benchmark => "timing the queries",
            Self::Measure => "measuring tables and indexes",
            Self::CopyBackup => "copying the backup",
            Self::Replace => "replacing the database",
        })
    }
}

/// What an observer is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A step begins.
    Started(Step),
    /// A step goes on; told about ten times a second.
    Progress {
        /// The step.
        step: Step,
        /// How much of it is done, from 0 to 1, as far as that can be estimated beforehand.
        done: f64,
        /// How long the rest should take; `None` while it is too early to say.
        remaining: Option<Duration>,
    },
    /// A step has ended, well or not.
    Finished {
        /// The step.
        step: Step,
        /// How long it took.
        took: Duration,
    },
}

/// Somebody who wants to see how far a boot is.
///
/// Called on the thread that boots, in the middle of its work: return soon, and do not touch the database.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Takes note.
    fn notice(&self, event: Event);
}

/// A switch that calls a boot off: everything is rolled back, and the boot returns [`Error::Cancelled`](crate::Error).
///
/// Clones share the switch: keep one where a signal is handled and give the other to the boot. A commit that still waits for
/// readers is called off; one that writes ends as if nothing had been asked.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Calls off every boot that was given a clone of this.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was called off.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
