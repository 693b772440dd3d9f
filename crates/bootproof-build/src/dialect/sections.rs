//! One file for both directions, divided by comments: goose and dbmate; and by breakpoints: drizzle.

use std::ops::Range;
use std::sync::Arc;

use super::Dialect;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::File;

/// Between the statements of drizzle's files, where a semicolon may be missing.
pub(crate) const BREAKPOINT: &str = "--> statement-breakpoint";

/// The parts of a file, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sections {
    /// From the beginning: directives may stand above the first marker.
    pub(crate) up: Range<usize>,
    pub(crate) down: Option<Range<usize>>,
    pub(crate) no_transaction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Up {
        no_transaction: bool,
    },
    Down,
    NoTransaction,
    StatementBegin,
    StatementEnd,
    /// That the tool replaces `${NAME}` (goose) or `{{ .NAME }}` (dbmate) from here on.
    Substitution,
    /// No effect of its own.
    Nothing,
    Unknown,
}

/// Whether a text has a marker of this dialect.
pub(crate) fn is_marked(dialect: Dialect, text: &str) -> bool {
    text.lines().any(|line| marker(dialect, line).is_some())
}

/// The sections of a file; what cannot be divided is reported.
pub(crate) fn divide(dialect: Dialect, file: &Arc<File>, diagnostics: &mut Diagnostics) -> Option<Sections> {
    let text = &file.text;
    let mut up: Option<usize> = None;
    let mut down: Option<usize> = None;
    let mut statement: Option<Range<usize>> = None;
    let mut no_transaction = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = start..start + line.trim_end().len();
        start += line.len();
        let Some(marker) = marker(dialect, line) else { continue };
        let problem = match marker {
            Marker::Up { .. } if up.is_some() => Some("there is a second beginning of the way there"),
            Marker::Up { no_transaction: outside } => {
                up = Some(span.start);
                no_transaction |= outside;
                None
            }
            Marker::Down if up.is_none() => Some("the way back stands before the way there"),
            Marker::Down if down.is_some() => Some("there is a second beginning of the way back"),
            Marker::Down | Marker::StatementBegin if statement.is_some() => {
                Some("the statement before this has no end")
            }
            Marker::Down => {
                down = Some(span.start);
                None
            }
            Marker::NoTransaction => {
                no_transaction = true;
                None
            }
            Marker::StatementBegin => {
                statement = Some(span.clone());
                None
            }
            Marker::StatementEnd if statement.take().is_none() => Some("no statement begins before this"),
            Marker::StatementEnd | Marker::Nothing => None,
            Marker::Substitution if dialect == Dialect::Dbmate => {
                Some("whatever stands in `{{…}}` behind this is known to dbmate alone")
            }
            Marker::Substitution => Some("whatever stands in `${…}` behind this is known to goose alone"),
            Marker::Unknown => Some("goose does not know this annotation"),
        };
        if let Some(problem) = problem {
            let help = if marker == Marker::Substitution {
                "write the values themselves"
            } else {
                "remove or correct the line"
            };
            diagnostics.push(Diagnostic::error("section", problem).at(file, span).help(help));
            return None;
        }
    }
    if let Some(span) = statement {
        let diagnostic = Diagnostic::error("section", "this statement has no end").at(file, span);
        diagnostics.push(diagnostic.help("write `-- +goose StatementEnd` behind it"));
        return None;
    }
    let end = down.unwrap_or(text.len());
    let stray = file.first_word(0..up.unwrap_or(text.len()));
    if !stray.is_empty() {
        let marker = if dialect == Dialect::Goose { "-- +goose Up" } else { "-- migrate:up" };
        diagnostics.push(
            Diagnostic::error("section", format!("{dialect} would not run this: no `{marker}` stands above it"))
                .at(file, stray)
                .help(format!("write `{marker}` above it")),
        );
        return None;
    }
    Some(Sections { up: 0..end, down: down.map(|start| start..text.len()), no_transaction })
}

/// What a line says to its tool.
fn marker(dialect: Dialect, line: &str) -> Option<Marker> {
    match dialect {
        Dialect::Goose => {
            let words = line.trim().strip_prefix("--")?.trim().strip_prefix("+goose")?.split_whitespace();
            let words = words.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
            Some(match words.as_str() {
                "up" => Marker::Up { no_transaction: false },
                "down" => Marker::Down,
                "no transaction" => Marker::NoTransaction,
                "statementbegin" => Marker::StatementBegin,
                "statementend" => Marker::StatementEnd,
                "envsub on" | "envsubst on" => Marker::Substitution,
                "envsub off" | "envsubst off" => Marker::Nothing,
                _ => Marker::Unknown,
            })
        }
        Dialect::Dbmate => {
            let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
            let mut words = rest.split_whitespace();
            let is_filled_in = words.clone().any(|option| option.starts_with("env-var:"));
            match words.next()? {
                "up" | "down" if is_filled_in => Some(Marker::Substitution),
                "up" => Some(Marker::Up { no_transaction: words.any(|option| option == "transaction:false") }),
                "down" => Some(Marker::Down),
                _ => None,
            }
        }
        _ => None,
    }
}
