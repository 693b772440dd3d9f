//! The query contracts: how long each takes, before and after, against its budget.

pub(super) mod chart;
pub(super) mod table;

use bootproof::{QueryReport, Timing};

/// The timings of a query with the word for each: there is a before and an after only where both were timed.
fn timings(query: &QueryReport) -> impl Iterator<Item = (&'static str, Timing)> {
    let last = if query.before.is_some() { "after" } else { "now" };
    let timings = [query.before.map(|timing| ("before", timing)), query.after.map(|timing| (last, timing))];
    timings.into_iter().flatten()
}

fn is_timed(query: &QueryReport) -> bool {
    query.before.is_some() || query.after.is_some()
}

/// Whether a timing says that the query is over its budget now. What was before is no longer to be judged.
fn is_over(query: &QueryReport, word: &str) -> bool {
    word != "before" && query.is_within_budget() == Some(false)
}
