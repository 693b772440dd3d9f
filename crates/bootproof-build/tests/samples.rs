//! The rows that generated tests begin with are accepted by every migration from where they were made up to the last.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;

use bootproof_build::check;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// Grows a database with the migrations and the rows, as the tests of an application do.
fn grown(files: &[&str]) -> (Connection, String) {
    let directory = tempfile::tempdir().unwrap();
    for (version, text) in files.iter().enumerate() {
        fs::write(directory.path().join(format!("{version:03}_a.sql")), text).unwrap();
    }
    let code = check(directory.path()).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).emit_samples();
    let text = |rest: &'static str| {
        let literal = rest.split(" },\n    ::").next().unwrap().trim_end_matches(" },\n]\n");
        literal.strip_prefix("r#\"").and_then(|literal| literal.strip_suffix("\"#")).unwrap_or_default()
    };
    let samples: Vec<&str> = code.clone().leak().split("sql: ").skip(1).map(text).collect();
    assert_eq!(samples.len(), files.len(), "{code}");
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for (migration, rows) in files.iter().zip(samples) {
        connection.execute_batch(migration).unwrap();
        // A boot would refuse here.
        assert_eq!(number(&connection, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        connection.execute_batch(rows).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true).unwrap();
    }
    (connection, code)
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn every_table_has_rows_and_the_same_files_give_the_same_ones() {
    let files = [
        "CREATE TABLE team(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
         CREATE TABLE member(id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL REFERENCES team(id) ON DELETE CASCADE);",
        "ALTER TABLE member ADD COLUMN email TEXT",
        "CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT NOT NULL)",
    ];
    let (connection, code) = grown(&files);
    for table in ["team", "member", "log"] {
        assert!(number(&connection, &format!("SELECT count(*) FROM {table}")) >= 3, "{table}");
    }
    assert_eq!(number(&connection, "SELECT count(*) > 0 FROM member WHERE email IS NOT NULL"), 1);
    assert_eq!(code, grown(&files).1);
}

#[test]
fn what_a_later_migration_refuses_is_not_made_up() {
    let (connection, _) = grown(&[
        "CREATE TABLE item(id INTEGER PRIMARY KEY, price REAL); CREATE TABLE other(id INTEGER PRIMARY KEY, x TEXT);",
        "CREATE TABLE more(id INTEGER PRIMARY KEY)",
        "CREATE TABLE new_item(id INTEGER PRIMARY KEY, price REAL NOT NULL);
         INSERT INTO new_item(id, price) SELECT id, price FROM item;
         DROP TABLE item;
         ALTER TABLE new_item RENAME TO item;",
    ]);
    assert!(number(&connection, "SELECT count(*) FROM item") >= 3, "a NULL is refused, a value is not");
}

#[test]
fn a_foreign_key_that_is_new_meets_no_row_without_a_parent() {
    let (connection, _) = grown(&[
        "CREATE TABLE team(id INTEGER PRIMARY KEY); CREATE TABLE member(id INTEGER PRIMARY KEY, team INTEGER);",
        "CREATE TABLE new_member(id INTEGER PRIMARY KEY, team INTEGER REFERENCES team(id));
         INSERT INTO new_member(id, team) SELECT id, team FROM member;
         DROP TABLE member;
         ALTER TABLE new_member RENAME TO member;",
    ]);
    assert!(number(&connection, "SELECT count(*) FROM team") >= 3);
}

#[test]
fn nothing_of_the_rows_is_in_what_a_program_includes() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("1_a.sql"), "CREATE TABLE person(id INTEGER PRIMARY KEY, email TEXT)").unwrap();
    let compilation = check(directory.path()).unwrap();
    assert!(compilation.emit_samples().contains("@example.com"));
    assert!(!compilation.emit().contains("@example.com"));
}
