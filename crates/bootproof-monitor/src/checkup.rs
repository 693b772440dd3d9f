//! The health of the database, for a process that is asked for it again and again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bootproof::inspect::{Health, Measure, Space};
use bootproof::{Boot, Failure, Integrity, Options, Schema};

use crate::alerts::{Alert, health_alerts};
use crate::health_metrics::health_metrics;
use crate::metric::{Kind, Metric, Sample, prometheus_text};
use crate::thresholds::Thresholds;

/// How long a measurement is good for: what changes faster is no matter of health.
const FRESH: Duration = Duration::from_mins(1);
/// How long to wait for another process that holds the database: whoever asks for metrics does not wait for minutes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Measures how a database is, at most once a minute, and judges it by thresholds.
///
/// It reads through connections of its own, in one read transaction each, and writes nothing. What reads the whole file, the
/// sizes and the fragmentation of tables and indexes, is measured only by [`Checkup::measure_sizes`]; until the next time they
/// are told as they were. The integrity of the file is for `health` in cron to check.
#[derive(Debug)]
pub struct Checkup<'s> {
    boot: Boot<'s>,
    thresholds: Thresholds,
    fresh: Duration,
    latest: Mutex<Option<Arc<Diagnosis>>>,
    /// The last one whose sizes were measured: where nothing can be read meanwhile, they are not forgotten.
    sized: Mutex<Option<Arc<Diagnosis>>>,
    /// Held by the thread that measures: the others take what there is.
    measuring: Mutex<()>,
    /// The same for sizes, which take longer than anybody waits for the rest.
    sizing: Mutex<()>,
}

/// A database as it was measured, and what is amiss with it.
#[derive(Debug)]
pub struct Diagnosis {
    /// What was measured.
    pub health: Health,
    /// What is amiss, the gravest first.
    pub alerts: Vec<Alert>,
    /// When.
    pub at: Instant,
    /// When the sizes of tables and indexes were; `None` where they never were.
    pub sizes_at: Option<Instant>,
}

impl<'s> Checkup<'s> {
    /// Of the database at this path, with the thresholds by default.
    ///
    /// Waits a second for whoever holds the database, goes by the environment as a boot does, and leaves the integrity alone.
    #[must_use]
    pub fn new(schema: &'s Schema, path: impl Into<PathBuf>) -> Self {
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        // An environment that means nothing stays in force, so that measuring refuses as a boot would.
        let options = match Options::default().with_environment(variable) {
            Ok(options) => Options { environment: false, ..options },
            Err(_) => Options::default(),
        };
        let options = Options { lock_timeout: PATIENCE, integrity: Integrity::Off, ..options };
        Self {
            boot: Boot::new(schema, path).options(options),
            thresholds: Thresholds::default(),
            fresh: FRESH,
            latest: Mutex::default(),
            sized: Mutex::default(),
            measuring: Mutex::default(),
            sizing: Mutex::default(),
        }
    }

    /// What is too much.
    #[must_use]
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// How long a measurement is good for; a minute by default.
    #[must_use]
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.fresh = time;
        self
    }

    /// How the database is: as it was measured within the last minute, or measured now. While one thread measures, the others
    /// get what was measured before. Nobody waits for sizes that are being measured.
    ///
    /// Rows are counted along an index: 0.05 s with a million worklogs.
    ///
    /// # Errors
    ///
    /// As [`Boot::measure`]: what is wrong with the binary or the environment. A database that is locked, damaged or gone is a
    /// diagnosis.
    pub fn latest(&self) -> Result<Arc<Diagnosis>, Failure> {
        let known = lock(&self.latest).clone();
        match known {
            Some(known) if known.at.elapsed() < self.fresh => Ok(known),
            Some(known) => match self.measuring.try_lock() {
                Ok(_measuring) => self.measure(Measure::QUICK),
                Err(_) => Ok(known),
            },
            None => {
                let _measuring = lock(&self.measuring);
                // Whoever was waited for has measured.
                let known = lock(&self.latest).clone();
                known.map_or_else(|| self.measure(Measure::QUICK), Ok)
            }
        }
    }

    /// Measures everything that [`Checkup::latest`] does, and the sizes and the fragmentation of tables and indexes.
    ///
    /// Reads the whole file, about a second for a gigabyte in the system's cache, in one transaction: without WAL nobody else can
    /// commit meanwhile. For a thread of its own, once a day.
    ///
    /// # Errors
    ///
    /// As [`Checkup::latest`].
    pub fn measure_sizes(&self) -> Result<Arc<Diagnosis>, Failure> {
        let _sizing = lock(&self.sizing);
        self.measure(Measure { pages: true, contracts: false })
    }

    /// The health as metrics, with the age of what was measured.
    ///
    /// # Errors
    ///
    /// As [`Checkup::latest`].
    pub fn metrics(&self) -> Result<Vec<Metric>, Failure> {
        let latest = self.latest()?;
        let mut metrics = health_metrics(&latest.health, &latest.alerts);
        let age = |at: Instant| Sample::of(at.elapsed().as_secs_f64());
        let health = [age(latest.at)];
        metrics.push(Metric::new(Kind::Gauge, "health_age_seconds", "The age of what was measured.", health));
        let help = "The age of the sizes of tables and indexes.";
        metrics.push(Metric::new(Kind::Gauge, "sizes_age_seconds", help, latest.sizes_at.map(age)));
        Ok(metrics)
    }

    /// The same as Prometheus reads it.
    ///
    /// # Errors
    ///
    /// As [`Checkup::latest`].
    pub fn prometheus(&self) -> Result<String, Failure> {
        self.metrics().map(|metrics| prometheus_text(&metrics))
    }

    fn measure(&self, what: Measure) -> Result<Arc<Diagnosis>, Failure> {
        let mut health = self.boot.measure(what)?;
        let at = Instant::now();
        let is_sized = what.pages && health.tables.iter().any(|table| table.space.is_some());
        let sizes_at = if is_sized {
            Some(at)
        } else {
            let sized = lock(&self.sized).clone();
            sized.map(|sized| {
                carry_sizes(&sized.health, &mut health);
                sized.at
            })
        };
        let alerts = health_alerts(&health, &self.thresholds);
        let latest = Arc::new(Diagnosis { health, alerts, at, sizes_at });
        if is_sized {
            *lock(&self.sized) = Some(Arc::clone(&latest));
        }
        *lock(&self.latest) = Some(Arc::clone(&latest));
        Ok(latest)
    }
}

/// What was measured of the pages before, of the tables and indexes that are still there.
fn carry_sizes(before: &Health, now: &mut Health) {
    fn carry<'a>(before: impl Iterator<Item = (&'a String, Option<Space>)>, name: &str) -> Option<Space> {
        before.into_iter().find(|(known, _)| *known == name)?.1
    }
    for table in &mut now.tables {
        table.space = carry(before.tables.iter().map(|table| (&table.name, table.space)), &table.name);
    }
    for index in &mut now.indexes {
        index.space = carry(before.indexes.iter().map(|index| (&index.name, index.space)), &index.name);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_sizes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worklog.db");
        worklog_schema::migrate_on_boot(&path).unwrap();
        let checkup = Checkup::new(&worklog_schema::SCHEMA, &path);
        let sizing = lock(&checkup.sizing);
        std::thread::scope(|scope| {
            let (told, asked) = std::sync::mpsc::channel();
            let checkup = &checkup;
            scope.spawn(move || told.send(checkup.latest().unwrap().health.is_readable));
            assert_eq!(
                asked.recv_timeout(Duration::from_secs(20)),
                Ok(true),
                "the first time, when nothing is known yet"
            );
            drop(sizing);
        });
    }
}
