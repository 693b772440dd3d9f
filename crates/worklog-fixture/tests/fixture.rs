//! What a fixture promises, checked on real files.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, Error, Params};
use tempfile::TempDir;
use worklog_fixture::{Fixture, Generation, REVISION};

const HAND_MADE: [&str; 4] = [
    "idx_billing_rates_lookup",
    "idx_factorial_leaves_company_status",
    "idx_worklogs_instance_range",
    "idx_worklogs_user_range",
];

/// A fixture in a directory of its own; the directory goes with the value.
struct Made {
    directory: TempDir,
    connection: Connection,
}

fn path_in(directory: &TempDir) -> PathBuf {
    directory.path().join("worklog.db")
}

fn make(fixture: &Fixture) -> Made {
    let directory = tempfile::tempdir().unwrap();
    fixture.create(&path_in(&directory)).unwrap();
    let connection = Connection::open(path_in(&directory)).unwrap();
    Made { directory, connection }
}

fn number(connection: &Connection, sql: &str, parameters: impl Params) -> i64 {
    connection.query_one(sql, parameters, |row| row.get(0)).unwrap()
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn tables(connection: &Connection) -> Vec<String> {
    texts(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
}

fn named_indexes(connection: &Connection) -> Vec<String> {
    texts(connection, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
}

fn violations(connection: &Connection) -> usize {
    texts(connection, "SELECT \"table\" FROM pragma_foreign_key_check").len()
}

/// Columns, keys and indexes of every table, as SQLite reports them: structure without text.
fn structure(connection: &Connection) -> BTreeMap<String, Vec<Vec<Value>>> {
    let describe = |sql: &str, table: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([table], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.map(Result::unwrap).collect::<Vec<Vec<Value>>>()
    };
    let describe_table = |table: &String| {
        let mut facts =
            describe("SELECT cid, name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?1)", table);
        facts.extend(describe(
            "SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list(?1) ORDER BY 1",
            table,
        ));
        facts.extend(describe(
            "SELECT CASE origin WHEN 'c' THEN list.name END, \"unique\", group_concat(coalesce(info.name, '?'))
             FROM pragma_index_list(?1) AS list JOIN pragma_index_info(list.name) AS info
             GROUP BY list.name ORDER BY 1, 3",
            table,
        ));
        facts
    };
    tables(connection).iter().map(|table| (table.clone(), describe_table(table))).collect()
}

#[test]
fn has_the_structure_of_the_baseline_in_another_text() {
    let fixture = make(&Fixture::new(0)).connection;
    let baseline = Connection::open_in_memory().unwrap();
    baseline.execute_batch(include_str!("../../../migrations/000_baseline.sql")).unwrap();
    assert_eq!(tables(&fixture).len(), 32);
    assert_eq!(named_indexes(&fixture).len(), 42);
    assert_eq!(named_indexes(&fixture), named_indexes(&baseline));
    assert_eq!(structure(&fixture), structure(&baseline));
    let text = "SELECT sql FROM sqlite_schema WHERE name = 'worklogs'";
    assert_ne!(texts(&fixture, text), texts(&baseline, text));
}

#[test]
fn has_as_many_worklogs_as_asked_and_rows_in_every_table() {
    let database = make(&Fixture::new(250)).connection;
    assert_eq!(number(&database, "SELECT count(*) FROM worklogs", []), 250);
    assert_eq!(number(&database, "SELECT count(*) FROM users", []), 200);
    assert_eq!(number(&database, "SELECT count(*) FROM logs", []), 1_000);
    for table in tables(&database) {
        assert!(number(&database, &format!("SELECT count(*) FROM {table}"), []) > 0, "`{table}` is empty");
    }
}

#[test]
fn is_empty_when_no_worklogs_are_asked_for() {
    let database = make(&Fixture::new(0).run_time_additions(true)).connection;
    for table in tables(&database) {
        assert_eq!(number(&database, &format!("SELECT count(*) FROM {table}"), []), 0, "`{table}` has rows");
    }
}

#[test]
fn looks_like_production() {
    let database = make(&Fixture::new(20_000)).connection;
    let share =
        |condition: &str| number(&database, &format!("SELECT sum({condition}) * 100 FROM worklogs"), []) / 20_000;
    assert!((58..=62).contains(&share("company_id = 1")), "the largest company");
    assert!((14..=19).contains(&share("strftime('%w', started) IN ('0', '6')")), "weekends");
    assert!((1..=10).contains(&share("author_email <> lower(author_email)")), "mixed-case addresses");
    assert_eq!(share("date(started) IS NULL"), 0, "every day is a day");
    assert!((350..=500).contains(&number(&database, "SELECT CAST(avg(length(data)) AS INTEGER) FROM worklogs", [])));
    assert_eq!(texts(&database, "SELECT max(date(started)) FROM worklogs"), ["2025-12-31"]);
    assert_eq!(texts(&database, "SELECT json_valid(data) || '' FROM worklogs GROUP BY 1"), ["1"]);
}

#[test]
fn worklogs_come_instance_by_instance() {
    let database = make(&Fixture::new(20_000)).connection;
    let change = "SELECT jira_instance <> lag(jira_instance) OVER (ORDER BY rowid) AS is_change FROM worklogs";
    let changes = number(&database, &format!("SELECT sum(is_change) FROM ({change})"), []);
    // A night has 26 of them; were they mixed, four of five would be of another instance than the one before.
    assert!(changes < 10_000, "{changes} changes");
}

#[test]
fn is_the_same_file_for_the_same_arguments() {
    let bytes = |fixture: &Fixture| fs::read(path_in(&make(fixture).directory)).unwrap();
    let fixture = Fixture::new(300).orphans(2).run_time_additions(true);
    assert!(bytes(&fixture) == bytes(&fixture));
    assert!(bytes(&fixture) != bytes(&fixture.clone().seed(2)));
}

#[test]
fn has_no_violations_unless_orphans_are_asked_for() {
    for generation in [Generation::Production, Generation::BeforeCompanies] {
        let fixture = Fixture::new(100).generation(generation).run_time_additions(true);
        assert_eq!(violations(&make(&fixture).connection), 0);
        assert_eq!(violations(&make(&fixture.orphans(7)).connection), 7);
    }
}

#[test]
fn leaves_a_consistent_file_in_the_journal_mode_asked_for() {
    for (wal, mode) in [(false, "delete"), (true, "wal")] {
        let made = make(&Fixture::new(100).wal(wal));
        assert_eq!(texts(&made.connection, "PRAGMA journal_mode"), [mode]);
        assert_eq!(texts(&made.connection, "PRAGMA integrity_check"), ["ok"]);
        assert_eq!(number(&made.connection, "PRAGMA page_size", []), 4096);
        assert_eq!(number(&made.connection, "PRAGMA user_version", []), 0);
        made.connection.close().unwrap();
        assert_eq!(fs::read_dir(made.directory.path()).unwrap().count(), 1, "a journal stayed behind");
    }
}

#[test]
fn knows_the_generation_before_companies() {
    let fixture = Fixture::new(100).generation(Generation::BeforeCompanies).hand_made_indexes(true);
    let database = make(&fixture).connection;
    assert_eq!(tables(&database).len(), 27);
    let columns = "SELECT count(*) FROM sqlite_schema, pragma_table_info(sqlite_schema.name) AS column
                   WHERE sqlite_schema.type = 'table' AND column.name = 'company_id'";
    assert_eq!(number(&database, columns, []), 0);
    let indexes = named_indexes(&database);
    assert!(indexes.iter().any(|name| name == "idx_billing_rates_lookup"));
    assert!(!indexes.iter().any(|name| name == "idx_worklogs_user_range"));
}

#[test]
fn makes_the_hand_made_indexes_with_other_columns() {
    let database = make(&Fixture::new(0).hand_made_indexes(true)).connection;
    assert_eq!(named_indexes(&database).len(), 42 + HAND_MADE.len());
    for name in HAND_MADE {
        let text = texts(&database, &format!("SELECT sql FROM sqlite_schema WHERE name = '{name}'"));
        assert_eq!(text.len(), 1, "{name}");
        assert!(!text.concat().contains("date("), "{name}");
    }
}

#[test]
fn adds_what_the_application_adds_at_run_time() {
    let database = make(&Fixture::new(100).run_time_additions(true)).connection;
    assert_eq!(tables(&database).len(), 34);
    assert_eq!(number(&database, "SELECT count(issue_type) FROM worklogs", []), 2);
    assert_eq!(number(&database, "SELECT count(owner_id) FROM teams", []), 20);
    assert_eq!(number(&database, "SELECT count(*) FROM generic_issues", []), 3);
}

#[test]
fn refuses_to_overwrite_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    Fixture::new(0).create(&path).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Fixture::new(10).create(&path), Err(Error::InvalidPath(refused)) if refused == path));
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// FNV-1a of the worklogs, in the order of the table.
fn digest(made: &Made) -> u64 {
    let rows = "SELECT concat_ws('|', id, jira_instance, started, author_email, created_at, data) FROM worklogs ORDER BY rowid";
    texts(&made.connection, rows)
        .concat()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where this fails because the rows are meant to be others: raise the revision, and take the new digest.
#[test]
fn a_revision_is_of_the_same_rows() {
    assert_eq!((REVISION, digest(&make(&Fixture::new(2_000)))), (2, 346_629_163_692_968_221));
}
