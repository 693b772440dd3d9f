//! Who times the application's queries, and remembers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bootproof::compiled::Contract;
use bootproof::{BootReport, Schema};
use rusqlite::{Connection, Statement, ToSql};

use crate::alerts::{Alert, query_alerts};
use crate::latency::{Latency, QueryLatency};
use crate::metric::{Metric, prometheus_text};
use crate::monitor_metrics::{self, Booted};
use crate::slow::{self, Parameters, SlowRun, Told};
use crate::thresholds::Thresholds;

/// From where on a query is slow, as the deployment guide of the schema's first phase has it.
const SLOW: Duration = Duration::from_millis(500);

/// Times every query contract that an application runs, and logs the slow ones.
///
/// One for the whole process, shared by reference or in an [`Arc`]: every method takes `&self`, and threads meet only for the
/// instant in which a time is written down. It never touches the database by itself, never fails, and keeps 100 KB for each
/// contract, however many runs there are.
///
/// # Examples
///
/// ```
/// use bootproof::compiled::Contract;
/// use bootproof_monitor::Monitor;
/// use rusqlite::{Connection, named_params};
/// use worklog_schema::{SCHEMA, query};
///
/// fn rates(monitor: &Monitor, connection: &Connection, project: i64) -> rusqlite::Result<Vec<f64>> {
///     let contract: &Contract = &query::BILLING_RATE_LOOKUP;
///     let parameters = named_params! { ":billing_project_id": project, ":user_email": "ada@example.com", ":issue_type": "Task" };
///     monitor.query(contract).on(connection).with(parameters).time(|| {
///         connection.prepare_cached(contract.sql)?.query_map(parameters, |row| row.get("hourly_rate"))?.collect()
///     })
/// }
///
/// let monitor = Monitor::new(&SCHEMA);
/// let connection = worklog_schema::fresh()?;
/// assert!(rates(&monitor, &connection, 1)?.is_empty());
/// let measured = monitor.queries();
/// assert_eq!(measured.iter().map(|query| query.runs).sum::<u64>(), 1);
/// assert!(monitor.prometheus().contains("bootproof_query_duration_seconds_count{query=\"billing_rate_lookup\"} 1\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Monitor {
    start: Instant,
    slow: Duration,
    thresholds: Thresholds,
    /// Sorted by name.
    tracks: Vec<Track>,
    booted: Mutex<Option<Booted>>,
    has_met_a_stranger: AtomicBool,
}

/// What is kept of one contract.
#[derive(Debug)]
struct Track {
    contract: &'static Contract,
    kept: Mutex<Kept>,
    #[cfg(feature = "metrics")]
    facade: std::sync::OnceLock<crate::facade::Handles>,
}

#[derive(Debug)]
struct Kept {
    latency: Latency,
    told: Told,
    plan: Option<Arc<str>>,
}

impl Monitor {
    /// A monitor of every query contract of a schema, to which a query of 500 ms is slow.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        let track = |contract| {
            let kept = Kept { latency: Latency::new()?, told: Told::default(), plan: None };
            Some(Track {
                contract,
                kept: Mutex::new(kept),
                #[cfg(feature = "metrics")]
                facade: std::sync::OnceLock::new(),
            })
        };
        let mut tracks: Vec<_> = schema.contracts().filter_map(track).collect();
        tracks.sort_by_key(|track| track.contract.name);
        Self {
            start: Instant::now(),
            slow: SLOW,
            thresholds: Thresholds::default(),
            tracks,
            booted: Mutex::default(),
            has_met_a_stranger: AtomicBool::new(false),
        }
    }

    /// From where on a run is slow: it is counted, and logged with the query's plan.
    #[must_use]
    pub fn slow_after(mut self, threshold: Duration) -> Self {
        self.slow = threshold;
        self
    }

    /// What [`Monitor::alerts`] goes by: of all thresholds, `budget_factor`.
    #[must_use]
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Takes the report of the boot: its verdict for the metrics, and the plans that it proved, so that a slow query is told
    /// with the plan it was proven to have.
    pub fn booted(&self, report: &BootReport) {
        *lock(&self.booted) = Some(Booted::of(report));
        for query in &report.queries {
            let plan: Vec<_> = query.plan_after.iter().map(|step| step.detail.as_str()).collect();
            if let Some(track) = self.track(query.name).filter(|_| !plan.is_empty()) {
                lock(&track.kept).plan = Some(plan.join("; ").into());
            }
        }
    }

    /// Times one run of a query: whatever the closure does, from the first statement to the last row it reads.
    ///
    /// Returns what the closure returns. A run that fails is counted as an error, and its time is not among the percentiles. Of a
    /// contract that is none of the schema's nothing is kept, and the log says so once.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn time<T, E>(&self, contract: &Contract, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.query(contract).time(run)
    }

    /// The same, with more for the log to tell where the run turns out to be slow.
    pub fn query<'q>(&'q self, contract: &'q Contract) -> Query<'q> {
        Query { monitor: self, contract, connection: None, parameters: Parameters::Unknown }
    }

    /// Takes note of a run that the application has timed itself, such as one that is spread over an async task.
    pub fn record(&self, contract: &Contract, took: Duration, succeeded: bool) {
        self.query(contract).record(Instant::now(), took, succeeded);
    }

    /// How every query contract has been run, by name.
    #[must_use]
    pub fn queries(&self) -> Vec<QueryLatency> {
        let age = self.start.elapsed();
        let latency = |track: &Track| {
            let kept = lock(&track.kept);
            let recent = kept.latency.recent(age);
            QueryLatency {
                name: track.contract.name,
                index: track.contract.index,
                budget_ms: track.contract.budget.into(),
                runs: kept.latency.runs,
                errors: kept.latency.errors,
                slow: kept.latency.slow,
                total_ms: kept.latency.total.into(),
                max_ms: kept.latency.longest.into(),
                recent,
                plan: kept.plan.as_deref().map(str::to_owned),
            }
        };
        self.tracks.iter().map(latency).collect()
    }

    /// What is amiss with the queries of the last minutes: a 95th percentile over the budget, runs that failed.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        query_alerts(&self.queries(), &self.thresholds)
    }

    /// The boot and every query as metrics.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        monitor_metrics::of(&self.queries(), lock(&self.booted).as_ref())
    }

    /// The same as Prometheus reads it; [`PROMETHEUS_CONTENT_TYPE`](crate::PROMETHEUS_CONTENT_TYPE) is its type.
    #[must_use]
    pub fn prometheus(&self) -> String {
        prometheus_text(&self.metrics())
    }

    fn track(&self, name: &str) -> Option<&Track> {
        let place = self.tracks.binary_search_by(|track| track.contract.name.cmp(name)).ok()?;
        self.tracks.get(place)
    }
}

/// One run of a query that is about to be timed.
#[must_use = "it times nothing before `time`"]
pub struct Query<'q> {
    monitor: &'q Monitor,
    contract: &'q Contract,
    connection: Option<&'q Connection>,
    parameters: Parameters<'q>,
}

impl<'q> Query<'q> {
    /// Where the query runs: a slow one whose plan is not known yet is explained there, once.
    pub fn on(self, connection: &'q Connection) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// What it is run with: the log tells their types and lengths, never their values.
    pub fn with(self, parameters: &'q [(&'q str, &'q dyn ToSql)]) -> Self {
        Self { parameters: Parameters::Named(parameters), ..self }
    }

    /// The same of parameters that can be bound and not be listed: binds each at the place at which the contract lists it.
    /// Called only where the run was slow, on a statement of the connection that [`Query::on`] names.
    pub fn bound_by(self, bind: &'q dyn Fn(&mut Statement<'_>) -> rusqlite::Result<()>) -> Self {
        Self { parameters: Parameters::Bound(bind), ..self }
    }

    /// Times the run, as [`Monitor::time`] does.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn time<T, E>(self, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let result = run();
        let end = Instant::now();
        self.record(end, end.saturating_duration_since(start), result.is_ok());
        result
    }

    fn record(&self, end: Instant, took: Duration, succeeded: bool) {
        let Some(track) = self.monitor.track(self.contract.name) else { return self.stranger() };
        let is_slow = took > self.monitor.slow;
        let age = end.saturating_duration_since(self.monitor.start);
        let told = {
            let mut kept = lock(&track.kept);
            kept.latency.record(took, succeeded, is_slow, age);
            if is_slow { kept.told.tell(age) } else { None }
        };
        #[cfg(feature = "metrics")]
        track.facade.get_or_init(|| crate::facade::Handles::of(track.contract.name)).record(took, succeeded, is_slow);
        if let Some(withheld) = told {
            self.tell(track, took, succeeded, withheld);
        }
    }

    #[cold]
    fn tell(&self, track: &Track, took: Duration, succeeded: bool, withheld: u64) {
        let known = lock(&track.kept).plan.clone();
        let plan = known.or_else(|| {
            let plan: Arc<str> = slow::explain(self.connection?, track.contract.sql, self.parameters)?.into();
            lock(&track.kept).plan = Some(Arc::clone(&plan));
            Some(plan)
        });
        let parameters = slow::redacted(self.connection, track.contract, self.parameters);
        let run = SlowRun {
            name: track.contract.name,
            took,
            threshold: self.monitor.slow,
            succeeded,
            plan: plan.as_deref(),
            parameters: parameters.as_deref(),
            withheld,
        };
        log::warn!("{run}");
    }

    #[cold]
    fn stranger(&self) {
        if !self.monitor.has_met_a_stranger.swap(true, Ordering::Relaxed) {
            log::warn!("query {} is no contract of the schema that is monitored: it is not timed", self.contract.name);
        }
    }
}

/// What is behind a lock is whole at every moment: a thread that panicked with it in its hand has spoilt nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
