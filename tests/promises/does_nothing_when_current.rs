use crate::support::{Sandbox, applied, outcome};

#[test]
fn a_current_database_is_verified_and_left_alone() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let report = sandbox.boot().ready();
    assert_eq!(applied(&report), [0_i64; 0]);
    assert_eq!(report["backup"], serde_json::Value::Null);
    assert_eq!(outcome(&report, "integrity"), "passed");
    assert_eq!(outcome(&report, "row_counts"), "skipped");
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn a_reader_and_a_writer_at_work_do_not_disturb_it() {
    let sandbox = Sandbox::current();
    let writer = sandbox.open();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM logs").unwrap();
    sandbox.run(["boot", "--lock-timeout", "1"]).ready();
    writer.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn it_removes_a_journal_that_a_killed_writer_had_only_begun() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let journal = sandbox.path().join("worklog.db-journal");
    // The header comes last: without it there is nothing that anybody could play back.
    std::fs::write(&journal, [[0; 512], [7; 512]].concat()).unwrap();
    let writer = sandbox.open();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    sandbox.boot().ready();
    assert!(journal.exists(), "it may be the writer's");
    writer.execute_batch("ROLLBACK").unwrap();
    sandbox.boot().ready();
    assert_eq!(sandbox.files(), ["worklog.db"]);
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn a_contract_that_misses_its_index_degrades_but_starts() {
    let sandbox = Sandbox::current();
    // Statistics that make SQLite believe in another index: the boot gathers them anew, and all is well.
    sandbox.execute(
        "DELETE FROM sqlite_stat4;
         UPDATE sqlite_stat1 SET stat = '1000000 1000000 1000000 1000000' WHERE idx = 'idx_factorial_leaves_company_status';
         UPDATE sqlite_stat1 SET stat = '1000000 1' WHERE idx = 'idx_factorial_leaves_user'",
    );
    let report = sandbox.boot();
    assert!(report.stderr.contains("gathering statistics anew"), "{}", report.stderr);
    report.ready();
    // With another writer in the way they cannot be gathered: slow is better than down.
    sandbox.execute(
        "DELETE FROM sqlite_stat4; UPDATE sqlite_stat1 SET stat = '1000000 1000000 1000000 1000000 1000000';
         UPDATE sqlite_stat1 SET stat = '1000000 1' WHERE idx = 'idx_worklogs_instance'",
    );
    let writer = sandbox.open();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = sandbox.boot();
    assert_eq!((run.code, run.json["verdict"].as_str()), (0, Some("degraded")), "{}", run.json);
    assert!(run.stderr.contains("degraded"), "{}", run.stderr);
    assert_eq!(outcome(&run.json, "query_plans"), "failed");
    let queries = run.json["queries"].as_array().unwrap();
    let missed = |query: &serde_json::Value| query["index_used"] != query["expected_index"];
    assert!(queries.iter().any(missed), "{}", run.json);
}

#[test]
fn a_table_too_small_for_an_index_breaks_no_contract() {
    let sandbox = Sandbox::current();
    sandbox.execute("DELETE FROM worklogs WHERE rowid > 2; ANALYZE");
    let report = sandbox.boot().ready();
    let queries = report["queries"].as_array().unwrap();
    assert!(queries.iter().any(|query| query["index_used"].is_null()), "SQLite reads the table itself: {report}");
    assert!(report["notes"].to_string().contains("little data to choose from"), "{report}");
}
