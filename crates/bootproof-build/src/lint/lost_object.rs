//! What hung on a table that went down for a rebuild and came back: indexes, triggers, views.

use bootproof_catalog::Shared;
use bootproof_catalog::catalog::{Catalog, Definition, Index, unlike};
use bootproof_catalog::token::{self, Kind};

use super::Ran;
use super::ran::Alteration;
use crate::diagnostic::{Diagnostic, Severity};

/// Indexes and triggers that went down with the table they were on, and views that had to make way for its rebuild.
pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let (before, after) = (ran.before, ran.after);
    let indexes = unlike(&before.indexes, &after.indexes)
        .filter(|(key, index)| !after.indexes.contains_key(*key) && !is_made_up_for(index, before, after));
    let triggers = unlike(&before.triggers, &after.triggers).filter(|(key, _)| !after.triggers.contains_key(*key));
    let lost = indexes
        .map(|(key, index)| ("index", key, &index.name, &index.table, &index.sql))
        .chain(triggers.map(|(key, trigger)| ("trigger", key, &trigger.name, &trigger.table, &trigger.sql)));
    let mut findings = Vec::new();
    for (kind, key, name, table, sql) in lost {
        // DROP TABLE and DROP VIEW report the triggers they take along as dropped: that is not what the author said.
        let is_dropped_by_name = ran.statements.iter().any(|statement| {
            let effects = &statement.performed.effects;
            effects.drops.contains(key) && effects.drops_tables.is_empty()
        });
        let owner = table.to_ascii_lowercase();
        let is_table_back = after.tables.contains_key(&owner) || after.views.contains_key(&owner);
        if is_dropped_by_name || !is_table_back {
            continue;
        }
        let span = ran.drop_of(&owner).map_or(0..0, |statement| ran.verb(statement));
        // A table that begins anew, without its rows, may be meant to begin without these.
        let is_new = ran.after.tables.contains_key(&owner) && !ran.is_copied(&owner);
        let severity = if is_new { Severity::Warning } else { Severity::Error };
        findings.push(
            Diagnostic::error("lost-object", format!("{kind} `{name}` of `{table}` is lost in this rebuild"))
                .with_severity(severity)
                .at(ran.file, span)
                .label(format!("drops `{name}` with it"))
                .help(format!("make it again behind the rebuild:\n{sql};"))
                .help(format!("or, if it is to go, say so before the rebuild:\nDROP {} {name};", kind.to_uppercase())),
        );
    }
    findings.extend(left_behind(ran));
    findings.extend(lost_views(ran));
    findings
}

/// Indexes and triggers that went with a table which was renamed away and stays, while another took its name.
fn left_behind(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for statement in &ran.statements {
        let Some(Alteration::Rename { table: old, to }) = &statement.alteration else { continue };
        if !(ran.before.tables.contains_key(old) && ran.after.tables.contains_key(old) && ran.is_copied(old)) {
            continue;
        }
        let went = |before: &str, after: Option<&String>| {
            before.eq_ignore_ascii_case(old) && after.is_some_and(|after| after.eq_ignore_ascii_case(to))
        };
        let indexes = ran.before.indexes.iter().filter(|(key, index)| {
            let after = ran.after.indexes.get(*key).map(|index| &index.table);
            went(&index.table, after) && !is_made_up_for(index, ran.before, ran.after)
        });
        // A trigger that is new on the new table takes the place of the old ones.
        let is_new = |(key, trigger): (&String, &Shared<Definition>)| {
            trigger.table.eq_ignore_ascii_case(old) && !ran.before.triggers.contains_key(key)
        };
        let has_new_triggers = ran.after.triggers.iter().any(is_new);
        let triggers = ran.before.triggers.iter().filter(|(key, trigger)| {
            !has_new_triggers && went(&trigger.table, ran.after.triggers.get(*key).map(|trigger| &trigger.table))
        });
        let names = indexes
            .map(|(_, index)| ("index", &index.name))
            .chain(triggers.map(|(_, trigger)| ("trigger", &trigger.name)));
        findings.extend(names.map(|(kind, name)| {
            let message =
                format!("{kind} `{name}` goes with the old table to `{to}`, and the new `{old}` is without it");
            Diagnostic::error("lost-object", message)
                .at(ran.file, ran.name(statement, to))
                .help(format!("make it again on the new `{old}`, under another name"))
                .help("or rename the new table in instead of the old one away")
        }));
    }
    findings
}

/// Whether an index cannot or need not come back: a column of it is gone, or another key of its table begins as it does.
fn is_made_up_for(index: &Index, before: &Catalog, after: &Catalog) -> bool {
    let key = index.table.to_ascii_lowercase();
    let (Some(old), Some(new)) = (before.tables.get(&key), after.tables.get(&key)) else { return false };
    let names = index.terms.iter().map(|term| &term.expression).chain(&index.predicate);
    let is_gone = |name: &String| old.columns.contains_key(name) && !new.columns.contains_key(name);
    if names.flat_map(|text| token::tokens(text)).any(|token| is_gone(&token.text)) {
        return true;
    }
    if index.predicate.is_some() {
        return false;
    }
    let serves = |other: &Shared<Index>| {
        other.table.eq_ignore_ascii_case(&index.table)
            && other.predicate.is_none()
            && other.terms.starts_with(&index.terms)
            && (!index.unique || (other.unique && other.terms.len() == index.terms.len()))
    };
    let columns: Vec<_> = index.terms.iter().map(|term| &term.expression).collect();
    let is_key = |terms: &Vec<String>| {
        let is_prefix = terms.iter().zip(&columns).all(|(term, column)| term == *column);
        is_prefix && (terms.len() == columns.len() || (!index.unique && terms.len() > columns.len()))
    };
    after.indexes.values().any(serves) || new.unique.iter().any(is_key) || is_key(&new.primary_key)
}

/// SQLite does not rename a table in while a view still names it, so the view has to be dropped first; here nobody thought
/// of making it again. Only likely: the file does drop it by name.
fn lost_views(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let gone = unlike(&ran.before.views, &ran.after.views).filter(|(key, _)| !ran.after.views.contains_key(*key));
    for (key, view) in gone {
        let drop = ran.statements.iter().position(|statement| statement.performed.effects.drops_tables.contains(key));
        let Some((drop, rest)) = drop.and_then(|at| Some((ran.statements.get(at)?, ran.statements.get(at + 1..)?)))
        else {
            continue;
        };
        let names = token::tokens(&view.canonical);
        let is_read = |table: &String| {
            let mut names = names.iter().filter(|token| token.kind != Kind::Symbol);
            names.any(|token| token.text == *table)
        };
        let is_back = |table: &String| ran.after.tables.contains_key(table) && is_read(table);
        let rebuilt = rest.iter().flat_map(|statement| &statement.performed.effects.drops_tables).find(|t| is_back(t));
        let Some(rebuilt) = rebuilt else { continue };
        findings.push(
            Diagnostic::warning(
                "lost-object",
                format!("view `{}` makes way for a rebuild and is not made again", view.name),
            )
            .at(ran.file, ran.name(drop, &view.name))
            .note(format!("it reads `{rebuilt}`, which is dropped and comes back"))
            .help(format!("make it again behind the rebuild:\n{};", view.sql))
            .help("or, if it is to go for good, say `-- bootproof: allow lost-object \"why\"`"),
        );
    }
    findings
}
