//! Hours per day, drawn: SVG in the page, with a title, a description, and the same figures as a table for whoever does not
//! see it.

use jiff::civil::{Date, Weekday};
use maud::{Markup, html};

use super::hours;
use crate::worklogs::{View, in_hours};

/// The picture in its own units; the page scales it.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 28.0;

/// One day.
struct Bar {
    day: Date,
    seconds: i64,
}

/// The hours of each day of the range.
pub(super) fn days(view: &View) -> Markup {
    let bars: Vec<Bar> = view
        .days
        .each()
        .map(|day| Bar { day, seconds: view.by_day.get(&day.to_string()).copied().unwrap_or_default() })
        .collect();
    let highest = bars.iter().map(|bar| in_hours(bar.seconds)).fold(0.0, f64::max);
    let (step, ticks) = scale(highest);
    let top = step * f64::from(ticks);
    let (plot, floor) = (HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM);
    let slot = (WIDTH - LEFT) / count(bars.len());
    let height = |hours: f64| if top > 0.0 { hours / top * plot } else { 0.0 };
    html! {
        figure.chart {
            div.scroll tabindex="0" role="region" aria-label="Hours per day" {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby="chart-title chart-text" {
                title #chart-title { "Hours per day" }
                desc #chart-text { (description(&bars)) }
                @for tick in 0..=ticks {
                    @let hours = step * f64::from(tick);
                    @let y = units(floor - height(hours));
                    line.grid x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
                    text.tick x=(LEFT - 8.0) y=(y) dy="4" text-anchor="end" { (hours) " h" }
                }
                @for (place, bar) in bars.iter().enumerate() {
                    @let x = LEFT + slot * count(place);
                    @if is_weekend(bar.day) {
                        rect.weekend x=(units(x)) y=(TOP) width=(units(slot)) height=(plot) {}
                    }
                    @if bar.seconds > 0 {
                        @let high = height(in_hours(bar.seconds)).max(1.0);
                        rect.column x=(units(x + slot * 0.14)) y=(units(floor - high)) width=(units(slot * 0.72)) height=(units(high)) rx=(units((slot * 0.12).min(4.0))) {
                            title { (bar.day.strftime("%A, %-d %B %Y")) ": " (hours(bar.seconds)) }
                        }
                    }
                    @if let Some(label) = label(bar.day, place, bars.len()) {
                        text.tick x=(units(x + slot / 2.0)) y=(HEIGHT - 8.0) text-anchor="middle" { (label) }
                    }
                }
            }
            }
            details {
                summary { "The same as a table" }
                div.scroll tabindex="0" role="region" aria-label="Table of hours per day" {
                    table {
                        caption.hidden { "Hours per day" }
                        thead { tr { th scope="col" { "Day" } th.number scope="col" { "Hours" } } }
                        tbody {
                            @for bar in bars.iter().filter(|bar| bar.seconds > 0) {
                                tr { th scope="row" { (bar.day.strftime("%a, %-d %b %Y")) } td.number { (hours(bar.seconds)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The steps of the vertical axis: 1, 2 or 5 times a power of ten, three to six of them.
fn scale(highest: f64) -> (f64, u32) {
    let mut step = 0.5;
    for factor in [2.0, 2.0, 2.5].into_iter().cycle().take(60) {
        if highest <= step * 5.0 {
            break;
        }
        step *= factor;
    }
    let ticks = (1..5).find(|ticks| step * f64::from(*ticks) >= highest).unwrap_or(5);
    (step, ticks)
}

fn description(bars: &[Bar]) -> String {
    let worked = bars.iter().filter(|bar| bar.seconds > 0).count();
    match bars.iter().max_by_key(|bar| bar.seconds) {
        Some(most) if worked > 0 => format!(
            "{worked} of {} days have worklogs; the most are on {}, {}.",
            bars.len(),
            most.day.strftime("%-d %B %Y"),
            hours(most.seconds)
        ),
        _ => "No day has worklogs.".to_owned(),
    }
}

/// As many labels as can be read.
fn label(day: Date, place: usize, days: usize) -> Option<String> {
    let format = match days {
        0..=16 => "%a %-d",
        17..=70 if day.weekday() == Weekday::Monday => "%-d %b",
        71.. if day.day() == 1 => "%b",
        _ => return None,
    };
    // Half of the label of the first or last day would be outside.
    let is_inside = days <= 16 || (place > 0 && place + 1 < days);
    is_inside.then(|| day.strftime(format).to_string())
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A length in the picture.
fn units(length: f64) -> String {
    format!("{length:.2}")
}

#[expect(clippy::cast_precision_loss, reason = "days of a year")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_height_has_an_axis_with_round_steps() {
        for (highest, step, ticks) in [
            (0.0, 0.5, 1),
            (0.4, 0.5, 1),
            (2.5, 0.5, 5),
            (7.9, 2.0, 4),
            (11.0, 5.0, 3),
            (840.0, 200.0, 5),
            (2.4e15, 5e14, 5),
        ] {
            let (found, count) = scale(highest);
            assert!((found / step - 1.0).abs() < 1e-9 && count == ticks, "{highest}: {found} x {count}");
        }
    }
}
