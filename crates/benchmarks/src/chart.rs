//! Lines over logarithmic axes, as SVG. A line that is straight at 45 degrees grows as the rows do: both axes have decades of
//! the same width.

use std::fmt::Write as _;

/// One diagram.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// What is compared in it.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Whose.
    pub name: String,
    /// Rows and milliseconds.
    pub points: Vec<(f64, f64)>,
}

/// Ours first; the others in colours that people who see few of them tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#666666"];

/// Points of the page for a decade.
const DECADE: f64 = 70.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
/// For the names of the lines, below the axis.
const LEGEND_LINE: f64 = 18.0;
const GAP: f64 = 30.0;
const COLUMNS: usize = 2;

/// All panels, two in a row: all over the same rows, each over the times that it has.
#[must_use]
pub fn svg(panels: &[Panel], caption: &str) -> String {
    let across = Axis::over(panels.iter().flat_map(Panel::places).map(|(rows, _)| rows));
    let tallest = panels.iter().map(|panel| panel.up().length()).fold(DECADE, f64::max);
    let most_lines = panels.iter().map(|panel| panel.lines.len()).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let legend = most_lines as f64 * LEGEND_LINE;
    let (width, height) = (LEFT + across.length().max(4.0 * DECADE) + GAP, TOP + tallest + 40.0 + legend + GAP);
    let rows = panels.len().div_ceil(COLUMNS);
    let columns = panels.len().min(COLUMNS);
    #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
    let (page_width, page_height) = (width * columns as f64, height * rows as f64 + GAP);

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {page_width:.0} {page_height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
        let (x, y) = (width * (number % COLUMNS) as f64, height * (number / COLUMNS) as f64);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "<g transform=\"translate({x:.0} {y:.0})\">");
        draw(&mut text, panel, &across, TOP + tallest);
        text.push_str("</g>\n");
    }
    let _ = writeln!(
        text,
        "<text x=\"10\" y=\"{:.0}\" fill=\"#555\">{}</text>\n</svg>",
        page_height - 10.0,
        escaped(caption)
    );
    text
}

impl Panel {
    fn places(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|line| line.points.iter().copied())
    }

    fn up(&self) -> Axis {
        Axis::over(self.places().map(|(_, took)| took))
    }
}

fn draw(text: &mut String, panel: &Panel, across: &Axis, bottom: f64) {
    let up = panel.up();
    let top = bottom - up.length();
    let _ = writeln!(
        text,
        "<text x=\"{LEFT}\" y=\"{:.0}\" font-weight=\"bold\">{}</text>",
        top - 20.0,
        escaped(&panel.title)
    );
    for decade in across.decades() {
        let x = LEFT + across.place(decade);
        let _ = writeln!(text, "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/>");
        let label = rows_label(decade);
        let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>", bottom + 18.0);
    }
    for decade in up.decades() {
        let (y, right) = (bottom - up.place(decade), LEFT + across.length());
        let _ = writeln!(text, "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>");
        let (x, y, label) = (LEFT - 8.0, y + 4.0, time_label(decade));
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>");
    }
    for (number, line) in panel.lines.iter().enumerate() {
        let colour = COLOURS.get(number % COLOURS.len()).copied().unwrap_or("black");
        draw_line(text, line, colour, |(rows, took)| (LEFT + across.place(rows), bottom - up.place(took)));
        #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
        let y = bottom + 40.0 + number as f64 * LEGEND_LINE;
        let (start, name) = (LEFT + 26.0, escaped(&line.name));
        let _ = writeln!(text, "<path d=\"M{LEFT} {:.1}h20\" stroke=\"{colour}\" stroke-width=\"2\"/>", y - 4.0);
        let _ = writeln!(text, "<text x=\"{start}\" y=\"{y:.1}\">{name}</text>");
    }
}

fn draw_line(text: &mut String, line: &Line, colour: &str, place: impl Fn((f64, f64)) -> (f64, f64)) {
    let mut path = String::new();
    for point in line.points.iter().filter(|(rows, took)| *rows > 0.0 && *took > 0.0) {
        let (x, y) = place(*point);
        let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
        let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(text, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
}

/// Whole decades.
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    #[expect(clippy::cast_possible_truncation, reason = "exponents of ten")]
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let exponents: Vec<f64> = values.filter(|value| *value > 0.0).map(f64::log10).collect();
        let first = exponents.iter().copied().fold(f64::INFINITY, f64::min);
        let last = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if first > last {
            return Self { first: 0, last: 1 };
        }
        let first = first.floor() as i32;
        Self { first, last: (last.ceil() as i32).max(first + 1) }
    }

    fn length(&self) -> f64 {
        f64::from(self.last - self.first) * DECADE
    }

    fn place(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.first)) * DECADE
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|exponent| 10_f64.powi(exponent))
    }
}

fn rows_label(rows: f64) -> String {
    match rows {
        rows if rows >= 1e6 => format!("{:.0}M rows", rows / 1e6),
        rows if rows >= 1e3 => format!("{:.0}k", rows / 1e3),
        rows => format!("{rows:.0}"),
    }
}

fn time_label(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms >= 1e3 => format!("{:.0} s", ms / 1e3),
        ms if ms >= 1.0 => format!("{ms:.0} ms"),
        ms => format!("{:.0} µs", ms * 1e3),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_as_the_rows_do_is_drawn_at_45_degrees() {
        let (across, up) = (Axis::over([1e4, 1e6].into_iter()), Axis::over([3.0, 300.0].into_iter()));
        let (right, high) = (across.place(1e6) - across.place(1e4), up.place(300.0) - up.place(3.0));
        assert!((right - high).abs() < 1e-9);
    }

    #[test]
    fn every_line_is_named() {
        let line = |name: &str| Line { name: name.to_owned(), points: vec![(1e4, 1.0), (1e5, 10.0)] };
        let panels = [Panel { title: "a & b".to_owned(), lines: vec![line("ours"), line("<other>")] }];
        let text = svg(&panels, "measured on a machine");
        for word in ["a &amp; b", ">ours<", "&lt;other&gt;", "10k", "10 ms", "measured on a machine"] {
            assert!(text.contains(word), "no {word} in {text}");
        }
    }

    #[test]
    fn nothing_measured_is_an_empty_page() {
        assert!(svg(&[], "").ends_with("</svg>\n"));
    }
}
