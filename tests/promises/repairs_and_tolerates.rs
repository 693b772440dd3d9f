use rusqlite::functions::FunctionFlags;

use crate::support::{Sandbox, assert_all_plans_hold, query, rows, strings};

#[test]
fn a_declared_index_that_is_gone_or_differs_is_rebuilt() {
    for sql in [
        "DROP INDEX idx_worklogs_user_range",
        "DROP INDEX idx_worklogs_user_range; CREATE INDEX idx_worklogs_user_range ON worklogs(company_id)",
        "DROP INDEX idx_worklogs_user_range; CREATE INDEX idx_worklogs_user_range ON teams(name)",
        "DROP INDEX idx_worklogs_user_range;
         CREATE INDEX idx_worklogs_user_range ON worklogs(company_id, author_email, date(started)) WHERE company_id > 1",
    ] {
        let sandbox = Sandbox::current();
        sandbox.execute(sql);
        let before = rows(&sandbox.database);
        let report = sandbox.boot().ready();
        assert_eq!(strings(&report["repaired"]), ["idx_worklogs_user_range"], "{sql}");
        assert_eq!(report["backup"], serde_json::Value::Null);
        assert_all_plans_hold(&report);
        assert_eq!(rows(&sandbox.database), before);
        let event = query(&sandbox.open(), "SELECT event FROM bootproof_audit ORDER BY id DESC LIMIT 1");
        assert_eq!(event, ["repair"]);
        let report = sandbox.boot().ready();
        assert_eq!(report["repaired"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn an_index_spelt_otherwise_is_the_same_index() {
    let sandbox = Sandbox::current();
    sandbox.execute(
        "DROP INDEX idx_worklogs_user_range;
         create index \"idx_worklogs_user_range\" on [worklogs] (company_id asc, `author_email`, DATE( started )) -- mine",
    );
    let report = sandbox.boot().ready();
    assert_eq!(report["repaired"].as_array().unwrap().len(), 0, "{report}");
}

#[test]
fn what_somebody_added_is_reported_and_left_alone() {
    let sandbox = Sandbox::current();
    sandbox.execute(
        "CREATE TABLE mine(id INTEGER PRIMARY KEY, note TEXT NOT NULL); INSERT INTO mine VALUES (1, 'keep');
         ALTER TABLE worklogs ADD COLUMN mine TEXT; CREATE INDEX mine_note ON mine(note);
         CREATE INDEX worklogs_mine ON worklogs(mine); CREATE VIEW my_view AS SELECT * FROM mine",
    );
    let before = sandbox.bytes();
    let report = sandbox.boot().ready();
    let notes = strings(&report["notes"]).join("\n");
    for name in ["`mine`", "`worklogs.mine`", "`mine_note`", "`worklogs_mine`", "`my_view`"] {
        assert!(notes.contains(name), "{name}: {notes}");
    }
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn a_name_in_the_way_of_a_repair_is_a_failure_and_changes_nothing() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_worklogs_user_range; CREATE TABLE idx_worklogs_user_range(a)");
    let before = sandbox.bytes();
    let message = sandbox.boot().refused(5, "repair_failed");
    assert!(message.contains("idx_worklogs_user_range"), "{message}");
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn what_only_another_program_understands_is_left_alone() {
    for managed in [false, true] {
        let sandbox = if managed { Sandbox::current() } else { Sandbox::unmanaged() };
        let connection = sandbox.open();
        connection.create_collation("MINE", Ord::cmp).unwrap();
        connection
            .create_scalar_function("mine", 1, FunctionFlags::SQLITE_DETERMINISTIC, |context| context.get::<i64>(0))
            .unwrap();
        connection
            .execute_batch(
                "CREATE INDEX teams_mine ON teams(name COLLATE MINE); CREATE INDEX logs_mine ON logs(mine(id));
                 CREATE TABLE checked(a CHECK (mine(a) > 0)); INSERT INTO checked VALUES (1);
                 PRAGMA writable_schema = on;
                 INSERT INTO sqlite_schema
                 VALUES ('table', 'vectors', 'vectors', 0, 'CREATE VIRTUAL TABLE vectors USING vec0(a)')",
            )
            .unwrap();
        drop(connection);
        let report = sandbox.boot().ready();
        let (notes, checks) = (report["notes"].to_string(), report["checks"].to_string());
        assert!(notes.contains("`vectors`") && notes.contains("`checked`"), "{report}");
        assert!(checks.contains("no such collation") && checks.contains("unknown function: mine()"), "{report}");
    }
}

#[test]
fn an_estimate_decides_nothing_about_somebody_elses_table() {
    let sandbox = Sandbox::unmanaged();
    let connection = sandbox.open();
    connection.create_collation("custom", |one: &str, other: &str| other.cmp(one)).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE notes(rowid TEXT PRIMARY KEY, body); INSERT INTO notes VALUES ('first', 'x');
             CREATE TABLE sorted(name TEXT COLLATE custom PRIMARY KEY) WITHOUT ROWID; INSERT INTO sorted VALUES ('a');
             INSERT INTO billing_rates(rowid, billing_project_id, hourly_rate) SELECT 9000000000000000000, id, 1 FROM billing_projects LIMIT 1",
        )
        .unwrap();
    drop(connection);
    let plan = sandbox.run(["plan"]).json;
    let rates = plan["indexes"].as_array().unwrap().iter().find(|index| index["name"] == "idx_billing_rates_lookup");
    assert!(rates.unwrap()["bytes"].as_u64().unwrap() < 1_000_000, "the highest number is not the number: {plan}");
    sandbox.boot().ready();
    sandbox.run(["verify"]).ready();
    sandbox.run(["revert", "--to", "0"]).ready();
}
