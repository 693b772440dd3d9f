//! What is lost in a rebuild: a table that goes down and comes back comes back without what hung on it.

use std::collections::BTreeSet;

use bootproof_catalog::catalog::{Catalog, Index, Table};
use bootproof_catalog::token::{self, Kind};

use super::Ran;
use super::if_not_exists::creation;
use super::ran::{Alteration, Statement, column_of};
use crate::diagnostic::{Diagnostic, Severity};

/// Indexes and triggers that went down with the table they were on, and views that had to make way for its rebuild.
pub(super) fn lost_objects(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let (before, after) = (ran.before, ran.after);
    let indexes = before
        .indexes
        .iter()
        .filter(|(key, index)| !after.indexes.contains_key(*key) && !is_made_up_for(index, before, after));
    let triggers = before.triggers.iter().filter(|(key, _)| !after.triggers.contains_key(*key));
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
    findings.extend(lost_views(ran));
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
    let serves = |other: &&Index| {
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
    after.indexes.values().any(|other| serves(&other)) || new.unique.iter().any(is_key) || is_key(&new.primary_key)
}

/// SQLite does not rename a table in while a view still names it, so the view has to be dropped first; here nobody thought
/// of making it again. Only likely: the file does drop it by name.
fn lost_views(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (key, view) in ran.before.views.iter().filter(|(key, _)| !ran.after.views.contains_key(*key)) {
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

/// One thing that a table had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    kind: &'static str,
    /// The columns it is about, in lower case.
    columns: Vec<String>,
    /// As a message says it.
    words: String,
}

/// Constraints that a rebuilt table no longer has, where losing them does not look like what the rebuild is for.
///
/// To drop a NOT NULL or a foreign key is a good reason for a rebuild. One that changes nothing else was made for that.
pub(super) fn lost_constraints(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (key, old) in
        ran.before.tables.iter().filter(|(key, table)| !table.is_virtual && ran.is_rebuilt(key) && ran.is_copied(key))
    {
        let Some(new) = ran.after.tables.get(key) else { continue };
        let lost = lost_parts(old, new, ran.after);
        let Some(first) = lost.first() else { continue };
        let is_one_purpose = lost.iter().all(|part| part.kind == first.kind)
            || lost.iter().all(|part| part.columns == first.columns && !part.columns.is_empty());
        if is_one_purpose && !changes_otherwise(old, new, &lost) {
            continue;
        }
        let Some(culprit) = made_again(ran, key).or_else(|| ran.drop_of(key)) else { continue };
        let message = match lost.as_slice() {
            [only] => format!("`{}` comes back from this rebuild without {}", old.name, only.words),
            _ => format!("`{}` comes back from this rebuild without {} things it had", old.name, lost.len()),
        };
        let mut finding = Diagnostic::warning("lost-constraint", message).at(ran.file, ran.verb(culprit));
        if lost.len() > 1 {
            finding = lost.iter().fold(finding, |finding, part| finding.note(format!("it had {}", part.words)));
        }
        findings
            .push(finding.help(
                "write it into the new table; if it is to go, say `-- bootproof: allow lost-constraint \"why\"`",
            ));
    }
    findings
}

/// The statement that makes the table which is there at the end.
fn made_again<'r, 'a>(ran: &'r Ran<'a>, table: &str) -> Option<&'r Statement<'a>> {
    let renamed_from = ran.statements.iter().rev().find_map(|statement| match &statement.alteration {
        Some(Alteration::Rename { table: old, to }) if to == table => Some(old.clone()),
        _ => None,
    });
    let names: BTreeSet<_> = renamed_from.into_iter().chain([table.to_owned()]).collect();
    ran.statements.iter().find(|statement| {
        creation(&statement.tokens).is_some_and(|made| made.kind == "TABLE" && names.contains(&made.name))
    })
}

fn lost_parts(old: &Table, new: &Table, after: &Catalog) -> Vec<Part> {
    let stays = |columns: &[String]| columns.iter().all(|column| new.columns.contains_key(column));
    let mut lost = Vec::new();
    for (name, column) in &old.columns {
        let Some(other) = new.columns.get(name) else { continue };
        let is_in_key = new.primary_key.contains(&token::name(name));
        let of_column = |kind, words| Part { kind, columns: vec![name.clone()], words };
        // A generated column has no DEFAULT, and a key needs none.
        if let (Some(value), None, None) = (&column.default, &other.default, &other.generated)
            && !value.eq_ignore_ascii_case("null")
        {
            lost.push(of_column("default", format!("DEFAULT {} of `{}`", token::readable(value), column.name)));
        }
        if column.not_null && !other.not_null && !is_in_key {
            lost.push(of_column("not null", format!("NOT NULL of `{}`", column.name)));
        }
        if let (Some(collation), None) = (&column.collation, &other.collation) {
            lost.push(of_column("collation", format!("COLLATE {collation} of `{}`", column.name)));
        }
    }
    for key in old.foreign_keys.iter().filter(|key| stays(&key.columns)) {
        if !new.foreign_keys.iter().any(|other| other.columns == key.columns) {
            let words = format!("the foreign key ({}) to `{}`", key.columns.join(", "), key.parent);
            lost.push(Part { kind: "foreign key", columns: key.columns.clone(), words });
        }
    }
    let columns_of = |terms: &[String]| terms.iter().map(|term| column_of(term).to_owned()).collect::<Vec<_>>();
    let is_unique = |columns: &[String]| {
        let indexes = after.indexes.values().filter(|index| index.unique && index.table == new.name);
        let of_indexes = indexes.map(|index| index.terms.iter().map(|term| term.expression.clone()).collect());
        let keys: Vec<Vec<String>> =
            new.unique.iter().chain([&new.primary_key]).map(|terms| columns_of(terms)).chain(of_indexes).collect();
        // One more column makes another constraint of it, and was meant to.
        keys.iter().any(|key| columns.iter().all(|column| key.contains(column)))
    };
    let primary = (!old.primary_key.is_empty() && new.primary_key.is_empty()).then_some(&old.primary_key);
    for (what, terms) in
        old.unique.iter().map(|terms| ("UNIQUE", terms)).chain(primary.map(|terms| ("PRIMARY KEY", terms)))
    {
        let columns = columns_of(terms);
        if stays(&columns) && !is_unique(&columns) {
            lost.push(Part { kind: "key", words: format!("{what} ({})", columns.join(", ")), columns });
        }
    }
    // A CHECK that was rewritten is not lost.
    let is_rewritten = new.checks.difference(&old.checks).next().is_some();
    let names = |check: &str| -> Vec<String> {
        let names = token::tokens(check).into_iter().map(|token| token.text);
        names.filter(|name| old.columns.contains_key(name)).collect()
    };
    for check in old.checks.difference(&new.checks).filter(|check| !is_rewritten && stays(&names(check))) {
        lost.push(Part { kind: "check", columns: names(check), words: format!("CHECK ({})", as_written(check)) });
    }
    for option in ["autoincrement", "strict"] {
        if old.options.contains(option) && !new.options.contains(option) {
            lost.push(Part { kind: "option", columns: Vec::new(), words: option.to_uppercase() });
        }
    }
    lost
}

/// Canonical text with its operators as people write them.
fn as_written(canonical: &str) -> String {
    let operators = ["< =", "> =", "< >", "! =", "= =", "| |", "< <", "> >", "- >"];
    operators.iter().fold(token::readable(canonical), |text, split| text.replace(split, &split.replace(' ', "")))
}

/// Whether the rebuild has another purpose than to lose these parts.
fn changes_otherwise(old: &Table, new: &Table, lost: &[Part]) -> bool {
    let mut expected = old.clone();
    for part in lost {
        for name in &part.columns {
            let Some(column) = expected.columns.get_mut(name) else { continue };
            match part.kind {
                "default" => column.default = None,
                "not null" => column.not_null = false,
                "collation" => column.collation = None,
                _ => {}
            }
        }
        match part.kind {
            "foreign key" => expected.foreign_keys.retain(|key| key.columns != part.columns),
            "key" => {
                expected.unique.retain(|terms| terms.iter().map(|term| column_of(term)).ne(&part.columns));
            }
            "option" => {
                expected.options.remove(&part.words.to_lowercase());
            }
            _ => {}
        }
    }
    if lost.iter().any(|part| part.kind == "check") {
        expected.checks.clone_from(&new.checks);
    }
    // Types and spelling are the same to SQLite where the affinity is.
    let columns = |table: &Table| -> Vec<_> {
        let facts = table.columns.iter().map(|(name, column)| {
            let column = column.clone();
            (name.clone(), column.affinity, column.not_null, column.default, column.collation, column.generated)
        });
        facts.collect()
    };
    columns(&expected) != columns(new)
        || expected.foreign_keys != new.foreign_keys
        || expected.unique != new.unique
        || expected.checks != new.checks
        || expected.options != new.options
        || (expected.primary_key != new.primary_key && !lost.iter().any(|part| part.kind == "key"))
}
