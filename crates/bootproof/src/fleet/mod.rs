//! Many databases of one schema: a server with a file for each tenant.

mod crew;
mod find;
mod pattern;
mod report;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::crew::Bounds;
use self::pattern::Pattern;
use crate::boot::{Boot, Membership};
use crate::error::{Error, Failure};
use crate::event::Cancellation;
use crate::figure::one_line;
use crate::options::Options;
use crate::report::BootReport;
use crate::schema::Schema;

pub use find::SkippedFile;
pub use report::{FleetDatabase, FleetOutcome, FleetReport, Stop};

/// How long one database is waited for: the others must not wait for the one that somebody holds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what is under way may go on behind the deadline.
const GRACE: Duration = Duration::from_secs(10);
/// A boot takes so much, and as much again as its file has, twice,
const LEAST_MEMORY: u64 = 3_000_000;
/// up to this: its page cache, threads that sort, and the beginnings of their files.
const MOST_MEMORY: u64 = 80_000_000;

/// Boots every database of a directory, several at once, each as [`Boot::run`] does.
///
/// A file that fails never stops the others: it is as it was, and reported with its error, its exit code and the hint. The order
/// is that of the names. Nothing has to be remembered from one run to the next: each file says itself how far it is, so a run
/// that was killed, or whose time was up, is simply made again.
///
/// # Which files
///
/// Those whose path relative to the directory is like [`Fleet::pattern`], `*.db` by default. Never what belongs to another
/// file, whatever the pattern: a name that ends with `-wal`, `-shm`, `-journal` or `.b3`, or has `.backup-`, `.new-`,
/// `.restoring`, `.restore-new`, `.replaced-` or `.remade` in it; nor directories, pipes and devices. A database that a restore left
/// between two files counts, also where only the mark of it is there. No file is made: one that is gone when its turn comes
/// fails.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// # fn boot(schema: &bootproof::Schema) -> Result<(), bootproof::Failure> {
/// let report = bootproof::Fleet::new(schema, "tenants").deadline(Duration::from_secs(60)).run()?;
/// for failed in report.databases.iter().filter(|database| database.error.is_some()) {
///     eprintln!("{} is not served", failed.name);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Fleet<'s> {
    schema: &'s Schema,
    directory: PathBuf,
    pattern: Pattern,
    threads: usize,
    memory: Option<u64>,
    deadline: Option<Duration>,
    grace: Duration,
    believes_seals: bool,
    options: Options,
    each: Option<Each<'s>>,
    observer: Option<Arc<dyn FleetObserver>>,
}

/// Changes the options of one database.
type Each<'s> = Box<dyn Fn(&Path, Options) -> Options + Send + Sync + 's>;

/// What an observer of a fleet is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FleetEvent<'e> {
    /// So many databases are to be booted.
    Found {
        /// Their number.
        databases: usize,
    },
    /// The boot of one begins.
    Started {
        /// Its path relative to the directory.
        name: &'e str,
    },
    /// The boot of one has ended, well or not.
    Finished {
        /// What became of it.
        database: &'e FleetDatabase,
        /// How many have ended, this one included.
        done: usize,
    },
}

/// Somebody who wants to see how far a fleet is. Called on the threads that boot: return soon. A panic of it stops no boot.
pub trait FleetObserver: fmt::Debug + Send + Sync {
    /// Takes note.
    fn notice(&self, event: FleetEvent<'_>);
}

/// Boots every `*.db` of a directory; [`Fleet`] has the choices.
///
/// # Errors
///
/// As [`Fleet::run`].
pub fn boot_fleet(schema: &Schema, directory: impl Into<PathBuf>) -> Result<FleetReport, Failure> {
    Fleet::new(schema, directory).run()
}

impl<'s> Fleet<'s> {
    /// The databases of this directory: `*.db`, two for each processor at once and eight at most, in whatever time and memory that
    /// takes; each with the default options of a boot, but waiting only ten seconds for another process.
    #[must_use]
    pub fn new(schema: &'s Schema, directory: impl Into<PathBuf>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            schema,
            directory: directory.into(),
            pattern: Pattern::new("*.db"),
            threads: (2 * processors).min(8),
            memory: None,
            deadline: None,
            grace: GRACE,
            believes_seals: false,
            options: Options { lock_timeout: PATIENCE, ..Options::default() },
            each: None,
            observer: None,
        }
    }

    /// Which files are databases: `*` is any number of characters, `?` is one, and `/` goes down a directory: `*/data.db`.
    #[must_use]
    pub fn pattern(mut self, pattern: &str) -> Self {
        self.pattern = Pattern::new(pattern);
        self
    }

    /// How many are booted at once; at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// How much memory the boots under way may take together. A boot is taken to need 3 MB and twice its file, 80 MB at most;
    /// the next begins when there is room for it, and one alone always may.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// After this time no boot begins any more, and the databases that are left are reported as remaining. What is under way has
    /// [`Fleet::grace`].
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// How long a boot that is under way may go on behind the deadline; 10 seconds by default. Then it is called off and rolled
    /// back, and its database remains.
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// Takes a database at head for ready by its seal, without reading any more of it: for going on where a run was
    /// stopped, and for a server that has the integrity of its files checked at another time. Whatever else a database is, it is
    /// booted with all that its options say. See [`Integrity::Off`](crate::Integrity::Off) for what a seal tells.
    #[must_use]
    pub fn resume(mut self, believes_seals: bool) -> Self {
        self.believes_seals = believes_seals;
        self
    }

    /// Replaces the options of every boot. Their observer is not asked: it could not tell the databases apart.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Changes the options of single databases, by their path relative to the directory. What it says of the observer and of
    /// calling off does not count.
    #[must_use]
    pub fn each(mut self, options: impl Fn(&Path, Options) -> Options + Send + Sync + 's) -> Self {
        self.each = Some(Box::new(options));
        self
    }

    /// Has somebody told how far it is.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn FleetObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Gives the fleet a switch that calls it off: what is under way is rolled back, the rest remains.
    #[must_use]
    pub fn cancellation(mut self, cancellation: Cancellation) -> Self {
        self.options.cancellation = cancellation;
        self
    }

    /// Boots them all.
    ///
    /// Before: any files. After: every database that the report calls ready or degraded is at head and proven; every other one is
    /// as it was, as after a failed [`Boot::run`].
    ///
    /// # Errors
    ///
    /// What would fail every boot alike: [`Error::Storage`] where the directory cannot be read, [`Error::Environment`],
    /// [`Error::SourcesDisagree`], [`Error::NoSuchVersion`], [`Error::Cancelled`]. What befalls a single database is in the report.
    pub fn run(&self) -> Result<FleetReport, Failure> {
        let start = Instant::now();
        let whole = Boot::new(self.schema, &self.directory).options(self.options.clone());
        let (options, found) =
            whole.act(|run| Ok((run.options.clone(), find::find(&self.directory, &self.pattern)?)))?;
        // The environment has had its say.
        let options = Options { environment: false, observer: None, ..options };
        self.tell(FleetEvent::Found { databases: found.databases.len() });
        let databases: Vec<_> = found
            .databases
            .iter()
            .map(|path| Mutex::new(FleetDatabase::remaining(path.display().to_string())))
            .collect();
        let done = AtomicUsize::new(0);
        let act = |place: usize, switch: &Cancellation| {
            let (Some(path), Some(database)) = (found.databases.get(place), databases.get(place)) else { return };
            let booted = self.boot(path, &options, switch);
            self.tell(FleetEvent::Finished { database: &booted, done: done.fetch_add(1, Ordering::Relaxed) + 1 });
            *database.lock().unwrap_or_else(PoisonError::into_inner) = booted;
        };
        let deadline = self.deadline.and_then(|time| {
            let deadline = start.checked_add(time)?;
            Some((deadline, deadline.checked_add(self.grace)))
        });
        let costs: Vec<_> = found.databases.iter().map(|path| cost(&self.directory.join(path))).collect();
        let bounds = Bounds { threads: self.threads, memory: self.memory, deadline, called_off: &options.cancellation };
        let stopped = crew::work(&costs, &bounds, &act);
        let databases: Vec<_> = databases
            .into_iter()
            .map(|database| database.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let remains = databases.iter().any(|database| database.outcome == FleetOutcome::Remaining);
        Ok(FleetReport {
            directory: self.directory.display().to_string(),
            databases,
            skipped: found.skipped,
            stopped: stopped.filter(|_| remains),
            threads: self.threads,
            memory_bytes: self.memory,
            duration_ms: start.elapsed().into(),
        })
    }

    /// Boots one, whatever comes of it.
    fn boot(&self, path: &Path, options: &Options, switch: &Cancellation) -> FleetDatabase {
        let name = path.display().to_string();
        self.tell(FleetEvent::Started { name: &name });
        let boot = || {
            let own = self.each.as_ref().map_or_else(|| options.clone(), |each| each(path, options.clone()));
            let own = Options { observer: None, cancellation: switch.clone(), environment: false, ..own };
            Boot::new(self.schema, self.directory.join(path))
                .options(own)
                .run_as(Membership { believes_seals: self.believes_seals })
        };
        // The application's own code may run in a boot; what it breaks is this one's.
        let result = catch_unwind(AssertUnwindSafe(boot)).unwrap_or_else(|_| {
            let source = rusqlite::Error::UserFunctionError("it panicked".into());
            let error = Error::Unexpected { doing: "booting", source };
            Err(Failure { error, report: Box::new(BootReport::new(name.clone())) })
        });
        if let Err(failure) = &result
            && !matches!(failure.error, Error::Cancelled)
        {
            log::warn!("{}: {}", one_line(&name), failure.error);
        }
        FleetDatabase::of(name, &result)
    }

    fn tell(&self, event: FleetEvent<'_>) {
        // Whoever looks on stops nobody: the panic has told of itself.
        if let Some(observer) = &self.observer
            && catch_unwind(AssertUnwindSafe(|| observer.notice(event))).is_err()
        {
            log::warn!("the observer of the fleet panicked");
        }
    }
}

impl fmt::Debug for Fleet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("directory", &self.directory)
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

/// The memory that booting a file is taken to need.
fn cost(path: &Path) -> u64 {
    let bytes = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    bytes.saturating_mul(2).saturating_add(LEAST_MEMORY).min(MOST_MEMORY)
}
