//! A row that is being made up: what there is to choose, and what to choose next when SQLite refuses it.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::{Catalog, Column, Table};
use bootproof_catalog::token;
use rusqlite::types::Value;

/// Something that is chosen as a whole when a row is made up.
pub(super) struct Slot {
    pub(super) columns: Vec<String>,
    pub(super) choices: Vec<Choice>,
    pub(super) chosen: usize,
}

#[derive(Clone)]
pub(super) enum Choice {
    Values(Vec<Value>),
    /// The row refers to itself: these columns of it.
    Itself(Vec<String>),
}

/// A row from what is chosen: where two foreign keys share a column, the first one decides.
pub(super) fn assemble(columns: &[&Column], slots: &[Slot]) -> Vec<Value> {
    let mut row: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut own: Vec<(&str, &str)> = Vec::new();
    for slot in slots {
        let fits = |choice: &&Choice| match choice {
            Choice::Values(values) => {
                let mut pairs = slot.columns.iter().zip(values);
                pairs.all(|(column, value)| row.get(column.as_str()).is_none_or(|known| *known == value))
            }
            Choice::Itself(_) => true,
        };
        let choice = slot.choices.get(slot.chosen).filter(fits).or_else(|| slot.choices.iter().find(fits));
        match choice {
            Some(Choice::Values(values)) => {
                row.extend(slot.columns.iter().map(String::as_str).zip(values));
            }
            Some(Choice::Itself(names)) => {
                own.extend(slot.columns.iter().map(String::as_str).zip(names.iter().map(String::as_str)));
            }
            None => {}
        }
    }
    for (column, key) in own {
        if let Some(value) = row.get(key).copied() {
            row.entry(column).or_insert(value);
        }
    }
    let value = |column: &&Column| row.get(column.name.to_ascii_lowercase().as_str()).copied().cloned();
    columns.iter().map(|column| value(column).unwrap_or(Value::Null)).collect()
}

/// The columns that an error is about; none where it may be any.
pub(super) fn blamed(error: &rusqlite::Error, table: &Table, catalog: &Catalog) -> BTreeSet<String> {
    let message = error.to_string();
    let (_, subject) = message.split_once(": ").unwrap_or(("", &message));
    let mut text = subject.to_owned();
    // `UNIQUE constraint failed: index 'i'`
    if let Some(index) = subject.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\''))
        && let Some(index) = catalog.indexes.get(&index.to_ascii_lowercase())
    {
        text = index.terms.iter().map(|term| term.expression.as_str()).collect::<Vec<_>>().join(" ");
    }
    let mentioned = |text: &str| -> BTreeSet<String> {
        let names = token::tokens(text).into_iter().map(|token| token.text);
        names.filter(|name| table.columns.get(name).is_some_and(|column| column.generated.is_none())).collect()
    };
    let found = mentioned(&text);
    if found.is_empty() { table.checks.iter().flat_map(|check| mentioned(check)).collect() } else { found }
}

/// Goes on to the next combination of what is blamed; false when there is none left.
pub(super) fn turn(slots: &mut [Slot], blamed: &BTreeSet<String>) -> bool {
    let is_blamed = |slot: &&mut Slot| blamed.is_empty() || slot.columns.iter().any(|column| blamed.contains(column));
    for slot in slots.iter_mut().rev().filter(is_blamed) {
        slot.chosen += 1;
        if slot.chosen < slot.choices.len() {
            return true;
        }
        slot.chosen = 0;
    }
    false
}
