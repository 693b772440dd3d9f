//! How the database is: measured by the engine, judged by thresholds, said to a person or to a monitor.

mod text;

use std::path::Path;

use bootproof::inspect::{Health, Measure};
use bootproof::{Boot, ErrorReport};
use bootproof_monitor::{Alert, Thresholds, health_alerts, health_metrics, prometheus_text};
use serde::Serialize;

use crate::output::Answer;

/// The exit code where an alert is raised and a boot would not refuse.
const ALERTS: u8 = 9;
/// The exit code for thresholds that cannot be read.
const USAGE: u8 = 2;

/// How the answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Prometheus,
}

/// Measures and judges.
pub(crate) fn answer(boot: &Boot<'_>, config: Option<&Path>, quick: bool, format: Format) -> Answer {
    let thresholds = match config.map_or_else(|| Ok(Thresholds::default()), Thresholds::read) {
        Ok(thresholds) => thresholds,
        Err(message) => return misconfigured(message, format),
    };
    match boot.measure(if quick { Measure::QUICK } else { Measure::EVERYTHING }) {
        Ok(health) => say(&health, &health_alerts(&health, &thresholds), format),
        Err(failure) => Answer::of_boot(Err(failure), format == Format::Json),
    }
}

/// What it comes to, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Healthy,
    Alerts,
    Refused,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Alerts => "alerts",
            Self::Refused => "refused",
        }
    }
}

/// The JSON.
#[derive(Debug, Serialize)]
struct Judged<'a> {
    verdict: Verdict,
    alerts: &'a [Alert],
    health: Option<&'a Health>,
    /// Why nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport>,
}

fn say(health: &Health, alerts: &[Alert], format: Format) -> Answer {
    let (verdict, code) = match &health.error {
        Some(error) => (Verdict::Refused, error.code),
        None if alerts.is_empty() => (Verdict::Healthy, 0),
        None => (Verdict::Alerts, ALERTS),
    };
    let answer = match format {
        Format::Text => Answer::of_prose(text::page(health, alerts, verdict)),
        Format::Json => Answer::of_json(&Judged { verdict, alerts, health: Some(health), error: None }),
        Format::Prometheus => Answer::of_text(prometheus_text(&health_metrics(health, alerts))),
    };
    Answer { code, ..answer }
}

/// Thresholds that mean nothing must not pass for those by default.
fn misconfigured(message: String, format: Format) -> Answer {
    let hint = "correct the file; deploy/health.toml shows every key with its default";
    let printed = format!("error: the thresholds cannot be used: {message}\nhint: {hint}\n");
    let answer = if format == Format::Json {
        let error = Some(ErrorReport { code: USAGE, kind: "config", message, hint });
        Answer::of_json(&Judged { verdict: Verdict::Refused, alerts: &[], health: None, error })
    } else {
        Answer::default()
    };
    Answer { message: printed, code: USAGE, ..answer }
}

#[cfg(test)]
mod tests;
