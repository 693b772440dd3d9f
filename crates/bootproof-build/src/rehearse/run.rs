//! Runs the statements of a file, one by one.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::{difference, quoted};
use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator as _;

use super::split::consumed;
use super::{Performed, Prepared, Stage, quotes};
use crate::budget;
use crate::compilation::Statement;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::wrapper::{self, Role, Wrapping};
use crate::explain::{Explainer, Known};
use crate::lint::double_quoted::Texts;
use crate::lint::if_not_exists::{self, Creation};
use crate::lint::{self, Terms};
use crate::parse::Allows;
use crate::source::File;

impl Stage {
    pub(super) fn run_statements(
        &self,
        mut wrapping: Wrapping<'_>,
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let script = self.run_pieces(known, terms, &mut wrapping, diagnostics)?;
        quotes::are_texts(&self.connection, false)?;
        if wrapping.alters_as_before() {
            self.connection.pragma_update(None, "legacy_alter_table", false)?;
        }
        let is_closed = script.is_none() || wrapping.finish(terms, diagnostics);
        Ok(script.filter(|_| is_closed))
    }

    fn run_pieces(
        &self,
        known: Known<'_>,
        terms: Terms<'_>,
        wrapping: &mut Wrapping<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let file = wrapping.file();
        let mut script = Vec::new();
        let mut is_sound = true;
        let mut texts = Texts::new(file, terms);
        let mut rest = file.part.start..file.end_of_piece(file.part.start);
        loop {
            let start = rest.start;
            quotes::are_texts(&self.connection, false)?;
            let explain = |error: &rusqlite::Error| {
                Ok::<_, rusqlite::Error>(Explainer { file, catalog: &self.catalog()?, known }.explain(error, start))
            };
            let mut attempt = self.prepare(file, rest.clone());
            let sql = file.text.get(rest.clone()).unwrap_or_default();
            if let Err(error) = &attempt
                && quotes::are_to_blame(error)
                && (texts.are_tolerated() || !quotes::are_in(sql, error))
            {
                let found = quotes::of_first_statement(&self.connection, sql);
                diagnostics.extend(texts.found(start, &found, &self.catalog()?));
                quotes::are_texts(&self.connection, true)?;
                attempt = self.prepare(file, rest.clone());
            }
            let (mut prepared, end) = match attempt {
                Ok(Some(prepared)) => prepared,
                Ok(None) if rest.end < file.part.end => {
                    rest = rest.end..file.end_of_piece(rest.end);
                    continue;
                }
                Ok(None) => {
                    diagnostics.extend(texts.finish());
                    return Ok(is_sound.then_some(script));
                }
                Err(error) => {
                    let effects = self.recorder.take();
                    if let Some(end) = wrapping.leaves_out_unprepared(&effects, rest.clone()) {
                        rest.start = end;
                        continue;
                    }
                    // What touches a reserved table is refused for that, whatever else is wrong with it.
                    let diagnostic = match lint::reserved_table(&effects) {
                        Some(diagnostic) => diagnostic.at(file, file.first_word(rest)),
                        None => explain(&error)?,
                    };
                    diagnostics.push(diagnostic);
                    return Ok(None);
                }
            };
            rest.start = end;
            let role = wrapping.judge(&prepared.effects, &prepared.span, || {
                self.alters_alike(file.text.get(end..file.part.end).unwrap_or_default())
            });
            if let Some(diagnostic) = refusal(file, &prepared, &role, terms.allows) {
                // It is not run; the statements behind it are still worth a look.
                diagnostics.push(diagnostic);
                is_sound = false;
                continue;
            }
            if matches!(role, Role::LeftOut) {
                // SQLite has obeyed it all the same when it was prepared: <https://sqlite.org/pragma.html>.
                if prepared.effects.pragma.as_ref().is_some_and(|pragma| pragma.name == "legacy_alter_table") {
                    drop(prepared);
                    self.connection.pragma_update(None, "legacy_alter_table", wrapping.alters_as_before())?;
                }
                continue;
            }
            let kept = self.kept(file.text.get(prepared.span.clone()).unwrap_or_default())?;
            let outcome = if matches!(role, Role::Check) {
                first_violation(&mut prepared.statement).map(|violation| {
                    diagnostics.extend(violation.map(|found| found.at(file, file.first_word(prepared.span.clone()))));
                })
            } else {
                step_to_the_end(&mut prepared.statement)
            };
            let Prepared { effects, span, .. } = prepared;
            let outcome = match outcome {
                // SQLite reads the whole schema while it alters a table: the text is in what was judged where it was made.
                Err(error) if quotes::are_to_blame(&error) => {
                    quotes::are_texts(&self.connection, true)?;
                    let sql = file.text.get(span.clone()).unwrap_or_default();
                    self.connection.prepare(sql).and_then(|mut again| step_to_the_end(&mut again))
                }
                outcome => outcome,
            };
            if let Err(error) = outcome {
                diagnostics.push(explain(&error)?);
                return Ok(None);
            }
            if self.connection.is_autocommit() != wrapping.is_outside() {
                diagnostics.push(lint::transaction_control().at(file, file.first_word(span)));
                return Ok(None);
            }
            // At boot every foreign key is checked anyway, once for all migrations.
            if matches!(role, Role::Check) && file.dialect.is_foreign() {
                continue;
            }
            let line = file.line(span.start);
            script.push(Performed { statement: Statement { span, line }, effects, kept });
        }
    }

    /// What a `CREATE … IF NOT EXISTS` that is about to run will keep instead: how that differs from what it asks for.
    ///
    /// SQLite tells by making both.
    fn kept(&self, sql: &str) -> rusqlite::Result<Vec<String>> {
        let Some(Creation { kind, name, .. }) = if_not_exists::conditional(sql) else { return Ok(Vec::new()) };
        let only = |catalog: Catalog| match kind.as_str() {
            "TABLE" => Catalog {
                tables: catalog.tables.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            "INDEX" => Catalog {
                indexes: catalog.indexes.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            "TRIGGER" => Catalog {
                triggers: catalog.triggers.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            _ => Catalog {
                views: catalog.views.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
        };
        let found = only(self.catalog()?);
        if found == Catalog::default() {
            return Ok(Vec::new());
        }
        self.connection.execute_batch("SAVEPOINT kept")?;
        self.budget.renew();
        let made = self.connection.execute_batch(&format!("DROP {kind} {}; {sql}", quoted(&name)));
        let asked_for = made.and_then(|()| self.catalog());
        self.connection.execute_batch("ROLLBACK TO kept; RELEASE kept")?;
        // Where it cannot be made here, it says nothing of another definition.
        let differences = asked_for.map(|catalog| difference::between(&only(catalog), &found)).unwrap_or_default();
        let lacking = differences.into_iter().filter(|difference| difference.severity != difference::Severity::Extra);
        Ok(lacking.map(|difference| difference.message).collect())
    }

    /// Prepares the first statement in a part of a file, and tells where the next one starts.
    pub(crate) fn prepare(&self, file: &File, part: Range<usize>) -> rusqlite::Result<Option<(Prepared<'_>, usize)>> {
        let text = file.text.get(part.clone()).unwrap_or_default();
        self.recorder.take();
        self.budget.renew();
        let Some(statement) = Batch::new(&self.connection, text).next()? else { return Ok(None) };
        let effects = self.recorder.take();
        let (length, parameter) = consumed(text, &statement.expanded_sql().ok_or_else(budget::too_large)?);
        let end = part.start + length;
        let span = file.first_word(part.start..end).start..end;
        let parameter = parameter.map(|position| part.start + position);
        Ok(Some((Prepared { statement, effects, span, parameter }, end)))
    }
}

/// Why a statement is not run, if it must not be.
fn refusal(file: &Arc<File>, prepared: &Prepared<'_>, role: &Role, allows: &Allows) -> Option<Diagnostic> {
    if let Some(parameter) = prepared.parameter {
        return Some(lint::bound_parameter().at(file, parameter..parameter + 1));
    }
    let diagnostic = match role {
        Role::Refused(diagnostic) => Diagnostic::clone(diagnostic),
        Role::Statement => lint::forbidden(&prepared.effects)?,
        Role::Honoured | Role::LeftOut | Role::Check => return None,
    };
    if allows.permit(diagnostic.rule()) {
        return None;
    }
    Some(diagnostic.at(file, file.first_word(prepared.span.clone())))
}

/// The first row of a `PRAGMA foreign_key_check`.
fn first_violation(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<Option<Diagnostic>> {
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Some(wrapper::violation(&table, id, &parent)))
}

/// Rows that a statement returns are of no interest, but it is only done when the last one is read.
pub(crate) fn step_to_the_end(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<()> {
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}
