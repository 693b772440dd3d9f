//! The way back from a migration: derived where it only adds, written by hand otherwise, rehearsed always.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::{Fingerprint, difference, quoted};

use crate::compilation::{Object, Revert, added};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::Known;
use crate::rehearse::Stage;
use crate::source::File;

/// A `.down.sql`, proven to return exactly the schema before its migration.
pub(crate) fn written(
    stage: &Stage,
    file: &Arc<File>,
    before: &Catalog,
    known: Known<'_>,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Revert>> {
    let Some(left) = stage.try_out(file, known, diagnostics)? else { return Ok(None) };
    if Fingerprint::of(&left) == Fingerprint::of(before) {
        return Ok(Some(Revert { sql: file.text.clone(), is_derived: false }));
    }
    let mut diagnostic = Diagnostic::error("wrong-revert", "this does not return the schema before its migration")
        .at(file, file.first_word(0..file.text.len()));
    for difference in difference::between(before, &left) {
        diagnostic = diagnostic.note(difference.to_string());
    }
    diagnostics.push(diagnostic.help("undo exactly what the migration does, or remove the file"));
    Ok(None)
}

/// A script that drops what a migration added, if that returns exactly the schema before it.
///
/// Never for a migration that wrote rows of tables that were there: nothing gives the old values back.
pub(crate) fn derived(
    stage: &Stage,
    before: &Catalog,
    after: &Catalog,
    writes: &BTreeSet<String>,
    known: Known<'_>,
) -> rusqlite::Result<Option<Revert>> {
    if writes.iter().any(|table| before.tables.contains_key(table)) {
        return Ok(None);
    }
    let file = Arc::new(File { name: String::new(), text: script(before, after) });
    // Whatever goes wrong, the answer is only that there is no way back: SQLite refuses to drop some columns.
    let left = stage.try_out(&file, known, &mut Diagnostics::new(String::new()))?;
    let is_exact = left.is_some_and(|left| Fingerprint::of(&left) == Fingerprint::of(before));
    Ok(is_exact.then(|| Revert { sql: file.text.clone(), is_derived: true }))
}

/// Drops in the order in which nothing that is left can miss what is gone.
fn script(before: &Catalog, after: &Catalog) -> String {
    let mut sql = String::new();
    let objects = added(before, after);
    let named = |pick: fn(&Object) -> Option<&String>| objects.iter().filter_map(pick);
    let views = named(|object| if let Object::View(name) = object { Some(name) } else { None });
    let triggers = named(|object| if let Object::Trigger(name) = object { Some(name) } else { None });
    let indexes = named(|object| if let Object::Index(name) = object { Some(name) } else { None });
    for (kind, name) in views
        .map(|name| ("VIEW", name))
        .chain(triggers.map(|name| ("TRIGGER", name)))
        .chain(indexes.map(|name| ("INDEX", name)))
    {
        // Writing to a String cannot fail.
        let _ = writeln!(sql, "DROP {kind} {};", quoted(name));
    }
    for object in &objects {
        if let Object::Column { table, column } = object {
            let _ = writeln!(sql, "ALTER TABLE {} DROP COLUMN {};", quoted(table), quoted(column));
        }
    }
    for table in children_first(before, after) {
        let _ = writeln!(sql, "DROP TABLE {};", quoted(&table.name));
    }
    sql
}

/// The added tables, those that point to others before those.
fn children_first<'a>(before: &Catalog, after: &'a Catalog) -> Vec<&'a Table> {
    let mut left: BTreeMap<_, _> = after.tables.iter().filter(|(key, _)| !before.tables.contains_key(*key)).collect();
    let mut ordered = Vec::new();
    while let Some(first) = left.keys().next().copied() {
        let is_parent = |key: &String| {
            left.iter()
                .any(|(child, table)| *child != key && table.foreign_keys.iter().any(|foreign| foreign.parent == *key))
        };
        // In a ring every table is a parent: any will do.
        let next = left.keys().copied().find(|key| !is_parent(key)).unwrap_or(first);
        ordered.extend(left.remove(next));
    }
    ordered
}
