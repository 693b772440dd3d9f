//! The table of applied migrations, in refinery's format, read without trusting a single byte of it.

use bootproof_catalog::{HISTORY_DDL, HISTORY_TABLE};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::compiled::Migration;
use crate::error::Error;
use crate::figure::short_line;
use crate::own_table;

/// One applied migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// When it was applied, in RFC 3339.
    pub applied_on: String,
    /// The checksum of the text that was applied.
    pub checksum: u64,
}

/// Reads the history in order of version; `None` where there is no history table.
///
/// refinery panics on a row it cannot parse, so every row is validated here before refinery sees the table.
pub(crate) fn read(connection: &Connection) -> Result<Option<Vec<Entry>>, Error> {
    let failed = |error| Error::from_sqlite("reading the history", error);
    if !own_table::exists(connection, HISTORY_TABLE, &["version", "name", "applied_on", "checksum"])? {
        return Ok(None);
    }
    let mut statement = connection
        .prepare("SELECT version, name, applied_on, checksum FROM main.refinery_schema_history")
        .map_err(failed)?;
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        match entry(row) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push(problem),
        }
    }
    entries.sort_by_key(|entry| entry.version);
    for pair in entries.windows(2) {
        if let [first, second] = pair
            && first.version == second.version
        {
            problems.push(format!("version {} is recorded twice", first.version));
        }
    }
    if problems.is_empty() { Ok(Some(entries)) } else { Err(Error::Malformed { table: HISTORY_TABLE, problems }) }
}

/// Records migrations as applied, as refinery would: in a database made from the compiled image, and of what ran without it.
///
/// Asking refinery itself costs as much as all the rest of a new database: it reads every name with a regular expression.
pub(crate) fn record(connection: &Connection, migrations: &[Migration]) -> rusqlite::Result<()> {
    connection.execute_batch(HISTORY_DDL)?;
    let mut statement = connection.prepare(
        "INSERT INTO main.refinery_schema_history(version, name, applied_on, checksum) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let now = jiff::Timestamp::now().to_string();
    for migration in migrations {
        statement.execute((migration.version, migration.name, &now, migration.checksum.to_string()))?;
    }
    Ok(())
}

fn entry(row: &rusqlite::Row<'_>) -> Result<Entry, String> {
    let value = |column| row.get_ref(column).unwrap_or(ValueRef::Null);
    let version = match value(0) {
        ValueRef::Integer(version) => version,
        other => return Err(format!("version is {}, not an integer", described(other))),
    };
    let text = |column, name| {
        let value = value(column);
        match value {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(str::to_owned).ok(),
            _ => None,
        }
        .ok_or_else(|| format!("version {version}: {name} is {}, not text", described(value)))
    };
    let (name, applied_on, checksum) = (text(1, "name")?, text(2, "applied_on")?, text(3, "checksum")?);
    if applied_on.parse::<jiff::Timestamp>().is_err() {
        let applied_on = short_line(&applied_on);
        return Err(format!("version {version}: applied_on is \"{applied_on}\", not a time in RFC 3339"));
    }
    let checksum = checksum
        .parse()
        .map_err(|_| format!("version {version}: checksum is \"{}\", not a 64-bit number", short_line(&checksum)))?;
    Ok(Entry { version, name, applied_on, checksum })
}

fn described(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) => format!("\"{}\"", short_line(&String::from_utf8_lossy(bytes))),
        ValueRef::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
    }
}
