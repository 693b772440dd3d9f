use rusqlite::Connection;

use crate::support::{NEW_INDEXES, Sandbox, applied, assert_all_plans_hold, integrity_check, outcome, query};

#[test]
fn a_missing_file_becomes_a_database_at_head() {
    let sandbox = Sandbox::empty();
    let report = sandbox.boot().ready();
    assert_eq!(report["created"], true);
    assert_eq!(report["adopted"], false);
    assert_eq!(report["from_version"], serde_json::Value::Null);
    assert_eq!(report["to_version"], worklog_schema::HEAD);
    assert_eq!(applied(&report), [0, 1, 2, 3]);
    assert_eq!(report["backup"], serde_json::Value::Null);
    assert_all_plans_hold(&report);
    assert_eq!(outcome(&report, "integrity"), "passed");
    assert_eq!(sandbox.files(), ["worklog.db"]);
    assert_eq!(integrity_check(&sandbox.database), ["ok"]);
}

#[test]
fn its_structure_is_the_reference_and_the_indexes_of_both_phases() {
    let sandbox = Sandbox::empty();
    sandbox.boot().ready();
    let connection = sandbox.open();
    let named = |kind: &str| {
        query(
            &connection,
            &format!(
                "SELECT name FROM sqlite_schema WHERE type = '{kind}' AND name NOT LIKE 'sqlite_%'
                 AND name NOT IN ('refinery_schema_history', 'bootproof_audit') ORDER BY name"
            ),
        )
    };
    assert_eq!(named("table").len(), 32);
    let indexes = named("index");
    assert_eq!(indexes.len(), 42 + NEW_INDEXES.len() + 5);
    for index in NEW_INDEXES {
        assert!(indexes.iter().any(|name| name == index), "{index}");
    }
    let history = query(&connection, "SELECT version || ' ' || name FROM refinery_schema_history ORDER BY version");
    assert_eq!(
        history,
        ["0 baseline", "1 add_composite_indexes", "2 add_company_day_index", "3 multi_tenant_constraints"]
    );
}

#[test]
fn a_second_boot_changes_no_byte() {
    let sandbox = Sandbox::empty();
    sandbox.boot().ready();
    let before = sandbox.bytes();
    let report = sandbox.boot().ready();
    assert_eq!(applied(&report), [0_i64; 0]);
    assert_eq!(report["from_version"], worklog_schema::HEAD);
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn an_empty_file_is_a_new_database() {
    let sandbox = Sandbox::empty();
    std::fs::write(&sandbox.database, "").unwrap();
    let report = sandbox.boot().ready();
    assert_eq!(report["created"], true);
    assert_eq!(applied(&report), [0, 1, 2, 3]);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn the_image_and_the_migrations_make_the_same_database() {
    let (stamped, replayed) = (Sandbox::empty(), Sandbox::empty());
    std::fs::write(&replayed.database, "").unwrap();
    stamped.boot().ready();
    replayed.boot().ready();
    let schema = |sandbox: &Sandbox| {
        query(
            &sandbox.open(),
            "SELECT type || name || tbl_name || coalesce(sql, '') FROM sqlite_schema
             WHERE name <> 'refinery_schema_history' ORDER BY 1",
        )
    };
    let history = |sandbox: &Sandbox| {
        query(&sandbox.open(), "SELECT version || name || checksum FROM refinery_schema_history ORDER BY 1")
    };
    assert_eq!(schema(&stamped), schema(&replayed));
    assert_eq!(history(&stamped), history(&replayed));
}

#[test]
fn a_log_without_its_database_may_hold_somebodys_rows() {
    let moved = Sandbox::empty();
    let connection = Connection::open(&moved.database).unwrap();
    connection.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
    let sandbox = Sandbox::empty();
    let log = sandbox.path().join("worklog.db-wal");
    std::fs::copy(moved.path().join("worklog.db-wal"), &log).unwrap();
    let message = sandbox.boot().refused(8, "storage");
    assert!(message.contains("worklog.db-wal"), "{message}");
    assert_eq!(sandbox.files(), ["worklog.db-wal"]);
    std::fs::write(&log, "").unwrap();
    sandbox.boot().ready();
}

#[test]
fn somebodys_file_with_a_name_like_that_of_a_new_one_stays() {
    let sandbox = Sandbox::empty();
    let theirs = sandbox.path().join("worklog.db.new-from-production");
    std::fs::write(&theirs, "precious").unwrap();
    sandbox.boot().ready();
    assert_eq!(std::fs::read(theirs).unwrap(), b"precious");
}

#[test]
fn tests_get_a_database_in_memory() {
    let connection = worklog_schema::fresh().unwrap();
    let companies: i64 = connection.query_row("SELECT count(*) FROM companies", [], |row| row.get(0)).unwrap();
    assert_eq!(companies, 0);
    connection.execute("INSERT INTO companies(name) VALUES ('Acme')", []).unwrap();
    let versions = query(&connection, "SELECT CAST(version AS TEXT) FROM refinery_schema_history");
    assert_eq!(versions.len(), 4);
}
