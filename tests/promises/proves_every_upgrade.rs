use bootproof::compiled::{Migration, Revert, Statement};
use bootproof::testing::{self, Sample, UpgradeError};
use bootproof::{Options, Schema};
use worklog_schema::SCHEMA;

use crate::support::{query, schema_with};

bootproof::test_every_upgrade!(SCHEMA);

const SAMPLES: &[Sample] = bootproof::samples!();

/// A script of one statement.
fn whole(sql: &str) -> &'static [Statement] {
    vec![Statement { start: 0, end: sql.len(), line: 1 }].leak()
}

/// The worklog schema with a migration that does not do what was compiled of it, or whose way back does not.
fn schema(sql: &'static str, revert: Option<Revert>) -> Schema {
    let head = worklog_schema::COMPILED.migrations.last().unwrap();
    schema_with(Migration {
        version: 900,
        name: "broken",
        file: "900_broken.sql",
        sql,
        checksum: bootproof_catalog::source::checksum(900, "broken", sql),
        statements: whole(sql),
        creates: &[],
        writes: &[],
        revert,
        maintenance: Some("a test need not wait for anybody"),
        ..*head
    })
}

fn message(schema: &Schema) -> String {
    testing::every_upgrade(schema, SAMPLES).unwrap_err().to_string()
}

#[test]
fn a_migration_that_loses_rows_is_named_with_the_oldest_version() {
    const SQL: &str = "DELETE FROM billing_rates";
    let message = message(&schema(SQL, None));
    assert!(message.starts_with("upgrading a database of version 0 with rows in its tables: "), "{message}");
    assert!(message.contains("`billing_rates`"), "{message}");
}

#[test]
fn a_migration_that_fails_on_rows_is_named_with_the_oldest_version() {
    const SQL: &str = "ALTER TABLE teams ADD COLUMN floor INTEGER CHECK (floor IS NOT NULL)";
    let message = message(&schema(SQL, None));
    assert!(message.starts_with("upgrading a database of version 0"), "{message}");
    assert!(message.contains("900_broken"), "{message}");
}

#[test]
fn a_value_that_changes_where_nothing_is_written_is_shown() {
    const SQL: &str = "UPDATE companies SET name = name || '!'";
    let schema = schema(SQL, None);
    let error = testing::every_upgrade(&schema, SAMPLES).unwrap_err();
    let UpgradeError::Rows { from: 0, doing: "upgrading", table, before, after } = &error else { panic!("{error}") };
    assert_eq!(table, "companies");
    assert!(after.contains('!') && !before.contains('!'), "{error}");
}

#[test]
fn a_way_back_that_changes_rows_is_shown() {
    const SQL: &str = "SELECT 1";
    const BACK: &str = "UPDATE companies SET name = name || '?'";
    let revert = Revert { sql: BACK, file: Some("900_broken.down.sql"), statements: whole(BACK), writes: &[] };
    let message = message(&schema(SQL, Some(revert)));
    // 003 has no way back, so that nothing below it is gone back to.
    assert!(message.starts_with("reverting a database of version 3: rows of `companies` changed"), "{message}");
}

#[test]
fn rows_that_do_not_fit_are_named_with_their_version() {
    let samples = [Sample { version: 1, sql: "INSERT INTO nowhere VALUES (1)" }];
    let error = testing::every_upgrade(&SCHEMA, &samples).unwrap_err();
    assert!(matches!(error, UpgradeError::Sample { version: 1, .. }), "{error}");
}

#[test]
fn a_database_in_memory_is_at_the_version_that_was_asked_for() {
    let index = "SELECT name FROM sqlite_schema WHERE name = 'idx_worklogs_company_day'";
    let mut connection = testing::at(&SCHEMA, 1).unwrap();
    assert_eq!(query(&connection, index), [""; 0]);
    let report = worklog_schema::migrate(&mut connection, &Options::default()).unwrap();
    assert_eq!(report.from_version, Some(1));
    assert_eq!(query(&connection, index), ["idx_worklogs_company_day"]);

    assert_eq!(testing::at(&SCHEMA, 77).unwrap_err().exit_code(), 2);
}

#[test]
fn a_database_in_a_file_is_at_the_version_that_was_asked_for_and_goes_with_the_test() {
    let database = testing::file_at(&SCHEMA, 0).unwrap();
    let report = worklog_schema::migrate_on_boot(database.path()).unwrap();
    assert_eq!((report.from_version, report.to_version), (Some(0), Some(crate::support::PHASE_1)));
    assert!(!query(&database.connect().unwrap(), "SELECT name FROM sqlite_schema").is_empty());
    let directory = database.path().parent().unwrap().to_owned();
    drop(database);
    assert!(!directory.exists());

    let newest = testing::file(&SCHEMA).unwrap();
    let report = worklog_schema::migrate_on_boot(newest.path()).unwrap();
    assert!(report.applied.is_empty(), "{report}");
    assert_eq!(testing::file_at(&SCHEMA, 77).unwrap_err().exit_code(), 2);
}

#[test]
fn a_filled_one_has_rows_in_every_table() {
    for version in 0..=worklog_schema::HEAD {
        let connection = testing::filled(&SCHEMA, SAMPLES, version).unwrap();
        for table in query(&connection, "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'") {
            let count: i64 =
                connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
            assert!(count > 0 || table.starts_with("sqlite_"), "{table} at {version}");
        }
    }
    assert!(testing::filled(&SCHEMA, SAMPLES, 77).is_err());
}
