//! What a rebuilt table comes back without: a default, a foreign key, a CHECK and their kind.

use std::collections::BTreeSet;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::token;

use super::Ran;
use super::if_not_exists::creation;
use super::ran::{Alteration, Statement, column_of};
use crate::diagnostic::Diagnostic;

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
pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
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
