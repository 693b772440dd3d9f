//! What a person should know, and what the engine said while it worked.

use log::Level;
use maud::{Markup, html};

use super::text;
use crate::logging::LogLine;

pub(super) fn notes(notes: &[String]) -> Option<Markup> {
    (!notes.is_empty()).then(|| html! { ul class="notes" { @for note in notes { li { (text::sentence(note)) } } } })
}

pub(super) fn body(lines: &[LogLine]) -> Option<Markup> {
    (!lines.is_empty()).then(|| {
        html! {
            details {
                summary { (text::count(lines.len(), "line", "lines")) (remarkable(lines)) }
                ol class="log" {
                    @for line in lines {
                        li {
                            time { (line.at) } " "
                            span class={ "level " (class(line.level)) } { (line.level) } " "
                            span class="text" { (line.text) }
                        }
                    }
                }
            }
        }
    })
}

/// What may be a reason to open it.
fn remarkable(lines: &[LogLine]) -> String {
    let count = |level| lines.iter().filter(|line| line.level == level).count();
    let told = [(count(Level::Error), "error", "errors"), (count(Level::Warn), "warning", "warnings")];
    let told = told.into_iter().filter(|(number, ..)| *number > 0);
    let told: Vec<_> = told.map(|(number, one, many)| text::count(number, one, many)).collect();
    if told.is_empty() { String::new() } else { format!(", {}", told.join(", ")) }
}

fn class(level: Level) -> &'static str {
    match level {
        Level::Error => "bad",
        Level::Warn => "warn",
        Level::Info => "plain",
        Level::Debug | Level::Trace => "quiet",
    }
}
