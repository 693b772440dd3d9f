//! What counts as the same schema, and what does not.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use bootproof_catalog::{Catalog, Difference, Fingerprint, Reader, Severity, Subject, difference};
use rusqlite::Connection;

fn catalog(sql: &str) -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    Catalog::read(&connection).unwrap()
}

fn differences(expected: &str, found: &str) -> Vec<(Severity, String)> {
    compared(expected, found).into_iter().map(|difference| (difference.severity, difference.message)).collect()
}

fn compared(expected: &str, found: &str) -> Vec<Difference> {
    let (expected, found) = (catalog(expected), catalog(found));
    let differences = difference::between(&expected, &found);
    assert_eq!(
        differences.is_empty(),
        Fingerprint::of(&expected) == Fingerprint::of(&found),
        "the fingerprint and the list of differences must agree: {differences:?}"
    );
    differences
}

fn keys(expected: &str, found: &str) -> Vec<String> {
    compared(expected, found).into_iter().map(|difference| difference.key).collect()
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
fn an_addition_named_like_a_word_of_a_compiled_check_takes_no_check_away() {
    let expected = "CREATE TABLE t(status TEXT CHECK (status IN ('active', 'archived')), n TEXT CHECK (length(n) < 9))";
    for column in ["archived", "Archived TEXT CHECK (archived <> '')", "length", "\"in\" CHECK (\"in\" > status)"] {
        let found = differences(expected, &format!("{expected}; ALTER TABLE t ADD COLUMN {column}"));
        assert!(matches!(&*found, [(Severity::Extra, _)]), "{column}: {found:?}");
    }
    // A CHECK that somebody changed is no part of an addition whose name is just one of its words.
    for (from, to, column) in [("'active'", "'idle'", "archived"), ("< 9", "< 99", "length")] {
        let changed = format!("{}; ALTER TABLE t ADD COLUMN {column}", expected.replace(from, to));
        let severities: Vec<_> = differences(expected, &changed).into_iter().map(|(severity, _)| severity).collect();
        assert_eq!(severities, [Severity::Differs, Severity::Differs, Severity::Extra], "{column}");
    }
}

#[test]
fn shadow_tables_and_bookkeeping_are_no_part_of_a_schema() {
    let search = "CREATE VIRTUAL TABLE search USING fts5(title)";
    let catalog = catalog(&format!(
        "{search}; CREATE TABLE refinery_schema_history(version); CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE"
    ));
    assert_eq!(catalog.tables.keys().map(String::as_str).collect::<Vec<_>>(), ["search", "t"]);
}

#[test]
fn what_only_looks_alike_differs() {
    for (one, other) in [
        ("CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INT PRIMARY KEY)"),
        ("CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INTEGER PRIMARY KEY DESC)"),
        ("CREATE TABLE t(id INT PRIMARY KEY)", "CREATE TABLE t(id INT PRIMARY KEY DESC)"),
        ("CREATE TABLE t(a, PRIMARY KEY (a))", "CREATE TABLE t(a, PRIMARY KEY (a COLLATE NOCASE))"),
        ("CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INTEGER PRIMARY KEY) WITHOUT ROWID"),
        ("CREATE TABLE t(id INTEGER, PRIMARY KEY (id AUTOINCREMENT))", "CREATE TABLE t(id INTEGER, PRIMARY KEY (id))"),
        (
            "CREATE TABLE t(a, e TEXT AS (a || CAST('y' AS TEXT)))",
            "CREATE TABLE t(a, e TEXT AS (a || CAST('z' AS TEXT)))",
        ),
        (
            "CREATE TABLE t(a, e TEXT AS (a) CHECK (CAST(a AS TEXT)))",
            "CREATE TABLE t(a, e TEXT AS (a || 1) CHECK (CAST(a AS TEXT)))",
        ),
        ("CREATE TABLE t(a, e AS (a))", "CREATE TABLE t(a, e AS (a) STORED)"),
        ("CREATE TABLE t(a, UNIQUE (a))", "CREATE TABLE t(a, UNIQUE (a COLLATE NOCASE))"),
        ("CREATE TABLE t(a, UNIQUE (a))", "CREATE TABLE t(a, UNIQUE (a DESC))"),
        ("CREATE TABLE t(a UNIQUE)", "CREATE TABLE t(a UNIQUE ON CONFLICT REPLACE)"),
        (
            "CREATE TABLE t(a NOT NULL ON CONFLICT IGNORE UNIQUE ON CONFLICT REPLACE)",
            "CREATE TABLE t(a NOT NULL ON CONFLICT REPLACE UNIQUE ON CONFLICT IGNORE)",
        ),
        (
            "CREATE TABLE t(a, b, UNIQUE (a) ON CONFLICT FAIL, UNIQUE (b))",
            "CREATE TABLE t(a, b, UNIQUE (a), UNIQUE (b) ON CONFLICT FAIL)",
        ),
        (
            "CREATE TABLE t(a, b REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE t(a, b REFERENCES t(a) DEFERRABLE INITIALLY IMMEDIATE)",
        ),
        (
            "CREATE TABLE t(a, b, FOREIGN KEY (b) REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE t(a, b, FOREIGN KEY (b) REFERENCES t(a) NOT DEFERRABLE INITIALLY DEFERRED)",
        ),
        ("CREATE TABLE t(a DEFAULT \"null\")", "CREATE TABLE t(a DEFAULT null)"),
        ("CREATE TABLE t(a DEFAULT Yes)", "CREATE TABLE t(a DEFAULT yes)"),
        ("CREATE TABLE t(a, \"1\", CHECK (\"1\" > a))", "CREATE TABLE t(a, \"1\", CHECK (1 > a))"),
        ("CREATE TABLE t(\"Ä\")", "CREATE TABLE t(\"ä\")"),
        ("CREATE TABLE \"Ä\"(a); CREATE TABLE \"ä\"(a)", "CREATE TABLE \"ä\"(a)"),
        (
            "CREATE TABLE t(a); CREATE INDEX i ON t(a) WHERE a = 'a'",
            "CREATE TABLE t(a); CREATE INDEX i ON t(a) WHERE a = 'A'",
        ),
        ("CREATE TABLE t(a); CREATE INDEX i ON t(a || 'a')", "CREATE TABLE t(a); CREATE INDEX i ON t(a || 'A')"),
        ("CREATE VIEW v AS SELECT 'a if not exists b'", "CREATE VIEW v AS SELECT 'a b'"),
    ] {
        assert_ne!(differences(one, other), [], "{one} | {other}");
        assert_ne!(differences(other, one), [], "{other} | {one}");
    }
}

#[test]
fn what_only_looks_different_is_the_same() {
    for (one, other) in [
        ("CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INTEGER, PRIMARY KEY (id DESC))"),
        ("CREATE TABLE t(a, e AS (a))", "CREATE TABLE t(a, e GENERATED ALWAYS AS (a) VIRTUAL)"),
        ("CREATE TABLE t(a UNIQUE ON CONFLICT REPLACE)", "CREATE TABLE t(A, UNIQUE (\"a\") on conflict replace)"),
        ("CREATE TABLE t(a NOT NULL)", "CREATE TABLE t(a NOT NULL ON CONFLICT ABORT)"),
        ("CREATE TABLE t(a REFERENCES t)", "CREATE TABLE t(a REFERENCES t NOT DEFERRABLE INITIALLY DEFERRED)"),
        (
            "CREATE TABLE t(a REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE t(a, FOREIGN KEY (a) REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
        ),
        ("CREATE TABLE t(a DEFAULT \"User's\")", "CREATE TABLE t(a DEFAULT 'User''s')"),
        ("CREATE TABLE t('a' COLLATE NOCASE)", "CREATE TABLE t(a COLLATE nocase)"),
        ("CREATE TABLE t(a COLLATE BINARY)", "CREATE TABLE t(a)"),
        ("CREATE TABLE t(a, CHECK (\"t\".\"a\" > 1.5))", "CREATE TABLE t(a, CHECK (t.a>1.5))"),
    ] {
        assert_eq!(differences(one, other), [], "{one} | {other}");
    }
}

#[test]
fn a_rowid_alias_is_named_as_one() {
    let found = differences("CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id INT PRIMARY KEY)");
    let message = "primary key of `t` is (id) instead of (id, the rowid)";
    assert_eq!(found, [(Severity::Missing, message.to_owned())]);
}

/// These stand in databases: a red line here is a format that must not change.
#[test]
fn a_key_says_what_was_found_and_never_changes() {
    let expected = "CREATE TABLE p(id INTEGER PRIMARY KEY);
        CREATE TABLE t(a TEXT NOT NULL DEFAULT 'us', b INTEGER, c, PRIMARY KEY (a)); CREATE INDEX i ON t(a, b);
        CREATE TABLE gone(x); CREATE VIEW v AS SELECT 1; CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END";
    let found = "CREATE TABLE p(id INT PRIMARY KEY);
        CREATE TABLE T(A TEXT DEFAULT 'DE' COLLATE NOCASE, b TEXT UNIQUE REFERENCES p(id) CHECK (B > 'X'), \"my.d\" AS (b),
                       PRIMARY KEY (a COLLATE NOCASE)) WITHOUT ROWID;
        CREATE INDEX i ON t(a); CREATE TABLE mine(a); CREATE INDEX mine_a ON mine(a);
        CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 'Two'; END";
    assert_eq!(
        keys(expected, found),
        [
            "table gone missing",
            "table p primary key (id)",
            "column t.b affinity text",
            "column t.c missing",
            "table t primary key (a COLLATE NOCASE)",
            "view v missing",
            "trigger g is create trigger g after insert on t begin select 'Two' ; end",
            "table t check b > 'X'",
            "table t foreign key (b) -> p(id) on delete no action on update no action",
            "table t option without rowid",
            "table t unique constraint b",
            "column t.a collate NOCASE",
            "column t.a default 'DE'",
            "index i is t(a COLLATE NOCASE)",
            "table mine extra",
            "index mine_a extra",
            "column t.\"my.d\" extra",
        ]
    );
    assert_eq!(
        keys("CREATE TABLE t(a NOT NULL DEFAULT 1 UNIQUE, b AS (a))", "CREATE TABLE t(a, b)"),
        [
            "table t without unique constraint a",
            "column t.a without default",
            "column t.a without not null",
            "column t.b without generated",
        ]
    );
    let stored = keys("CREATE TABLE t(a, b AS (a) NOT NULL)", "CREATE TABLE t(a NOT NULL, b AS (a) STORED NOT NULL)");
    assert_eq!(stored, ["column t.a not null", "column t.b generated (a) stored"]);
}

#[test]
fn a_difference_tells_what_kind_of_object_it_is_about() {
    let more = "CREATE TABLE t(a, b); CREATE TABLE u(a); CREATE INDEX i ON u(a); CREATE VIEW v AS SELECT 1;
                CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END";
    let mut subjects: Vec<_> = compared("CREATE TABLE t(a)", more).into_iter().map(|extra| extra.subject).collect();
    subjects.sort();
    assert_eq!(subjects, [Subject::Table, Subject::Column, Subject::Index, Subject::Trigger, Subject::View]);
    let missing = Difference::missing("t", "the table is not there");
    assert_eq!((missing.severity, missing.to_string()), (Severity::Missing, missing.key.clone()));
}

#[test]
fn a_virtual_table_of_an_unknown_module_is_listed() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t(a); CREATE VIEW v AS SELECT * FROM search; PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES ('table', 'search', 'search', 0, 'CREATE VIRTUAL TABLE search USING nosuch(title)');
             PRAGMA writable_schema = RESET",
        )
        .unwrap();
    assert!(connection.prepare("SELECT * FROM search").is_err());
    let catalog = Catalog::read(&connection).unwrap();
    let kinds: Vec<_> = catalog.tables.iter().map(|(name, table)| (name.as_str(), table.is_virtual)).collect();
    assert_eq!(kinds, [("search", true), ("t", false)]);
    assert!(catalog.tables["search"].columns.is_empty());
    assert!(catalog.views.contains_key("v"));
}

#[test]
fn a_reader_that_has_read_before_reads_the_same() {
    let connection = Connection::open_in_memory().unwrap();
    let mut reader = Reader::default();
    for change in [
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT COLLATE NOCASE UNIQUE); CREATE TABLE b(a REFERENCES a(id), y);
         CREATE INDEX i ON a(x); CREATE VIEW v AS SELECT x FROM a;
         CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
        "ALTER TABLE a ADD COLUMN z NOT NULL DEFAULT 1",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON a(x DESC, z) WHERE z > 1",
        "ALTER TABLE a RENAME TO c",
        "ALTER TABLE c RENAME COLUMN x TO w",
        "DROP INDEX i; CREATE INDEX i ON b(y)",
        "DROP VIEW v; DROP TRIGGER t; CREATE TRIGGER v AFTER DELETE ON b BEGIN SELECT 2; END;",
        "CREATE TABLE new(a REFERENCES c(id), y) STRICT",
        "DROP TABLE b; CREATE TABLE b(a INTEGER PRIMARY KEY, y CHECK (y > 1)) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE f USING fts5(x); DROP TABLE c",
    ] {
        let _ = connection.execute_batch(change);
        assert_eq!(reader.read(&connection).unwrap(), Catalog::read(&connection).unwrap(), "{change}");
    }
}

#[test]
fn fingerprints_one_after_another_are_those_of_each() {
    let connection = Connection::open_in_memory().unwrap();
    let (mut reader, mut fingerprinter) = (Reader::default(), bootproof_catalog::Fingerprinter::default());
    let mut run = |sql: &str| {
        connection.execute_batch(sql).unwrap();
        let catalog = reader.read(&connection).unwrap();
        assert_eq!(catalog, Catalog::read(&connection).unwrap(), "{sql}");
        assert_eq!(fingerprinter.of(&catalog), Fingerprint::of(&catalog), "{sql}");
    };
    for table in 0..60 {
        run(&format!("CREATE TABLE t{table}(id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x') STRICT"));
    }
    for sql in [
        "ALTER TABLE t30 ADD COLUMN b REAL",
        "BEGIN; CREATE INDEX i ON t5(a); DROP TABLE t7; ALTER TABLE t30 DROP COLUMN b",
        "ROLLBACK",
        "SELECT 1",
        "DROP TABLE t0",
    ] {
        run(sql);
    }
    // A table becomes a part of a virtual one, and is one of its own again.
    run(
        "CREATE TABLE t99(a TEXT PRIMARY KEY) WITHOUT ROWID, STRICT; CREATE TABLE t99_data(x); CREATE VIEW v AS SELECT 1",
    );
    run("ALTER TABLE t99_data RENAME TO search_data; CREATE TRIGGER g AFTER INSERT ON t1 BEGIN SELECT 1; END");
    run("DROP TABLE search_data; CREATE VIRTUAL TABLE search USING fts5(a); ALTER TABLE t1 RENAME TO t1_data");
    run("DROP TABLE search; CREATE TABLE search_data(y)");
}
