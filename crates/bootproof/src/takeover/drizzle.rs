//! drizzle: `__drizzle_migrations`, one row for each migration: the SHA-256 of its file, and when it was written.
//!
//! Nothing else tells which migration a row means. The journal, where it is embedded along with the files, knows the times.

use serde::Deserialize;

use super::record::{History, Reading, Record, State};
use super::rows::Row;
use super::{Tool, text};

pub(super) static TOOL: Tool = Tool {
    name: "drizzle",
    table: "__drizzle_migrations",
    columns: &["hash", "created_at"],
    is_exact: false,
    dialects: &["drizzle"],
    read,
};

#[derive(Deserialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    when: i64,
    tag: String,
}

fn read(reading: &Reading<'_>, rows: &[Row]) -> History {
    let journal = journal(reading);
    let mut history = History::of(rows, |row| {
        let hash = row.text("hash")?;
        let migrations = reading.schema.compiled().migrations;
        let is_hash_of = |text: &[u8]| text::sha256(text).eq_ignore_ascii_case(&hash);
        if let Some(migration) = migrations.iter().find(|it| text::any(reading.schema, it, is_hash_of)) {
            return Ok(Some(Record::applied(migration.version, migration.title())));
        }
        let when = row.integer("created_at").ok();
        let entry = journal.iter().find(|entry| Some(entry.when) == when);
        let migration = entry.and_then(|entry| migrations.iter().find(|migration| migration.title() == entry.tag));
        Ok(Some(match migration {
            Some(migration) => Record { state: State::Edited, ..Record::applied(migration.version, migration.title()) },
            None => Record::unknown(&format!("the file with SHA-256 {}", crate::figure::short_line(&hash))),
        }))
    });
    super::note_edited(&mut history, reading, TOOL.name);
    history
}

fn journal(reading: &Reading<'_>) -> Vec<Entry> {
    let source = reading.schema.sources().iter().find(|source| source.path == "meta/_journal.json");
    let journal = source.and_then(|source| serde_json::from_slice::<Journal>(source.bytes).ok());
    journal.map(|journal| journal.entries).unwrap_or_default()
}
