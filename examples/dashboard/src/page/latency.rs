//! How long the queries of this process take against their budgets.

use bootproof::figure::{duration, grouped};
use bootproof_monitor::{FEWEST_RUNS, QueryLatency};
use maud::{Markup, html};

/// The axis: from 0.01 ms to 10 s, each decade as long as the next, since a budget may be a thousand times a fast query.
const SHORTEST_MS: f64 = 0.01;
const DECADES: f64 = 6.0;

/// A row for each query; what is live in it is read again while somebody looks.
pub(super) fn latency(queries: &[QueryLatency]) -> Markup {
    html! {
        section.card aria-labelledby="latency" {
            h2 #latency { "Queries against their budgets" }
            div.scroll data-live tabindex="0" role="region" aria-labelledby="latency" {
                table.latency {
                    caption {
                        "The last minutes of this process. From 0.01 ms to 10 s, each mark ten times the one before: "
                        span.key {
                            span { svg width="26" height="10" aria-hidden="true" { g.axis { line.span x1="3" x2="23" y1="5" y2="5" {} } } "median to 99%" }
                            span { svg width="12" height="10" aria-hidden="true" { g.axis { circle.p95 cx="6" cy="5" r="4.5" {} } } "95%" }
                            span { svg width="8" height="12" aria-hidden="true" { g.axis { line.budget x1="4" x2="4" y1="0" y2="12" {} } } "budget" }
                        }
                    }
                    thead { tr {
                        th scope="col" { "Query" }
                        th.number scope="col" { "Runs" }
                        th.number scope="col" { "Median" }
                        th.number scope="col" { "95%" }
                        th.bars scope="col" { span.hidden { "On an axis" } }
                        th.number scope="col" { "Budget" }
                        th scope="col" { "State" }
                    } }
                    tbody { @for query in queries { (row(query)) } }
                }
            }
        }
    }
}

fn row(query: &QueryLatency) -> Markup {
    let recent = &query.recent;
    let is_over = recent.p95_ms > query.budget_ms;
    let (class, word) = match recent.runs {
        0 if recent.errors > 0 => ("bad", "failing"),
        0 => ("quiet", "not run"),
        _ if recent.errors > 0 => ("bad", "failing at times"),
        // As the alerts have it.
        ..FEWEST_RUNS if is_over => ("warn", "over, few runs"),
        _ if is_over => ("bad", "over"),
        _ => ("good", "within"),
    };
    let time = |milliseconds: f64| if recent.runs > 0 { duration(milliseconds / 1e3) } else { "–".to_owned() };
    html! {
        tr {
            th scope="row" { code { (query.name) } }
            td.number { (grouped(query.runs)) }
            td.number { (time(recent.p50_ms.0)) }
            td.number.strong { (time(recent.p95_ms.0)) }
            td.bars { (axis(query, is_over)) }
            td.number { (duration(query.budget_ms.0 / 1e3)) }
            td { span.word.(class) { (word) } }
        }
    }
}

fn axis(query: &QueryLatency, is_over: bool) -> Markup {
    let recent = &query.recent;
    html! {
        svg.axis.over[is_over] width="100%" height="18" aria-hidden="true" focusable="false" {
            line.rail x1="0" x2="100%" y1="9" y2="9" {}
            @for decade in 0..=6 { @let x = format!("{:.2}%", f64::from(decade) / DECADES * 100.0); line.decade x1=(x) x2=(x) y1="4" y2="14" {} }
            @if recent.runs > 0 {
                line.span x1=(place(recent.p50_ms.0)) x2=(place(recent.p99_ms.0)) y1="9" y2="9" {}
            }
            line.budget x1=(place(query.budget_ms.0)) x2=(place(query.budget_ms.0)) y1="1" y2="17" {}
            @if recent.runs > 0 { circle.p95 cx=(place(recent.p95_ms.0)) cy="9" r="5" {} }
        }
    }
}

/// Where on the axis so many milliseconds are.
fn place(milliseconds: f64) -> String {
    let decades = (milliseconds.max(SHORTEST_MS) / SHORTEST_MS).log10();
    format!("{:.2}%", (decades / DECADES).clamp(0.0, 1.0) * 100.0)
}
