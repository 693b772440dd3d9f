//! What is asked of directories that were written for another tool: an error is provably wrong, the rest is a warning.

use std::fs;
use std::path::Path;

use crate::compile::compile;
use crate::compiler::Settings;
use crate::diagnostic::{Diagnostics, Severity};
use crate::dialect::Dialect;

/// The findings in the files `001_…`, `002_…` of these texts: severity, rule and line.
fn found(texts: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (position, text) in texts.iter().enumerate() {
        fs::write(directory.path().join(format!("{:03}_file.sql", position + 1)), text).unwrap();
    }
    let settings = Settings { dialect: Some(Dialect::Sqlx), ..Settings::default() };
    let told = |diagnostics: &Diagnostics| {
        let told = diagnostics.iter().map(|one| {
            let severity = if one.severity() == Severity::Error { "error" } else { "warning" };
            let file = one.file().unwrap_or_default().get(..3).unwrap_or_default();
            format!("{severity} {} {file}:{}", one.rule(), one.line().unwrap_or_default())
        });
        told.collect::<Vec<_>>()
    };
    match compile(directory.path(), Path::new("migrations"), &settings) {
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

/// Files as other people write them, and nothing is wrong with them.
#[test]
fn what_real_directories_do_is_no_error() {
    let base = "CREATE TABLE users(id TEXT PRIMARY KEY, totp TEXT, note TEXT);
                CREATE TABLE items(id TEXT PRIMARY KEY, owner TEXT NOT NULL REFERENCES users, favorite INT);
                CREATE INDEX owner ON items(owner); CREATE TABLE nonces(id TEXT PRIMARY KEY, at TEXT);
                CREATE INDEX at ON nonces(at);";
    let begins_anew = "DROP TABLE IF EXISTS nonces; CREATE TABLE nonces(id TEXT PRIMARY KEY, verifier TEXT);";
    assert_eq!(found(&[base, begins_anew]), ["warning destroys-data 002:1"]);
    let same_again = "DROP TABLE nonces; CREATE TABLE nonces(id TEXT PRIMARY KEY, at TEXT NOT NULL);";
    assert_eq!(found(&[base, same_again]), ["warning lost-object 002:1", "warning destroys-data 002:1"]);
    for sql in [
        // Values that moved into another table.
        "CREATE TABLE second(id TEXT PRIMARY KEY, data TEXT);
         INSERT INTO second(id, data) SELECT id, totp FROM users WHERE totp IS NOT NULL; UPDATE users SET totp = NULL;",
        // A column that became rows, left out of a rebuild; the index comes before the new name.
        "CREATE TABLE favorites(item TEXT PRIMARY KEY REFERENCES items); INSERT INTO favorites(item) SELECT id FROM items WHERE
         favorite = 1; CREATE TABLE items_new(id TEXT PRIMARY KEY, owner TEXT NOT NULL REFERENCES users);
         INSERT INTO items_new(id, owner) SELECT id, owner FROM items; DROP TABLE items;
         CREATE INDEX owner ON items_new(owner); ALTER TABLE items_new RENAME TO items;",
        // Renamed away, where nothing refers to it.
        "ALTER TABLE items RENAME TO old_items; CREATE TABLE items(id TEXT PRIMARY KEY, owner TEXT NOT NULL REFERENCES users,
         favorite INT NOT NULL DEFAULT 0); INSERT INTO items(id, owner, favorite) SELECT id, owner, coalesce(favorite, 0) FROM
         old_items; DROP TABLE old_items; CREATE INDEX owner ON items(owner);",
        "CREATE TABLE copy AS SELECT id, at FROM nonces; DROP TABLE nonces; ALTER TABLE copy RENAME TO nonces;
         CREATE INDEX at ON nonces(at); CREATE UNIQUE INDEX id ON nonces(id);",
        "CREATE VIRTUAL TABLE search USING fts5(note); INSERT INTO search(search) VALUES ('rebuild'); DELETE FROM search;
         DROP TABLE search;",
    ] {
        let found = found(&[base, sql]);
        assert!(!found.iter().any(|one| one.starts_with("error")), "{found:?}: {sql}");
        assert!(!found.iter().any(|one| one.contains("destroys-data")), "{found:?}: {sql}");
    }
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
fn a_view_may_be_made_before_what_it_reads() {
    let view = "CREATE VIEW v AS SELECT x FROM later;";
    assert!(found(&[view, "CREATE TABLE later(x)"]).is_empty());
    assert_eq!(found(&["CREATE TABLE a(x)", view]), ["error broken-view 002:1"]);
    let mended = ["CREATE TABLE a(x); CREATE VIEW v AS SELECT x FROM a", "DROP TABLE a", "CREATE TABLE a(x)"];
    assert_eq!(found(&mended), ["warning destroys-data 002:1"]);
    assert!(found(&["CREATE TABLE a(x); CREATE VIEW v AS SELECT slugify(x) FROM a"]).is_empty());
}

#[test]
fn a_file_may_do_nothing() {
    assert!(found(&["CREATE TABLE a(x)", "-- nothing to be done here\n", "SELECT 1"]).is_empty());
}

/// What a file says of itself is heard whatever tool it was written for.
#[test]
fn whatever_can_be_allowed_can_be_in_another_layout() {
    let base = "CREATE TABLE a(x, y);";
    let allowed = |rule: &str, sql: &str| found(&[base, &format!("-- bootproof: allow {rule} \"why\"\n{sql}")]);
    for (rule, sql) in [
        ("destroys-data", "DELETE FROM a"),
        ("if-not-exists", "CREATE TABLE IF NOT EXISTS a(x, y, z)"),
        ("pragma", "PRAGMA journal_mode = wal"),
        ("redundant-wrapper", "BEGIN; SELECT 1; COMMIT"),
        ("no-transaction", "SELECT 1"),
        ("not-null-without-default", "ALTER TABLE a ADD COLUMN z NOT NULL"),
    ] {
        let marked = if rule == "no-transaction" { "-- no-transaction\n" } else { "" };
        let plain = found(&[base, &format!("{marked}{sql}")]);
        assert!(plain.iter().any(|one| one.contains(rule)), "{rule}: {plain:?}");
        let sql = format!("{marked}-- bootproof: allow {rule} \"why\"\n{sql}");
        assert!(found(&[base, &sql]).is_empty(), "{rule}: {:?}", found(&[base, &sql]));
    }
    assert_eq!(allowed("destroys-data", "SELECT 1"), ["error unused-allow 002:1"]);
}
