use bootproof::compiled::{Migration, Object, ObjectKind, Statement};
use bootproof::{Boot, Error, Schema};
use rusqlite::params;
use worklog_schema::COMPILED;

use crate::support::{Sandbox, query, schema_of, schema_with, strings};

const INDEX: &str = "CREATE INDEX idx_worklogs_issue ON worklogs (issue_key);";

/// The program of tomorrow: one more migration.
fn tomorrow(compatible: bool) -> Schema {
    const STATEMENTS: &[Statement] = &[Statement { start: 0, end: INDEX.len(), line: 1 }];
    const CREATES: &[Object] = &[Object { kind: ObjectKind::Index, name: "idx_worklogs_issue" }];
    schema_with(Migration {
        version: 4,
        name: "add_issue_index",
        file: "004_add_issue_index.sql",
        sql: INDEX,
        checksum: bootproof_catalog::source::checksum(4, "add_issue_index", INDEX),
        statements: STATEMENTS,
        creates: CREATES,
        writes: &[],
        fingerprint: 0,
        revert: None,
        maintenance: None,
        compatible,
        step: None,
        no_transaction: None,
    })
}

/// The program of yesterday, to which a migration was added that only adds an index.
fn yesterday() -> Schema {
    schema_of(&COMPILED.migrations[..2])
}

#[test]
fn an_older_program_starts_where_every_newer_migration_is_compatible() {
    let sandbox = Sandbox::at_head();
    assert_eq!(Boot::new(&tomorrow(true), &sandbox.database).backup(false).run().unwrap().to_version, Some(4));
    let before = sandbox.bytes();
    for command in ["boot", "verify"] {
        let report = sandbox.run([command]).ready();
        assert_eq!((report["from_version"].as_i64(), report["to_version"].as_i64()), (Some(4), Some(4)));
        assert_eq!(report["ahead"][0]["name"], "add_issue_index");
        let notes = strings(&report["notes"]);
        assert!(notes.iter().any(|note| note.contains("idx_worklogs_issue")), "{notes:?}");
    }
    let status = sandbox.run(["status"]).json;
    assert_eq!((status["version"].as_i64(), status["head"].as_i64()), (Some(4), Some(3)));
    assert_eq!(status["ahead"][0]["version"], 4);
    let plan = sandbox.run(["plan"]).json;
    assert_eq!((plan["action"].as_str(), plan["to_version"].as_i64()), (Some("nothing"), Some(4)));
    assert_eq!(sandbox.run(["health"]).json["error"], serde_json::Value::Null);
    assert_eq!(sandbox.bytes(), before, "it is not the older program's to change anything");

    let text = Boot::new(&worklog_schema::SCHEMA, &sandbox.database).run().unwrap().to_string();
    assert!(text.contains("ahead      004 add_issue_index: of a newer binary, compatible with this one"), "{text}");
}

#[test]
fn an_index_that_refuses_no_row_is_compatible_without_being_marked() {
    assert!(COMPILED.migrations[2].compatible, "002 only adds an index");
    assert!(!COMPILED.migrations[0].compatible && !COMPILED.migrations[3].compatible);
    let (yesterday, today) = (yesterday(), schema_of(&COMPILED.migrations[..3]));
    for sandbox in [Sandbox::empty(), Sandbox::unmanaged()] {
        Boot::new(&today, &sandbox.database).run().unwrap();
        let report = Boot::new(&yesterday, &sandbox.database).run().unwrap();
        assert_eq!((report.to_version, report.ahead[0].version), (Some(2), 2));
    }
}

#[test]
fn it_refuses_what_was_not_marked() {
    let sandbox = Sandbox::at_head();
    Boot::new(&tomorrow(false), &sandbox.database).backup(false).run().unwrap();
    let message = sandbox.boot().refused(4, "newer");
    assert!(message.contains("`004_add_issue_index` was not marked as compatible"), "{message}");
}

#[test]
fn the_mark_is_of_the_migration_that_was_applied_last() {
    let sandbox = Sandbox::at_head();
    Boot::new(&tomorrow(true), &sandbox.database).backup(false).run().unwrap();
    sandbox.boot().ready();
    sandbox.execute("DROP INDEX idx_worklogs_issue; DELETE FROM refinery_schema_history WHERE version = 4");
    Boot::new(&tomorrow(false), &sandbox.database).backup(false).run().unwrap();
    sandbox.boot().refused(4, "newer");
}

#[test]
fn it_does_not_go_back_over_what_it_does_not_know() {
    let sandbox = Sandbox::at_head();
    Boot::new(&tomorrow(true), &sandbox.database).backup(false).run().unwrap();
    let before = sandbox.bytes();
    let failure = worklog_schema::boot(&sandbox.database).revert(1).unwrap_err();
    assert!(matches!(failure.error, Error::NoSuchVersion { .. }), "{failure}");
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn it_repairs_its_own_index_and_leaves_the_newer_ones() {
    let sandbox = Sandbox::at_head();
    Boot::new(&tomorrow(true), &sandbox.database).backup(false).run().unwrap();
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    let report = sandbox.boot().ready();
    assert_eq!(
        (strings(&report["repaired"]), report["to_version"].as_i64()),
        (vec!["idx_worklogs_user_range".into()], Some(4))
    );
    let report = Boot::new(&tomorrow(true), &sandbox.database).run().unwrap();
    assert_eq!((report.to_version, report.applied.len(), report.repaired.len()), (Some(4), 0, 0));
}

#[test]
fn a_program_that_is_running_goes_on_while_the_newer_one_migrates() {
    let sandbox = Sandbox::at_head();
    sandbox.execute("PRAGMA journal_mode = WAL");
    let older = sandbox.open();
    let mut insert = older
        .prepare(
            "INSERT INTO worklogs (id, company_id, issue_key, author_email, jira_instance, time_spent_seconds, started, data)
             VALUES (?1, 1, 'A-1', 'a@example.com', 'main', 60, '2025-01-02T09:00:00Z', '{}')",
        )
        .unwrap();
    let mut count = older.prepare("SELECT count(*) FROM worklogs WHERE id LIKE 'rolling-%'").unwrap();
    insert.execute(params!["rolling-1"]).unwrap();
    assert_eq!(Boot::new(&tomorrow(true), &sandbox.database).run().unwrap().to_version, Some(4));
    insert.execute(params!["rolling-2"]).unwrap();
    assert_eq!(count.query_row([], |row| row.get::<_, i64>(0)).unwrap(), 2);
    let plan = query(
        &sandbox.open(),
        "SELECT id FROM worklogs INDEXED BY idx_worklogs_issue WHERE issue_key = 'A-1' ORDER BY 1",
    );
    assert_eq!(plan, ["rolling-1", "rolling-2"], "what the older program writes is in the newer one's index");
}
