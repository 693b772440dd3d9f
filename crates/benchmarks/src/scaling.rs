//! How the phases grow with the rows: one point for each contender at each size, as CSV and as a chart.

use std::fmt::Write as _;

use crate::chart::{Line, Panel};
use crate::compare::Comparison;
use crate::phase::{Case, Phase};

/// A contender at a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The phase's name.
    pub phase: &'static str,
    /// The phase for people.
    pub title: &'static str,
    /// Whether the phase grows with the rows.
    pub grows: bool,
    /// The case.
    pub case: String,
    /// The contender.
    pub contender: String,
    /// The worklogs in the database.
    pub rows: usize,
    /// The median.
    pub median_ms: f64,
    /// The shortest.
    pub least_ms: f64,
    /// The longest.
    pub most_ms: f64,
    /// The most memory.
    pub peak_bytes: Option<u64>,
}

/// The points of one comparison.
#[must_use]
pub fn points(phase: &Phase, case: &Case, rows: usize, comparison: &Comparison) -> Vec<Point> {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let point = |series: &crate::compare::Series| {
        let (least, most) = series.range();
        Point {
            phase: phase.name,
            title: phase.title,
            grows: phase.grows,
            case: case.name.clone(),
            contender: series.name.clone(),
            rows,
            median_ms: milliseconds(series.median()),
            least_ms: milliseconds(least),
            most_ms: milliseconds(most),
            peak_bytes: series.peak_bytes(),
        }
    };
    comparison.series.iter().map(point).collect()
}

/// All points, one a line, for whoever draws another chart.
#[must_use]
pub fn csv(points: &[Point]) -> String {
    let mut text = String::from("phase,case,contender,rows,median_ms,min_ms,max_ms,peak_bytes\n");
    for point in points {
        let Point { phase, case, contender, rows, median_ms, least_ms, most_ms, .. } = point;
        let peak = point.peak_bytes.map_or_else(String::new, |bytes| bytes.to_string());
        let (case, contender) = (quoted(case), quoted(contender));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{phase},{case},{contender},{rows},{median_ms:.3},{least_ms:.3},{most_ms:.3},{peak}");
    }
    text
}

/// One panel for each case, one line for each contender, in the order in which they were measured.
#[must_use]
pub fn panels(points: &[Point]) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for point in points {
        let title = format!("{}, {}", point.title, point.case);
        if !panels.iter().any(|panel| panel.title == title) {
            panels.push(Panel { title: title.clone(), lines: Vec::new() });
        }
        let Some(panel) = panels.iter_mut().find(|panel| panel.title == title) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a place on a chart")]
        let place = (point.rows as f64, point.median_ms);
        match panel.lines.iter_mut().find(|line| line.name == point.contender) {
            Some(line) => line.points.push(place),
            None => panel.lines.push(Line { name: point.contender.clone(), points: vec![place] }),
        }
    }
    panels
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(contender: &str, rows: usize) -> Point {
        Point {
            phase: "p",
            title: "P",
            grows: true,
            case: "a, b".to_owned(),
            contender: contender.to_owned(),
            rows,
            median_ms: 1.5,
            least_ms: 1.0,
            most_ms: 2.0,
            peak_bytes: None,
        }
    }

    #[test]
    fn a_line_has_every_size() {
        let points = [point("x", 10), point("y", 10), point("x", 100)];
        let panels = panels(&points);
        assert_eq!(panels.len(), 1);
        assert_eq!(panels[0].lines[0].points, [(10.0, 1.5), (100.0, 1.5)]);
        assert_eq!(csv(&points[..1]).lines().last(), Some("p,\"a, b\",x,10,1.500,1.000,2.000,"));
    }
}
