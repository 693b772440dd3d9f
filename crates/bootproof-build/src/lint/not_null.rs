//! Columns that SQLite adds to an empty table only.

use super::Ran;
use super::ran::Alteration;
use crate::diagnostic::Diagnostic;

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
        let Some((owner, added)) =
            ran.after.tables.get(table).and_then(|owner| Some((owner, owner.columns.get(column)?)))
        else {
            continue;
        };
        let has_value = added.default.as_ref().is_some_and(|value| !value.eq_ignore_ascii_case("null"));
        if !added.not_null || has_value || added.generated.is_some() || !statement.says("not") {
            continue;
        }
        let message = format!("`{}` is added to `{}` as NOT NULL without a DEFAULT", added.name, owner.name);
        findings.push(
            Diagnostic::error("not-null-without-default", message)
                .at(ran.file, ran.name(statement, column))
                .note(format!("SQLite refuses it in every database in which `{}` has a row", owner.name))
                .help("give it a DEFAULT; or make a new table with the column, copy the rows with a value for it, and rename it in")
                .help("if the table is empty wherever this runs, say `-- bootproof: allow not-null-without-default \"why\"`"),
        );
    }
    findings
}
