//! Triggers and views that SQLite keeps although nothing can use them any more.
//!
//! SQLite compiles a trigger when a statement fires it and a view when one reads it, not when what they name is dropped
//! (<https://sqlite.org/lang_createtrigger.html>). So such statements are prepared, and never run.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::{Catalog, Definition};
use bootproof_catalog::{Shared, quoted, token};
use rusqlite::Connection;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Trigger,
    View,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::View => "view",
        }
    }

    /// The one of that name, in lower case.
    pub(super) fn of<'a>(self, catalog: &'a Catalog, key: &str) -> Option<&'a Shared<Definition>> {
        match self {
            Self::Trigger => catalog.triggers.get(key),
            Self::View => catalog.views.get(key),
        }
    }
}

/// Views and triggers that may depend on one of some tables, by name: whatever mentions it, or a view that does.
pub(super) fn dependents(catalog: &Catalog, touched: &BTreeSet<String>) -> BTreeSet<(Kind, String)> {
    let mut names: Vec<&str> = touched.iter().map(String::as_str).collect();
    let mut found = BTreeSet::new();
    let mentions =
        |definition: &Definition, names: &[&str]| names.iter().any(|name| definition.canonical.contains(name));
    loop {
        let is_new = |key: &String| !found.contains(&(Kind::View, key.clone()));
        let more: Vec<&String> = catalog
            .views
            .iter()
            .filter(|(key, view)| is_new(key) && mentions(view, &names))
            .map(|(key, _)| key)
            .collect();
        if more.is_empty() {
            break;
        }
        names.extend(more.iter().map(|key| key.as_str()));
        found.extend(more.into_iter().map(|key| (Kind::View, key.clone())));
    }
    let triggers = catalog.triggers.iter().filter(|(_, trigger)| mentions(trigger, &names));
    found.extend(triggers.map(|(key, _)| (Kind::Trigger, key.clone())));
    found
}

/// Which of some objects are broken, and what SQLite says of it.
pub(super) fn broken(
    connection: &Connection,
    catalog: &Catalog,
    objects: &BTreeSet<(Kind, String)>,
) -> rusqlite::Result<BTreeMap<(Kind, String), String>> {
    let mut found = BTreeMap::new();
    let mut broken_views = BTreeSet::new();
    for (_, key) in objects.iter().filter(|(kind, _)| *kind == Kind::View) {
        let Some(view) = catalog.views.get(key) else { continue };
        if let Some(message) = complaint(connection, &format!("SELECT * FROM {}", quoted(&view.name))) {
            broken_views.insert(key.clone());
            found.insert((Kind::View, key.clone()), message);
        }
    }
    for (_, key) in objects.iter().filter(|(kind, _)| *kind == Kind::Trigger) {
        let Some(trigger) = catalog.triggers.get(key) else { continue };
        // Of a trigger on a broken view nothing can be said.
        if broken_views.contains(&trigger.table.to_ascii_lowercase()) {
            continue;
        }
        let Some(firing) = firing(connection, catalog, trigger)? else { continue };
        if complaint(connection, &firing).is_some()
            && let Some(message) = alone(connection, catalog, trigger, &firing)?
        {
            found.insert((Kind::Trigger, key.clone()), message);
        }
    }
    Ok(found)
}

/// A statement that fires a trigger.
fn firing(connection: &Connection, catalog: &Catalog, trigger: &Definition) -> rusqlite::Result<Option<String>> {
    let table = quoted(&trigger.table);
    let tokens = token::tokens(&trigger.canonical);
    let is_event = |token: &&token::Token| ["insert", "update", "delete"].iter().any(|event| token.is_keyword(event));
    let Some(at) = tokens.iter().position(|token| is_event(&token)) else { return Ok(None) };
    Ok(match tokens.get(at).map(|token| token.text.as_str()) {
        Some("insert") => Some(format!("INSERT INTO {table} DEFAULT VALUES")),
        Some("delete") => Some(format!("DELETE FROM {table}")),
        _ => {
            let named = match tokens.get(at + 1..) {
                Some([of, column, ..]) if of.is_keyword("of") => Some(column.text.clone()),
                _ => None,
            };
            let generated = |name: &str| {
                let table = catalog.tables.get(&trigger.table.to_ascii_lowercase());
                table.and_then(|table| table.columns.get(name)).is_some_and(|column| column.generated.is_some())
            };
            let mut columns = connection.prepare("SELECT lower(name) FROM pragma_table_info(?1)")?;
            let columns: Vec<String> =
                columns.query_map([&trigger.table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let column = named.or_else(|| columns.into_iter().find(|name| !generated(name)));
            column.map(|column| format!("UPDATE {table} SET {0} = {0}", quoted(&column)))
        }
    })
}

/// What SQLite says of a statement when no other trigger of the table is there to be at fault.
fn alone(
    connection: &Connection,
    catalog: &Catalog,
    trigger: &Definition,
    firing: &str,
) -> rusqlite::Result<Option<String>> {
    connection.execute_batch("SAVEPOINT alone")?;
    let is_other =
        |other: &&Shared<Definition>| other.name != trigger.name && other.table.eq_ignore_ascii_case(&trigger.table);
    let mut others = catalog.triggers.values().filter(is_other);
    let dropped =
        others.try_for_each(|other| connection.execute_batch(&format!("DROP TRIGGER {}", quoted(&other.name))));
    let message = dropped.map(|()| complaint(connection, firing));
    connection.execute_batch("ROLLBACK TO alone; RELEASE alone")?;
    message
}

/// Why a statement cannot be prepared, unless the application may bring what it lacks.
fn complaint(connection: &Connection, sql: &str) -> Option<String> {
    const OF_THE_APPLICATION: [&str; 5] =
        ["no such function", "no such module", "no such collation", "no such tokenizer", "unsafe use"];
    let error = connection.prepare(sql).err()?;
    let message = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        other => other.to_string(),
    };
    (!OF_THE_APPLICATION.iter().any(|excuse| message.contains(excuse))).then_some(message)
}
