//! The boot of this process and the queries it has run, as metrics in base units.

use std::time::SystemTime;

use bootproof::figure::float;
use bootproof::{BootReport, Verdict};

use crate::latency::QueryLatency;
use crate::metric::{Kind, Metric, Sample};

/// What metrics tell of a boot.
#[derive(Debug)]
pub(crate) struct Booted {
    at: SystemTime,
    seconds: f64,
    is_degraded: bool,
    applied: usize,
}

impl Booted {
    pub(crate) fn of(report: &BootReport) -> Self {
        Self {
            at: SystemTime::now(),
            seconds: report.duration_ms.0 / 1e3,
            is_degraded: report.verdict == Verdict::Degraded,
            applied: report.applied.len(),
        }
    }
}

/// A sample of every query for which there is a value.
fn each<'a>(
    queries: &'a [QueryLatency],
    value: impl Fn(&QueryLatency) -> f64 + 'a,
) -> impl Iterator<Item = Sample> + 'a {
    queries.iter().map(move |query| Sample::of(value(query)).label("query", query.name))
}

pub(crate) fn of(queries: &[QueryLatency], booted: Option<&Booted>) -> Vec<Metric> {
    let mut metrics = booted.map(of_boot).unwrap_or_default();
    let times = queries.iter().flat_map(|query| {
        let recent = &query.recent;
        let quantiles = [("0.5", recent.p50_ms), ("0.95", recent.p95_ms), ("0.99", recent.p99_ms)];
        // Of no run there is no percentile: 0 would look like a very fast query.
        let quantiles = quantiles
            .into_iter()
            .filter(|_| recent.runs > 0)
            .map(|(quantile, time)| Sample::of(time.0 / 1e3).label("query", query.name).label("quantile", quantile));
        let whole = |suffix, value| Sample::of(value).label("query", query.name).suffix(suffix);
        quantiles.chain([whole("_sum", query.total_ms.0 / 1e3), whole("_count", float(query.runs))])
    });
    let help = "How long the application's runs of a query took: quantiles of the last minutes, sum and count since the start.";
    metrics.push(Metric::new(Kind::Summary, "query_duration_seconds", help, times));
    let longest = each(queries, |query| query.recent.max_ms.0 / 1e3);
    metrics.push(Metric::new(
        Kind::Gauge,
        "query_duration_max_seconds",
        "The longest run of the last minutes.",
        longest,
    ));
    let budget = each(queries, |query| query.budget_ms.0 / 1e3);
    metrics.push(Metric::new(Kind::Gauge, "query_duration_budget_seconds", "The budget of a query.", budget));
    let errors = each(queries, |query| float(query.errors));
    metrics.push(Metric::new(Kind::Counter, "query_errors_total", "Runs of a query that failed.", errors));
    let slow = each(queries, |query| float(query.slow));
    let help = "Runs of a query that took longer than the threshold for slow ones.";
    metrics.push(Metric::new(Kind::Counter, "query_slow_total", help, slow));
    metrics
}

fn of_boot(booted: &Booted) -> Vec<Metric> {
    let gauge = |name, help, value| Metric::new(Kind::Gauge, name, help, [Sample::of(value)]);
    let at = booted.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    vec![
        gauge("boot_timestamp_seconds", "When this process had booted the database.", at),
        gauge("boot_duration_seconds", "How long that took.", booted.seconds),
        gauge("boot_applied_migrations", "How many migrations it applied.", float(booted.applied as u64)),
        gauge(
            "boot_degraded",
            "Whether it found a query that misses its index.",
            f64::from(u8::from(booted.is_degraded)),
        ),
    ]
}
