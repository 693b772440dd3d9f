use worklog_fixture::Fixture;

use crate::support::{NEW_INDEXES, ROWS, Run, Sandbox, applied, integrity_check, outcome, query, rows, strings};

fn indexes(sandbox: &Sandbox) -> Vec<String> {
    query(&sandbox.open(), "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'idx_%' ORDER BY name")
}

#[test]
fn to_the_version_before_phase_1_and_up_again() {
    for wal in [false, true] {
        let sandbox = Sandbox::with(&Fixture::new(ROWS).wal(wal));
        let (before_indexes, before_rows) = (indexes(&sandbox), rows(&sandbox.database));
        sandbox.boot().ready();

        let report = sandbox.run(["revert", "--to", "0"]).ready();
        assert_eq!((report["from_version"].as_i64(), report["to_version"].as_i64()), (Some(2), Some(0)));
        let reverted: Vec<_> = report["reverted"].as_array().unwrap().iter().map(|m| m["version"].as_i64()).collect();
        assert_eq!(reverted, [Some(2), Some(1)], "the newest first");
        for check in ["schema", "indexes", "row_counts", "foreign_keys", "integrity"] {
            assert_eq!(outcome(&report, check), "passed", "{check}");
        }
        assert_eq!(report["backup"]["verified"], true);
        assert_eq!(indexes(&sandbox), before_indexes);
        assert_eq!(rows(&sandbox.database), before_rows);
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);

        let status = sandbox.run(["status"]).json;
        assert_eq!((status["version"].as_i64(), status["pending"].as_array().unwrap().len()), (Some(0), 2));
        assert_eq!(status["audit"][0]["event"], "revert");

        assert_eq!(applied(&sandbox.boot().ready()), [1, 2]);
        assert!(NEW_INDEXES.iter().all(|index| indexes(&sandbox).contains(&(*index).to_owned())));
        assert_eq!(rows(&sandbox.database), before_rows);
    }
}

#[test]
fn one_version_at_a_time() {
    let sandbox = Sandbox::current();
    assert_eq!(sandbox.run(["revert", "--to", "1"]).ready()["to_version"], 1);
    assert!(!indexes(&sandbox).contains(&"idx_worklogs_company_day".to_owned()));
    assert!(indexes(&sandbox).contains(&"idx_worklogs_user_range".to_owned()));
    // The older build is what such a database is for; this one stands in for it by its target.
    let output = sandbox.command().env("BOOTPROOF_TARGET", "1").arg("verify").output().unwrap();
    Run::of(&output).ready();
}

#[test]
fn nothing_to_go_back_from_changes_nothing() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let report = sandbox.run(["revert", "--to", "2"]).ready();
    assert_eq!(report["reverted"].as_array().unwrap().len(), 0);
    assert!(sandbox.bytes() == before);
    assert_eq!(sandbox.backups(), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn what_others_added_stays() {
    let sandbox = Sandbox::current();
    sandbox.execute(
        "CREATE INDEX mine ON worklogs(issue_summary); CREATE TABLE notes(x); INSERT INTO notes VALUES (1);
         ALTER TABLE teams ADD COLUMN floor INTEGER",
    );
    let report = sandbox.run(["revert", "--to", "0"]).ready();
    assert!(strings(&report["notes"]).iter().any(|note| note.contains("`mine`")), "{report}");
    assert_eq!(query(&sandbox.open(), "SELECT x || '' FROM notes"), ["1"]);
    assert_eq!(query(&sandbox.open(), "SELECT name FROM sqlite_schema WHERE name = 'mine'"), ["mine"]);
    assert_eq!(query(&sandbox.open(), "SELECT name FROM pragma_table_info('teams') WHERE name = 'floor'"), ["floor"]);
}

#[test]
fn an_index_already_dropped_by_hand_is_no_obstacle() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    sandbox.run(["revert", "--to", "0"]).ready();
    assert!(NEW_INDEXES.iter().all(|index| !indexes(&sandbox).contains(&(*index).to_owned())));
}

#[test]
fn a_version_that_cannot_be_gone_to_is_a_usage_error() {
    let current = Sandbox::current();
    let before = current.bytes();
    for (version, reason) in [("7", "is not below 2"), ("-1", "none of this binary's; there are 0, 1, 2, 3")] {
        let message = current.run(["revert".to_owned(), format!("--to={version}")]).refused(2, "no_such_version");
        assert!(message.contains(reason), "{message}");
    }
    assert!(current.bytes() == before);
    Sandbox::unmanaged().run(["revert", "--to", "0"]).refused(2, "no_such_version");
    Sandbox::empty().run(["revert", "--to", "0"]).refused(8, "storage");
}

#[test]
fn a_damaged_file_and_a_busy_one_are_refused_as_by_a_boot() {
    let sandbox = Sandbox::current();
    let other = sandbox.open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    sandbox.run(["revert", "--to", "0", "--lock-timeout", "0.2"]).refused(3, "locked");
    drop(other);
    let mut bytes = sandbox.bytes();
    let root: i64 = sandbox
        .open()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'idx_worklogs_user_range'", [], |row| row.get(0))
        .unwrap();
    let page = usize::try_from(root - 1).unwrap() * 4096;
    bytes[page..page + 64].fill(0xff);
    std::fs::write(&sandbox.database, &bytes).unwrap();
    sandbox.run(["revert", "--to", "0"]).refused(6, "integrity");
    assert!(sandbox.bytes() == bytes);
}
