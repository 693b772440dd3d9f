//! A report as one page that can be sent to anybody: no script, nothing from the network, legible on paper.
//!
//! Every string on it is other people's: names of tables, paths, messages, log lines. `maud` escapes them where they are
//! put; `text` takes the controls out of the finished page.
//!
//! In reading order, as on the page:
//!
//! - `verdict`, `summary`: what came out, in words
//! - `changes`, `checks`: what was done, and what was proven
//! - `queries` with `scale`, `plan_tree`: how fast, and why
//! - `timeline`, `sizes`: where the time went and the space is
//! - `log`: notes, and what the engine said
//! - `text`: figures and prose as people read them
//! - `file`: puts the page in its place

mod changes;
mod checks;
mod file;
mod log;
mod plan_tree;
mod queries;
mod scale;
mod sizes;
mod summary;
mod text;
mod timeline;
mod verdict;

#[cfg(test)]
mod tests;

use bootproof::{BootReport, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::logging::LogLine;
pub(crate) use file::{can_be_written, write};

const STYLE: &str = include_str!("style.css");

/// Even if something slipped through the escaping, the browser would neither run nor fetch it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// All that the page is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// What was done and proven.
    pub(crate) report: &'a BootReport,
    /// The name of the schema.
    pub(crate) schema_name: &'a str,
    /// The stamp of the binary.
    pub(crate) build: &'a str,
    /// When, in RFC 3339.
    pub(crate) generated_at: &'a str,
    /// Every table and index; empty where nobody measured.
    pub(crate) sizes: &'a [ObjectSize],
    /// What the engine said while it worked.
    pub(crate) log: &'a [LogLine],
}

/// How large a table or an index is.
#[derive(Clone, Debug)]
pub(crate) struct ObjectSize {
    pub(crate) name: String,
    pub(crate) kind: ObjectKind,
    /// The table itself, or the one the index is on.
    pub(crate) table: String,
    /// How many rows, where they were counted.
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: u64,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Table,
    Index,
}

/// One part of the page below its head. A part without a body is left out, heading and all.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Option<Markup>,
}

/// The whole page, as the content of a file.
pub(crate) fn render(page: &Page<'_>) -> String {
    let title = format!("{}: {}", page.schema_name, verdict::headline(page.report));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body class=(tone(page.report.verdict)) { (body(page)) }
        }
    };
    text::without_controls(&markup.into_string())
}

fn body(page: &Page<'_>) -> Markup {
    let sections: Vec<_> =
        sections(page).into_iter().filter_map(|part| Some((part.id, part.title, part.body?))).collect();
    html! {
        (verdict::head(page))
        @if sections.len() > 2 {
            nav aria-label="On this page" {
                ul { @for (id, title, _) in &sections { li { a href={ "#" (id) } { (title) } } } }
            }
        }
        main {
            @for (id, title, body) in &sections {
                section id=(id) aria-labelledby={ (id) "-title" } {
                    h2 id={ (id) "-title" } { (title) }
                    (body)
                }
            }
        }
        footer {
            p { "Written by " (page.build) " at " (moment(page.generated_at)) "." }
            p { "Everything here was measured on the database named above; nothing is loaded from anywhere else." }
        }
    }
}

fn sections(page: &Page<'_>) -> [Section; 9] {
    let report = page.report;
    [
        Section { id: "changes", title: "What was done", body: changes::body(report) },
        Section { id: "checks", title: "What was checked", body: checks::body(report) },
        Section { id: "queries", title: "How fast the queries are", body: queries::chart::body(&report.queries) },
        Section { id: "figures", title: "The queries in figures", body: queries::table::body(&report.queries) },
        Section { id: "plans", title: "How SQLite runs them", body: plan_tree::body(&report.queries) },
        Section { id: "timeline", title: "Where the time went", body: timeline::body(report) },
        Section { id: "sizes", title: "Where the space is", body: sizes::body(page.sizes) },
        Section { id: "notes", title: "Notes", body: log::notes(&report.notes) },
        Section { id: "log", title: "Log", body: log::body(page.log) },
    ]
}

/// The class that colours the page.
fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "ready",
        Verdict::Degraded => "degraded",
        Verdict::Refused => "refused",
    }
}

/// A moment for people and for programs.
fn moment(rfc_3339: &str) -> Markup {
    let text = match rfc_3339.strip_suffix('Z') {
        Some(universal) => format!("{} UTC", universal.replacen('T', " ", 1)),
        None => rfc_3339.replacen('T', " ", 1),
    };
    html! { time datetime=(rfc_3339) { (text) } }
}
