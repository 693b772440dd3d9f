//! Colour for the words that matter. What is painted is stripped again where the output is no terminal, or `NO_COLOR` is
//! set.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const HELPFUL: Style = AnsiColor::Cyan.on_default().bold();
const ASIDE: Style = Style::new().dimmed();

/// The words that a line of ours begins with, and how they look.
const WORDS: [(&str, Style); 18] = [
    ("proven", GOOD),
    ("ready", GOOD),
    ("healthy", GOOD),
    ("passed", GOOD),
    ("applied", GOOD),
    ("sound", GOOD),
    ("degraded", DOUBTFUL),
    ("alerts", DOUBTFUL),
    ("warning", DOUBTFUL),
    ("held", DOUBTFUL),
    ("pending", DOUBTFUL),
    ("FAILED", BAD),
    ("refused", BAD),
    ("critical", BAD),
    ("error", BAD),
    ("hint", HELPFUL),
    ("skipped", ASIDE),
    ("note", ASIDE),
];

/// Paints the first word of every line that is one of ours.
pub(crate) fn paint(text: &str) -> String {
    let mut painted = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let words = line.trim_start_matches(' ');
        let indent = line.len() - words.len();
        let end = words.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(words.len());
        let (word, rest) = words.split_at(end);
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, style)) => {
                // Writing to a String cannot fail.
                let _ = write!(painted, "{:indent$}{style}{word}{style:#}{rest}", "");
            }
            None => painted.push_str(line),
        }
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::paint;

    #[test]
    fn only_a_first_word_is_painted_and_nothing_is_lost() {
        let text = "ready at version 2\n  passed     schema\n  note       passed by\nreadyish\nerror: no\n";
        let painted = paint(text);
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
        assert_eq!(painted.matches("\u{1b}[0m").count(), 4, "{painted:?}");
        assert!(painted.contains("readyish\n"));
    }
}
