//! Figures as people read them; the same wherever a report, a page or a plan shows one.

use std::path::Path;

/// More of a line nobody reads; a table's name or a value can have a million characters.
const LONGEST_LINE: usize = 1_000;

/// A number of bytes in powers of a thousand, as disks are sold: `41.2 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// A number in groups of three digits: `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many of something: `1 index`, `1,200 indexes`.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

/// How many rows: `1 row`, `1,200 rows`.
#[must_use]
pub fn rows(number: u64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "row" } else { "rows" })
}

/// A number of seconds in the unit that suits it: `3.5 ms`, `12.0 s`, `7 days`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.001 => format!("{:.3} ms", seconds * 1e3),
        seconds if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// A share from 0 to 1 as people say it: `25%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// Which share of a whole a part is; 0 of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// A count as a number to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "nothing counted here comes near 2^53")]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// A time in RFC 3339 to the second: what is written to the nanosecond is not read so.
#[must_use]
pub fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) => {
            let zone = rest.find(|character: char| !character.is_ascii_digit()).and_then(|zone| rest.get(zone..));
            format!("{seconds}{}", zone.unwrap_or_default())
        }
        None => time.to_owned(),
    }
}

/// A line that stays one: whatever a table is called, its name neither begins another line nor steers a terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, character| {
        if character.is_control() || is_steering(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        line
    })
}

/// Whether a character ends a line without being a control character, or turns the direction of those that follow.
fn is_steering(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line that stays one, and of no more characters than somebody reads: of a longer one, its beginning and its length.
pub(crate) fn short_line(text: &str) -> String {
    match text.char_indices().nth(LONGEST_LINE) {
        None => one_line(text),
        Some((end, _)) => {
            format!("{}… ({} more)", one_line(text.get(..end).unwrap_or_default()), bytes((text.len() - end) as u64))
        }
    }
}

/// A path as a message shows it.
pub(crate) fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_forge_a_line() {
        assert_eq!(one_line("table `a\nready` — \u{1b}[2J"), "table `a\\nready` — \\u{1b}[2J");
        assert_eq!(one_line("a\u{2028}b\u{202e}c"), "a\\u{2028}b\\u{202e}c");
    }

    #[test]
    fn a_long_name_is_told_by_its_beginning() {
        let line = short_line(&"é".repeat(1_000_000));
        assert!(line.starts_with("éé") && line.ends_with("é… (2.0 MB more)") && line.len() < 2_100, "{line}");
        assert_eq!(short_line("short"), "short");
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1_500, 94_928_896].map(bytes), ["0 B", "999 B", "1.5 KB", "94.9 MB"]);
        assert_eq!([count(1, "index", "indexes"), count(1_200, "index", "indexes")], ["1 index", "1,200 indexes"]);
        assert_eq!([0, 1, 1_200].map(rows), ["0 rows", "1 row", "1,200 rows"]);
        assert_eq!(
            ["2026-11-22T22:16:43.05638768Z", "2026-11-22T22:16:43.5+01:00", "2026-11-22T22:16:43Z"].map(to_the_second),
            ["2026-11-22T22:16:43Z", "2026-11-22T22:16:43+01:00", "2026-11-22T22:16:43Z"]
        );
    }
}
