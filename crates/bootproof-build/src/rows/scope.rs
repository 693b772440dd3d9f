//! How far a migration reaches: which tables it touches, and whose rows it may change.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::Table;
use bootproof_catalog::token;

use super::Step;
use crate::rehearse::Performed;
use crate::writes;

/// The tables that a migration alters, writes, makes or renames.
pub(super) fn touched(step: &Step<'_>) -> BTreeSet<String> {
    let of_statement = |performed: &Performed| {
        let effects = &performed.effects;
        let sets = [&effects.alters, &effects.creates_tables, &effects.drops_tables, &effects.writes];
        let renamed = writes::renamed(step.file, performed).into_iter().flatten();
        sets.into_iter().flatten().cloned().chain(renamed).collect::<Vec<_>>()
    };
    let mut touched: BTreeSet<String> = step.script.iter().flat_map(of_statement).collect();
    touched.retain(|name| !name.starts_with("sqlite_"));
    touched
}

/// The tables whose rows may change: those that are written, and the children of those from which a key may go.
pub(super) fn interest(step: &Step<'_>, shaken: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = step.writes.clone();
    let mut parents = shaken.clone();
    while !parents.is_empty() {
        let tables = step.before.tables.iter().chain(&step.after.tables);
        let refers = |table: &Table| table.foreign_keys.iter().any(|foreign| parents.contains(&foreign.parent));
        let children: BTreeSet<String> =
            tables.filter(|(_, table)| refers(table)).map(|(key, _)| key.clone()).collect();
        parents = children.difference(&found).cloned().collect();
        found.extend(children);
    }
    found
}

/// The tables from which rows may go, or whose rows may get other keys; those only that a foreign key points to.
pub(super) fn shaken(step: &Step<'_>) -> BTreeSet<String> {
    let is_table = |table: &&String| step.before.tables.contains_key(*table) || step.after.tables.contains_key(*table);
    let is_written = |performed: &&Performed| performed.effects.writes.iter().any(|table| is_table(&table));
    let writing: Vec<_> = step.script.iter().filter(is_written).collect();
    if writing.is_empty() {
        return BTreeSet::new();
    }
    // Every parent with its columns to which keys point; none where it is the primary key.
    let mut parents: BTreeMap<&String, Vec<&[String]>> = BTreeMap::new();
    for key in step.before.tables.values().chain(step.after.tables.values()).flat_map(|table| &table.foreign_keys) {
        parents.entry(&key.parent).or_default().push(&key.parent_columns);
    }
    let is_key = |(table, column): &&(String, String)| {
        let keys = parents.get(table).into_iter().flatten();
        keys.into_iter().any(|columns| columns.is_empty() || columns.contains(column))
    };
    let mut found = BTreeSet::new();
    for performed in writing {
        let effects = &performed.effects;
        found.extend(effects.drops_tables.iter().chain(&effects.removes).cloned());
        found.extend(effects.changes.iter().filter(is_key).map(|(table, _)| table.clone()));
        let replaces = || {
            let text = step.file.text.get(performed.statement.span.clone()).unwrap_or_default();
            token::tokens(text).iter().any(|token| token.is_keyword("replace"))
        };
        if effects.inserts.iter().any(|table| parents.contains_key(table)) && replaces() {
            found.extend(effects.inserts.iter().cloned());
        }
    }
    found.retain(|table| parents.contains_key(table));
    found
}
