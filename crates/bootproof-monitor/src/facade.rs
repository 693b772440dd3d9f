//! The same figures through the `metrics` facade, to whatever recorder the application has installed.

use std::time::Duration;

use metrics::{
    Counter, Histogram, Label, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::metric::{Kind, Metric, PREFIX};

/// What one query is told through. Made when it is first run: a recorder that is installed after that hears nothing of it.
pub(crate) struct Handles {
    times: Histogram,
    errors: Counter,
    slow: Counter,
}

impl Handles {
    pub(crate) fn of(query: &'static str) -> Self {
        describe_histogram!("bootproof_query_duration_seconds", metrics::Unit::Seconds, "How long a query took.");
        describe_counter!("bootproof_query_errors_total", "Runs of a query that failed.");
        describe_counter!(
            "bootproof_query_slow_total",
            "Runs of a query that took longer than the threshold for slow ones."
        );
        Self {
            times: histogram!("bootproof_query_duration_seconds", "query" => query),
            errors: counter!("bootproof_query_errors_total", "query" => query),
            slow: counter!("bootproof_query_slow_total", "query" => query),
        }
    }

    pub(crate) fn record(&self, took: Duration, succeeded: bool, is_slow: bool) {
        if succeeded {
            self.times.record(took);
        } else {
            self.errors.increment(1);
        }
        if is_slow {
            self.slow.increment(1);
        }
    }
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handles")
    }
}

/// Sets every gauge among these; what is counted and timed is told as it happens.
pub fn publish(all: &[Metric]) {
    for (kind, name, help, samples) in all.iter().map(Metric::parts) {
        if kind != Kind::Gauge || samples.is_empty() {
            continue;
        }
        let name = format!("{PREFIX}{name}");
        describe_gauge!(name.clone(), help);
        for sample in samples {
            let labels: Vec<_> = sample.labels.iter().map(|(label, value)| Label::new(*label, value.clone())).collect();
            gauge!(name.clone(), labels).set(sample.value);
        }
    }
}
