//! Columns that SQLite adds to an empty table only.

use std::sync::Arc;

use bootproof_catalog::token;

use super::Ran;
use super::ran::{Alteration, alteration};
use crate::diagnostic::Diagnostic;
use crate::rehearse::Performed;
use crate::source::File;

pub(super) const RULE: &str = "not-null-without-default";

/// SQLite asks for a value for the rows that are there, and looks whether there are any only when it runs
/// (<https://sqlite.org/lang_altertable.html#alter_table_add_column>).
pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for statement in &ran.statements {
        let Some(Alteration::AddColumn { table, column }) = &statement.alteration else { continue };
        // A table that this migration made may be known to be empty.
        if !ran.before.tables.contains_key(table) {
            continue;
        }
        let Some(added) = ran.after.tables.get(table).and_then(|owner| owner.columns.get(column)) else { continue };
        let has_value = added.default.as_ref().is_some_and(|value| !value.eq_ignore_ascii_case("null"));
        if added.not_null && !has_value && added.generated.is_none() && statement.says("not") {
            findings.extend(refused(ran.file, statement.performed));
        }
    }
    findings
}

/// The finding for a statement of which it is known; none where it adds no column.
pub(crate) fn refused(file: &Arc<File>, performed: &Performed) -> Option<Diagnostic> {
    let span = performed.statement.span.clone();
    let tokens = token::tokens(file.text.get(span.clone())?);
    let Alteration::AddColumn { table, column } = alteration(&tokens)? else { return None };
    let message = format!("`{column}` is added to `{table}` as NOT NULL without a DEFAULT");
    let place = file.find_word(&column, span.clone()).unwrap_or_else(|| file.first_word(span));
    Some(
        Diagnostic::error(RULE, message)
            .at(file, place)
            .note(format!("SQLite refuses it in every database in which `{table}` has a row"))
            .help("give it a DEFAULT; or make a new table with the column, copy the rows with a value for it, and rename it in")
            .help("if the table is empty wherever this runs, say `-- bootproof: allow not-null-without-default \"why\"`"),
    )
}
