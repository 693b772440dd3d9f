//! Where the time of a boot went, a bar for each step.

use std::fmt::Write as _;

use super::{BootReport, Milliseconds};
use crate::figure::one_line;

/// So wide are the bars where a line has 80 columns.
const WIDTH: usize = 24;
/// So much of the name of a step is shown.
const LONGEST_NAME: usize = 34;

impl BootReport {
    /// Where the time went, for a person: a line for each step, with a bar that begins where the one before ended.
    #[must_use]
    pub fn timeline_text(&self) -> String {
        let steps: Vec<_> = self.timeline.iter().map(|step| (step.step.clone(), step.duration_ms.0)).collect();
        timeline_bars(&steps, WIDTH)
    }
}

/// One line a step: its name, its milliseconds, its share of the whole, and a bar.
#[must_use]
pub fn timeline_bars(steps: &[(String, f64)], width: usize) -> String {
    let names: Vec<String> =
        steps.iter().map(|(step, _)| one_line(step).chars().take(LONGEST_NAME).collect()).collect();
    let whole: f64 = steps.iter().map(|(_, took)| took).sum();
    let share = |milliseconds: f64| if whole > 0.0 { milliseconds / whole } else { 0.0 };
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let (mut text, mut before) = (String::new(), 0.0);
    for (name, (_, took)) in names.iter().zip(steps) {
        let (start, end) = (column(share(before), width), column(share(before + took), width));
        before += took;
        // A step that took any time is seen.
        let bar = if end > start { "█".repeat(end - start) } else { "▏".to_owned() };
        let (percent, indent) = (share(*took) * 100.0, " ".repeat(start));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<widest$} {:>9} {percent:>5.1}%  {indent}{bar}", Milliseconds(*took).to_string());
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to width")]
fn column(share: f64, width: usize) -> usize {
    (share * width as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_one_another() {
        let long = format!("applying 001_{}", "x".repeat(100));
        let text = timeline_bars(&[(long, 30.0), ("a look".to_owned(), 0.01), ("indexes".to_owned(), 30.0)], WIDTH);
        let starts: Vec<usize> =
            text.lines().map(|line| line.chars().position(|c| "█▏".contains(c)).unwrap()).collect();
        assert_eq!(starts[1], starts[0] + WIDTH / 2);
        assert_eq!(starts[2], starts[1]);
        assert!(text.lines().all(|line| line.contains('%') && line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn nothing_has_no_bars() {
        assert_eq!(timeline_bars(&[], WIDTH), "");
    }
}
