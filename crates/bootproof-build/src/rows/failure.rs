//! A statement that ran on empty tables and fails on rows: whose fault is that?

use std::collections::BTreeSet;

use bootproof_catalog::token;

use super::Step;
use super::lineage;
use crate::diagnostic::Diagnostic;
use crate::lint::not_null;
use crate::rehearse::Performed;

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Its position in the script.
    pub(super) position: usize,
    /// What SQLite says.
    pub(super) message: String,
}

const RULE: &str = "fails-on-rows";

impl Failure {
    pub(super) fn new(position: usize, error: &rusqlite::Error) -> Self {
        let message = match error {
            rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => other.to_string(),
        };
        Self { position, message }
    }

    /// A finding where no row whatever would have been accepted.
    pub(super) fn certain(&self, step: &Step<'_>) -> Option<Diagnostic> {
        if self.message.contains("Cannot add a NOT NULL column") {
            return not_null::refused(step.file, step.script.get(self.position)?);
        }
        let is_refused = self.message.contains("Cannot add a column with non-constant default");
        let finding = || Diagnostic::error(RULE, "this works on an empty table only");
        let help = "add it with a constant DEFAULT or none, fill it with an UPDATE, and change the DEFAULT by rebuilding \
                    the table";
        is_refused.then(|| self.at(step, finding()).help(help))
    }

    /// A finding where a row was refused that may have NULL.
    pub(super) fn of_nulls(&self, step: &Step<'_>) -> Option<Diagnostic> {
        let column = self.message.strip_prefix("NOT NULL constraint failed: ")?;
        let message = format!("a row with NULL for `{column}` makes this fail");
        let help =
            "say what to put in its place, such as `coalesce(column, …)`, or fill the column with an UPDATE first";
        Some(self.at(step, Diagnostic::warning(RULE, message)).help(help))
    }

    /// A finding where rows with a value in every column were refused, for a reason that is not in their values.
    pub(super) fn of_full_rows(&self, step: &Step<'_>) -> Option<Diagnostic> {
        let performed = step.script.get(self.position)?;
        let text = step.file.text.get(performed.statement.span.clone())?;
        let is_add = token::tokens(text).first()?.is_keyword("alter");
        if is_add && self.message.contains("constraint failed") {
            let finding = Diagnostic::error(RULE, "this works on an empty table only");
            return Some(self.at(step, finding).help("give the column a DEFAULT that its constraints accept"));
        }
        let (kind, columns) = self.message.split_once(" constraint failed: ")?;
        match kind {
            "NOT NULL" => {
                let (_, column) = columns.split_once('.')?;
                let listed = lineage::listed_columns(&token::tokens(text))?;
                let is_omitted =
                    !performed.effects.inserts.is_empty() && !listed.contains(&column.to_ascii_lowercase());
                let finding = Diagnostic::error(RULE, "this works only while there is no row to copy");
                let help = format!("`{column}` is NOT NULL and has no DEFAULT: give it a value in this statement");
                is_omitted.then(|| self.at(step, finding).help(help))
            }
            "UNIQUE" => {
                let is_new = |column: &str| {
                    column.trim().split_once('.').is_some_and(|(table, column)| {
                        let (table, column) = (table.to_ascii_lowercase(), column.to_ascii_lowercase());
                        let before = step.before.tables.get(&table);
                        before.is_some_and(|before| !before.columns.contains_key(&column))
                    })
                };
                let finding = Diagnostic::error(RULE, "this fails as soon as there are two rows");
                let help = "every row has the same value here: fill the new column with different ones first";
                columns.split(',').all(is_new).then(|| self.at(step, finding).help(help))
            }
            _ => None,
        }
    }

    fn at(&self, step: &Step<'_>, finding: Diagnostic) -> Diagnostic {
        let span = step
            .script
            .get(self.position)
            .map_or(0..0, |performed| step.file.first_word(performed.statement.span.clone()));
        finding.at(step.file, span).note(format!("SQLite says: {}", self.message))
    }

    /// The tables whose rows may be to blame: the one that SQLite names, or those that the statement does.
    pub(super) fn tables(&self, step: &Step<'_>) -> BTreeSet<String> {
        let text = |performed: &Performed| step.file.text.get(performed.statement.span.clone()).map(str::to_owned);
        let statement = step.script.get(self.position).and_then(text).unwrap_or_default();
        // `UNIQUE constraint failed: t.a, t.b`
        let (_, subject) = self.message.split_once(" constraint failed: ").unwrap_or_default();
        let is_known = |name: &String| step.before.tables.contains_key(name);
        let owner = |column: &str| column.trim().split_once('.').map(|(table, _)| table.to_ascii_lowercase());
        let named: BTreeSet<_> = subject.split(',').filter_map(owner).filter(is_known).collect();
        if named.is_empty() {
            token::tokens(&statement).iter().map(token::Token::as_name).filter(is_known).collect()
        } else {
            named
        }
    }
}
