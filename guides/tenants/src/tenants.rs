//! The databases of the tenants: each is booted when it is first asked for, and a few are open at a time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bootproof::{Boot, Failure};
use pools::with_deadpool::{Pool, pool, with};
use tasks::{SCHEMA, connect};
use tokio::sync::{self, Semaphore};
use tokio::task;

/// So many are open at most, each with up to three connections. The others are a boot away.
const MOST_OPEN: usize = 100;
/// So many boot at once: each may read a whole file and sort an index.
pub(crate) const MOST_BOOTING: usize = 2;
/// A request does not wait for longer; the file may be in the hands of a backup.
const PATIENCE: Duration = Duration::from_secs(10);
/// What was refused is looked at again after this time, not at every request.
const RETRY: Duration = Duration::from_mins(1);

/// Every tenant.
pub(crate) struct Tenants {
    directory: PathBuf,
    known: Mutex<HashMap<String, Known>>,
    booting: Semaphore,
}

struct Known {
    used: Instant,
    /// Whoever comes while it boots waits here for the end of it.
    outcome: Arc<sync::Mutex<Option<Outcome>>>,
}

type Outcome = Result<Database, Refused>;

/// The connections to one database.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) readers: Pool,
    pub(crate) writer: Pool,
}

/// A boot was refused.
#[derive(Clone)]
pub(crate) struct Refused {
    at: Instant,
    /// The exit code that a program with this database alone would have.
    pub(crate) code: u8,
}

/// Why there is no database to use.
pub(crate) enum Unavailable {
    /// There is no such tenant.
    Unknown,
    /// Its boot was refused. All others are served.
    Refused(Refused),
}

impl Tenants {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, known: Mutex::default(), booting: Semaphore::new(MOST_BOOTING) }
    }

    /// The database of a tenant that there is.
    pub(crate) async fn get(&self, name: &str) -> Result<Database, Unavailable> {
        // No request makes a file.
        let path = self.path(name).filter(|path| path.is_file()).ok_or(Unavailable::Unknown)?;
        self.open(name, &path).await
    }

    /// Makes a tenant, or finds it made already.
    pub(crate) async fn create(&self, name: &str) -> Result<Database, Unavailable> {
        let path = self.path(name).ok_or(Unavailable::Unknown)?;
        self.open(name, &path).await
    }

    async fn open(&self, name: &str, path: &Path) -> Result<Database, Unavailable> {
        let outcome = self.outcome(name);
        let mut outcome = outcome.lock().await;
        match &*outcome {
            Some(Ok(database)) => return Ok(database.clone()),
            Some(Err(refused)) if refused.at.elapsed() < RETRY => return Err(Unavailable::Refused(refused.clone())),
            _ => {}
        }
        let booted = self.boot(path).await;
        outcome.insert(booted).clone().map_err(Unavailable::Refused)
    }

    async fn boot(&self, path: &Path) -> Outcome {
        let refused = |code| Refused { at: Instant::now(), code };
        // Nobody closes the semaphore.
        let _turn = self.booting.acquire().await.map_err(|_| refused(1))?;
        let boot = Boot::new(&SCHEMA, path).lock_timeout(PATIENCE);
        let booted = task::spawn_blocking(move || boot.run()).await;
        match booted {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => {
                tell(path, &failure);
                return Err(refused(failure.exit_code()));
            }
            Err(error) => {
                log::error!("{}: {error}", path.display());
                return Err(refused(1));
            }
        }
        let writer = pool(path, connect::writer, 1).map_err(|_| refused(1))?;
        let readers = pool(path, connect::reader, 2).map_err(|_| refused(1))?;
        // The writer is opened before there are readers: it sets the journal mode.
        with(&writer, |_| Ok(())).await.map_err(|error| {
            log::error!("{}: {error}", path.display());
            refused(8)
        })?;
        Ok(Database { readers, writer })
    }

    /// Where the outcome of a tenant's boot is kept. Makes room for it: whoever still has a database in hand keeps it until then.
    fn outcome(&self, name: &str) -> Arc<sync::Mutex<Option<Outcome>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(name) && known.len() >= MOST_OPEN {
            let oldest = known.iter().min_by_key(|(_, known)| known.used).map(|(name, _)| name.clone());
            oldest.and_then(|name| known.remove(&name));
        }
        let now = Instant::now();
        let known = known.entry(name.to_owned()).or_insert_with(|| Known { used: now, outcome: Arc::default() });
        known.used = now;
        Arc::clone(&known.outcome)
    }

    /// The file of a tenant. A name from outside becomes a path only if it cannot be another one.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let is_plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        let is_name = (1..=40).contains(&name.len()) && name.bytes().all(is_plain);
        is_name.then(|| self.directory.join(format!("{name}.db")))
    }
}

fn tell(path: &Path, failure: &Failure) {
    log::error!("{} is not served (exit code {}): {failure}", path.display(), failure.exit_code());
}
