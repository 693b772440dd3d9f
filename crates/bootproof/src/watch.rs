//! Keeping watch over long work: how far it is, who wants to know, and whether it is still wanted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::error::Error;
use crate::event::{Cancellation, Event, Observer, Step};
use crate::options::Options;
use crate::report::StepReport;

/// SQLite calls back after so many steps of its virtual machine, and so many pages of an integrity check: every
/// millisecond or less (<https://sqlite.org/c3ref/progress_handler.html>).
const UNITS_PER_TICK: u16 = 5_000;
/// How often an observer is told.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// How often a long step says so in the log.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Before that nobody can say how long the rest will take.
const TOO_EARLY: Duration = Duration::from_millis(500);

/// Shared by a boot, the connections it works on and the callbacks of SQLite.
#[derive(Clone, Debug)]
pub(crate) struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    observer: Option<Arc<dyn Observer>>,
    cancellation: Cancellation,
    current: Mutex<Option<Current>>,
    timeline: Mutex<Vec<StepReport>>,
}

/// The step that is under way.
#[derive(Debug)]
struct Current {
    step: Step,
    since: Instant,
    /// The units it should take in all; 0 where nobody knows.
    expected: u64,
    done: u64,
    /// Whether SQLite's ticks are the units, and not what [`Watch::advance`] is told.
    counts_ticks: bool,
    /// Whether it may be stopped in the middle.
    is_cancellable: bool,
    shown: Duration,
    said: Duration,
}

impl Watch {
    pub(crate) fn new(options: &Options) -> Self {
        Self(Arc::new(Shared {
            observer: options.observer.clone(),
            cancellation: options.cancellation.clone(),
            current: Mutex::default(),
            timeline: Mutex::default(),
        }))
    }

    /// Lets SQLite tell how far it is with a statement, and stops the statement when the boot is called off.
    pub(crate) fn attach(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let watch = self.clone();
        connection.progress_handler(UNITS_PER_TICK.into(), Some(move || watch.tick()))
    }

    /// As [`Watch::attach`], for a connection that helps from another thread: it counts, and leaves telling to the thread that
    /// boots. It also stops a statement that is in vain.
    pub(crate) fn attach_helper(
        &self,
        connection: &mut Connection,
        is_in_vain: impl Fn() -> bool + Send + 'static,
    ) -> rusqlite::Result<()> {
        self.attach_with(connection, is_in_vain, |watch| {
            if let Some(current) = watch.current().as_mut() {
                current.tick();
            }
        })
    }

    /// As [`Watch::attach_helper`], for the one of them that the thread uses which boots.
    pub(crate) fn attach_leader(
        &self,
        connection: &mut Connection,
        is_in_vain: impl Fn() -> bool + Send + 'static,
    ) -> rusqlite::Result<()> {
        self.attach_with(connection, is_in_vain, |watch| {
            watch.update(Current::tick);
        })
    }

    fn attach_with(
        &self,
        connection: &mut Connection,
        is_in_vain: impl Fn() -> bool + Send + 'static,
        count: impl Fn(&Self) + Send + 'static,
    ) -> rusqlite::Result<()> {
        let watch = self.clone();
        let tick = move || {
            count(&watch);
            is_in_vain() || watch.is_cancelled()
        };
        connection.progress_handler(UNITS_PER_TICK.into(), Some(tick))
    }

    /// Counts work that SQLite does not see, in its units; the thread that boots also tells. Returns whether it is still wanted.
    pub(crate) fn count(&self, units: u64, tells: bool) -> bool {
        let count = |current: &mut Current| {
            if current.counts_ticks {
                current.done += units;
            }
        };
        if tells {
            self.update(count);
        } else if let Some(current) = self.current().as_mut() {
            count(current);
        }
        !self.is_cancelled()
    }

    /// Tells whoever is due to be told, while others are at work.
    pub(crate) fn tell(&self) {
        self.update(|_| {});
    }

    /// Runs a step of about so many steps of SQLite's virtual machine; 0 where [`Watch::advance`] is to tell, or nobody.
    ///
    /// A step that is called off returns [`Error::Cancelled`], and so does one that was never begun for that reason.
    pub(crate) fn step<T>(
        &self,
        step: Step,
        expected: u64,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.proceed()?;
        // However SQLite or the system worded it; but what may have been committed was not called off.
        self.announced(step, expected, true, run).map_err(|error| match error {
            Error::CommitUncertain { .. } => error,
            _ if self.is_cancelled() => Error::Cancelled,
            _ => error,
        })
    }

    /// Runs a step that nothing calls off any more, because half of it would be worse than all or nothing.
    pub(crate) fn point_of_no_return<T>(&self, step: Step, run: impl FnOnce() -> T) -> T {
        self.announced(step, 0, false, run)
    }

    fn announced<T>(&self, step: Step, expected: u64, is_cancellable: bool, run: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let (shown, said, counts_ticks) = (Duration::ZERO, Duration::ZERO, expected > 0);
        *self.current() = Some(Current { step, since, expected, done: 0, counts_ticks, is_cancellable, shown, said });
        self.notify(Event::Started(step));
        let result = run();
        let took = since.elapsed();
        if let Some(current) = self.current().take() {
            log::debug!("{step}: {} units of about {expected} in {:.3} s", current.done, took.as_secs_f64());
        }
        self.notify(Event::Finished { step, took });
        Self::lock(&self.0.timeline).push(StepReport { step: step.to_string(), duration_ms: took.into() });
        result
    }

    /// Goes on, unless the boot was called off.
    pub(crate) fn proceed(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled()
    }

    /// So much of the step under way is done, of so much in all.
    pub(crate) fn advance(&self, done: u64, expected: u64) -> Result<(), Error> {
        self.proceed()?;
        self.update(|current| {
            current.done = done;
            current.expected = expected;
        });
        Ok(())
    }

    /// The steps that have ended, in order; the same step made again adds to its time.
    pub(crate) fn timeline(&self) -> Vec<StepReport> {
        let mut timeline: Vec<StepReport> = Vec::new();
        for StepReport { step, duration_ms } in Self::lock(&self.0.timeline).iter() {
            match timeline.iter_mut().find(|known| known.step == *step) {
                Some(known) => known.duration_ms = known.duration_ms + *duration_ms,
                None => timeline.push(StepReport { step: step.clone(), duration_ms: *duration_ms }),
            }
        }
        timeline
    }

    /// One call of SQLite's; true stops the statement. Outside a step nothing is to be stopped: a rollback least of all.
    fn tick(&self) -> bool {
        self.update(Current::tick) && self.is_cancelled()
    }

    /// Counts, and tells whoever is due to be told. Returns whether a step is under way that may be stopped.
    fn update(&self, count: impl FnOnce(&mut Current)) -> bool {
        let mut guard = self.current();
        let Some(current) = guard.as_mut() else { return false };
        count(current);
        let is_cancellable = current.is_cancellable;
        let elapsed = current.since.elapsed();
        let is_shown = elapsed >= current.shown + SHOW_EVERY;
        let is_said = elapsed >= current.said + SAY_EVERY;
        if is_shown || is_said {
            let (step, done, remaining) = (current.step, current.fraction(), current.remaining(elapsed));
            current.shown = elapsed;
            if is_said {
                current.said = elapsed;
                say(step, done, elapsed, remaining);
            }
            drop(guard);
            self.notify(Event::Progress { step, done, remaining });
        }
        is_cancellable
    }

    fn notify(&self, event: Event) {
        if let Some(observer) = &self.0.observer {
            observer.notice(event);
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        Self::lock(&self.0.current)
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn tick(&mut self) {
        if self.counts_ticks {
            self.done += u64::from(UNITS_PER_TICK);
        }
    }

    /// Never quite 1: what was estimated too low is not done before it is.
    #[expect(clippy::cast_precision_loss, reason = "a share for a bar and a percentage")]
    fn fraction(&self) -> f64 {
        if self.expected == 0 { 0.0 } else { (self.done as f64 / self.expected as f64).min(0.99) }
    }

    fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let fraction = self.fraction();
        let is_early = elapsed < TOO_EARLY || fraction < 0.01;
        (!is_early).then(|| elapsed.mul_f64((1.0 - fraction) / fraction))
    }
}

fn say(step: Step, done: f64, elapsed: Duration, remaining: Option<Duration>) {
    let percent = done * 100.0;
    match remaining {
        Some(remaining) => log::info!(
            target: PROGRESS,
            "{step}: {percent:.0}% after {:.0} s, about {:.0} s to go",
            elapsed.as_secs_f64(),
            remaining.as_secs_f64()
        ),
        None => log::info!(target: PROGRESS, "{step}: {:.0} s so far", elapsed.as_secs_f64()),
    }
}

/// The target under which a long step logs how far it is; to be silenced by whoever shows that in another way.
pub const PROGRESS: &str = "bootproof::progress";
