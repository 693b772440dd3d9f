//! The parts that messages are put together from.

use std::fmt;
use std::time::Duration;

pub(super) use crate::figure::{short_line as said, shown};

/// How many items a message lists one by one.
const LISTED: usize = 100;

/// What is known beyond the fact.
pub(super) fn more(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {}", said(message)) }
}

/// A list, one item a line, indented under the message: the first of them, and how many more there are.
pub(super) fn lines<T: fmt::Display>(items: &[T]) -> String {
    listed(items.get(..LISTED).unwrap_or(items), items.len())
}

pub(super) fn violating(rows: usize) -> String {
    if rows == 1 { "1 row violates".to_owned() } else { format!("{rows} rows violate") }
}

/// All items, and that there are more in all. Whatever is in an item, it stays one line.
pub(super) fn listed<T: fmt::Display>(items: &[T], total: usize) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str("\n  ");
        text.push_str(&said(&item.to_string()));
    }
    if total > items.len() {
        text.push_str("\n  … and ");
        text.push_str(&(total - items.len()).to_string());
        text.push_str(" more");
    }
    text
}

/// Who holds a lock, as far as it is known.
pub(crate) fn in_words(holders: &[String]) -> String {
    if holders.is_empty() { "another process".to_owned() } else { said(&holders.join(", ")) }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
