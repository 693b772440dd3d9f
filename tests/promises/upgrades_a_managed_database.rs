use crate::support::{Sandbox, applied, assert_all_plans_hold, query, rows};

/// Takes a database at head back to version 1, as an older binary would have left it.
fn at_version_1() -> Sandbox {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_worklogs_company_day; DELETE FROM refinery_schema_history WHERE version = 2");
    sandbox
}

#[test]
fn a_file_at_version_1_goes_to_2_at_the_next_restart() {
    let sandbox = at_version_1();
    let before = rows(&sandbox.database);
    let report = sandbox.boot().ready();
    assert_eq!((report["from_version"].as_i64(), report["to_version"].as_i64()), (Some(1), Some(2)));
    assert_eq!(applied(&report), [2]);
    assert_eq!(report["adopted"], false);
    assert_eq!(report["backup"]["verified"], true);
    assert_all_plans_hold(&report);
    assert_eq!(rows(&sandbox.database), before);
    let audit = query(
        &sandbox.open(),
        "SELECT event || from_version || to_version FROM bootproof_audit ORDER BY id DESC LIMIT 1",
    );
    assert_eq!(audit, ["migrate12"]);
}

#[test]
fn the_benchmark_tells_before_and_after() {
    let sandbox = Sandbox::unmanaged();
    let report = sandbox.run(["boot", "--benchmark"]).ready();
    for query in report["queries"].as_array().unwrap() {
        for side in ["before", "after"] {
            assert!(query[side]["median_ms"].as_f64().unwrap() > 0.0, "{query}");
            assert!(query[side]["p95_ms"].as_f64() >= query[side]["median_ms"].as_f64(), "{query}");
            assert!(query[side]["vm_steps"].as_u64().unwrap() > 0, "{query}");
        }
        assert_eq!(query["before"]["rows_returned"], query["after"]["rows_returned"], "{query}");
    }
    let plain = at_version_1().boot().ready();
    assert!(plain["queries"].as_array().unwrap().iter().all(|query| query["after"].is_null()));
}

#[test]
fn the_newest_three_backups_are_kept_and_nobody_elses_touched() {
    let sandbox = Sandbox::unmanaged();
    let by_hand = ["worklog.db.backup-20010101_000000", "worklog.db.backup-20990101_000000", "worklog.db.backup-mine"];
    for name in by_hand {
        std::fs::write(sandbox.path().join(name), "mine").unwrap();
    }
    let mut made = Vec::new();
    for _ in 0..5 {
        let report = sandbox.boot().ready();
        made.push(std::path::PathBuf::from(report["backup"]["path"].as_str().unwrap()));
        sandbox.execute("DROP INDEX idx_worklogs_company_day; DELETE FROM refinery_schema_history WHERE version = 2");
    }
    let kept: Vec<bool> = made.iter().map(|backup| backup.exists()).collect();
    assert_eq!(kept, [false, false, true, true, true]);
    for name in by_hand {
        assert_eq!(std::fs::read_to_string(sandbox.path().join(name)).unwrap(), "mine");
    }
}

#[test]
fn what_changed_by_hand_behind_head_is_drift_before_anything_is_done() {
    let sandbox = at_version_1();
    sandbox.execute("ALTER TABLE logs DROP COLUMN duration_ms");
    let before = sandbox.bytes();
    let message = sandbox.boot().refused(4, "drifted");
    assert!(message.contains("`logs.duration_ms` is missing"), "{message}");
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn a_migration_that_fails_on_the_data_changes_nothing() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute("DROP INDEX idx_worklogs_started_date; UPDATE worklogs SET started = 'now' WHERE rowid <= 3");
    let before = sandbox.bytes();
    let message = sandbox.boot().refused(5, "migration_failed");
    assert!(message.contains("001_add_composite_indexes"), "{message}");
    assert!(message.contains("non-deterministic use of date()"), "{message}");
    assert!(message.contains("001_add_composite_indexes.sql:"), "{message}");
    assert!(message.contains("3 rows of `worklogs` have `started` = 'now'"), "{message}");
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"], "no backup kept");
}
