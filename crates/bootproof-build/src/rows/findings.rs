//! What the rows revealed of rebuilds, triggers and views, as diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bootproof_catalog::token;

use super::Step;
use super::judge::{self, Cause, Change};
use super::lineage::{self, Rebuild};
use super::objects::Kind;
use super::survey::Content;
use crate::diagnostic::Diagnostic;
use crate::lint::{double_quoted, unless_foreign};
use crate::rehearse::Performed;
use crate::writes;

/// Whether a statement itself says that it changes a table.
pub(super) fn names(performed: &Performed, table: &str) -> bool {
    let effects = &performed.effects;
    [&effects.inserts, &effects.deletes, &effects.drops_tables, &effects.alters].iter().any(|set| set.contains(table))
        || effects.updates.iter().any(|(updated, _)| updated == table)
}

/// What rebuilds, and triggers that fired, did to rows.
pub(super) fn of_rebuilds(
    step: &Step<'_>,
    was: &BTreeMap<String, Content>,
    is: &BTreeMap<String, Content>,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let rebuilds = lineage::rebuilds(step.file, step.script, step.before.tables.keys());
    for (key, was) in was {
        let (Some(is), Some(table)) = (is.get(key), step.before.tables.get(key)) else { continue };
        let Some(rebuild) = rebuilds.get(key) else {
            findings.extend(of_trigger(step, key, &table.name, was, is));
            continue;
        };
        let sources: Vec<_> = rebuild
            .copies
            .iter()
            .filter_map(|&at| Some((at, lineage::copy(step.file, step.script.get(at)?)?)))
            .collect();
        let culprit = sources.first().map(|(at, _)| *at).or(rebuild.drop);
        let is_updated = |column: &str| {
            let mut updates = step.script.iter().flat_map(|performed| &performed.effects.updates);
            updates.any(|(_, updated)| updated == column)
        };
        let copies: Vec<_> = sources.into_iter().map(|(_, copy)| copy).collect();
        for change in judge::rebuilt(table, was, is, rebuild, &copies, is_updated) {
            findings.push(of_change(step, &table.name, rebuild, culprit, &change));
        }
    }
    findings
}

fn of_change(step: &Step<'_>, table: &str, rebuild: &Rebuild, culprit: Option<usize>, change: &Change) -> Diagnostic {
    let at = |diagnostic: Diagnostic| diagnostic.at(step.file, word(step, culprit));
    match change {
        Change::NotCopied => Diagnostic::error("rows-lost", format!("this rebuild copies no row of `{table}`"))
            .at(step.file, word(step, rebuild.drop))
            .label("every row is gone with the old table")
            .help(format!("copy them before: `INSERT INTO <new table>(a, b) SELECT a, b FROM {table};`")),
        Change::Lost { cause } => {
            let message = format!("this rebuild loses rows of `{table}`");
            let (diagnostic, why, help) = match cause {
                Cause::Unsaid => (
                    Diagnostic::error("rows-lost", message),
                    "copies fewer rows than there are".to_owned(),
                    "copy every row".to_owned(),
                ),
                Cause::JoinOnNull { column } => (
                    Diagnostic::error("rows-lost", message),
                    format!("the join leaves out every row with NULL for `{column}`"),
                    "write LEFT JOIN".to_owned(),
                ),
                Cause::Join => (
                    Diagnostic::warning("rows-lost", message),
                    "the join leaves out every row without a partner".to_owned(),
                    "write LEFT JOIN, unless these rows are to go".to_owned(),
                ),
                Cause::Filter => (
                    Diagnostic::warning("rows-lost", message),
                    "leaves out the rows that it excludes".to_owned(),
                    format!("if they are to go, say so in a statement of its own: `DELETE FROM {table} WHERE …`"),
                ),
            };
            at(diagnostic).label(why).help(help)
        }
        Change::ColumnNotCopied { column, is_null } => {
            let (rule, now) = if *is_null { ("values-nulled", "NULL") } else { ("values-changed", "the DEFAULT") };
            at(Diagnostic::error(rule, format!("this rebuild does not copy the column `{column}` of `{table}`")))
                .label(format!("every row has {now} there afterwards"))
                .help(format!("name `{column}` on both sides of the copy"))
                .help(format!("or, if its values are to go, say so: `UPDATE {table} SET {column} = …`"))
        }
        Change::Renumbered { column } => {
            at(Diagnostic::warning("values-changed", format!("this rebuild numbers the rows of `{table}` anew")))
                .label(format!("does not copy `{column}`"))
                .help(format!("name `{column}` on both sides of the copy, unless nothing anywhere refers to it"))
        }
        Change::NamedLiterally { column } => {
            let message = format!("every `{column}` of `{table}` becomes the text '{column}'");
            let literal = culprit
                .and_then(|at| step.script.get(at))
                .and_then(|performed| {
                    step.file.text.get(performed.statement.span.clone()).map(|text| (performed, text))
                })
                .and_then(|(performed, text)| {
                    let found = token::tokens(text)
                        .into_iter()
                        .find(|token| token.kind == token::Kind::Literal && token.as_name() == *column)?;
                    let start = performed.statement.span.start;
                    Some(start + found.span.start..start + found.span.end)
                });
            Diagnostic::error("column-as-text", message)
                .at(step.file, literal.unwrap_or_else(|| word(step, culprit)))
                .label("a text, not the column of this name")
                .help(format!("write `{column}` without quotes"))
        }
        Change::Moved { column, from } => {
            at(Diagnostic::error("values-changed", format!("the values of `{from}` end up in `{column}` of `{table}`")))
                .label("fills one column with another")
                .help(format!(
                    "name the columns in the same order on both sides: \
                     `INSERT INTO …({from}, {column}) SELECT {from}, {column} FROM …`"
                ))
        }
    }
}

/// Rows that a trigger deleted from a table that no statement names.
fn of_trigger(step: &Step<'_>, key: &str, table: &str, was: &Content, is: &Content) -> Option<Diagnostic> {
    if is.rows.len() >= was.rows.len() || step.script.iter().any(|performed| names(performed, key)) {
        return None;
    }
    let culprit = step.script.iter().position(|performed| performed.effects.writes.contains(key))?;
    Some(
        Diagnostic::warning("rows-deleted", format!("a trigger deletes rows of `{table}` here"))
            .at(step.file, word(step, Some(culprit)))
            .label(format!("fires a trigger that deletes from `{table}`"))
            .help(format!(
                "if they are to go, say so: `DELETE FROM {table} WHERE …`; if not, drop the trigger before and make it \
                 again behind this"
            )),
    )
}

/// The statement that makes a trigger or a view.
fn creation<'a>(step: &Step<'a>, kind: Kind, key: &str) -> Option<&'a Performed> {
    let definition = kind.of(step.after, key);
    let name = definition.map_or(key, |definition| &definition.name);
    let creates = |performed: &&Performed| {
        let span = performed.statement.span.clone();
        let word = step.file.text.get(step.file.first_word(span.clone()));
        word.is_some_and(|word| word.eq_ignore_ascii_case("create")) && step.file.find_word(name, span).is_some()
    };
    // A table that is renamed changes the text of what names it, too.
    step.script.iter().rev().find(creates).filter(|_| definition != kind.of(step.before, key))
}

/// A trigger or a view that is made here with a text in double quotes.
pub(super) fn with_text(step: &Step<'_>, kind: Kind, key: &str, message: &str) -> Option<Diagnostic> {
    let span = creation(step, kind, key)?.statement.span.clone();
    let name = message.split_once("no such column: ")?.1.split_once(" - should")?.0;
    let at = step.file.text.get(span.clone()).and_then(|sql| sql.find(name));
    let place =
        at.map_or_else(|| step.file.first_word(span.clone()), |at| span.start + at..span.start + at + name.len());
    let literal = format!("'{}'", name.trim_matches('"').replace("\"\"", "\"").replace('\'', "''"));
    let kind = kind.name();
    Some(
        Diagnostic::error(
            double_quoted::RULE,
            format!("`{name}` is no column, and is taken for a text in this {kind}"),
        )
        .with_severity(unless_foreign(step.file.dialect))
        .at(step.file, place)
        .note(format!("where SQLite is told to take none for a text, every use of the {kind} fails"))
        .help(format!("write {literal}")),
    )
}

/// A trigger or a view that nothing can use any more.
pub(super) fn broken(step: &Step<'_>, kind: Kind, key: &str, message: &str) -> Diagnostic {
    let definition = kind.of(step.after, key);
    let name = definition.map_or(key, |definition| &definition.name);
    let canonical = definition.map(|definition| definition.canonical.as_str()).unwrap_or_default();
    let span = |performed: &Performed| performed.statement.span.clone();
    let creation = creation(step, kind, key);
    let is_new = creation.is_some();
    let culprit = creation.or_else(|| {
        step.script.iter().rev().find(|performed| {
            let renamed: BTreeSet<String> = writes::renamed(step.file, performed).into_iter().flatten().collect();
            let sets = [&performed.effects.drops_tables, &performed.effects.alters, &renamed];
            sets.into_iter().flatten().any(|table| canonical.contains(table.as_str()))
        })
    });
    // A view that reads another one does not name what that reads.
    let changes_tables =
        |performed: &&Performed| !(performed.effects.drops_tables.is_empty() && performed.effects.alters.is_empty());
    let culprit = culprit.or_else(|| step.script.iter().rev().find(changes_tables));
    let place = culprit.map_or(0..0, |performed| {
        let within = span(performed);
        if is_new { step.file.find_word(name, within.clone()).unwrap_or(within) } else { step.file.first_word(within) }
    });
    let rule = if kind == Kind::Trigger { "broken-trigger" } else { "broken-view" };
    let kind = kind.name();
    let what =
        if is_new { format!("the {kind} `{name}` cannot be used") } else { format!("this breaks the {kind} `{name}`") };
    let help = if is_new {
        format!("correct what the {kind} names, or make it behind what it needs")
    } else {
        format!("drop the {kind} before, and make it again behind this with what there is then")
    };
    let effect =
        if rule == "broken-trigger" { "every statement that fires it fails" } else { "every query of it fails" };
    Diagnostic::error(rule, what).at(step.file, place).note(format!("SQLite says: {message}")).note(effect).help(help)
}

/// The first word of a statement.
pub(super) fn word(step: &Step<'_>, position: Option<usize>) -> Range<usize> {
    let performed = position.and_then(|position| step.script.get(position));
    performed.map_or(0..0, |performed| step.file.first_word(performed.statement.span.clone()))
}
