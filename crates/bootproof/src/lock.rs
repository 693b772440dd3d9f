//! Waiting for other processes: how long, and how often to look.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{Error, in_words};
use crate::figure::shown;
use crate::holders;
use crate::restore;
use crate::watch::Watch;

/// How often a waiting process says so.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// So often it looks at the lock before it looks beside the file.
const LOOKS_BETWEEN: i32 = 8;
/// The longest pause between two looks at the lock: short enough that a freed lock is not left idle.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The busy handler of a connection (<https://sqlite.org/c3ref/busy_handler.html>), and when it may wait at all.
///
/// Waiting is for three moments only: starting to read, starting to write, committing. In between a transaction that has
/// outgrown its page cache would like an exclusive lock to write pages early, at nearly every step; a reader denies it,
/// and SQLite then uses more memory instead. Waiting for that reader would be waiting for nothing, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    wait: Arc<Mutex<Wait>>,
    timeout: Duration,
    path: PathBuf,
    /// Waiting ends also when nobody wants the boot any more.
    watch: Watch,
}

/// What the busy handler and the boot share.
#[derive(Debug)]
struct Wait {
    /// Since when it waits, all pauses taken together; `None` while it must not.
    since: Option<Instant>,
    /// When it last said so.
    said: Duration,
    /// Whether it ends when the boot is called off.
    is_cancellable: bool,
}

impl Patience {
    /// Gives a connection a busy handler, which does not wait yet.
    pub(crate) fn install(
        connection: &mut Connection,
        path: &Path,
        timeout: Duration,
        watch: &Watch,
    ) -> rusqlite::Result<Self> {
        let wait = Arc::new(Mutex::new(Wait { since: None, said: Duration::ZERO, is_cancellable: true }));
        let patience = Self { wait, timeout, path: path.to_owned(), watch: watch.clone() };
        let handler = patience.clone();
        connection.busy_handler(Some(move |count| handler.pause(count)))?;
        Ok(patience)
    }

    /// Runs something that may wait for others, up to the timeout in all, or until the boot is called off.
    pub(crate) fn waiting<T>(&self, run: impl FnOnce() -> T) -> T {
        self.wait(true, run)
    }

    /// As [`Patience::waiting`], for what has to be done even of a boot that was called off.
    pub(crate) fn waiting_regardless<T>(&self, run: impl FnOnce() -> T) -> T {
        self.wait(false, run)
    }

    fn wait<T>(&self, is_cancellable: bool, run: impl FnOnce() -> T) -> T {
        *self.lock() = Wait { since: Some(Instant::now()), said: Duration::ZERO, is_cancellable };
        let result = run();
        self.lock().since = None;
        result
    }

    /// How long to wait in all.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Adds to a lock error how long was waited and for whom. To be asked while waiting.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            Error::Locked { .. } if self.watch.is_cancelled() => Error::Cancelled,
            Error::Locked { .. } => {
                let waited = self.lock().since.map_or(Duration::ZERO, |since| since.elapsed());
                Error::Locked { waited, holders: holders::of(&self.path) }
            }
            other => other,
        }
    }

    /// One call of SQLite's: waits a little and returns true, or returns false to give up.
    fn pause(&self, count: i32) -> bool {
        let pause = {
            let mut wait = self.lock();
            let Some(waited) = wait.since.map(|since| since.elapsed()) else { return false };
            // A boot that puts another file in this one's place waits in turn for whoever has this one open.
            if count % LOOKS_BETWEEN == LOOKS_BETWEEN - 1 && restore::is_remaking(&self.path) {
                return false;
            }
            if waited >= self.timeout || (wait.is_cancellable && self.watch.is_cancelled()) {
                return false;
            }
            if waited >= wait.said + SAY_EVERY {
                wait.said = waited;
                log::info!(
                    "waiting for `{}`, {:.0} s of at most {:.0} s; held by {}",
                    shown(&self.path),
                    waited.as_secs_f64(),
                    self.timeout.as_secs_f64(),
                    in_words(&holders::of(&self.path)),
                );
            }
            let pause = Duration::from_millis(u64::try_from(count).unwrap_or_default() + 1);
            pause.min(LONGEST_PAUSE).min(self.timeout.saturating_sub(waited))
        };
        std::thread::sleep(pause);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Wait> {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
