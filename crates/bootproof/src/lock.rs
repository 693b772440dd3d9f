//! Waiting for other processes: how long, how often to look, and whom to name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::{Error, in_words};

/// How often a waiting process says so.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// The longest pause between two looks at the lock: short enough that a freed lock is not left idle.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The busy handler of a connection (<https://sqlite.org/c3ref/busy_handler.html>).
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    waits: Arc<AtomicBool>,
    timeout: Duration,
    path: PathBuf,
}

impl Patience {
    /// Makes a connection wait for each lock up to the timeout, and say for whom it waits.
    pub(crate) fn install(connection: &mut Connection, path: &Path, timeout: Duration) -> rusqlite::Result<Self> {
        let patience = Self { waits: Arc::new(AtomicBool::new(true)), timeout, path: path.to_owned() };
        let (waits, path) = (Arc::clone(&patience.waits), patience.path.clone());
        let (mut since, mut said) = (Instant::now(), Duration::ZERO);
        connection.busy_handler(Some(move |count| {
            if count == 0 {
                (since, said) = (Instant::now(), Duration::ZERO);
            }
            let waited = since.elapsed();
            if !waits.load(Ordering::Relaxed) || waited >= timeout {
                return false;
            }
            if waited >= said + SAY_EVERY {
                said = waited;
                log::info!(
                    "waiting for `{}`, {:.0} s of at most {:.0} s; held by {}",
                    path.display(),
                    waited.as_secs_f64(),
                    timeout.as_secs_f64(),
                    in_words(&holders(&path)),
                );
            }
            let pause = Duration::from_millis(u64::try_from(count).unwrap_or_default() + 1);
            std::thread::sleep(pause.min(LONGEST_PAUSE).min(timeout.saturating_sub(waited)));
            true
        }))?;
        Ok(patience)
    }

    /// Runs something without waiting for locks.
    ///
    /// While a transaction grows beyond its page cache, SQLite would like an exclusive lock to write pages early; a
    /// reader denies it, and SQLite then simply uses more memory. Waiting for that reader would be waiting for nothing.
    pub(crate) fn suspended<T>(&self, run: impl FnOnce() -> T) -> T {
        self.waits.store(false, Ordering::Relaxed);
        let result = run();
        self.waits.store(true, Ordering::Relaxed);
        result
    }

    /// Adds to a lock error how long was waited and for whom.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            Error::Locked { .. } => Error::Locked { waited: self.timeout, holders: holders(&self.path) },
            other => other,
        }
    }
}

/// The processes that hold a lock on the database or its WAL index, as `/proc/locks` lists them. Reading that file
/// touches no lock, unlike opening the database itself (<https://sqlite.org/howtocorrupt.html>, section 2.2).
#[cfg(target_os = "linux")]
fn holders(path: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return Vec::new() };
    let mut shm = path.as_os_str().to_owned();
    shm.push("-shm");
    let inodes: Vec<String> = [path.as_os_str(), shm.as_os_str()]
        .iter()
        .filter_map(|file| std::fs::metadata(file).ok())
        .map(|file| format!(":{}", file.ino()))
        .collect();
    let own = std::process::id().to_string();
    let mut holders: Vec<String> = locks
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| !fields.contains(&"->"))
        .filter_map(|fields| match fields.as_slice() {
            [_, _, _, _, pid, file, ..] if inodes.iter().any(|inode| file.ends_with(inode)) => Some((*pid).to_owned()),
            _ => None,
        })
        .filter(|pid| *pid != own)
        .map(|pid| match std::fs::read_to_string(format!("/proc/{pid}/comm")) {
            Ok(name) => format!("process {pid} ({})", name.trim()),
            Err(_) => format!("process {pid}"),
        })
        .collect();
    holders.sort();
    holders.dedup();
    holders
}

/// Elsewhere the system does not tell.
#[cfg(not(target_os = "linux"))]
fn holders(_path: &Path) -> Vec<String> {
    Vec::new()
}
