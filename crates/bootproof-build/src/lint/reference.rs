//! Foreign keys that point nowhere, or no longer to what they pointed to.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, unlike};

use super::Ran;
use super::ran::Alteration;
use crate::diagnostic::Diagnostic;
use crate::rehearse::Performed;
use crate::source::File;

const RULE: &str = "dangling-foreign-key";
const RENAME_IN: &str =
    "create the table it points to first; in a rebuild, rename the new table in instead of the old one away";

/// Foreign keys to tables that do not exist: child, as written, and parent.
pub(crate) fn without_parent(catalog: &Catalog) -> BTreeSet<(String, String)> {
    let keys = catalog.tables.values().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, &key.parent)));
    let dangling = keys.filter(|(_, parent)| !catalog.tables.contains_key(*parent));
    dangling.map(|(table, parent)| (table.name.clone(), parent.clone())).collect()
}

/// Those of them that a migration made: only what it changed needs to be looked at, unless a table went.
fn new_without_parent(ran: &Ran<'_>) -> BTreeSet<(String, String)> {
    let is_gone = |(name, _): (&String, _)| !ran.after.tables.contains_key(name);
    if unlike(&ran.before.tables, &ran.after.tables).any(is_gone) {
        return without_parent(ran.after).difference(&without_parent(ran.before)).cloned().collect();
    }
    let mut found = BTreeSet::new();
    for (name, table) in unlike(&ran.after.tables, &ran.before.tables) {
        let parents = table.foreign_keys.iter().map(|key| &key.parent);
        let was_there = |parent: &String| {
            let earlier = ran.before.tables.get(name);
            earlier.is_some_and(|earlier| earlier.foreign_keys.iter().any(|key| key.parent == *parent))
        };
        let dangling = parents.filter(|parent| !ran.after.tables.contains_key(*parent) && !was_there(parent));
        found.extend(dangling.map(|parent| (table.name.clone(), parent.clone())));
    }
    found
}

/// Foreign keys that this migration left pointing at nothing, or at what is left of a table that was renamed away.
pub(super) fn dangling(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (table, parent) in new_without_parent(ran) {
        // Other tools let a migration refer to what a later one makes: whether that ever comes is known at the end.
        if ran.file.dialect.is_foreign() && !is_old(ran, &table, &parent) {
            continue;
        }
        let span = ran
            .statements
            .iter()
            .find_map(|statement| ran.file.find_word(&parent, statement.performed.statement.span.clone()))
            .unwrap_or(0..0);
        let message = format!("a foreign key of `{table}` points to `{parent}`, a table that does not exist");
        findings.push(Diagnostic::error(RULE, message).at(ran.file, span).help(RENAME_IN));
    }
    findings.extend(followed_away(ran));
    findings
}

/// Whether the parent was there, or the key pointed elsewhere: then this migration broke what was whole.
fn is_old(ran: &Ran<'_>, table: &str, parent: &str) -> bool {
    let was_parent = ran.before.tables.contains_key(parent);
    let is_renamed_to = |alteration: &Alteration| matches!(alteration, Alteration::Rename { to, .. } if to == parent);
    let was_child = ran.before.tables.contains_key(&table.to_ascii_lowercase());
    was_parent || (was_child && ran.statements.iter().filter_map(|s| s.alteration.as_ref()).any(is_renamed_to))
}

/// SQLite lets foreign keys follow a table that is renamed (<https://sqlite.org/lang_altertable.html#altertabrename>), also
/// one that only makes room for its successor.
fn followed_away(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for statement in &ran.statements {
        let Some(Alteration::Rename { table: old, to }) = &statement.alteration else { continue };
        let is_rebuild = ran.before.tables.contains_key(old)
            && ran.after.tables.contains_key(old)
            && ran.after.tables.contains_key(to)
            && copies(ran, to, old);
        if !is_rebuild {
            continue;
        }
        let follows = |catalog: &Catalog, child: &String, parent: &String| {
            catalog.tables.get(child).is_some_and(|table| table.foreign_keys.iter().any(|key| key.parent == *parent))
        };
        let children = ran.after.tables.iter().filter(|(key, _)| *key != to);
        for (_, child) in children.filter(|(key, _)| follows(ran.before, key, old) && follows(ran.after, key, to)) {
            let message = format!("a foreign key of `{}` now points to `{to}` instead of the new `{old}`", child.name);
            findings.push(
                Diagnostic::error(RULE, message)
                    .at(ran.file, ran.name(statement, to))
                    .note("where a table is renamed, the foreign keys that point to it follow")
                    .help(RENAME_IN),
            );
        }
    }
    findings
}

/// Whether some statement fills one table from another.
fn copies(ran: &Ran<'_>, from: &str, into: &str) -> bool {
    ran.statements.iter().any(|statement| {
        let effects = &statement.performed.effects;
        effects.writes.contains(into) && effects.reads.iter().any(|(table, _)| table == from)
    })
}

/// A foreign key whose parent no migration made, or one had dropped before.
pub(super) fn missing(
    file: &Arc<File>,
    statements: impl Iterator<Item = Range<usize>>,
    key: &(String, String),
    is_made: bool,
) -> Diagnostic {
    let (child, parent) = key;
    let span = place(file, statements.collect(), child, parent);
    let what = if is_made { "is no longer there" } else { "no migration makes" };
    let message = format!("a foreign key of `{child}` points to `{parent}`, a table that {what}");
    Diagnostic::error(RULE, message).at(file, span).help("correct its name, or make the table")
}

/// A foreign key, from child to parent, that SQLite cannot check.
pub(crate) fn foreign_key_mismatch(
    file: &Arc<File>,
    script: &[Performed],
    (child, parent): &(String, String),
) -> Diagnostic {
    let span = place(file, script.iter().map(|performed| performed.statement.span.clone()).collect(), child, parent);
    let message = format!("a foreign key of `{child}` points to columns of `{parent}` that are not a key of it");
    Diagnostic::error("foreign-key-mismatch", message)
        .at(file, span)
        .note("SQLite can check no row of it, so every boot would refuse")
        .help(format!(
            "point to the primary key of `{parent}`, or make a UNIQUE index, not a partial one, on these columns"
        ))
}

/// Where the child refers to the parent, or else where either is changed.
pub(super) fn place(file: &File, statements: Vec<Range<usize>>, child: &str, parent: &str) -> Range<usize> {
    let reference = |within: Range<usize>| {
        let start = file.find_word(child, within.clone())?.end;
        let start = file.find_word("references", start..within.end)?.end;
        file.find_word(parent, start..within.end)
    };
    let mention =
        |within: Range<usize>| file.find_word(parent, within.clone()).or_else(|| file.find_word(child, within));
    let found = statements.iter().cloned().find_map(reference);
    found.or_else(|| statements.into_iter().find_map(mention)).unwrap_or_else(|| file.first_word(file.part.clone()))
}
