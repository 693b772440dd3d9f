//! A directory of its own for every test.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use bootproof::{Cancellation, Event, Observer, Schema, Step};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

pub(crate) struct Sandbox {
    directory: TempDir,
    pub(crate) database: PathBuf,
}

impl Sandbox {
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("app.db");
        Self { directory, database }
    }

    /// With a database at a version, and what the application has written since.
    pub(crate) fn at(schema: &Schema, version: i64, sql: &str) -> Self {
        let sandbox = Self::empty();
        bootproof::Boot::new(schema, &sandbox.database).target(version).run().unwrap();
        sandbox.open().execute_batch(sql).unwrap();
        sandbox
    }

    /// Everything in the directory, by name.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.directory.path()).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }

    /// The backups that are there, without their digests.
    pub(crate) fn backups(&self) -> Vec<String> {
        let is_backup = |name: &String| name.contains(".backup-") && name.strip_suffix(".b3").is_none();
        self.names().into_iter().filter(is_backup).collect()
    }

    /// A connection of somebody else's.
    pub(crate) fn open(&self) -> Connection {
        Connection::open(&self.database).unwrap()
    }
}

/// The one value of a query, as text.
pub(crate) fn value(connection: &Connection, sql: &str) -> String {
    let value: Value = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}

/// Every row of a query, its columns as text.
pub(crate) fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row_of = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|column| row.get::<_, Value>(column).unwrap());
        Ok(values.map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], row_of).unwrap().map(Result::unwrap).collect()
}

/// Calls the work off when a step begins.
#[derive(Debug)]
pub(crate) struct CancelAt(pub(crate) Step, pub(crate) Cancellation);

impl Observer for CancelAt {
    fn notice(&self, event: Event) {
        if matches!(event, Event::Started(step) if step == self.0) {
            self.1.cancel();
        }
    }
}

/// The beginnings and the ends of the steps, in words.
#[derive(Debug, Default)]
pub(crate) struct Notes(pub(crate) Mutex<Vec<String>>);

impl Observer for Notes {
    fn notice(&self, event: Event) {
        self.0.lock().unwrap().extend(words(event));
    }
}

/// What an event says; `None` of progress, which depends on the clock.
pub(crate) fn words(event: Event) -> Option<String> {
    match event {
        Event::Started(step) => Some(format!("the beginning of {step}")),
        Event::Finished { step, .. } => Some(format!("the end of {step}")),
        _ => None,
    }
}
