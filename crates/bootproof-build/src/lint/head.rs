//! What is only judged of the schema that all migrations leave: a later one may have mended it.

use std::collections::BTreeSet;

use bootproof_catalog::catalog::{Catalog, ForeignKey, Index, Table};
use bootproof_catalog::token;

use super::if_not_exists::creation;
use super::ran::column_of;
use super::reference;
use crate::compilation::Migration;
use crate::diagnostic::Diagnostic;
use crate::dialect::Dialect;

/// The rules that are judged here.
pub(crate) const RULES: [&str; 3] = ["dangling-foreign-key", "foreign-key-without-index", "redundant-index"];

/// All migrations, and the schemas they left.
pub(crate) struct History<'a> {
    pub(crate) migrations: &'a [Migration],
    /// The schema after every migration.
    pub(crate) catalogs: &'a [(i64, Catalog)],
    /// The indexes that query contracts ask for, in lower case.
    pub(crate) contracted: BTreeSet<String>,
    pub(crate) dialect: Dialect,
}

/// A key that SQLite keeps in order: an index, or what a constraint has one for.
struct Key<'a> {
    /// As a message calls it.
    words: String,
    table: String,
    terms: Vec<String>,
    is_unique: bool,
    /// None where a constraint made it.
    index: Option<&'a Index>,
}

impl History<'_> {
    /// What is questionable, and the position of the migration to blame.
    pub(crate) fn check(&self) -> Vec<(usize, Diagnostic)> {
        let Some((_, head)) = self.catalogs.last() else { return Vec::new() };
        let mut findings = self.redundant_indexes(head);
        findings.extend(self.keys_without_index(head));
        findings.extend(self.broken());
        findings
    }

    /// What is wrong with the schema whatever else is.
    pub(crate) fn broken(&self) -> Vec<(usize, Diagnostic)> {
        let head = self.catalogs.last().filter(|_| self.dialect.is_foreign());
        head.map(|(_, head)| self.keys_without_parent(head)).unwrap_or_default()
    }

    /// The first migration from which on something holds without a break.
    fn since(&self, holds: impl Fn(&Catalog) -> bool) -> usize {
        let count = self.catalogs.iter().rev().take_while(|(_, catalog)| holds(catalog)).count();
        self.catalogs.len().saturating_sub(count.max(1))
    }

    fn index_since(&self, index: &Index) -> usize {
        let name = index.name.to_ascii_lowercase();
        self.since(|catalog| catalog.indexes.get(&name).is_some_and(|other| other.is_same(index)))
    }

    fn redundant_indexes(&self, head: &Catalog) -> Vec<(usize, Diagnostic)> {
        let keys = keys(head);
        let mut findings = Vec::new();
        for (name, index) in head.indexes.iter().filter(|(name, _)| !self.contracted.contains(*name)) {
            let terms = terms(index);
            let covering = keys.iter().find(|key| match key.index {
                Some(other) if other.name == index.name => false,
                Some(other) if other.is_same(index) => {
                    // Of two that are the same, the later one.
                    let later = (self.index_since(index), &index.name) > (self.index_since(other), &other.name);
                    later || self.contracted.contains(&other.name.to_ascii_lowercase())
                }
                _ => covers(key, index, &terms),
            });
            let Some(covering) = covering else { continue };
            let made = self.index_since(index);
            let other = covering.index.filter(|other| self.index_since(other) > made);
            let is_same = covering.terms.len() == terms.len();
            let reason = if is_same { "has the same columns" } else { "begins with its columns" };
            let (position, at, message) = match other {
                Some(other) => {
                    let message = format!("this makes the index `{}` redundant: `{}` {reason}", index.name, other.name);
                    (self.index_since(other), other.name.as_str(), message)
                }
                None => (
                    made,
                    index.name.as_str(),
                    format!("the index `{}` is redundant: {} {reason}", index.name, covering.words),
                ),
            };
            let Some(migration) = self.migrations.get(position) else { continue };
            let help = format!(
                "`DROP INDEX {};`, as every write pays for it; or say `-- bootproof: allow redundant-index \"why\"`",
                token::name(name)
            );
            let finding = Diagnostic::warning("redundant-index", message)
                .at(&migration.file, creation_of(migration, at))
                .note(format!("`{}` is {}", index.name, index.signature()))
                .help(help);
            findings.push((position, finding));
        }
        findings
    }

    fn keys_without_index(&self, head: &Catalog) -> Vec<(usize, Diagnostic)> {
        let keys = keys(head);
        let mut findings = Vec::new();
        for (name, table) in &head.tables {
            let is_served = |foreign: &ForeignKey| keys.iter().any(|key| key.table == *name && leads(key, foreign));
            let partial =
                |foreign: &ForeignKey| head.indexes.values().any(|index| serves_partially(index, name, foreign));
            let unserved = table.foreign_keys.iter().filter(|foreign| !is_served(foreign) && !partial(foreign));
            let mut by_migration: Vec<(usize, &ForeignKey)> =
                unserved.map(|foreign| (self.key_since(name, foreign), foreign)).collect();
            by_migration.sort();
            for group in by_migration.chunk_by(|a, b| a.0 == b.0) {
                let Some(&(position, first)) = group.first() else { continue };
                let Some(migration) = self.migrations.get(position) else { continue };
                findings.push((position, without_index(migration, table, first, group)));
            }
        }
        findings
    }

    fn key_since(&self, table: &str, foreign: &ForeignKey) -> usize {
        let is_it = |other: &ForeignKey| other.columns == foreign.columns && other.parent == foreign.parent;
        self.since(|catalog| catalog.tables.get(table).is_some_and(|table| table.foreign_keys.iter().any(is_it)))
    }

    fn keys_without_parent(&self, head: &Catalog) -> Vec<(usize, Diagnostic)> {
        let located = reference::without_parent(head).into_iter().filter_map(|key| {
            let position = self.since(|catalog| reference::without_parent(catalog).contains(&key));
            let before = position.checked_sub(1).and_then(|before| self.catalogs.get(before));
            // Where it was there before, the migration that took it away has been told so.
            if before.is_some_and(|(_, before)| before.tables.contains_key(&key.1)) {
                return None;
            }
            let is_made = self.catalogs.iter().any(|(_, catalog)| catalog.tables.contains_key(&key.1));
            let migration = self.migrations.get(position)?;
            let spans = migration.statements.iter().map(|statement| statement.span.clone());
            Some((position, reference::missing(&migration.file, spans, &key, is_made)))
        });
        located.collect()
    }
}

fn keys(catalog: &Catalog) -> Vec<Key<'_>> {
    let mut keys = Vec::new();
    for (name, table) in &catalog.tables {
        let constraint = |words: &str, terms: &Vec<String>| Key {
            words: format!("the {words} of `{}`", table.name),
            table: name.clone(),
            terms: terms.clone(),
            is_unique: true,
            index: None,
        };
        if !table.primary_key.is_empty() {
            keys.push(constraint("primary key", &table.primary_key));
        }
        keys.extend(table.unique.iter().map(|terms| constraint("UNIQUE constraint", terms)));
    }
    keys.extend(catalog.indexes.values().map(|index| Key {
        words: format!("`{}`", index.name),
        table: index.table.to_ascii_lowercase(),
        terms: terms(index),
        is_unique: index.unique,
        index: Some(index),
    }));
    keys
}

/// The terms of an index as those of a constraint are written.
fn terms(index: &Index) -> Vec<String> {
    let term = |term: &bootproof_catalog::catalog::Term| {
        let mut text = term.expression.clone();
        if !term.collation.eq_ignore_ascii_case("BINARY") {
            text.push_str(" COLLATE ");
            text.push_str(&term.collation);
        }
        if term.descending {
            text.push_str(" DESC");
        }
        text
    };
    index.terms.iter().map(term).collect()
}

/// Whether a key can do whatever an index does: find the same rows in the same order, and refuse the same.
fn covers(key: &Key<'_>, index: &Index, terms: &[String]) -> bool {
    let is_whole = index.predicate.is_none() && key.index.is_none_or(|other| other.predicate.is_none());
    let is_longer = key.terms.len() > terms.len();
    // A constraint and a UNIQUE index of the same columns refuse the same rows; a longer one refuses fewer.
    let does_as_much = if index.unique { key.is_unique && !is_longer } else { true };
    // Of two indexes with the same columns the one that is not UNIQUE goes.
    let is_worth_more = is_longer || key.index.is_none_or(|other| other.unique && !index.unique);
    key.table.eq_ignore_ascii_case(&index.table)
        && is_whole
        && does_as_much
        && is_worth_more
        && key.terms.starts_with(terms)
}

/// Whether SQLite finds the children of a parent by a key: its first terms are the child columns, in any order.
fn leads(key: &Key<'_>, foreign: &ForeignKey) -> bool {
    let columns: BTreeSet<_> = foreign.columns.iter().map(|column| token::name(column)).collect();
    let first = key.terms.iter().take(columns.len()).map(|term| column_of(term).to_owned());
    key.index.is_none_or(|index| index.predicate.is_none()) && first.collect::<BTreeSet<_>>() == columns
}

/// Rows without a parent are never looked for, so an index may leave them out.
fn serves_partially(index: &Index, table: &str, foreign: &ForeignKey) -> bool {
    let [column] = foreign.columns.as_slice() else { return false };
    let column = token::name(column);
    let leaves_out_null = index.predicate.as_ref().is_some_and(|predicate| {
        *predicate == format!("{column} is not null") || *predicate == format!("{column} notnull")
    });
    let is_first = index.terms.first().is_some_and(|term| term.expression == column);
    index.table.eq_ignore_ascii_case(table) && is_first && leaves_out_null
}

fn without_index(
    migration: &Migration,
    table: &Table,
    first: &ForeignKey,
    group: &[(usize, &ForeignKey)],
) -> Diagnostic {
    let spans = migration.statements.iter().map(|statement| statement.span.clone()).collect();
    let place = reference::place(&migration.file, spans, &table.name, &first.parent);
    let as_written = |key: &String| token::name(table.columns.get(key).map_or(key, |column| &column.name));
    let columns = |foreign: &ForeignKey| foreign.columns.iter().map(as_written).collect::<Vec<_>>().join(", ");
    let message = match group {
        [_] => format!("no index of `{}` begins with its foreign key ({})", table.name, columns(first)),
        more => {
            let all = more.iter().map(|(_, foreign)| format!("({})", columns(foreign))).collect::<Vec<_>>();
            format!("no index of `{}` begins with its foreign keys {}", table.name, all.join(", "))
        }
    };
    Diagnostic::warning("foreign-key-without-index", message)
        .at(&migration.file, place)
        .note(format!("a DELETE or a change of key in the parent reads all of `{}` for each of its rows", table.name))
        .help(format!("`CREATE INDEX … ON {}({});`", token::name(&table.name), columns(first)))
        .help("if the parent's rows stay, say `-- bootproof: allow foreign-key-without-index \"why\"`")
}

/// Where a migration makes an index, else its first word.
fn creation_of(migration: &Migration, index: &str) -> std::ops::Range<usize> {
    let file = &migration.file;
    let makes = |span: &std::ops::Range<usize>| {
        let text = file.text.get(span.clone()).unwrap_or_default();
        creation(&token::tokens(text)).is_some_and(|made| made.kind == "INDEX" && made.name.eq_ignore_ascii_case(index))
    };
    let mut spans = migration.statements.iter().map(|statement| statement.span.clone());
    spans.find(makes).and_then(|span| file.find_word(index, span)).unwrap_or_else(|| file.first_word(file.part.clone()))
}
