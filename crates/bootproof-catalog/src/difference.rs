//! What a live database lacks, has differently, or has besides what was compiled.

use std::collections::BTreeMap;
use std::fmt;

use crate::catalog::{Catalog, Column, Definition, Index, Table};

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

/// One difference between what was compiled (*expected*) and what is there (*found*).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What it means for a boot.
    pub severity: Severity,
    /// The object it is about, in lower case.
    pub object: String,
    /// The difference in words.
    pub message: String,
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
    for (name, table) in &expected.tables {
        match found.tables.get(name) {
            Some(other) => differences.table(table, other),
            None => differences.add(Severity::Missing, name, format!("table `{}` is missing", table.name)),
        }
    }
    differences.extras("table", &expected.tables, &found.tables, |table| &table.name);
    for (name, index) in &expected.indexes {
        differences.index(name, index, found.indexes.get(name));
    }
    differences.extras("index", &expected.indexes, &found.indexes, |index| &index.name);
    for (kind, expected, found) in
        [("trigger", &expected.triggers, &found.triggers), ("view", &expected.views, &found.views)]
    {
        for (name, definition) in expected {
            differences.definition(kind, name, definition, found.get(name));
        }
        differences.extras(kind, expected, found, |definition| &definition.name);
    }
    differences.0.sort();
    differences.0
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, severity: Severity, object: &str, message: String) {
        self.0.push(Difference { severity, object: object.to_owned(), message });
    }

    fn extras<T>(
        &mut self,
        kind: &str,
        expected: &BTreeMap<String, T>,
        found: &BTreeMap<String, T>,
        name: impl Fn(&T) -> &String,
    ) {
        for (key, value) in found {
            if !expected.contains_key(key) {
                self.add(Severity::Extra, key, format!("{kind} `{}` is not part of the compiled schema", name(value)));
            }
        }
    }

    fn index(&mut self, name: &str, expected: &Index, found: Option<&Index>) {
        let message = match found {
            None => format!("index `{}` is missing", expected.name),
            Some(found) if !found.is_same(expected) => {
                format!("index `{}` is {} instead of {}", expected.name, found.signature(), expected.signature())
            }
            Some(_) => return,
        };
        self.add(Severity::Repairable, name, message);
    }

    fn definition(&mut self, kind: &str, name: &str, expected: &Definition, found: Option<&Definition>) {
        match found {
            None => self.add(Severity::Missing, name, format!("{kind} `{}` is missing", expected.name)),
            Some(found) if found.canonical != expected.canonical => {
                self.add(Severity::Differs, name, format!("{kind} `{}` has another definition", expected.name));
            }
            Some(_) => {}
        }
    }

    fn table(&mut self, expected: &Table, found: &Table) {
        let key = expected.name.to_lowercase();
        for (name, column) in &expected.columns {
            match found.columns.get(name) {
                Some(other) => self.column(&expected.name, column, other),
                None => {
                    self.add(Severity::Missing, &key, format!("column `{}.{}` is missing", expected.name, column.name));
                }
            }
        }
        for (name, column) in &found.columns {
            if !expected.columns.contains_key(name) {
                self.add(
                    Severity::Extra,
                    &key,
                    format!("column `{}.{}` is not part of the compiled schema", expected.name, column.name),
                );
            }
        }
        if expected.primary_key != found.primary_key {
            self.add(
                Severity::Missing,
                &key,
                format!(
                    "primary key of `{}` is ({}) instead of ({})",
                    expected.name,
                    found.primary_key.join(", "),
                    expected.primary_key.join(", ")
                ),
            );
        }
        let sides = [
            (
                "unique constraint",
                set(&expected.unique, |columns| columns.join(", ")),
                set(&found.unique, |columns| columns.join(", ")),
            ),
            (
                "foreign key",
                set(&expected.foreign_keys, ToString::to_string),
                set(&found.foreign_keys, ToString::to_string),
            ),
            ("check", set(&expected.checks, Clone::clone), set(&found.checks, Clone::clone)),
            ("option", set(&expected.options, Clone::clone), set(&found.options, Clone::clone)),
        ];
        for (kind, expected_set, found_set) in sides {
            for item in expected_set.iter().filter(|item| !found_set.contains(item)) {
                self.add(Severity::Differs, &key, format!("`{}` lacks the {kind} {item}", expected.name));
            }
            for item in found_set.iter().filter(|item| !expected_set.contains(item)) {
                self.add(Severity::Differs, &key, format!("`{}` has another {kind} {item}", expected.name));
            }
        }
    }

    fn column(&mut self, table: &str, expected: &Column, found: &Column) {
        let key = table.to_lowercase();
        let name = format!("`{table}.{}`", expected.name);
        if expected.affinity != found.affinity {
            self.add(
                Severity::Missing,
                &key,
                format!("column {name} is {} instead of {}", described_type(found), described_type(expected)),
            );
        }
        let facets = [
            ("NOT NULL", expected.not_null.then(String::new), found.not_null.then(String::new)),
            ("DEFAULT", expected.default.clone(), found.default.clone()),
            ("COLLATE", expected.collation.clone(), found.collation.clone()),
            ("GENERATED", expected.generated.clone(), found.generated.clone()),
        ];
        for (facet, expected, found) in facets {
            let message = match (&expected, &found) {
                _ if expected == found => continue,
                (Some(expected), None) => format!("column {name} lacks {}", with_value(facet, expected)),
                (None, Some(found)) => format!("column {name} has {}", with_value(facet, found)),
                _ => format!(
                    "column {name} has {facet} {} instead of {}",
                    found.unwrap_or_default(),
                    expected.unwrap_or_default()
                ),
            };
            self.add(Severity::Differs, &key, message);
        }
    }
}

fn set<T>(items: &std::collections::BTreeSet<T>, text: impl Fn(&T) -> String) -> Vec<String> {
    items.iter().map(text).collect()
}

fn described_type(column: &Column) -> String {
    if column.declared_type.is_empty() { "without a type".to_owned() } else { column.declared_type.clone() }
}

fn with_value(facet: &str, value: &str) -> String {
    format!("{facet} {value}").trim_end().to_owned()
}
