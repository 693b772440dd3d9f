//! What migrations outside the transaction set about the file, and whether it was set: SQLite ignores some of it in silence.

use bootproof_catalog::token::{self, Kind};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::compiled::Migration;
use crate::error::Error;

/// The settings that the file keeps (<https://sqlite.org/pragma.html>).
const KEPT: [&str; 3] = ["auto_vacuum", "journal_mode", "page_size"];

/// One statement `PRAGMA name = value`.
struct Setting {
    name: String,
    value: String,
    /// Its number among the statements, from 0.
    position: usize,
}

/// Whether a migration chooses the journal mode.
pub(crate) fn chooses_journal(migration: &'static Migration) -> bool {
    settings(migration).any(|setting| setting.name == "journal_mode")
}

/// Refuses where the file is not what the migration set last.
pub(crate) fn require(connection: &Connection, migration: &'static Migration) -> Result<(), Error> {
    for name in KEPT {
        let Some(setting) = settings(migration).filter(|setting| setting.name == name).last() else { continue };
        let told = connection.pragma_query_value(Some("main"), name, |row| row.get::<_, Value>(0));
        let is = match told.map_err(|error| Error::from_sqlite("asking for the format of the file", error))? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            _ => String::new(),
        };
        if canonical(&setting) != is {
            return Err(Error::MigrationFailed {
                migration: migration.title(),
                file: migration.file,
                line: migration.statements.get(setting.position).map_or(0, |statement| statement.line),
                statement: setting.position + 1,
                statements: migration.statements.len(),
                message: format!("`{name}` is {is} afterwards, not {}", setting.value),
                notes: vec!["SQLite ignores what cannot be; a new page size needs a `VACUUM` behind it".to_owned()],
            });
        }
    }
    Ok(())
}

fn settings(migration: &'static Migration) -> impl Iterator<Item = Setting> {
    (0..migration.statements.len()).filter_map(|position| {
        let tokens = token::tokens(migration.statement(position));
        let words: Vec<_> = tokens.iter().filter(|token| token.kind != Kind::Symbol).collect();
        let (pragma, rest) = words.split_first()?;
        let [.., name, value] = rest else { return None };
        pragma.is_keyword("pragma").then(|| Setting { name: name.as_name(), value: value.as_name(), position })
    })
}

/// The value as SQLite tells it.
fn canonical(setting: &Setting) -> String {
    match (setting.name.as_str(), setting.value.as_str()) {
        ("auto_vacuum", "none") => "0",
        ("auto_vacuum", "full") => "1",
        ("auto_vacuum", "incremental") => "2",
        (_, value) => value,
    }
    .to_owned()
}
