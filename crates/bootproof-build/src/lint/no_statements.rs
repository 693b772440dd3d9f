//! A file with nothing but comments. Applied like that it would be a migration that never may be written.

use super::Ran;
use crate::diagnostic::Diagnostic;

/// Other tools apply such files without a word, and many a directory has one where a number had to be filled.
pub(super) fn check(ran: &Ran<'_>) -> Option<Diagnostic> {
    if !ran.statements.is_empty() || ran.file.dialect.is_foreign() {
        return None;
    }
    let text = &ran.file.text;
    let start = text.len() - text.trim_start().len();
    let first_line = text.trim_start().lines().next().unwrap_or_default().trim_end();
    Some(
        Diagnostic::error("no-statements", "there is nothing in this migration yet")
            .at(ran.file, start..start + first_line.len())
            .note("once it has been applied anywhere, nothing can be added to it")
            .help(
                "write its statements; if nothing is meant to happen, say `-- bootproof: allow no-statements \"why\"`",
            ),
    )
}
