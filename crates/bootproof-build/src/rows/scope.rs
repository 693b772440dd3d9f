//! How far a migration reaches: which tables it touches, and whose rows it may change.

use std::collections::BTreeSet;

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
pub(super) fn interest(step: &Step<'_>) -> BTreeSet<String> {
    let mut found = step.writes.clone();
    let mut parents = shaken(step);
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
    let keys = || step.before.tables.values().chain(step.after.tables.values()).flat_map(|table| &table.foreign_keys);
    let is_key = |table: &String, column: &String| {
        let mut keys = keys().filter(|key| key.parent == *table);
        // No name at all stands for the primary key.
        keys.any(|key| key.parent_columns.is_empty() || key.parent_columns.contains(column))
    };
    let mut found = BTreeSet::new();
    for performed in step.script {
        let effects = &performed.effects;
        found.extend(effects.drops_tables.iter().chain(&effects.removes).cloned());
        found.extend(
            effects.changes.iter().filter(|(table, column)| is_key(table, column)).map(|(table, _)| table.clone()),
        );
        let replaces = || {
            let text = step.file.text.get(performed.statement.span.clone()).unwrap_or_default();
            token::tokens(text).iter().any(|token| token.is_keyword("replace"))
        };
        let is_parent = |table: &&String| keys().any(|key| key.parent == **table);
        if effects.inserts.iter().any(|table| is_parent(&table)) && replaces() {
            found.extend(effects.inserts.iter().cloned());
        }
    }
    found.retain(|table| keys().any(|key| key.parent == *table));
    found
}
