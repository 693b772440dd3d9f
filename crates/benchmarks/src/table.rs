//! A comparison as a table in Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use bootproof::Milliseconds;
use bootproof::figure::{bytes, count, grouped};

use crate::compare::{Comparison, Series};
use crate::phase::{Case, Contender, Goal, Visits};

/// Whether a goal was reached, and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was aimed at.
    pub target: String,
    /// What was found.
    pub found: String,
    /// Whether that is enough.
    pub met: bool,
}

const HEAD: &str = "| | median | min – max | memory | ours ÷ this | target | |\n|---|---:|---:|---:|---:|---|---|\n";

/// The tables of several cases, each a row that names it and a row for each contender.
#[must_use]
pub fn table<'a>(cases: impl IntoIterator<Item = (&'a Case, &'a Comparison)>) -> String {
    let mut text = HEAD.to_owned();
    for (case, comparison) in cases {
        let turns = comparison.series.first().map_or(0, |series| series.measured.len());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| **{}**, {} | | | | | | |", case.name, count(turns, "turn", "turns"));
        for (contender, series) in case.contenders.iter().zip(&comparison.series) {
            let _ = writeln!(text, "{}", row(contender, series, comparison));
        }
    }
    text
}

fn row(contender: &Contender, series: &Series, comparison: &Comparison) -> String {
    let (least, most) = series.range();
    let range = format!("{} – {}", shown(least), shown(most));
    let memory = series.peak_bytes().map_or_else(String::new, bytes);
    let ratio = ratio(series, comparison).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let targets: Vec<String> = outcomes(contender, series, comparison)
        .map(|outcome| format!("{}: {}", outcome.target, if outcome.met { "met" } else { "**missed**" }))
        .collect();
    let name = &contender.name;
    format!(
        "| {name} | {} | {range} | {memory} | {ratio} | {} | {} |",
        shown(series.median()),
        targets.join("; "),
        note(series)
    )
}

/// The end of every goal of a contender.
pub fn outcomes(contender: &Contender, series: &Series, comparison: &Comparison) -> impl Iterator<Item = Outcome> {
    contender.goals.iter().map(|goal| judge(*goal, series, comparison))
}

/// How ours compares with this one; nothing for ours itself.
fn ratio(series: &Series, comparison: &Comparison) -> Option<f64> {
    let ours = comparison.series.first()?;
    (ours.name != series.name).then(|| ours.ratio_to(series)).flatten()
}

/// What could not be measured is not reached.
fn judge(goal: Goal, series: &Series, comparison: &Comparison) -> Outcome {
    let unknown = || "not measured".to_owned();
    match goal {
        Goal::Ratio(most) => {
            let ratio = ratio(series, comparison);
            let found = ratio.map_or_else(unknown, |ratio| format!("{ratio:.2}"));
            Outcome { target: format!("≤ {most}"), found, met: ratio.is_some_and(|ratio| ratio <= most) }
        }
        Goal::Time(most) => {
            let median = series.median();
            Outcome { target: format!("≤ {}", shown(most)), found: shown(median), met: median <= most }
        }
        Goal::Memory(limit) => {
            let peak = series.peak_bytes();
            let met = peak.is_some_and(|peak| peak < limit);
            Outcome { target: format!("< {}", bytes(limit)), found: peak.map_or_else(unknown, bytes), met }
        }
        Goal::VisitsOnlyWhatItReturns => {
            let visits = series.typical().and_then(|typical| typical.visits);
            let met = visits.is_some_and(|visits| visits.visited == visits.returned);
            let target = "visits what it returns".to_owned();
            Outcome { target, found: visits.map_or_else(unknown, visited), met }
        }
    }
}

fn note(series: &Series) -> String {
    let Some(typical) = series.typical() else { return String::new() };
    let visits = typical
        .visits
        .map(|visits| format!("{} entries visited for {} rows", grouped(visits.visited), grouped(visits.returned)));
    typical.note.iter().cloned().chain(visits).collect::<Vec<_>>().join("; ")
}

fn visited(visits: Visits) -> String {
    format!("{} entries visited for {} rows", grouped(visits.visited), grouped(visits.returned))
}

fn shown(time: Duration) -> String {
    Milliseconds::from(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::{Measured, Pace};

    fn example() -> (Case, Comparison) {
        let contender = |name: &str| Contender::new(name, |_| Ok(Measured::default()));
        let case = Case {
            name: "a case".to_owned(),
            contenders: vec![
                contender("ours").aims_at(Goal::Memory(1000)),
                contender("other").aims_at(Goal::Ratio(0.5)),
            ],
            pace: Pace::Long,
        };
        let series = |name: &str, ms: u64| Series {
            name: name.to_owned(),
            measured: vec![Measured { took: Duration::from_millis(ms), peak_bytes: Some(2000), ..Measured::default() }],
        };
        (case, Comparison { series: vec![series("ours", 4), series("other", 10)] })
    }

    #[test]
    fn a_row_says_what_was_found_and_aimed_at() {
        let (case, comparison) = example();
        let text = table([(&case, &comparison)]);
        assert!(text.contains("| other | 10.0 ms | 10.0 ms – 10.0 ms | 2.0 KB | 0.40 | ≤ 0.5: met |  |"), "{text}");
        assert!(text.contains("| < 1.0 KB: **missed** |"), "{text}");
    }

    #[test]
    fn every_goal_has_its_end() {
        let (case, comparison) = example();
        let each = case.contenders.iter().zip(&comparison.series);
        let found: Vec<String> = each
            .flat_map(|(contender, series)| outcomes(contender, series, &comparison))
            .map(|outcome| format!("{} {} {}", outcome.found, outcome.target, outcome.met))
            .collect();
        assert_eq!(found, ["2.0 KB < 1.0 KB false", "0.40 ≤ 0.5 true"]);
    }
}
