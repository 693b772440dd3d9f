//! What the rows revealed of foreign keys, as diagnostics: what they do where they are on, and what dangles where they are off.

use std::collections::BTreeMap;

use bootproof_catalog::catalog::ForeignKey;
use bootproof_catalog::token;

use super::failure::Failure;
use super::findings::{names, word};
use super::judge::{self, Action};
use super::survey::{self, Content};
use super::{Runner, Step, attempt, lineage, runner};
use crate::diagnostic::Diagnostic;
use crate::rehearse::Performed;

/// Something that foreign keys did to a table.
#[derive(Debug)]
pub(super) struct OnTable {
    /// In lower case.
    pub(super) table: String,
    pub(super) action: Action,
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
    let mut together: BTreeMap<(usize, &str, &str), Vec<&OnTable>> = BTreeMap::new();
    for found in actions {
        let Some(culprit) = culprit(step, runner, found, culprits, dangling) else { continue };
        let (rule, verb) = match &found.action {
            Action::Deleted => ("cascade-deletes", "deletes rows of"),
            Action::Nulled { .. } => ("values-nulled", "sets to NULL"),
            Action::Changed { .. } => ("values-changed", "changes"),
        };
        together.entry((culprit, rule, verb)).or_default().push(found);
    }
    let told = together.into_iter().filter_map(|((culprit, rule, verb), found)| {
        let performed = step.script.get(culprit)?;
        let is_drop = !performed.effects.drops_tables.is_empty();
        let mut names: Vec<&str> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        let what: Vec<String> = found
            .into_iter()
            .filter_map(|found| {
                let table = step.before.tables.get(&found.table)?;
                let name = &table.name;
                let key = table.foreign_keys.iter().find(|key| self::names(performed, &key.parent));
                keys.extend(key.map(|key| format!("`{name}` has a foreign key {key}")));
                names.push(name);
                Some(match &found.action {
                    Action::Deleted => format!("`{name}`"),
                    Action::Nulled { column } | Action::Changed { column } => format!("`{column}` of `{name}`"),
                })
            })
            .collect();
        let message = format!("with foreign keys on, this {verb} {}", listed(&what));
        let is_error = runner != Runner::Ours && is_drop;
        let diagnostic = if is_error { Diagnostic::error(rule, message) } else { Diagnostic::warning(rule, message) };
        let mut diagnostic = diagnostic.at(step.file, word(step, Some(culprit)));
        let mut keys = keys.into_iter();
        diagnostic = keys.next().into_iter().fold(diagnostic, Diagnostic::label);
        diagnostic = keys.fold(diagnostic, Diagnostic::note);
        if is_drop {
            diagnostic = diagnostic.note("DROP TABLE deletes every row of the table first, as DELETE does");
        }
        Some(match (runner, is_drop) {
            (Runner::Ours, _) => diagnostic
                .note(
                    "boot turns foreign keys off before it begins, so it does not happen there; other tools may leave \
                     them on",
                )
                .help(format!("if nothing else runs this file, say so: `-- bootproof: allow {rule} \"why\"`")),
            (_, true) => diagnostic.help(
                "foreign keys must be off before the transaction begins, since inside it `PRAGMA foreign_keys` does nothing",
            ),
            (_, false) => {
                let deletes: Vec<_> = names.iter().map(|name| format!("`DELETE FROM {name} WHERE …`")).collect();
                diagnostic.help(format!("if that is meant, say so before: {}", listed(&deletes)))
            }
        })
    });
    told.collect()
}

/// `a`, `b` and `c`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// The statement with which foreign keys did something, if that is worth a word.
fn culprit(
    step: &Step<'_>,
    runner: Runner,
    found: &OnTable,
    culprits: &BTreeMap<String, usize>,
    dangling: &[(String, String)],
) -> Option<usize> {
    let table = step.before.tables.get(&found.table)?;
    let culprit = culprits.get(&found.table).copied().or_else(|| {
        let takes = |performed: &Performed| table.foreign_keys.iter().any(|key| names(performed, &key.parent));
        step.script.iter().position(takes)
    })?;
    let is_drop = !step.script.get(culprit)?.effects.drops_tables.is_empty();
    // With foreign keys off the same rows dangle, which is reported.
    if runner == Runner::Ours && !is_drop && dangling.iter().any(|(child, _)| *child == found.table) {
        return None;
    }
    (runner != Runner::Plain || !turned_off(step, culprit)).then_some(culprit)
}

/// Whether the file has turned foreign keys off before a statement, and not on again.
fn turned_off(step: &Step<'_>, culprit: usize) -> bool {
    let end = step.script.get(culprit).map_or(0, |performed| performed.statement.span.start);
    step.file.text.get(..end).is_some_and(runner::turns_off)
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
                .note(
                    "boot turns foreign keys off before it begins, so neither ON DELETE nor ON UPDATE follows; then it \
                     refuses to commit",
                )
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
