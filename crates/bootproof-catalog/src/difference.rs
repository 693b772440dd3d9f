//! What a live database lacks, has differently, or has besides what was compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::catalog::{Catalog, Column, Definition, Index, Table, unlike};
use crate::shared::Shared;
use crate::token::{self, Kind};

/// What a difference means for a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A table, column, key or trigger that the application relies on is not there: never tolerated.
    Missing,
    /// It is there with another definition, such as another DEFAULT: tolerated only where an adoption recorded it.
    Differs,
    /// A declared index is missing or differs: rebuilt.
    Repairable,
    /// Somebody else's object: reported, never touched.
    Extra,
}

/// What kind of object a difference is about; constraints and options are the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A table.
    Table,
    /// A column of a table.
    Column,
    /// An index made by CREATE INDEX.
    Index,
    /// A trigger.
    Trigger,
    /// A view.
    View,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::View => "view",
        })
    }
}

/// One difference between what was compiled (*expected*) and what is there (*found*).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What it means for a boot.
    pub severity: Severity,
    /// The object it is about, in lower case; of a column, its table.
    pub object: String,
    /// The difference in words.
    pub message: String,
    /// The kind of object.
    pub subject: Subject,
    /// What identifies it wherever it is met again: subject, name, facet and the value found, such as
    /// `column holidays.country default 'de'`, `column t.c without not null`, `table t missing`, `index i extra`.
    ///
    /// A boot stores it in the database and compares it years later: unlike the words of `message`, its format, and
    /// that of the canonical text in it, must never change.
    pub key: String,
}

impl Difference {
    /// That something a program needs is missing, where no two catalogs were compared; its key, never stored, is the
    /// message.
    #[must_use]
    pub fn missing(object: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let (severity, subject, key) = (Severity::Missing, Subject::Table, message.clone());
        Self { severity, object: object.into(), message, subject, key }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Every difference between two catalogs, the gravest first.
#[must_use]
pub fn between(expected: &Catalog, found: &Catalog) -> Vec<Difference> {
    let mut differences = Differences::default();
    for (key, table) in unlike(&expected.tables, &found.tables) {
        match found.tables.get(key) {
            Some(other) => differences.table(key, table, other),
            None => differences.missing(&Place::named(Subject::Table, key), &table.name),
        }
    }
    differences.extras(Subject::Table, &expected.tables, &found.tables, |table| &table.name);
    for (key, index) in unlike(&expected.indexes, &found.indexes) {
        differences.index(key, index, found.indexes.get(key));
    }
    differences.extras(Subject::Index, &expected.indexes, &found.indexes, |index| &index.name);
    for (subject, expected, found) in
        [(Subject::Trigger, &expected.triggers, &found.triggers), (Subject::View, &expected.views, &found.views)]
    {
        for (key, definition) in unlike(expected, found) {
            differences.definition(&Place::named(subject, key), definition, found.get(key));
        }
        differences.extras(subject, expected, found, |definition| &definition.name);
    }
    differences.0.sort();
    differences.0
}

/// Where a difference is; names in lower case.
struct Place<'a> {
    subject: Subject,
    object: &'a str,
    column: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn named(subject: Subject, object: &'a str) -> Self {
        Self { subject, object, column: None }
    }

    fn column(table: &'a str, column: &'a str) -> Self {
        Self { subject: Subject::Column, object: table, column: Some(column) }
    }
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    /// `fact` is what the key says of the place.
    fn add(&mut self, severity: Severity, place: &Place<'_>, fact: &str, message: String) {
        let &Place { subject, object, column } = place;
        let column = column.map(|column| format!(".{}", token::name(column))).unwrap_or_default();
        let key = format!("{subject} {}{column} {fact}", token::name(object));
        self.0.push(Difference { severity, object: object.to_owned(), message, subject, key });
    }

    fn missing(&mut self, place: &Place<'_>, name: &str) {
        self.add(Severity::Missing, place, "missing", format!("{} `{name}` is missing", place.subject));
    }

    fn extra(&mut self, place: &Place<'_>, name: &str) {
        let message = format!("{} `{name}` is not part of the compiled schema", place.subject);
        self.add(Severity::Extra, place, "extra", message);
    }

    fn extras<T: PartialEq>(
        &mut self,
        subject: Subject,
        expected: &BTreeMap<String, Shared<T>>,
        found: &BTreeMap<String, Shared<T>>,
        name: impl Fn(&T) -> &String,
    ) {
        for (key, value) in unlike(found, expected).filter(|(key, _)| !expected.contains_key(*key)) {
            self.extra(&Place::named(subject, key), name(value));
        }
    }

    fn index(&mut self, key: &str, expected: &Index, found: Option<&Shared<Index>>) {
        let place = Place::named(Subject::Index, key);
        let name = &expected.name;
        match found {
            None => self.add(Severity::Repairable, &place, "missing", format!("index `{name}` is missing")),
            Some(found) if !found.is_same(expected) => {
                let message = format!("index `{name}` is {} instead of {}", found.signature(), expected.signature());
                let found = Index { table: found.table.to_ascii_lowercase(), ..Index::clone(found) };
                self.add(Severity::Repairable, &place, &format!("is {}", found.signature()), message);
            }
            Some(_) => {}
        }
    }

    fn definition(&mut self, place: &Place<'_>, expected: &Definition, found: Option<&Shared<Definition>>) {
        match found {
            None => self.missing(place, &expected.name),
            Some(found) if found.canonical != expected.canonical => {
                let message = format!("{} `{}` has another definition", place.subject, expected.name);
                self.add(Severity::Differs, place, &format!("is {}", found.canonical), message);
            }
            Some(_) => {}
        }
    }

    fn table(&mut self, key: &str, expected: &Table, found: &Table) {
        let place = Place::named(Subject::Table, key);
        let table = &expected.name;
        for (name, column) in &expected.columns {
            let place = Place::column(key, name);
            let shown = format!("{table}.{}", column.name);
            match found.columns.get(name) {
                Some(other) => self.column(&place, &shown, column, other),
                None => self.missing(&place, &shown),
            }
        }
        for (name, column) in found.columns.iter().filter(|(name, _)| !expected.columns.contains_key(*name)) {
            self.extra(&Place::column(key, name), &format!("{table}.{}", column.name));
        }
        let (expected_key, found_key) = (primary_key(expected), primary_key(found));
        if expected_key != found_key {
            let message = format!("primary key of `{table}` is {found_key} instead of {expected_key}");
            self.add(Severity::Missing, &place, &format!("primary key {found_key}"), message);
        }
        // A key or a CHECK that came with an added column is a part of what was added: nobody writes it alone.
        let is_added = |column: &str| found.columns.contains_key(column) && !expected.columns.contains_key(column);
        let (mut foreign_keys, mut checks) = (found.foreign_keys.clone(), found.checks.clone());
        foreign_keys.retain(|key| !key.columns.iter().any(|column| is_added(column)));
        checks.retain(|check| expected.checks.contains(check) || !names(check, is_added));
        let sides = [
            (
                "unique constraint",
                set(&expected.unique, |terms| terms.join(", ")),
                set(&found.unique, |terms| terms.join(", ")),
            ),
            ("foreign key", set(&expected.foreign_keys, ToString::to_string), set(&foreign_keys, ToString::to_string)),
            ("check", expected.checks.clone(), checks),
            ("option", expected.options.clone(), found.options.clone()),
        ];
        for (kind, expected, found) in sides {
            for item in expected.difference(&found) {
                let message = format!("`{table}` lacks the {kind} {item}");
                self.add(Severity::Differs, &place, &format!("without {kind} {item}"), message);
            }
            for item in found.difference(&expected) {
                let message = format!("`{table}` has another {kind} {item}");
                self.add(Severity::Differs, &place, &format!("{kind} {item}"), message);
            }
        }
    }

    fn column(&mut self, place: &Place<'_>, shown: &str, expected: &Column, found: &Column) {
        if expected.affinity != found.affinity {
            let (found_type, expected_type) = (described_type(found), described_type(expected));
            let fact = format!("affinity {}", found.affinity.name().to_ascii_lowercase());
            let message = format!("column `{shown}` is {found_type} instead of {expected_type}");
            self.add(Severity::Missing, place, &fact, message);
        }
        let not_null = |column: &Column| column.not_null.then(String::new);
        let facets = [
            ("NOT NULL", not_null(expected), not_null(found)),
            ("DEFAULT", expected.default.clone(), found.default.clone()),
            ("COLLATE", expected.collation.clone(), found.collation.clone()),
            ("GENERATED", expected.generated.clone(), found.generated.clone()),
        ];
        for (facet, expected, found) in facets {
            let difference = match (&expected, &found) {
                _ if expected == found => continue,
                (Some(expected), None) => format!("lacks {}", with_value(facet, expected)),
                (None, Some(found)) => format!("has {}", with_value(facet, found)),
                (expected, found) => format!(
                    "has {facet} {} instead of {}",
                    found.as_deref().unwrap_or_default(),
                    expected.as_deref().unwrap_or_default()
                ),
            };
            let fact = match &found {
                Some(found) => with_value(&facet.to_ascii_lowercase(), found),
                None => format!("without {}", facet.to_ascii_lowercase()),
            };
            self.add(Severity::Differs, place, &fact, format!("column `{shown}` {difference}"));
        }
    }
}

/// Whether the canonical text of a CHECK names a column that is meant: texts name none, and what a parenthesis follows is a
/// function.
fn names(check: &str, is_meant: impl Fn(&str) -> bool) -> bool {
    let tokens = token::tokens(check);
    let nexts = tokens.iter().skip(1).map(Some).chain([None]);
    tokens.iter().zip(nexts).any(|(token, next)| {
        let is_name = token.kind != Kind::Literal && !next.is_some_and(|next| next.is_symbol('('));
        is_name && is_meant(&token.text)
    })
}

fn primary_key(table: &Table) -> String {
    let rowid = if table.is_rowid_alias { ", the rowid" } else { "" };
    format!("({}{rowid})", table.primary_key.join(", "))
}

fn set<T>(items: &BTreeSet<T>, text: impl Fn(&T) -> String) -> BTreeSet<String> {
    items.iter().map(text).collect()
}

fn described_type(column: &Column) -> String {
    if column.declared_type.is_empty() { "without a type".to_owned() } else { column.declared_type.clone() }
}

fn with_value(facet: &str, value: &str) -> String {
    format!("{facet} {value}").trim_end().to_owned()
}
