//! Bars: the median of each query before and after, on one scale for all, with the budget marked.

use bootproof::{Milliseconds, QueryReport};
use maud::{Markup, html};

use super::{is_over, is_timed, timings};
use crate::html::scale::{Kind, Scale};
use crate::html::text;

/// The height of a bar and of the room it has, in pixels.
const BAR: usize = 13;
const ROOM: usize = 19;

/// `None` where nothing was timed.
pub(in crate::html) fn body(queries: &[QueryReport]) -> Option<Markup> {
    let timed: Vec<_> = queries.iter().filter(|query| is_timed(query)).collect();
    let medians = timed.iter().flat_map(|query| timings(query)).map(|(_, timing)| timing.median_ms.0);
    let budgets = timed.iter().map(|query| query.budget_ms.0);
    let scale = Scale::fit(medians.chain(budgets))?;
    let has_before = timed.iter().any(|query| query.before.is_some());
    Some(html! {
        figure class="chart" {
            figcaption {
                p { "Median time of each query with the heaviest parameters found in the data. " (explanation(&scale)) }
                (legend(has_before))
            }
            div class="bars" role="list" {
                @for query in timed { (row(query, &scale)) }
                div class="axis" aria-hidden="true" { (axis(&scale)) }
            }
        }
    })
}

fn explanation(scale: &Scale) -> &'static str {
    match scale.kind() {
        Kind::Linear => "The scale is linear: half as long a bar is half the time.",
        Kind::Logarithmic { decades: 1 } => {
            "The scale is logarithmic, because the times are of very different size: each line across stands for ten times \
             as long as the one before it."
        }
        Kind::Logarithmic { .. } => {
            "The scale is logarithmic, because the times are of very different size: each line across stands for a hundred \
             times as long as the one before it."
        }
    }
}

fn legend(has_before: bool) -> Markup {
    let swatch = |class: &str| {
        html! { svg class="swatch" width="14" height="14" aria-hidden="true" {
            @if class == "budget" { line class=(class) x1="7" y1="0" x2="7" y2="14" {} }
            @else { rect class=(class) x="0" y="1" width="14" height="12" rx="2" {} }
        } }
    };
    html! {
        ul class="legend" {
            @if has_before { li { (swatch("before")) " before" } }
            li { (swatch("after")) @if has_before { " after" } @else { " now" } }
            li { (swatch("budget")) " budget" }
        }
    }
}

fn row(query: &QueryReport, scale: &Scale) -> Markup {
    let timings: Vec<_> = timings(query).collect();
    let height = ROOM * timings.len() + 6;
    html! {
        div class="bar" role="listitem" {
            div class="label" {
                (text::name(query.name))
                span class="aside" { "budget " (whole(query.budget_ms)) }
            }
            div class="plot" {
                svg width="100%" height=(height) role="img" aria-label=(description(query)) {
                    (grid(scale))
                    @for (position, (word, timing)) in timings.iter().enumerate() {
                        @let top = 3 + position * ROOM + (ROOM - BAR) / 2;
                        @let width = percent(scale.place(timing.median_ms.0));
                        rect class=(class(query, word)) x="0" y=(top) width=(width) height=(BAR) rx="2" {}
                    }
                    (budget(query, scale))
                    @for (position, (word, timing)) in timings.iter().enumerate() {
                        text x=(percent(scale.place(timing.median_ms.0))) dx="7" y=(3 + position * ROOM + 14) {
                            (text::time(timing.median_ms)) @if is_over(query, word) { " · over" }
                        }
                    }
                }
            }
        }
    }
}

fn class(query: &QueryReport, word: &str) -> &'static str {
    match word {
        _ if is_over(query, word) => "over",
        "before" => "before",
        _ => "after",
    }
}

/// The row for those who do not see it.
fn description(query: &QueryReport) -> String {
    let medians: Vec<_> =
        timings(query).map(|(word, timing)| format!("{word} {}", text::time(timing.median_ms))).collect();
    let verdict = match query.is_within_budget() {
        Some(true) => ", kept",
        Some(false) => ", exceeded",
        None => "",
    };
    format!("{}: {}, budget {}{verdict}", query.name, medians.join(", "), whole(query.budget_ms))
}

fn budget(query: &QueryReport, scale: &Scale) -> Markup {
    let place = percent(scale.place(query.budget_ms.0));
    html! { line class="budget" x1=(place) y1="0" x2=(place) y2="100%" {} }
}

fn grid(scale: &Scale) -> Markup {
    html! {
        @for tick in scale.ticks() {
            @let place = percent(scale.place(tick));
            line class="grid" x1=(place) y1="0" x2=(place) y2="100%" {}
        }
    }
}

/// Figures without their unit, but for the last: on the screen of a telephone there is no room for more.
fn axis(scale: &Scale) -> Markup {
    let ticks = scale.ticks();
    let last = ticks.len().saturating_sub(1);
    html! {
        svg width="100%" height="22" {
            @for (position, tick) in ticks.into_iter().enumerate() {
                text class=[(position == 0).then_some("first")] x=(percent(scale.place(tick))) y="15" {
                    (short(tick)) @if position == last { " ms" }
                }
            }
        }
    }
}

fn percent(place: f64) -> String {
    format!("{:.2}%", place * 100.0)
}

/// A figure with no more digits than it has.
fn short(milliseconds: f64) -> f64 {
    (milliseconds * 1e4).round() / 1e4
}

/// A budget, which somebody has chosen: without the decimals of something measured.
pub(super) fn whole(budget: Milliseconds) -> String {
    match short(budget.0) {
        ms if ms >= 1000.0 => format!("{} s", ms / 1000.0),
        ms => format!("{ms} ms"),
    }
}
