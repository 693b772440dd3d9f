//! Many migrations become one file that leaves the same.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::Path;

use bootproof_build::{SquashError, check, squash};
use rusqlite::Connection;
use tempfile::TempDir;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// The fingerprint at head, as the generated code has it.
fn fingerprint(directory: &Path) -> String {
    let code = check(directory).unwrap().emit();
    code.rsplit_once("fingerprint: ").unwrap().1.split_once(',').unwrap().0.to_owned()
}

/// Runs a text as an application with foreign keys would.
fn run(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

const HISTORY: [(&str, &str); 4] = [
    (
        "001_a.sql",
        "CREATE TABLE zones(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, inner_of INTEGER REFERENCES zones);
         CREATE TABLE areas(zone INTEGER REFERENCES zones, size REAL, twice AS (size * 2), picture BLOB, \"a \"\"b\" ANY);
         CREATE INDEX areas_of_zone ON areas(zone); CREATE INDEX zones_inside ON zones(inner_of);
         CREATE TABLE log(line TEXT);
         CREATE TRIGGER zones_are_logged AFTER INSERT ON zones BEGIN INSERT INTO log(line) VALUES (new.name); END;
         CREATE VIEW names AS SELECT name FROM zones -- of all
         ; CREATE TRIGGER names_are_kept INSTEAD OF INSERT ON names BEGIN INSERT INTO zones(name) VALUES (new.name); END;",
    ),
    (
        "002_b.sql",
        "INSERT INTO zones(id, name, inner_of) VALUES (7, 'it''s; -- here', 9), (9, 'größe', NULL);
         INSERT INTO areas(zone, size, picture, \"a \"\"b\") VALUES (9, 0.1, x'00ff', NULL), (7, 1e300, NULL, 5);",
    ),
    (
        "003_c.sql",
        "CREATE TABLE areas_new(zone INTEGER NOT NULL REFERENCES zones, size REAL, twice AS (size * 2), picture BLOB,
                                \"a \"\"b\" ANY);
         INSERT INTO areas_new(zone, size, picture, \"a \"\"b\") SELECT zone, size, picture, \"a \"\"b\" FROM areas;
         DROP TABLE areas; ALTER TABLE areas_new RENAME TO areas; CREATE INDEX areas_of_zone ON areas(zone);
         CREATE TABLE pairs(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO pairs VALUES (2, 'y'), (1, 'x');
         ALTER TABLE zones ADD COLUMN note TEXT DEFAULT 'none';",
    ),
    ("004_d.sql", "CREATE TABLE later(id INTEGER PRIMARY KEY);"),
];

#[test]
fn one_file_leaves_the_same_schema_and_the_same_rows() {
    let many = directory(&HISTORY[..3]);
    let text = squash(directory(&HISTORY).path(), 3).unwrap();
    let one = directory(&[("003_baseline.sql", &text)]);
    assert_eq!(fingerprint(one.path()), fingerprint(many.path()));

    // Also where foreign keys are on: every INSERT finds its parents.
    let (squashed, original) = (run(&text), Connection::open_in_memory().unwrap());
    HISTORY[..3].iter().for_each(|(_, sql)| original.execute_batch(sql).unwrap());
    for sql in [
        "SELECT group_concat(quote(id) || quote(name) || quote(inner_of) || quote(note)) FROM zones",
        "SELECT group_concat(quote(zone) || quote(size) || quote(twice) || quote(picture) || quote(\"a \"\"b\")) FROM areas",
        "SELECT group_concat(quote(line)) FROM log",
        "SELECT group_concat(a || b) FROM pairs",
        "SELECT group_concat(seq) FROM sqlite_sequence",
    ] {
        let value = |connection: &Connection| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(value(&squashed), value(&original), "{sql}");
    }
    assert_eq!(text, squash(directory(&HISTORY).path(), 3).unwrap(), "the same files, the same text");
}

#[test]
fn nothing_is_written() {
    let directory = directory(&HISTORY);
    squash(directory.path(), 4).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[test]
fn what_cannot_be_squashed_is_told() {
    let broken = directory(&[("001_a.sql", "CREATE TABEL a(x)")]);
    assert!(matches!(squash(broken.path(), 1), Err(SquashError::NotCompiled(_))));
    let gap = directory(&[("001_a.sql", "CREATE TABLE a(x)"), ("003_c.sql", "CREATE TABLE c(x)")]);
    assert!(
        matches!(squash(gap.path(), 2), Err(SquashError::NoSuchVersion { version: 2, versions }) if versions == [1, 3])
    );
    let text = "CREATE VIRTUAL TABLE search USING fts5(line); INSERT INTO search(line) VALUES ('only here');";
    let virtually = directory(&[("001_a.sql", text)]);
    let error = squash(virtually.path(), 1).unwrap_err();
    assert!(matches!(&error, SquashError::Differs { differences } if differences.len() == 1), "{error}");
    assert!(error.to_string().contains("the rows of `search` cannot be written down"), "{error}");
}
