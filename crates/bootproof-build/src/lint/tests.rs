//! What is asked of directories that were written for another tool: an error is provably wrong, the rest is a warning.

use std::fs;
use std::path::Path;

use super::Layout;
use crate::compile::{Given, compile_given};
use crate::diagnostic::{Diagnostics, Severity};

/// The findings in the files `001_…`, `002_…` of these texts: severity, rule and line.
fn found(texts: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (position, text) in texts.iter().enumerate() {
        fs::write(directory.path().join(format!("{:03}_file.sql", position + 1)), text).unwrap();
    }
    let given = Given { layout: Layout::Foreign, ..Given::default() };
    let told = |diagnostics: &Diagnostics| {
        let told = diagnostics.iter().map(|one| {
            let severity = if one.severity() == Severity::Error { "error" } else { "warning" };
            let file = one.file().unwrap_or_default().get(..3).unwrap_or_default();
            format!("{severity} {} {file}:{}", one.rule(), one.line().unwrap_or_default())
        });
        told.collect::<Vec<_>>()
    };
    match compile_given(directory.path(), Path::new("migrations"), given) {
        Ok(compilation) => told(compilation.warnings()),
        Err(diagnostics) => told(&diagnostics),
    }
}

#[test]
fn a_condition_is_wrong_only_where_it_keeps_something_else() {
    assert!(found(&["CREATE TABLE IF NOT EXISTS a(x); CREATE INDEX IF NOT EXISTS i ON a(x);"]).is_empty());
    let base = "CREATE TABLE a(x, y); CREATE INDEX i ON a(x); CREATE VIEW v AS SELECT x FROM a;";
    for same in [
        "CREATE TABLE IF NOT EXISTS \"A\" (x, y)",
        "CREATE TABLE IF NOT EXISTS a(x)",
        "CREATE INDEX IF NOT EXISTS I ON a ( x )",
        "CREATE VIEW IF NOT EXISTS v AS select x from a",
        "DROP INDEX i; CREATE INDEX IF NOT EXISTS i ON a(y)",
    ] {
        assert!(found(&[base, same]).is_empty(), "{same}");
    }
    for other in [
        "CREATE TABLE IF NOT EXISTS a(x, y, z)",
        "CREATE INDEX IF NOT EXISTS i ON a(y)",
        "CREATE UNIQUE INDEX IF NOT EXISTS i ON a(x)",
        "CREATE VIEW IF NOT EXISTS v AS SELECT y FROM a",
    ] {
        assert_eq!(found(&[base, other]), ["error if-not-exists 002:1"], "{other}");
    }
}

#[test]
fn what_is_meant_to_be_lost_is_a_warning() {
    let base = "CREATE TABLE a(x, y); CREATE TABLE b(x, y);";
    for sql in ["DROP TABLE a", "ALTER TABLE a DROP COLUMN x", "DELETE FROM a", "UPDATE a SET x = 1"] {
        assert_eq!(found(&[base, sql]), ["warning destroys-data 002:1"], "{sql}");
    }
    assert_eq!(found(&[base, "INSERT INTO b SELECT * FROM a"]), ["warning positional-copy 002:1"]);
}

#[test]
fn what_is_provably_wrong_is_an_error() {
    let base = "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p);
                CREATE INDEX i ON c(p);";
    let rebuild = "CREATE TABLE n(id INTEGER PRIMARY KEY, p REFERENCES p, note TEXT);
                   INSERT INTO n(id, p) SELECT id, p FROM c; DROP TABLE c;\nALTER TABLE n RENAME TO c;";
    assert_eq!(found(&[base, rebuild]), ["error lost-object 002:2"]);
    let away = "ALTER TABLE p RENAME TO old; CREATE TABLE p(id INTEGER PRIMARY KEY, note TEXT);
                INSERT INTO p(id) SELECT id FROM old; DROP TABLE old;";
    assert_eq!(found(&[base, away]), ["error dangling-foreign-key 002:1"]);
    assert_eq!(found(&[base, "ALTER TABLE c ADD COLUMN x NOT NULL"]), ["error not-null-without-default 002:1"]);
}

#[test]
fn a_parent_may_come_later_but_must_come() {
    let child = "CREATE TABLE c(id INTEGER PRIMARY KEY, p TEXT REFERENCES p(name)); CREATE INDEX i ON c(p);";
    let parent = "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT);";
    let key = "CREATE UNIQUE INDEX u ON p(name);";
    assert!(found(&[child, parent, key]).is_empty());
    assert_eq!(found(&[child, "CREATE TABLE q(x)"]), ["error dangling-foreign-key 001:1"]);
    assert_eq!(found(&[child, parent]), ["error foreign-key-mismatch 002:1"]);
}

#[test]
fn a_file_may_do_nothing() {
    assert!(found(&["CREATE TABLE a(x)", "-- nothing to be done here\n", "SELECT 1"]).is_empty());
}
