//! All figures of the query contracts.

use bootproof::{QueryReport, Timing};
use maud::{Markup, html};

use super::chart::whole;
use super::{is_over, is_timed, timings};
use crate::html::text;

const COLUMNS: usize = 8;

/// `None` where nothing was timed.
pub(in crate::html) fn body(queries: &[QueryReport]) -> Option<Markup> {
    let timed: Vec<_> = queries.iter().filter(|query| is_timed(query)).collect();
    if timed.is_empty() {
        return None;
    }
    Some(html! {
        p class="aside" id="figures-note" {
            "Median and 95th percentile are of warm runs, the longest is of all. Cold is the median of first runs, with "
            "nothing in SQLite's page cache. Rows and steps of SQLite's virtual machine are those of the largest result, "
            "pages those that its cold run read."
        }
        div class="scroll" role="region" aria-labelledby="figures-title" tabindex="0" {
            table class="figures" aria-describedby="figures-note" {
                caption class="hidden" { "Timings of each query" }
                thead {
                    tr {
                        th scope="col" { "Timed" }
                        @for title in ["Median", "95%", "Longest", "Cold", "Rows", "Steps", "Pages"] {
                            th scope="col" class="number" { (title) }
                        }
                    }
                }
                @for query in timed { (group(query)) }
            }
        }
    })
}

fn group(query: &QueryReport) -> Markup {
    html! {
        tbody {
            tr class="query" {
                th scope="rowgroup" colspan=(COLUMNS) {
                    (text::name(query.name)) " "
                    @if let Some(change) = change(query) { span class="change" { (change) } }
                    span class="aside" { (indexes(query)) }
                }
            }
            @for (word, timing) in timings(query) { (row(query, word, timing)) }
        }
    }
}

fn row(query: &QueryReport, word: &str, timing: Timing) -> Markup {
    html! {
        tr {
            th scope="row" {
                (word)
                @if is_over(query, word) { span class="bad" { " over " (whole(query.budget_ms)) } }
            }
            td class="number strong" { (text::time(timing.median_ms)) }
            td class="number" { (text::time(timing.p95_ms)) }
            td class="number" { (text::time(timing.max_ms)) }
            td class="number" { (text::time(timing.cold_ms)) }
            td class="number" { (text::grouped(timing.rows_returned)) }
            td class="number" { (text::grouped(timing.vm_steps)) }
            td class="number" { (text::grouped(timing.pages_read)) }
        }
    }
}

/// `−99%, 71×`
fn change(query: &QueryReport) -> Option<String> {
    let (before, after) = (query.before?.median_ms.0, query.after?.median_ms.0);
    Some(format!("{}, {} as fast", text::change(before, after)?, text::factor(before, after)?))
}

/// Which index SQLite chose, and which it chose before where that is another.
fn indexes(query: &QueryReport) -> Markup {
    let index = |index: Option<&str>| html! { @match index { Some(name) => (text::name(name)), None => "no index" } };
    let (before, used) = (query.index_before.as_deref(), query.index_used.as_deref());
    html! {
        @if query.before.is_some() && before != used { (index(before)) " → " }
        (index(used))
        @if !used.is_some_and(|used| used.eq_ignore_ascii_case(query.expected_index)) {
            " (expected " (text::name(query.expected_index)) ")"
        }
        ", budget " (whole(query.budget_ms))
    }
}
