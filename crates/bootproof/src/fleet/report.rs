//! What became of every database of a fleet.

use std::fmt;

use serde::Serialize;

use super::find::SkippedFile;
use crate::error::Failure;
use crate::figure::{bytes, duration, grouped, one_line};
use crate::report::{BootReport, ErrorReport, Milliseconds, Verdict};

/// The exit code where databases failed for different reasons.
const SEVERAL: u8 = 10;
/// The exit code where all there is to do is to start again.
const RETRY: u8 = 3;
/// The exit code of what was called off.
const CALLED_OFF: u8 = 130;

/// So many of each kind a person is shown; JSON has all.
const LISTED: usize = 20;

/// What became of a fleet; serialises to the JSON of `fleet --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FleetReport {
    /// The directory.
    pub directory: String,
    /// Every database, in the order of their names.
    pub databases: Vec<FleetDatabase>,
    /// What was like the pattern and is no database of its own.
    pub skipped: Vec<SkippedFile>,
    /// Why some of them remain, where any do.
    pub stopped: Option<Stop>,
    /// How many were booted at once, at most.
    pub threads: usize,
    /// The most memory that the boots under way were meant to take.
    pub memory_bytes: Option<u64>,
    /// How long it all took.
    pub duration_ms: Milliseconds,
}

/// What became of one database.
#[derive(Clone, Debug, Serialize)]
pub struct FleetDatabase {
    /// Its path relative to the directory.
    pub name: String,
    /// How its boot ended.
    pub outcome: FleetOutcome,
    /// Its version before; `None` where it was unmanaged, or nobody could tell.
    pub from_version: Option<i64>,
    /// Its version now.
    pub to_version: Option<i64>,
    /// How many migrations were applied.
    pub applied: usize,
    /// Whether it was adopted.
    pub adopted: bool,
    /// How many indexes were rebuilt.
    pub repaired: usize,
    /// The backup that was made.
    pub backup: Option<String>,
    /// Why it failed; it is as it was.
    pub error: Option<ErrorReport>,
    /// How long its boot took.
    pub duration_ms: Milliseconds,
}

/// How the boot of one database ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FleetOutcome {
    /// Proven.
    Ready,
    /// Correct, but a hot query is slower than agreed.
    Degraded,
    /// Not proven, and unchanged.
    Failed,
    /// Not booted: the time was up, or the fleet was called off. Whatever had begun was rolled back.
    Remaining,
}

/// Why databases remain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The time was up.
    Deadline,
    /// It was called off.
    CalledOff,
}

impl FleetReport {
    /// How many databases ended so.
    #[must_use]
    pub fn count(&self, outcome: FleetOutcome) -> usize {
        self.of(outcome).count()
    }

    /// Whether every database is ready or degraded: the application may use them all.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.exit_code() == 0
    }

    /// What a program exits with: 0 where every database is ready or degraded; where some failed, the exit code that they
    /// share, or 10 where they failed for different reasons; where some only remain, 3, or 130 where it was called off.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let mut codes =
            self.of(FleetOutcome::Failed).filter_map(|database| database.error.as_ref()).map(|error| error.code);
        match (codes.next(), self.stopped) {
            (Some(first), _) if codes.all(|code| code == first) => first,
            (Some(_), _) => SEVERAL,
            (None, Some(Stop::Deadline)) => RETRY,
            (None, Some(Stop::CalledOff)) => CALLED_OFF,
            (None, None) => 0,
        }
    }

    fn of(&self, outcome: FleetOutcome) -> impl Iterator<Item = &FleetDatabase> {
        self.databases.iter().filter(move |database| database.outcome == outcome)
    }
}

impl FleetDatabase {
    /// One that nobody has begun with.
    pub(super) fn remaining(name: String) -> Self {
        Self {
            name,
            outcome: FleetOutcome::Remaining,
            from_version: None,
            to_version: None,
            applied: 0,
            adopted: false,
            repaired: 0,
            backup: None,
            error: None,
            duration_ms: Milliseconds::default(),
        }
    }

    pub(super) fn of(name: String, result: &Result<BootReport, Failure>) -> Self {
        let (report, error) = match result {
            Ok(report) => (report, None),
            Err(failure) => (&*failure.report, Some(ErrorReport::of(&failure.error))),
        };
        let outcome = match (&error, report.verdict) {
            (Some(error), _) if error.code == CALLED_OFF => return Self::remaining(name),
            (Some(_), _) => FleetOutcome::Failed,
            (None, Verdict::Degraded) => FleetOutcome::Degraded,
            (None, _) => FleetOutcome::Ready,
        };
        Self {
            name,
            outcome,
            from_version: report.from_version,
            to_version: report.to_version,
            applied: report.applied.len(),
            adopted: report.adopted,
            repaired: report.repaired.len(),
            backup: report.backup.as_ref().map(|backup| backup.path.display().to_string()),
            error,
            duration_ms: report.duration_ms,
        }
    }

    /// Whether its boot wrote anything.
    fn was_changed(&self) -> bool {
        self.applied > 0 || self.repaired > 0 || self.adopted
    }
}

impl fmt::Display for FleetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.databases.len();
        let counts = [FleetOutcome::Ready, FleetOutcome::Degraded, FleetOutcome::Failed, FleetOutcome::Remaining];
        let [ready, degraded, failed, remaining] = counts.map(|outcome| self.count(outcome));
        let of = |number: usize| grouped(number as u64);
        let took = duration(self.duration_ms.0 / 1e3);
        let directory = one_line(&self.directory);
        writeln!(f, "{} of {} databases are ready in {took}: {directory}", of(ready + degraded), of(all))?;
        let changed =
            self.databases.iter().filter(|database| database.error.is_none() && database.was_changed()).count();
        for (what, number) in [
            ("changed", changed),
            ("as they were", ready + degraded - changed),
            ("degraded", degraded),
            ("failed", failed),
            ("remaining", remaining),
            ("no databases", self.skipped.len()),
        ] {
            if number > 0 {
                writeln!(f, "  {what:<12} {:>9}", of(number))?;
            }
        }
        let memory = self.memory_bytes.map(|memory| format!(", {} of memory", bytes(memory))).unwrap_or_default();
        writeln!(f, "  {:<12} {:>9}{memory}", "at once", of(self.threads))?;
        for database in self.of(FleetOutcome::Failed).take(LISTED) {
            let Some(error) = &database.error else { continue };
            writeln!(f, "failed  {} (exit code {})", one_line(&database.name), error.code)?;
            for line in error.message.lines() {
                writeln!(f, "  {}", one_line(line.trim()))?;
            }
            writeln!(f, "  hint: {}", error.hint)?;
        }
        more(f, failed, "failed")?;
        for database in self.of(FleetOutcome::Degraded).take(LISTED) {
            writeln!(f, "degraded  {}", one_line(&database.name))?;
        }
        more(f, degraded, "degraded")?;
        let Some(stop) = self.stopped else { return Ok(()) };
        let why = match stop {
            Stop::Deadline => "the time was up",
            Stop::CalledOff => "it was called off",
        };
        let first = self.of(FleetOutcome::Remaining).next().map(|first| one_line(&first.name)).unwrap_or_default();
        writeln!(
            f,
            "remaining: {why} with {} to go, the first of them {first}; started again, it goes on there",
            of(remaining)
        )
    }
}

fn more(f: &mut fmt::Formatter<'_>, number: usize, what: &str) -> fmt::Result {
    if number > LISTED {
        writeln!(f, "  and {} more {what}: --json lists all", grouped((number - LISTED) as u64))?;
    }
    Ok(())
}
