//! The connections of an application: settings, and what they refuse.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::path::PathBuf;

use bootproof::connections::{open_reader, open_writer};
use rusqlite::ErrorCode;
use tempfile::TempDir;

/// A directory with a database of two tables.
fn scene() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE team(id INTEGER PRIMARY KEY);
             CREATE TABLE person(id INTEGER PRIMARY KEY, team INTEGER REFERENCES team(id));
             INSERT INTO team VALUES (1); INSERT INTO person VALUES (1, 1);",
        )
        .unwrap();
    (directory, path)
}

#[test]
fn a_reader_changes_nothing() {
    let (_directory, path) = scene();
    let reader = open_reader(&path).unwrap();
    for sql in ["DELETE FROM person", "CREATE TABLE more(id)", "DROP TABLE person", "PRAGMA user_version = 7"] {
        let refused = reader.execute_batch(sql).unwrap_err();
        assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::ReadOnly), "{sql}: {refused}");
    }
    let people: i64 = reader.query_one("SELECT count(*) FROM person", [], |row| row.get(0)).unwrap();
    assert_eq!(people, 1);
}

#[test]
fn a_writer_leaves_no_row_without_its_parent() {
    let (_directory, path) = scene();
    let writer = open_writer(&path).unwrap();
    assert!(writer.execute("INSERT INTO person(team) VALUES (1)", []).is_ok());
    let refused = writer.execute("DELETE FROM team", []).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::ConstraintViolation), "{refused}");
}

#[test]
fn a_file_that_is_gone_is_not_made_anew() {
    let (directory, path) = scene();
    std::fs::remove_file(&path).unwrap();
    for opened in [open_reader(&path), open_writer(&path)] {
        assert_eq!(opened.unwrap_err().sqlite_error_code(), Some(ErrorCode::CannotOpen));
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_plays_back_what_a_killed_writer_left() {
    let (directory, path) = scene();
    // The files in the middle of a transaction are what a killed writer leaves: a changed database and its journal.
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
             INSERT INTO person(team) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 20000)
             SELECT 1 FROM n;",
        )
        .unwrap();
    let killed = directory.path().join("killed.db");
    std::fs::copy(&path, &killed).unwrap();
    std::fs::copy(directory.path().join("app.db-journal"), directory.path().join("killed.db-journal")).unwrap();
    drop(writer);

    let people = |connection: &rusqlite::Connection| {
        connection.query_one("SELECT count(*) FROM person", [], |row| row.get::<_, i64>(0))
    };
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let helpless = rusqlite::Connection::open_with_flags(&killed, flags).unwrap();
    assert!(people(&helpless).is_err(), "the journal is one that has to be played back");
    drop(helpless);
    assert_eq!(people(&open_reader(&killed).unwrap()).unwrap(), 1);
}

#[test]
fn a_hostile_schema_runs_nothing() {
    let (_directory, path) = scene();
    let reader = open_reader(&path).unwrap();
    let off = |config| !reader.db_config(config).unwrap();
    assert!(off(rusqlite::config::DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA));
    assert!(!off(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE));
    let timeout: i64 = reader.pragma_query_value(None, "busy_timeout", |row| row.get(0)).unwrap();
    assert_eq!(timeout, 5_000);
}
