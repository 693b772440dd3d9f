//! The way back from a migration: derived where it only adds, written by hand otherwise, rehearsed always.

mod apart;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table, unlike};
use bootproof_catalog::{Fingerprint, Shared, difference, quoted};

pub(crate) use apart::Apart;

use crate::compilation::{Object, Revert, Statement, added};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::explain::Known;
use crate::rehearse::{Performed, Stage, Tried};
use crate::source::File;
use crate::writes;

/// A `.down.sql`, proven to return exactly the schema before its migration.
pub(crate) fn written(
    stage: &Stage,
    file: &Arc<File>,
    before: &Catalog,
    after: &Catalog,
    known: Known<'_>,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Revert>> {
    if !file.dialect.is_foreign() {
        return proven(stage, file, before, after, known, diagnostics);
    }
    // Nobody has ever run most of the ways back that other tools have: one that fails is not used, and no obstacle.
    let mut found = Diagnostics::new(String::new());
    let revert = proven(stage, file, before, after, known, &mut found)?;
    diagnostics.extend(found.into_list().into_iter().map(unused));
    Ok(revert)
}

/// What is wrong with a way back that nobody needs.
fn unused(diagnostic: Diagnostic) -> Diagnostic {
    match diagnostic.severity() {
        Severity::Error => diagnostic.with_severity(Severity::Warning).note("this way back is not used"),
        Severity::Warning => diagnostic,
    }
}

fn proven(
    stage: &Stage,
    file: &Arc<File>,
    before: &Catalog,
    after: &Catalog,
    known: Known<'_>,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Revert>> {
    let Some(tried) = stage.try_out(file, known, diagnostics)? else { return Ok(None) };
    // Many files of other tools have a place for the way back and nothing in it, or a `SELECT`: rows stay what they are.
    if file.dialect.is_foreign() && changes_nothing(after, &tried) {
        return Ok(None);
    }
    if returns(before, &tried) {
        return Ok(Some(revert(file, Some(file.name.clone()), tried, after)));
    }
    let mut diagnostic = Diagnostic::error("wrong-revert", "this does not return the schema before its migration")
        .at(file, file.first_word(file.part.clone()));
    for difference in difference::between(before, &tried.left) {
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
    apart: &Apart,
    before: &Catalog,
    after: &Catalog,
    writes: &BTreeSet<String>,
    known: Known<'_>,
) -> rusqlite::Result<Option<Revert>> {
    let objects = added(before, after);
    if writes.iter().any(|table| before.tables.contains_key(table)) || !only_adds(before, after, &objects) {
        return Ok(None);
    }
    let file = Arc::new(File::new("", script(before, after, &objects)));
    if let Some(script) = apart.try_out(stage, after, &objects, &file)? {
        return Ok(Some(revert(&file, None, Tried { script, left: before.clone() }, after)));
    }
    // Whatever goes wrong, the answer is only that there is no way back: SQLite refuses to drop some columns.
    let tried = stage.try_out(&file, known, &mut Diagnostics::new(String::new()))?;
    Ok(tried.filter(|tried| returns(before, tried)).map(|tried| revert(&file, None, tried, after)))
}

/// Whether all that was there is there as it was, but for columns that were added: a script that drops brings back nothing
/// else.
fn only_adds(before: &Catalog, after: &Catalog, added: &[Object]) -> bool {
    let has_new_columns = |name: &String| {
        added.iter().any(|object| matches!(object, Object::Column { table, .. } if table.eq_ignore_ascii_case(name)))
    };
    unlike(&before.tables, &after.tables).all(|(name, _)| has_new_columns(name))
        && unlike(&before.indexes, &after.indexes).next().is_none()
        && unlike(&before.triggers, &after.triggers).next().is_none()
        && unlike(&before.views, &after.views).next().is_none()
}

/// Whether a way back left exactly the schema before its migration.
fn returns(before: &Catalog, tried: &Tried) -> bool {
    // Equal catalogs have equal fingerprints, and are compared sooner.
    tried.left == *before || Fingerprint::of(&tried.left) == Fingerprint::of(before)
}

/// Whether a way back leaves everything as its migration did.
fn changes_nothing(after: &Catalog, tried: &Tried) -> bool {
    returns(after, tried) && tried.script.iter().all(|performed| performed.effects.writes.is_empty())
}

/// `after` is the schema that the migration left, on which the script was tried.
fn revert(file: &File, name: Option<String>, Tried { script, left }: Tried, after: &Catalog) -> Revert {
    let mut writes = writes::of(file, &script, after, &left);
    // The rows of a table that the script makes have nothing to be compared with.
    let other = unlike(&left.tables, &after.tables).map(|(name, _)| name);
    writes.extend(other.filter(|name| !after.tables.contains_key(*name)).cloned());
    let offset = file.part.start;
    let statements = script.into_iter().map(|Performed { statement: Statement { span, line }, .. }| Statement {
        span: span.start - offset..span.end - offset,
        line,
    });
    Revert { sql: file.sql().to_owned(), file: name, statements: statements.collect(), writes }
}

/// Drops in the order in which nothing that is left can miss what is gone.
///
/// An index is dropped `IF EXISTS`. It holds nothing that the table does not, and boot, too, takes a missing one for work
/// to be done, not for another schema: where an operator has dropped it by hand, the way back finds that done. It hides no
/// slip: the names come from the catalog, and the rehearsal requires that the index is gone. A table, a column, a trigger
/// or a view that is missing is drift, and there the script fails.
fn script(before: &Catalog, after: &Catalog, objects: &[Object]) -> String {
    let mut sql = String::new();
    let named = |pick: fn(&Object) -> Option<&String>| objects.iter().filter_map(pick);
    let views = named(|object| if let Object::View(name) = object { Some(name) } else { None });
    let triggers = named(|object| if let Object::Trigger(name) = object { Some(name) } else { None });
    let indexes = named(|object| if let Object::Index(name) = object { Some(name) } else { None });
    for (kind, name) in views
        .map(|name| ("VIEW", name))
        .chain(triggers.map(|name| ("TRIGGER", name)))
        .chain(indexes.map(|name| ("INDEX IF EXISTS", name)))
    {
        // Writing to a String cannot fail.
        let _ = writeln!(sql, "DROP {kind} {};", quoted(name));
    }
    for object in objects {
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
fn children_first<'a>(before: &Catalog, after: &'a Catalog) -> Vec<&'a Shared<Table>> {
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
