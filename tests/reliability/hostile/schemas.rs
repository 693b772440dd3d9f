//! Schemas that somebody made to run something, or to be taken for something else.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::binary::{current, run, unmanaged};
use crate::proof::sound_state;
use crate::scene::directory;
use crate::tally::{Tally, share};

/// As the sqlite3 shell of somebody who may write the file.
fn alter(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    for name in ["readfile", "writefile", "edit", "tax", "load_extension"] {
        let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
        connection
            .create_scalar_function(name, -1, flags | rusqlite::functions::FunctionFlags::SQLITE_UTF8, |_| Ok(1))
            .unwrap();
    }
    connection.create_collation("GERMAN", Ord::cmp).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// What is in the database, beside what the application has; and the exit codes that may follow, before head and at head.
const CASES: [(&str, &str, &[i32]); 31] = [
    (
        "a view that never ends",
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
        &[0],
    ),
    (
        "a view over itself",
        "CREATE TABLE w(a); CREATE VIEW v AS SELECT * FROM w; PRAGMA legacy_alter_table = ON; DROP TABLE w; CREATE VIEW w AS SELECT * FROM v",
        &[0],
    ),
    ("a view over a function", "CREATE VIEW v AS SELECT writefile('/tmp/never', 'x'), load_extension('x')", &[0]),
    ("a view over a missing table", "CREATE VIEW v AS SELECT * FROM nowhere", &[0]),
    ("a generated column of a function", "CREATE TABLE t(a, b AS (tax(a))); INSERT INTO t VALUES (1)", &[0]),
    ("a generated column that costs", "CREATE TABLE t(a, b AS (zeroblob(50000000))); INSERT INTO t VALUES (1)", &[0]),
    (
        "a generated column beyond all bounds",
        "CREATE TABLE t(a); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b AS (printf('%.*c', 2000000000, 'x'))",
        &[0],
    ),
    ("a CHECK of a function", "CREATE TABLE t(a CHECK (tax(a))); INSERT INTO t VALUES (1)", &[0]),
    ("a CHECK that costs", "CREATE TABLE t(a CHECK (length(zeroblob(100000000)) > 0)); INSERT INTO t VALUES (1)", &[0]),
    ("a DEFAULT of a function", "CREATE TABLE t(a DEFAULT (readfile('/etc/passwd')))", &[0]),
    ("an index on a function", "CREATE TABLE t(a); INSERT INTO t VALUES (1); CREATE INDEX i ON t(tax(a))", &[0]),
    ("a partial index on a function", "CREATE INDEX i ON worklogs(started) WHERE tax(started)", &[0]),
    ("an index on a function of a table of ours", "CREATE INDEX i ON worklogs(tax(started))", &[0]),
    ("a collation", "CREATE TABLE t(a COLLATE GERMAN); INSERT INTO t VALUES ('a'); CREATE INDEX i ON t(a)", &[0]),
    ("a collation on a table of ours", "CREATE INDEX i ON worklogs(started COLLATE GERMAN)", &[0]),
    (
        "a trigger on a table of ours",
        "CREATE TRIGGER g AFTER INSERT ON logs BEGIN SELECT writefile('/tmp/never', 'x'); END",
        &[0],
    ),
    ("a trigger that deletes", "CREATE TRIGGER g AFTER UPDATE ON worklogs BEGIN DELETE FROM worklogs; END", &[0]),
    ("a tokenizer", "CREATE VIRTUAL TABLE f USING fts3(a); INSERT INTO f VALUES ('a')", &[0]),
    ("a search index", "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES ('a')", &[0]),
    ("a tree of boxes", "CREATE VIRTUAL TABLE r USING rtree(id, a, b); INSERT INTO r VALUES (1, 2, 3)", &[0]),
    (
        "a strict table without rowid",
        "CREATE TABLE t(a TEXT PRIMARY KEY, b INT) STRICT, WITHOUT ROWID; INSERT INTO t VALUES ('a', 1)",
        &[0],
    ),
    (
        "a foreign key to nothing",
        "PRAGMA foreign_keys = OFF; CREATE TABLE t(a REFERENCES nowhere(x)); INSERT INTO t VALUES (1)",
        &[0],
    ),
    (
        "garbage for a schema",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE logs(' WHERE name = 'logs'",
        &[4, 6],
    ),
    (
        "a module that nobody has",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE VIRTUAL TABLE x USING geography(a)')",
        &[0],
    ),
    (
        "two tables of one name",
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'logs'",
        &[4, 6],
    ),
    (
        "a table with another's pages",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users') WHERE name = 'logs'",
        &[4, 6],
    ),
    (
        "a table beyond the file",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'logs'",
        &[4, 6],
    ),
    (
        "an index of one that is none",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'index' WHERE name = 'logs'",
        &[4, 6],
    ),
    (
        "a name that is no text",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = x'FF00', tbl_name = x'FF00' WHERE name = 'logs'",
        &[4, 6],
    ),
    ("a view for a table", "DROP TABLE logs; CREATE VIEW logs AS SELECT 1 AS id", &[4]),
    ("a virtual table for a table", "DROP TABLE logs; CREATE VIRTUAL TABLE logs USING fts5(id, message)", &[4]),
];

#[test]
fn of_somebody_elses_objects() {
    let mut tally = Tally::new("schemas".to_owned());
    let originals = directory();
    let (before_head, at_head) = (originals.path().join("unmanaged"), originals.path().join("current"));
    unmanaged(&before_head);
    current(&at_head);
    for (what, sql, codes) in CASES {
        for original in [&before_head, &at_head] {
            let directory = directory();
            let path = directory.path().join("worklog.db");
            std::fs::copy(original, &path).unwrap();
            alter(&path, sql);
            let kept = sound_state(&path);
            let is_right = |code: i32| codes.contains(&code);
            let [verified, booted] = ["verify", "boot"].map(|command| run(&path, [command]));
            // The long form also measures, and starts again.
            let more = if share(0) == 0 { vec![] } else { vec![run(&path, ["health"]), run(&path, ["boot"])] };
            let case = format!("{what}, {}", original.file_name().unwrap().display());
            let outcome = if !is_right(booted.code) || more.last().is_some_and(|again| again.code != booted.code) {
                Err(format!("{booted:?}, then {more:?}"))
            } else if !matches!(verified.code, 0 | 4 | 6)
                || !more.iter().all(|ended| matches!(ended.code, 0 | 4 | 6 | 9))
            {
                Err(format!("{verified:?}, {more:?}"))
            } else if let (Ok(kept), Ok(now)) = (&kept, sound_state(&path)) {
                if kept.is_kept_by(&now) {
                    Ok(format!("exit code {}", booted.code))
                } else {
                    Err("rows were lost".to_owned())
                }
            } else {
                Ok(format!("exit code {}, which plain SQLite cannot check either", booted.code))
            };
            tally.count(&case, outcome);
        }
    }
    assert!(!Path::new("/tmp/never").exists());
    tally.finish();
}

/// What is done to the migrator's own tables.
const OWN: [(&str, &str); 12] = [
    (
        "a trigger that runs a function",
        "CREATE TRIGGER g AFTER INSERT ON {table} BEGIN SELECT writefile('/tmp/never', 'x'); END",
    ),
    ("a trigger that deletes rows", "CREATE TRIGGER g BEFORE INSERT ON {table} BEGIN DELETE FROM worklogs; END"),
    ("a trigger that refuses", "CREATE TRIGGER g BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"),
    ("a trigger in other letters", "CREATE TRIGGER g BEFORE INSERT ON {TABLE} BEGIN SELECT RAISE(IGNORE); END"),
    (
        "a view by its name",
        "DROP TABLE {table}; CREATE VIEW {table} AS SELECT 0 AS version, 'baseline' AS name, '2026-01-01T00:00:00Z' AS applied_on, '1' AS checksum, 1 AS id, '' AS at, '' AS event, 0 AS from_version, 0 AS to_version, '' AS binary, '{}' AS detail",
    ),
    (
        "a search index by its name",
        "DROP TABLE {table}; CREATE VIRTUAL TABLE {table} USING fts5(version, name, applied_on, checksum, id, at, event, from_version, to_version, binary, detail)",
    ),
    ("an index by its name", "DROP TABLE {table}; CREATE INDEX {table} ON logs(id)"),
    ("another table by its name", "DROP TABLE {table}; CREATE TABLE {table}(x)"),
    (
        "an index on it that nothing fits",
        "CREATE UNIQUE INDEX i ON {table}((1)) WHERE 0; CREATE INDEX j ON {table}(tax(name))",
    ),
    ("rows that mean nothing", "DELETE FROM {table}; INSERT INTO {table} DEFAULT VALUES"),
    ("a value of ten million bytes", "UPDATE {table} SET name = printf('%.*c', 10000000, 'x'), applied_on = name"),
    (
        "a hundred thousand rows",
        "INSERT INTO {table}(version, name, applied_on, checksum) WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i, 'x', 'y', 'z' FROM n",
    ),
];

/// What goes by the name of our tables and is not what we made refuses; nothing of it runs.
#[test]
fn of_the_migrators_own_tables() {
    let mut tally = Tally::new("own tables".to_owned());
    let originals = directory();
    let original = originals.path().join("current");
    current(&original);
    for table in ["refinery_schema_history", "bootproof_audit"] {
        for (what, sql) in OWN {
            let directory = directory();
            let path = directory.path().join("worklog.db");
            std::fs::copy(&original, &path).unwrap();
            let sql = sql.replace("{table}", table).replace("{TABLE}", &table.to_uppercase());
            let connection = Connection::open(&path).unwrap();
            if connection.prepare(&sql.replace("DEFAULT VALUES", "SELECT 1 WHERE 0")).is_err()
                && sql.contains("name")
                && table == "bootproof_audit"
            {
                continue;
            }
            drop(connection);
            if table == "bootproof_audit" && sql.contains("DEFAULT VALUES") {
                continue;
            }
            alter(&path, &sql);
            // Something to write: an index to repair.
            alter(&path, "DROP INDEX idx_worklogs_company_day");
            let before = std::fs::read(&path).unwrap();
            let booted = run(&path, ["boot"]);
            let case = format!("{what}, {table}");
            let outcome = match booted.code {
                4 if std::fs::read(&path).unwrap() != before => Err("changed by a boot that refused".to_owned()),
                4 if booted.stderr.len() > 200_000 => Err(format!("a message of {} bytes", booted.stderr.len())),
                4 => Ok("refused".to_owned()),
                0 if what.contains("nothing fits") => Ok("ready".to_owned()),
                _ => Err(format!("{booted:?}").chars().take(2_000).collect()),
            };
            tally.count(&case, outcome);
        }
    }
    assert!(!Path::new("/tmp/never").exists());
    tally.finish();
}
