//! A comparison as a table in Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use bootproof::Milliseconds;
use bootproof::figure::{bytes, count, grouped};

use crate::compare::{Comparison, Series};
use crate::phase::{Case, Contender, Goal};

/// Whether a goal was reached, and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The case and the contender that it is about.
    pub of: String,
    /// What was aimed at, and what was found.
    pub words: String,
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
    let judged = contender.goals.iter().filter_map(|goal| judge(*goal, series, comparison));
    let targets: Vec<String> =
        judged.map(|(words, met)| if met { format!("{words}: met") } else { format!("{words}: **missed**") }).collect();
    let name = &contender.name;
    format!(
        "| {name} | {} | {range} | {memory} | {ratio} | {} | {} |",
        shown(series.median()),
        targets.join("; "),
        note(series)
    )
}

/// Every goal of a case with its end.
#[must_use]
pub fn outcomes(case: &Case, comparison: &Comparison) -> Vec<Outcome> {
    let each = case.contenders.iter().zip(&comparison.series);
    each.flat_map(|(contender, series)| {
        let judged = contender.goals.iter().filter_map(|goal| judge(*goal, series, comparison));
        judged.map(|(words, met)| Outcome {
            of: format!("{}, {}", case.name, contender.name),
            words: match ratio(series, comparison) {
                Some(ratio) => format!("{ratio:.2}, target {words}"),
                None => format!("{}, target {words}", shown(series.median())),
            },
            met,
        })
    })
    .collect()
}

/// How ours compares with this one; nothing for ours itself.
fn ratio(series: &Series, comparison: &Comparison) -> Option<f64> {
    let ours = comparison.series.first()?;
    (ours.name != series.name).then(|| ours.ratio_to(series)).flatten()
}

/// The goal in words and whether it was reached; nothing where that could not be measured.
fn judge(goal: Goal, series: &Series, comparison: &Comparison) -> Option<(String, bool)> {
    match goal {
        Goal::Ratio(most) => ratio(series, comparison).map(|ratio| (format!("≤ {most}"), ratio <= most)),
        Goal::Time(most) => Some((format!("≤ {}", shown(most)), series.median() <= most)),
        Goal::Memory(limit) => series.peak_bytes().map(|peak| (format!("< {}", bytes(limit)), peak < limit)),
        Goal::VisitsOnlyWhatItReturns => {
            let visits = series.typical()?.visits?;
            Some(("visits what it returns".to_owned(), visits.visited == visits.returned))
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
        let met: Vec<bool> = outcomes(&case, &comparison).iter().map(|result| result.met).collect();
        assert_eq!(met, [false, true]);
    }
}
