use bootproof::compiled::{Migration, Statement};
use bootproof::{Boot, Schema};

use crate::support::{NEW_INDEXES, Sandbox, applied, query, schema_of};

#[test]
fn a_boot_goes_no_further_than_it_is_told() {
    let sandbox = Sandbox::unmanaged();
    let report = sandbox.run(["boot", "--to", "1"]).ready();
    assert_eq!((applied(&report), report["to_version"].as_i64()), (vec![1], Some(1)));
    assert_eq!(report["held"][0]["version"], 2);
    assert!(report["held"][0]["why"].as_str().unwrap().contains("beyond the target"), "{report}");
    let names: Vec<&str> = report["queries"].as_array().unwrap().iter().map(|q| q["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"user_worklogs_range") && !names.contains(&"company_month"), "{names:?}");

    // Told so again, there is nothing to do; told nothing, it goes on.
    assert_eq!(applied(&sandbox.run(["boot", "--to", "1"]).ready()), [0; 0]);
    assert_eq!(applied(&sandbox.boot().ready()), [2]);
    // A boot never goes back.
    let report = sandbox.run(["boot", "--to", "0"]).ready();
    assert_eq!(report["to_version"], 2);
}

#[test]
fn the_environment_holds_it_without_a_rebuild() {
    let sandbox = Sandbox::unmanaged();
    let run = |target: &str, command: &str| {
        let output = sandbox.command().env("BOOTPROOF_TARGET", target).arg(command).output().unwrap();
        crate::support::Run::of(&output)
    };
    assert_eq!(run("0", "boot").ready()["to_version"], 0);
    assert_eq!(run("0", "verify").ready()["to_version"], 0);
    let status = run("0", "status").json;
    assert_eq!((status["version"].as_i64(), status["held"].as_array().unwrap().len()), (Some(0), 3));
    let plan = run("1", "plan").json;
    assert_eq!((plan["action"].as_str(), plan["to_version"].as_i64()), (Some("migrate"), Some(1)));
    run("-1", "boot").refused(2, "no_such_version");
    run("soon", "boot").refused(2, "environment");
}

#[test]
fn a_new_database_is_made_at_that_version() {
    let sandbox = Sandbox::empty();
    let report = sandbox.run(["boot", "--to", "0"]).ready();
    assert_eq!((report["created"].as_bool(), report["to_version"].as_i64()), (Some(true), Some(0)));
    let indexes = query(&sandbox.open(), "SELECT name FROM sqlite_schema WHERE type = 'index'");
    assert!(NEW_INDEXES.iter().all(|index| !indexes.contains(&(*index).to_owned())), "{indexes:?}");
    assert_eq!(applied(&sandbox.boot().ready()), [1, 2]);
}

#[test]
fn a_plan_without_a_file_is_held_as_the_boot_would_be() {
    let sandbox = Sandbox::empty();
    let plan = sandbox.run(["plan", "--to", "0"]).json;
    let versions =
        |list: &serde_json::Value| list.as_array().unwrap().iter().map(|m| m["version"].as_i64()).collect::<Vec<_>>();
    assert_eq!((plan["action"].as_str(), plan["to_version"].as_i64()), (Some("create"), Some(0)));
    assert_eq!((versions(&plan["pending"]), versions(&plan["held"])), (vec![Some(0)], vec![Some(1), Some(2), Some(3)]));
    assert_eq!(sandbox.run(["plan", "--to=-1"]).code, 2);
}

/// The worklog schema of phase 1 and one more migration, which waits for permission to delete every session.
fn gated() -> Schema {
    const SQL: &str = "DELETE FROM auth_sessions;";
    const STATEMENTS: &[Statement] = &[Statement { start: 0, end: SQL.len(), line: 1 }];
    let phase_1 = &worklog_schema::COMPILED.migrations[..3];
    let gated = Migration {
        version: 3,
        name: "end_sessions",
        file: "003_end_sessions.sql",
        sql: SQL,
        checksum: bootproof_catalog::source::checksum(3, "end_sessions", SQL),
        statements: STATEMENTS,
        creates: &[],
        writes: &["auth_sessions"],
        fingerprint: phase_1[2].fingerprint,
        revert: None,
        maintenance: Some("everybody has to sign in again"),
        compatible: false,
        step: None,
        no_transaction: None,
    };
    let migrations: Vec<Migration> = phase_1.iter().map(|known| Migration { ..*known }).chain([gated]).collect();
    schema_of(migrations.leak())
}

#[test]
fn a_migration_that_waits_for_permission_waits() {
    let (sandbox, schema) = (Sandbox::unmanaged(), gated());
    let boot = || Boot::new(&schema, &sandbox.database);
    let report = boot().run().unwrap();
    assert_eq!((report.to_version, report.applied.len()), (Some(2), 2));
    assert_eq!(report.held[0].why, "waits for permission: everybody has to sign in again");
    assert!(report.to_string().contains("held       003 end_sessions: waits for permission"), "{report}");
    // A restart asks again, and is ready; so are the checks.
    assert_eq!(boot().run().unwrap().to_version, Some(2));
    assert_eq!(boot().verify().unwrap().held.len(), 1);
    assert_eq!(boot().status().unwrap().held.len(), 1);
    assert_eq!(boot().plan().unwrap().held.len(), 1);
    let report = boot().maintenance(true).run().unwrap();
    assert_eq!((report.to_version, report.applied.len(), report.held.len()), (Some(3), 1, 0));
}

#[test]
fn where_there_are_no_rows_nobody_is_asked_for_permission() {
    let (sandbox, schema) = (Sandbox::empty(), gated());
    assert_eq!(Boot::new(&schema, &sandbox.database).run().unwrap().to_version, Some(3));
}
