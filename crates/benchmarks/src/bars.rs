//! Where the time of a boot went, a bar for each step.

use std::fmt::Write as _;

use bootproof::Milliseconds;

const WIDTH: usize = 50;

/// One line a step: its name, its time, its share of the whole, and a bar that begins where the one before ended.
#[must_use]
pub fn bars(steps: &[(String, f64)]) -> String {
    let whole: f64 = steps.iter().map(|(_, took)| took).sum();
    let widest = steps.iter().map(|(step, _)| step.chars().count()).max().unwrap_or_default();
    let (mut text, mut before) = (String::new(), 0.0);
    for (step, took) in steps {
        let (start, end) = (column(before, whole), column(before + took, whole));
        before += took;
        // A step that took any time is seen.
        let bar = if end > start { "█".repeat(end - start) } else { "▏".to_owned() };
        let share = if whole > 0.0 { took / whole * 100.0 } else { 0.0 };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{step:<widest$} {:>9} {share:>5.1}%  {}{bar}", Milliseconds(*took), " ".repeat(start));
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to WIDTH")]
fn column(milliseconds: f64, whole: f64) -> usize {
    if whole > 0.0 { (milliseconds / whole * WIDTH as f64).round() as usize } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn bars_follow_one_another() {
        let steps = [("copying".to_owned(), 30.0), ("a look".to_owned(), 0.01), ("indexes".to_owned(), 30.0)];
        let text = bars(&steps);
        let starts: Vec<usize> =
            text.lines().map(|line| line.chars().position(|c| "█▏".contains(c)).unwrap()).collect();
        assert_eq!(starts[1], starts[0] + 25);
        assert_eq!(starts[2], starts[1]);
        assert!(text.lines().all(|line| line.contains('%')), "{text}");
    }

    #[test]
    fn nothing_has_no_bars() {
        assert_eq!(bars(&[]), "");
    }
}
