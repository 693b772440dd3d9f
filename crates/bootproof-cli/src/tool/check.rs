//! `bootproof check`: the compiler without a build.

use bootproof_build::{Compilation, Diagnostics, Dialect};

use super::args::{Format, SourceArgs};
use super::finding::Finding;
use super::{github, sarif};
use crate::output::Answer;

/// The exit code of a directory with an error.
const FAILED: u8 = 1;

pub(super) fn run(source: &SourceArgs, format: Format) -> Answer {
    let checked = source.compiler().check();
    let diagnostics = match &checked {
        Ok(compilation) => compilation.warnings(),
        Err(diagnostics) => diagnostics,
    };
    let answer = match format {
        Format::Text => Answer::of_prose(text(&checked, diagnostics, source.names_dialect())),
        Format::Json => Answer::of_json(&with_notes(&checked, Finding::all(diagnostics))),
        Format::Github => Answer::of_text(github::annotations(&Finding::all(diagnostics))),
        Format::Sarif => Answer::of_json(&sarif::log(&with_notes(&checked, Finding::all(diagnostics)))),
    };
    let code = if checked.is_ok() { answer.code } else { FAILED };
    Answer { code, ..answer }
}

/// The findings, and what the rehearsal could not see.
fn with_notes(checked: &Result<Compilation, Diagnostics>, mut findings: Vec<Finding>) -> Vec<Finding> {
    let directory = |compilation: &Compilation| compilation.warnings().directory().to_owned();
    let notes = |compilation: &Compilation| {
        let directory = directory(compilation);
        compilation.left_empty().iter().map(|left| Finding::of_left_empty(left, &directory)).collect::<Vec<_>>()
    };
    findings.extend(checked.iter().flat_map(notes));
    findings
}

/// What is wrong in our own layout, and is not in some other.
const OWN: [&str; 6] = ["empty-file", "file-name", "misplaced-file", "no-statements", "pragma", "transaction-control"];

/// As the compiler prints it, and a last line that adds up.
fn text(checked: &Result<Compilation, Diagnostics>, diagnostics: &Diagnostics, is_named: bool) -> String {
    let mut text = match checked {
        Ok(compilation) => format!("{diagnostics}{}proven: {compilation}\n", notes(compilation)),
        Err(diagnostics) => diagnostics.to_string(),
    };
    let is_doubtful = diagnostics.iter().any(|diagnostic| OWN.contains(&diagnostic.rule()));
    if is_doubtful && !is_named && diagnostics.dialect() == Dialect::Bootproof {
        text.push_str("hint: if another tool runs these files, name it: `--dialect sqlx`, for instance\n");
    }
    text.push_str(&summary(diagnostics));
    text
}

/// What the rehearsal could not see, a line each.
pub(crate) fn notes(compilation: &Compilation) -> String {
    let lines = compilation.left_empty().iter().map(|left| format!("note: {left}\n"));
    let notes: String = lines.collect();
    if notes.is_empty() { notes } else { notes + "\n" }
}

fn summary(diagnostics: &Diagnostics) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let errors = diagnostics.errors();
    let warnings = diagnostics.iter().count() - errors;
    let (files, dialect) = (counted(diagnostics.files(), "file"), diagnostics.dialect());
    format!("{files}, read as {dialect}: {}, {}\n", counted(errors, "error"), counted(warnings, "warning"))
}
