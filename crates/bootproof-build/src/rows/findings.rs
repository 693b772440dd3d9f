//! What the rows revealed, as diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bootproof_catalog::catalog::ForeignKey;
use bootproof_catalog::token;

use super::failure::Failure;
use super::judge::{self, Action, Cause, Change};
use super::lineage::{self, Rebuild};
use super::objects::Kind;
use super::survey::{self, Content};
use super::{Runner, Step, attempt};
use crate::diagnostic::Diagnostic;
use crate::rehearse::Performed;
use crate::writes;

/// Something that foreign keys did to a table.
#[derive(Debug)]
pub(super) struct OnTable {
    /// In lower case.
    pub(super) table: String,
    pub(super) action: Action,
}

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
                .and_then(|performed| step.file.text.get(performed.statement.span.clone()).map(|text| (performed, text)))
                .and_then(|(performed, text)| {
                    let found = token::tokens(text).into_iter().find(|token| {
                        token.kind == token::Kind::Literal && token.as_name() == *column
                    })?;
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
                .help(format!("name the columns in the same order on both sides: `INSERT INTO …({from}, {column}) SELECT {from}, {column} FROM …`"))
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
            .help(format!("if they are to go, say so: `DELETE FROM {table} WHERE …`; if not, drop the trigger before and make it again behind")),
    )
}

/// What foreign keys do to tables, where they are on.
pub(super) fn actions(
    step: &Step<'_>,
    off: &BTreeMap<String, Content>,
    on: &BTreeMap<String, Content>,
) -> Vec<OnTable> {
    let mut found = Vec::new();
    for (key, off) in off {
        let (Some(on), Some(table)) = (on.get(key), step.before.tables.get(key)) else { continue };
        found.extend(judge::actions(table, off, on).into_iter().map(|action| OnTable { table: key.clone(), action }));
    }
    found
}

pub(super) fn of_actions(
    step: &Step<'_>,
    runner: Runner,
    actions: &[OnTable],
    culprits: &BTreeMap<String, usize>,
    dangling: &[(String, String)],
) -> Vec<Diagnostic> {
    let finding = |found: &OnTable| {
        let table = step.before.tables.get(&found.table)?;
        let name = &table.name;
        let culprit = culprits.get(&found.table).copied().or_else(|| {
            let takes = |performed: &Performed| table.foreign_keys.iter().any(|key| names(performed, &key.parent));
            step.script.iter().position(takes)
        })?;
        let performed = step.script.get(culprit)?;
        let parent = table.foreign_keys.iter().find(|key| names(performed, &key.parent));
        let is_drop = !performed.effects.drops_tables.is_empty();
        // With foreign keys off the same rows dangle, which is reported.
        if runner == Runner::Ours && !is_drop && dangling.iter().any(|(child, _)| *child == found.table) {
            return None;
        }
        if runner == Runner::Plain && turned_off(step, culprit) {
            return None;
        }
        let (rule, does) = match &found.action {
            Action::Deleted => ("cascade-deletes", format!("deletes rows of `{name}`")),
            Action::Nulled { column } => ("values-nulled", format!("sets `{column}` of `{name}` to NULL")),
            Action::Changed { column } => ("values-changed", format!("changes `{column}` of `{name}`")),
        };
        let message = format!("with foreign keys on, this {does}");
        let is_error = runner != Runner::Ours && is_drop;
        let diagnostic = if is_error { Diagnostic::error(rule, message) } else { Diagnostic::warning(rule, message) };
        let mut diagnostic = diagnostic.at(step.file, word(step, Some(culprit)));
        if let Some(key) = parent {
            diagnostic = diagnostic.label(format!("`{name}` has a foreign key {key}"));
        }
        if is_drop {
            diagnostic = diagnostic.note("DROP TABLE deletes every row of the table first, as DELETE does");
        }
        Some(match (runner, is_drop) {
            (Runner::Ours, _) => diagnostic
                .note("boot turns foreign keys off before it begins, so it does not happen there; other tools may leave them on")
                .help("if nothing else runs this file, say so: `-- bootproof: allow RULE \"why\"`".replace("RULE", rule)),
            (_, true) => diagnostic.help(
                "foreign keys must be off before the transaction begins, since inside it `PRAGMA foreign_keys` does nothing",
            ),
            (_, false) => diagnostic.help(format!("if that is meant, say so before: `DELETE FROM {name} WHERE …`")),
        })
    };
    actions.iter().filter_map(finding).collect()
}

/// Whether the file has turned foreign keys off before a statement, and not on again.
fn turned_off(step: &Step<'_>, culprit: usize) -> bool {
    let end = step.script.get(culprit).map_or(0, |performed| performed.statement.span.start);
    let tokens = token::tokens(step.file.text.get(..end).unwrap_or_default());
    let switches = tokens.split(|token| token.is_symbol(';')).filter_map(|statement| match statement {
        [pragma, name, .., value] if pragma.is_keyword("pragma") && name.is_keyword("foreign_keys") => {
            let value = if value.is_symbol(')') { statement.iter().rev().nth(1)? } else { value };
            Some(["off", "0", "false", "no"].iter().any(|off| value.text == *off))
        }
        _ => None,
    });
    switches.fold(false, |_, is_off| is_off)
}

/// A statement that other tools cannot run on rows.
pub(super) fn fails_with_keys(step: &Step<'_>, runner: Runner, failure: &Failure) -> Option<Diagnostic> {
    let is_of_ours = runner == Runner::Ours || (runner == Runner::Plain && turned_off(step, failure.position));
    let is_of_keys = failure.message.contains("FOREIGN KEY") || failure.message.contains("REFERENCES column");
    (is_of_keys && !is_of_ours).then(|| {
        Diagnostic::warning("fails-on-rows", "with foreign keys on, this fails as soon as there are rows")
            .at(step.file, word(step, Some(failure.position)))
            .note(format!("SQLite says: {}", failure.message))
            .help("turn foreign keys off before the transaction begins: inside it `PRAGMA foreign_keys` does nothing")
    })
}

/// References that dangle behind a migration that runs with foreign keys off.
pub(super) fn of_dangling(
    step: &Step<'_>,
    runner: Runner,
    dangling: &[(String, String)],
    culprits: &BTreeMap<(String, String), usize>,
    is_followed: bool,
) -> rusqlite::Result<Vec<Diagnostic>> {
    if dangling.is_empty() {
        return Ok(Vec::new());
    }
    let on_empty_tables = survey::dangling(step.stage.connection(), step.after, step.writes)?;
    let rebuilds = lineage::rebuilds(step.file, step.script, step.before.tables.keys());
    let finding = |key: &(String, String)| {
        let (child, parent) = key;
        // A foreign key that points to no table is reported as such.
        let (child, parent) = (step.after.tables.get(child)?, step.after.tables.get(parent)?);
        // Where nothing was a foreign key before, rows of ours had no reason to keep to it.
        if !on_empty_tables.contains_key(key) && !was_foreign_key(step, key) {
            return None;
        }
        let copy = rebuilds.get(&key.1).and_then(|rebuild| rebuild.copies.first()).copied();
        let culprit = copy.or_else(|| culprits.get(key).copied())?;
        let performed = step.script.get(culprit)?;
        let text = step.file.text.get(performed.statement.span.clone()).unwrap_or_default();
        let is_filtered = token::tokens(text).iter().any(|token| token.is_keyword("where"));
        let message = format!("rows of `{}` point to no row of `{}`", child.name, parent.name);
        // Whether a WHERE meets a row that has children is for the data to say.
        let is_warning = is_filtered || (runner != Runner::Ours && is_followed);
        let diagnostic = if is_warning {
            Diagnostic::warning("rows-dangle", message)
        } else {
            Diagnostic::error("rows-dangle", message)
        };
        Some(
            diagnostic
                .at(step.file, word(step, Some(culprit)))
                .label(format!("leaves rows of `{}` without their parent", child.name))
                .note("boot turns foreign keys off before it begins, so neither ON DELETE nor ON UPDATE follows; then it refuses to commit")
                .help(format!("change the rows of `{}`, too, or leave the keys as they are", child.name)),
        )
    };
    Ok(dangling.iter().filter_map(finding).collect())
}

/// Whether the table that is the child now had a foreign key to the same parent before.
fn was_foreign_key(step: &Step<'_>, (child, parent): &(String, String)) -> bool {
    let now = step.after.tables.get(child).map(|table| &table.foreign_keys);
    let is_kept = |old: &ForeignKey| {
        now.is_some_and(|keys| keys.iter().any(|key| key.parent == *parent && key.columns == old.columns))
    };
    let was_child = |key: &str| attempt::later_name(step, key.to_owned()) == *child;
    let was_parent = |key: &ForeignKey| attempt::later_name(step, key.parent.clone()) == *parent;
    let mut tables = step.before.tables.iter().filter(|(key, _)| was_child(key));
    tables.any(|(_, table)| table.foreign_keys.iter().any(|key| was_parent(key) && is_kept(key)))
}

/// A trigger or a view that nothing can use any more.
pub(super) fn broken(step: &Step<'_>, kind: Kind, key: &str, message: &str) -> Diagnostic {
    let (definition, was) = match kind {
        Kind::Trigger => (step.after.triggers.get(key), step.before.triggers.get(key)),
        Kind::View => (step.after.views.get(key), step.before.views.get(key)),
    };
    let name = definition.map_or(key, |definition| &definition.name);
    let canonical = definition.map(|definition| definition.canonical.as_str()).unwrap_or_default();
    let span = |performed: &Performed| performed.statement.span.clone();
    let creates = |performed: &&Performed| {
        let word = step.file.text.get(step.file.first_word(span(performed)));
        word.is_some_and(|word| word.eq_ignore_ascii_case("create"))
            && step.file.find_word(name, span(performed)).is_some()
    };
    // A table that is renamed changes the text of what names it, too.
    let creation = step.script.iter().rev().find(creates).filter(|_| definition != was);
    let is_new = creation.is_some();
    let culprit = creation.or_else(|| {
        step.script.iter().rev().find(|performed| {
            let renamed: BTreeSet<String> = writes::renamed(step.file, performed).into_iter().flatten().collect();
            let sets = [&performed.effects.drops_tables, &performed.effects.alters, &renamed];
            sets.into_iter().flatten().any(|table| canonical.contains(table.as_str()))
        })
    });
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
fn word(step: &Step<'_>, position: Option<usize>) -> Range<usize> {
    let performed = position.and_then(|position| step.script.get(position));
    performed.map_or(0..0, |performed| step.file.first_word(performed.statement.span.clone()))
}
