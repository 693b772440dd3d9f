//! How long one query takes: everything since the start as counts, the last minutes as percentiles.

use std::time::Duration;

use bootproof::Milliseconds;
use hdrhistogram::Histogram;
use serde::Serialize;

/// So long is one part of what counts as recent.
const PART: Duration = Duration::from_mins(1);
/// So many parts, the one that is being filled among them: percentiles are of the last four to five minutes. Those of the
/// whole life of a process would hide for hours that a query has become slow.
const PARTS: usize = 5;

/// Nanoseconds below this are not told apart; what takes longer than the longest is counted as that.
const SHORTEST: u64 = 100;
const LONGEST: u64 = 3_600_000_000_000;
/// Two digits: a percentile is within 1% of the truth, and a histogram has 20 KB.
const DIGITS: u8 = 2;

/// How the application has run one query contract.
#[derive(Clone, Debug, Serialize)]
pub struct QueryLatency {
    /// The contract.
    pub name: &'static str,
    /// The index it must use.
    pub index: &'static str,
    /// Its budget.
    pub budget_ms: Milliseconds,
    /// Its runs that succeeded, since the start of the process.
    pub runs: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those of either kind that took longer than the threshold for slow queries.
    pub slow: u64,
    /// How long all those that succeeded took together.
    pub total_ms: Milliseconds,
    /// The longest of those that succeeded.
    pub max_ms: Milliseconds,
    /// The last four to five minutes.
    pub recent: Recent,
    /// How SQLite runs it, once that is known: from the report of the boot, or asked when it was slow.
    pub plan: Option<String>,
}

/// The last four to five minutes of a query. The times are those of runs that succeeded, to 1%; 0 where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Recent {
    /// Runs that succeeded.
    pub runs: u64,
    /// Runs that failed.
    pub errors: u64,
    /// Their median.
    pub p50_ms: Milliseconds,
    /// Their 95th percentile.
    pub p95_ms: Milliseconds,
    /// Their 99th percentile.
    pub p99_ms: Milliseconds,
    /// The longest.
    pub max_ms: Milliseconds,
}

/// The runs of one query.
#[derive(Debug)]
pub(crate) struct Latency {
    pub(crate) runs: u64,
    pub(crate) errors: u64,
    pub(crate) slow: u64,
    pub(crate) total: Duration,
    pub(crate) longest: Duration,
    parts: Vec<Part>,
    /// The number of the part that is being filled, counted from the start of the process.
    current: u64,
}

#[derive(Debug)]
struct Part {
    number: u64,
    times: Histogram<u32>,
    errors: u64,
}

impl Latency {
    /// Nothing yet. `None` if the bounds above meant nothing to the histogram, which a test excludes.
    pub(crate) fn new() -> Option<Self> {
        let part = |number| {
            let times = Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS).ok()?;
            Some(Part { number, times, errors: 0 })
        };
        let parts = (0..PARTS as u64).map(part).collect::<Option<_>>()?;
        Some(Self { runs: 0, errors: 0, slow: 0, total: Duration::ZERO, longest: Duration::ZERO, parts, current: 0 })
    }

    /// Takes note of a run that ended so long after the start of the process.
    pub(crate) fn record(&mut self, took: Duration, succeeded: bool, is_slow: bool, age: Duration) {
        self.slow += u64::from(is_slow);
        if succeeded {
            self.runs += 1;
            self.total = self.total.saturating_add(took);
            self.longest = self.longest.max(took);
        } else {
            self.errors += 1;
        }
        let Some(part) = self.part(age) else { return };
        if succeeded {
            part.times.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(LONGEST));
        } else {
            part.errors += 1;
        }
    }

    /// The part of that time, emptied of what was there a round ago. A thread that was held up since it took its time
    /// does not turn the clock back.
    fn part(&mut self, age: Duration) -> Option<&mut Part> {
        self.current = self.current.max(age.as_secs() / PART.as_secs());
        let place = usize::try_from(self.current).unwrap_or_default() % PARTS;
        let part = self.parts.get_mut(place)?;
        if part.number != self.current {
            part.number = self.current;
            part.times.reset();
            part.errors = 0;
        }
        Some(part)
    }

    /// What is recent so long after the start of the process.
    pub(crate) fn recent(&self, age: Duration) -> Recent {
        let now = (age.as_secs() / PART.as_secs()).max(self.current);
        let mut parts = self.parts.iter().filter(|part| part.number + PARTS as u64 > now);
        let Some(first) = parts.next() else { return Recent::default() };
        let (mut times, mut errors) = (first.times.clone(), first.errors);
        for part in parts {
            // The same bounds: nothing here can fail.
            let _ = times.add(&part.times);
            errors += part.errors;
        }
        let runs = times.len();
        if runs == 0 {
            return Recent { errors, ..Recent::default() };
        }
        let of = |nanoseconds: u64| Milliseconds::from(Duration::from_nanos(nanoseconds));
        let at = |quantile| of(times.value_at_quantile(quantile));
        Recent { runs, errors, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: of(times.max()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn percentiles_are_within_one_percent() {
        let mut latency = Latency::new().unwrap();
        for run in 1..=1_000_u64 {
            latency.record(Duration::from_micros(run * 20), true, false, seconds(1));
        }
        let recent = latency.recent(seconds(2));
        let near =
            |told: Milliseconds, truth: f64| assert!((told.0 / truth - 1.0).abs() < 0.01, "{told:?} for {truth}");
        near(recent.p50_ms, 10.0);
        near(recent.p95_ms, 19.0);
        near(recent.p99_ms, 19.8);
        near(recent.max_ms, 20.0);
        assert_eq!((recent.runs, latency.runs, latency.longest), (1_000, 1_000, Duration::from_millis(20)));
    }

    #[test]
    fn what_is_past_is_counted_and_no_longer_recent() {
        let mut latency = Latency::new().unwrap();
        latency.record(seconds(3), true, true, seconds(10));
        latency.record(seconds(3), false, true, seconds(20));
        assert_eq!((latency.recent(seconds(299)).runs, latency.recent(seconds(299)).errors), (1, 1));
        assert_eq!(latency.recent(seconds(300)), Recent::default(), "nobody has run it since");
        // A whole round later the part is used again.
        latency.record(Duration::from_millis(5), true, false, seconds(305));
        let recent = latency.recent(seconds(306));
        assert_eq!((recent.runs, recent.errors), (1, 0));
        assert!(recent.max_ms.0 < 6.0, "{recent:?}");
        assert_eq!((latency.runs, latency.errors, latency.slow), (2, 1, 2));
    }

    #[test]
    fn no_duration_is_too_long_or_too_short() {
        let mut latency = Latency::new().unwrap();
        latency.record(Duration::ZERO, true, false, seconds(0));
        latency.record(Duration::MAX / 4, true, true, seconds(0));
        assert_eq!(latency.recent(seconds(0)).runs, 2);
    }
}
