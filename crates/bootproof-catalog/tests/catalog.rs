//! What counts as the same schema, and what does not.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use bootproof_catalog::{Catalog, Fingerprint, Severity, difference};
use rusqlite::Connection;

fn catalog(sql: &str) -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    Catalog::read(&connection).unwrap()
}

fn differences(expected: &str, found: &str) -> Vec<(Severity, String)> {
    let (expected, found) = (catalog(expected), catalog(found));
    let differences = difference::between(&expected, &found);
    assert_eq!(
        differences.is_empty(),
        Fingerprint::of(&expected) == Fingerprint::of(&found),
        "the fingerprint and the list of differences must agree: {differences:?}"
    );
    differences.into_iter().map(|difference| (difference.severity, difference.message)).collect()
}

#[test]
fn a_column_added_later_is_the_same_column() {
    let written = "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE t(a TEXT NOT NULL DEFAULT 'x', b INTEGER REFERENCES p(id) ON DELETE CASCADE, c REAL)";
    let altered = "create table p (id integer primary key); create table if not exists \"t\" (c real, a text not null default 'x');
                   alter table t add column b INTEGER references p(id) on delete cascade;";
    assert_eq!(differences(written, altered), []);
}

#[test]
fn an_index_is_the_same_however_it_is_spelt() {
    let table = "CREATE TABLE t(a, b, started TEXT);";
    let index = |sql: &str| format!("{table}{sql}");
    let plain = index("CREATE INDEX i ON t(a, date(started), b DESC) WHERE a > 1");
    assert_eq!(
        differences(
            &plain,
            &index("create index if not exists \"i\" on [t] (A asc, DATE( started ) , b desc) where a>1")
        ),
        []
    );
    for other in [
        "CREATE INDEX i ON t(a, date(started), b) WHERE a > 1",
        "CREATE INDEX i ON t(a, date(started), b DESC) WHERE a > 2",
        "CREATE INDEX i ON t(a, started, b DESC) WHERE a > 1",
        "CREATE INDEX i ON t(a COLLATE NOCASE, date(started), b DESC) WHERE a > 1",
        "CREATE UNIQUE INDEX i ON t(a, date(started), b DESC) WHERE a > 1",
        "",
    ] {
        let found = differences(&plain, &index(other));
        assert_eq!(found.len(), 1, "{other}: {found:?}");
        assert_eq!(found[0].0, Severity::Repairable, "{other}");
    }
}

#[test]
fn every_facet_of_a_table_is_seen() {
    let expected = "CREATE TABLE p(id INTEGER PRIMARY KEY);
        CREATE TABLE t(a TEXT NOT NULL DEFAULT 'x', b INTEGER UNIQUE REFERENCES p(id) ON DELETE CASCADE, c REAL NOT NULL CHECK (c > 0), d TEXT COLLATE NOCASE,
                       e AS (a || 'y'), PRIMARY KEY (a)) STRICT"
        .replace("e AS", "e TEXT AS");
    let variants = [
        ("c REAL NOT NULL", "c REAL", Severity::Differs),
        ("DEFAULT 'x'", "DEFAULT 'z'", Severity::Differs),
        ("UNIQUE", "", Severity::Differs),
        ("ON DELETE CASCADE", "ON DELETE SET NULL", Severity::Differs),
        ("REFERENCES p(id) ON DELETE CASCADE", "", Severity::Differs),
        ("CHECK (c > 0)", "CHECK (c > 1)", Severity::Differs),
        ("COLLATE NOCASE", "", Severity::Differs),
        ("'y'", "'z'", Severity::Differs),
        ("STRICT", "", Severity::Differs),
        ("c REAL NOT NULL", "c INTEGER NOT NULL", Severity::Missing),
        ("PRIMARY KEY (a)", "PRIMARY KEY (b)", Severity::Missing),
        ("d TEXT COLLATE NOCASE,", "", Severity::Missing),
    ];
    for (from, to, severity) in variants {
        let found = differences(&expected, &expected.replace(from, to));
        assert!(found.iter().any(|(found, _)| *found == severity), "{from} -> {to}: {found:?}");
    }
}

#[test]
fn additions_are_told_from_losses() {
    let expected =
        "CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END";
    let more = "CREATE TABLE t(a, mine); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;
                CREATE TABLE mine(a); CREATE INDEX mine_a ON mine(a); CREATE VIEW w AS SELECT 1";
    let found = differences(expected, more);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|(severity, _)| *severity == Severity::Extra));
    let less = differences(more, expected);
    assert!(
        less.iter()
            .any(|(severity, message)| *severity == Severity::Missing && message == "column `t.mine` is missing")
    );
    let changed = differences(expected, &expected.replace("SELECT 1; END", "SELECT 2; END"));
    assert_eq!(changed, [(Severity::Differs, "trigger `g` has another definition".to_owned())]);
}

#[test]
fn shadow_tables_and_bookkeeping_are_no_part_of_a_schema() {
    let search = "CREATE VIRTUAL TABLE search USING fts5(title)";
    let catalog = catalog(&format!(
        "{search}; CREATE TABLE refinery_schema_history(version); CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE"
    ));
    assert_eq!(catalog.tables.keys().map(String::as_str).collect::<Vec<_>>(), ["search", "t"]);
}
