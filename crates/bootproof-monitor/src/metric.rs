//! A metric as data, and as the text that Prometheus reads: its format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::fmt::Write as _;

/// The `Content-Type` of [`prometheus_text`].
pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What every metric is called first.
pub(crate) const PREFIX: &str = "bootproof_";

/// One metric with all its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

/// How a metric behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up, from the start of the process.
    Counter,
    /// Quantiles, with a sum and a count that only go up.
    Summary,
}

/// One value of a metric, and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Behind the name of the metric: `_sum` and `_count` of a summary.
    pub(crate) suffix: &'static str,
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: f64,
}

impl Metric {
    pub(crate) fn new(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = Sample>,
    ) -> Self {
        Self { kind, name, help, samples: samples.into_iter().collect() }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn parts(&self) -> (Kind, &'static str, &'static str, &[Sample]) {
        (self.kind, self.name, self.help, &self.samples)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Summary => "summary",
        }
    }
}

impl Sample {
    pub(crate) fn of(value: f64) -> Self {
        Self { suffix: "", labels: Vec::new(), value }
    }

    pub(crate) fn label(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((name, value.into()));
        self
    }

    pub(crate) fn suffix(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }
}

/// The metrics as Prometheus reads them, each with its help and type; nothing of those without a sample.
#[must_use]
pub fn prometheus_text(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for Metric { kind, name, help, samples } in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {}", kind.name());
        for Sample { suffix, labels, value } in samples {
            let _ = write!(text, "{PREFIX}{name}{suffix}");
            for (position, (label, value)) in labels.iter().enumerate() {
                let opening = if position == 0 { '{' } else { ',' };
                let _ = write!(text, "{opening}{label}=\"{}\"", escaped(value));
            }
            let closing = if labels.is_empty() { "" } else { "}" };
            let _ = writeln!(text, "{closing} {value}");
        }
    }
    text
}

/// The text of a label: a backslash, a quote and the end of a line are escaped, nothing else.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
