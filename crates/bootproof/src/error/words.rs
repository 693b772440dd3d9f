//! The parts that messages are put together from.

use std::fmt;
use std::time::Duration;

/// What is known beyond the fact.
pub(super) fn more(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// A list, one item a line, indented under the message.
pub(super) fn lines<T: fmt::Display>(items: &[T]) -> String {
    use fmt::Write as _;
    items.iter().fold(String::new(), |mut text, item| {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {item}");
        text
    })
}

pub(super) fn violating(rows: usize) -> String {
    if rows == 1 { "1 row violates".to_owned() } else { format!("{rows} rows violate") }
}

pub(super) fn listed(items: &[String], total: usize) -> String {
    let mut text = lines(items);
    if total > items.len() {
        text.push_str("\n  … and ");
        text.push_str(&(total - items.len()).to_string());
        text.push_str(" more");
    }
    text
}

/// Who holds a lock, as far as it is known.
pub(crate) fn in_words(holders: &[String]) -> String {
    if holders.is_empty() { "another process".to_owned() } else { holders.join(", ") }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
