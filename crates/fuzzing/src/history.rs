//! A history and an audit table of anybody's making: told apart from ours, and nobody's rows are lost over them.

use arbitrary::{Result, Unstructured};
use rusqlite::{Connection, params_from_iter};

use crate::edits::{pick, value};
use crate::samples::{self, Place, SAMPLES};

const HISTORY: &str = "refinery_schema_history";
const AUDIT: &str = "bootproof_audit";

/// What may go by the name of the history, or hang on it.
const HISTORIES: [&str; 13] = [
    "CREATE TABLE refinery_schema_history(version, name, applied_on, checksum)",
    "CREATE TABLE Refinery_Schema_History(version int8 PRIMARY KEY, name, applied_on, checksum) WITHOUT ROWID",
    "CREATE TABLE refinery_schema_history(version INTEGER PRIMARY KEY, name TEXT, applied_on TEXT, checksum TEXT) STRICT",
    "CREATE TABLE refinery_schema_history(version, name, applied_on, checksum, more NOT NULL DEFAULT 7)",
    "CREATE TABLE refinery_schema_history(version, name, applied_on, checksum, more NOT NULL)",
    "CREATE TABLE refinery_schema_history(version CHECK(version < 1), name UNIQUE, applied_on, checksum)",
    "CREATE TABLE refinery_schema_history(version, name, applied_on AS ('2025-01-31T09:15:00Z'), checksum AS (version))",
    "CREATE TABLE refinery_schema_history(version, name)",
    "CREATE TABLE refinery_schema_history(version REFERENCES nowhere(id), name, applied_on, checksum)",
    "CREATE VIEW refinery_schema_history AS SELECT 1 AS version, 'a' AS name, 'b' AS applied_on, 'c' AS checksum",
    "CREATE VIRTUAL TABLE refinery_schema_history USING fts5(version, name, applied_on, checksum)",
    "CREATE TRIGGER thief AFTER INSERT ON refinery_schema_history BEGIN DELETE FROM worklogs; END",
    "CREATE TRIGGER forger AFTER INSERT ON refinery_schema_history BEGIN UPDATE worklogs SET started = 0; END",
];

/// The same of the audit table.
const AUDITS: [&str; 9] = [
    "CREATE TABLE bootproof_audit(id, at, event, from_version, to_version, binary, detail)",
    "CREATE TABLE bootproof_audit(id INTEGER PRIMARY KEY, at, event, from_version, to_version, binary, detail) STRICT",
    "CREATE TABLE bootproof_audit(id INTEGER PRIMARY KEY, at, event, from_version, to_version, binary, detail, more NOT NULL)",
    "CREATE TABLE bootproof_audit(id, at CHECK(at IS NULL), event, from_version, to_version, binary, detail)",
    "CREATE TABLE bootproof_audit(id TEXT PRIMARY KEY, at, event, from_version, to_version, binary, detail) WITHOUT ROWID",
    "CREATE TABLE bootproof_audit(id, detail)",
    "CREATE VIEW bootproof_audit AS SELECT * FROM worklogs",
    "CREATE VIRTUAL TABLE bootproof_audit USING fts5(id, at, event, from_version, to_version, binary, detail)",
    "CREATE TRIGGER forger AFTER INSERT ON bootproof_audit BEGIN UPDATE worklogs SET started = 0; END",
];

/// A sample whose own tables were made or written by somebody else.
pub(crate) fn rows(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let place = Place::with(samples::bytes(*pick(&mut bytes, &SAMPLES)));
    let edited = Connection::open(&place.database).expect("the sample");
    tamper(&mut bytes, &edited, HISTORY, &HISTORIES, &["version", "name", "applied_on", "checksum"]).ok();
    tamper(&mut bytes, &edited, AUDIT, &AUDITS, &["event", "at", "to_version", "binary", "detail"]).ok();
    edited.close().map_err(|(_, error)| error).expect("the sample");

    let before = samples::rows(&place.database);
    samples::look(&place, false);
    let is_ready = samples::boot(&place);
    assert!(samples::rows(&place.database) == before, "rows of the application were changed");
    if is_ready {
        assert!(samples::boot(&place), "ready once, and not again");
    }
}

/// What SQLite or the bytes do not give, is left as it is.
fn tamper(
    bytes: &mut Unstructured<'_>,
    database: &Connection,
    table: &str,
    definitions: &[&str],
    columns: &[&str],
) -> Result<()> {
    // Quietly: whatever cannot be done to a file has not happened to it.
    let execute = |sql: &str| drop(database.execute_batch(sql));
    if bytes.ratio(2_u8, 3_u8)? {
        let definition = bytes.choose(definitions)?;
        if !definition.starts_with("CREATE TRIGGER") {
            match bytes.int_in_range(0..=2)? {
                0 => execute(&format!("DROP TABLE {table}")),
                // With its rows.
                1 => execute(&format!("ALTER TABLE {table} RENAME TO theirs")),
                _ => {}
            }
        }
        execute(definition);
        if bytes.arbitrary()? {
            execute(&format!("INSERT INTO {table} SELECT * FROM theirs"));
        }
        execute("DROP TABLE theirs");
    }
    for _ in 0..bytes.int_in_range(0..=4)? {
        match bytes.int_in_range(0..=3)? {
            0 => execute(&format!("DELETE FROM {table} WHERE rowid = {}", bytes.arbitrary::<i8>()?)),
            1 => {
                let column = bytes.choose(columns)?;
                let sql = format!("UPDATE {table} SET {column} = ?1 WHERE rowid % 3 = ?2");
                let _ = database.execute(&sql, (value(bytes)?, bytes.int_in_range(0..=2)?));
            }
            _ => {
                let values = columns.iter().map(|_| value(bytes)).collect::<Result<Vec<_>>>()?;
                let marks = vec!["?"; columns.len()].join(", ");
                let sql = format!("INSERT INTO {table}({}) VALUES ({marks})", columns.join(", "));
                let _ = database.execute(&sql, params_from_iter(values));
            }
        }
    }
    Ok(())
}
