use crate::support::Sandbox;

/// Edits the history, boots, and asserts that the refusal left the file alone.
fn refused(sql: &str, kind: &str) -> String {
    let sandbox = Sandbox::current();
    sandbox.execute(sql);
    let before = sandbox.bytes();
    let message = sandbox.boot().refused(4, kind);
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
    message
}

#[test]
fn an_edited_migration() {
    let message = refused("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", "divergent");
    assert!(message.contains("001_add_composite_indexes"), "{message}");
    let message = refused("UPDATE refinery_schema_history SET name = 'other' WHERE version = 1", "divergent");
    assert!(message.contains("`other`"), "{message}");
}

#[test]
fn a_newer_database() {
    let message =
        refused("INSERT INTO refinery_schema_history VALUES (4, 'later', '2026-01-01T00:00:00Z', '7')", "newer");
    assert!(message.contains("version 4") && message.contains("up to 3"), "{message}");
}

#[test]
fn a_migration_that_this_binary_does_not_have_or_that_was_never_applied() {
    let message = refused("DELETE FROM refinery_schema_history WHERE version = 1", "missing");
    assert!(message.contains("001_add_composite_indexes was never applied"), "{message}");
    let message =
        refused("INSERT INTO refinery_schema_history VALUES (-5, 'ancient', '2026-01-01T00:00:00Z', '7')", "missing");
    assert!(message.contains("-5 ancient"), "{message}");
}

#[test]
fn garbage() {
    for (sql, problem) in [
        ("UPDATE refinery_schema_history SET version = 'two' WHERE version = 2", "version"),
        ("UPDATE refinery_schema_history SET version = NULL WHERE version = 2", "version"),
        ("UPDATE refinery_schema_history SET version = 2.5 WHERE version = 2", "version"),
        ("UPDATE refinery_schema_history SET name = NULL WHERE version = 2", "name"),
        ("UPDATE refinery_schema_history SET name = x'ff' WHERE version = 2", "name"),
        ("UPDATE refinery_schema_history SET applied_on = 'yesterday' WHERE version = 2", "applied_on"),
        ("UPDATE refinery_schema_history SET applied_on = CAST(x'ff' AS TEXT) WHERE version = 2", "applied_on"),
        ("UPDATE refinery_schema_history SET checksum = '-1' WHERE version = 2", "checksum"),
        ("UPDATE refinery_schema_history SET checksum = x'00' WHERE version = 2", "checksum"),
        ("DROP TABLE refinery_schema_history; CREATE TABLE refinery_schema_history(version, name)", "applied_on"),
        ("DROP TABLE refinery_schema_history; CREATE VIEW refinery_schema_history AS SELECT 1 AS version", "view"),
        (
            "CREATE TABLE h AS SELECT * FROM refinery_schema_history; DROP TABLE refinery_schema_history;
             ALTER TABLE h RENAME TO refinery_schema_history;
             INSERT INTO refinery_schema_history SELECT * FROM refinery_schema_history WHERE version = 2",
            "twice",
        ),
    ] {
        let message = refused(sql, "malformed_history");
        assert!(message.contains(problem), "{sql}: {message}");
    }
}

#[test]
fn something_else_in_the_place_of_the_audit_table() {
    for (sql, problem) in [
        ("DROP TABLE bootproof_audit; CREATE TABLE bootproof_audit(x)", "no such column"),
        ("DROP TABLE bootproof_audit; CREATE VIEW bootproof_audit AS SELECT 1 AS id", "view"),
        (
            "CREATE TRIGGER thief AFTER INSERT ON Bootproof_Audit BEGIN DELETE FROM worklogs; END",
            "the trigger `thief` is on it",
        ),
    ] {
        let message = refused(sql, "malformed_history");
        assert!(message.contains("bootproof_audit") && message.contains(problem), "{sql}: {message}");
    }
}

/// The repair is undone with it.
#[test]
fn an_audit_table_that_takes_no_row() {
    let sql = "DROP INDEX idx_worklogs_company_day;
               ALTER TABLE bootproof_audit ADD COLUMN more CHECK(event <> 'repair')";
    let message = refused(sql, "malformed_history");
    assert!(message.contains("it takes no row: CHECK constraint failed"), "{message}");
}

/// A migration that changes rows would run a second time.
#[test]
fn one_that_was_emptied_although_boots_are_on_record() {
    for sql in ["DELETE FROM refinery_schema_history", "DROP TABLE refinery_schema_history"] {
        let sandbox = Sandbox::current();
        sandbox.execute(sql);
        let before = sandbox.bytes();
        let message = sandbox.boot().refused(4, "malformed_history");
        assert!(message.contains("version 2 was reached"), "{message}");
        assert_eq!(sandbox.bytes(), before);
    }
}
