//! Where the time of a boot went: one bar in order, and a table that names its parts.

use bootproof::{BootReport, Milliseconds, StepReport};
use maud::{Markup, html};

use super::text;

/// So many of the longest steps have a colour of their own.
const COLOURED: usize = 6;
/// A part of the bar narrower than this has no room for its number.
const ROOM_FOR_NUMBER: f64 = 0.035;

/// A step with its place in the bar.
struct Part<'a> {
    number: usize,
    step: &'a StepReport,
    class: String,
    from: f64,
    share: f64,
}

pub(super) fn body(report: &BootReport) -> Option<Markup> {
    let steps = &report.timeline;
    let told: f64 = steps.iter().map(|step| step.duration_ms.0).sum();
    // Steps are told to the microsecond, each rounded for itself.
    let whole = report.duration_ms.0.max(told);
    if steps.is_empty() || whole <= 0.0 {
        return None;
    }
    let parts = parts(steps, whole);
    let rest = whole - told;
    Some(html! {
        figure class="timeline" {
            figcaption class="hidden" { "Steps in order, as parts of the whole time" }
            svg width="100%" height="34" role="img" aria-label=(description(&parts)) {
                rect class="between" x="0" y="0" width="100%" height="34" {}
                @for part in &parts { (segment(part)) }
            }
        }
        table class="timeline" {
            caption class="hidden" { "Every step with its time" }
            thead {
                tr {
                    th scope="col" class="number" { span class="hidden" { "Number" } }
                    th scope="col" { "Step" }
                    th scope="col" class="number" { "Took" }
                    th scope="col" class="number" { "Share" }
                }
            }
            tbody {
                @for part in &parts {
                    tr {
                        td class="number" { span class={ "key " (part.class) } { (part.number) } }
                        th scope="row" { (part.step.step) }
                        td class="number" { (text::time(part.step.duration_ms)) }
                        td class="number" { (text::share(part.share, 1.0)) }
                    }
                }
                @if rest >= whole * 0.001 {
                    tr class="quiet" {
                        td {}
                        th scope="row" { "between the steps" }
                        td class="number" { (text::time(Milliseconds(rest))) }
                        td class="number" { (text::share(rest, whole)) }
                    }
                }
            }
            tfoot {
                tr {
                    td {}
                    th scope="row" { "in all" }
                    td class="number" { (text::time(report.duration_ms)) }
                    td {}
                }
            }
        }
    })
}

fn parts(steps: &[StepReport], whole: f64) -> Vec<Part<'_>> {
    let mut by_length: Vec<_> = steps.iter().enumerate().collect();
    by_length.sort_by(|(_, one), (_, other)| other.duration_ms.0.total_cmp(&one.duration_ms.0));
    let rank = |position: usize| by_length.iter().position(|(of, _)| *of == position).filter(|rank| *rank < COLOURED);
    let mut from = 0.0;
    let mut parts = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        let class = rank(position).map_or_else(|| "other".to_owned(), |rank| format!("hue{rank}"));
        let share = step.duration_ms.0 / whole;
        parts.push(Part { number: position + 1, step, class, from, share });
        from += share;
    }
    parts
}

fn segment(part: &Part<'_>) -> Markup {
    let (from, width) = (part.from * 100.0, part.share * 100.0);
    html! {
        rect class=(part.class) x=(format!("{from:.3}%")) y="0" width=(format!("{width:.3}%")) height="34" {}
        @if part.share >= ROOM_FOR_NUMBER {
            text class=(part.class) x=(format!("{:.3}%", from + width / 2.0)) y="22" { (part.number) }
        }
    }
}

/// The longest steps, for those who do not see the bar.
fn description(parts: &[Part<'_>]) -> String {
    let told: Vec<_> =
        parts.iter().map(|part| format!("{} {}", part.step.step, text::share(part.share, 1.0))).collect();
    told.join(", ")
}
