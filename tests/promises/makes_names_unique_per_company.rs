//! Phase 2, behind its gate: names and addresses unique per company, every row as it was.

use std::collections::BTreeMap;

use bootproof::{Cancellation, Integrity, Step};
use rusqlite::Connection;
use worklog_fixture::Fixture;

use crate::support::{CancelAt, PHASE_1, Run, Sandbox, applied, integrity_check, query, rows, schema_of, strings};

/// Every table has rows, and the rebuilt ones have as many as in a large installation.
const ROWS: usize = 200;

const REBUILT: [&str; 4] = ["complementary_group_members", "jira_instances", "teams", "users"];

/// What the migration adds to the indexes there were.
const NEW: [&str; 5] = [
    "idx_complementary_group_members_company",
    "idx_jira_instances_name_without_company",
    "idx_teams_name_without_company",
    "idx_teams_owner",
    "idx_users_email_without_company",
];

fn open_the_gate(sandbox: &Sandbox) -> Run {
    sandbox.run(["boot", "--maintenance"])
}

/// At version 2, with the permission to go on not given yet.
fn waiting(fixture: &Fixture) -> Sandbox {
    let sandbox = Sandbox::with(fixture);
    let report = sandbox.boot().ready();
    assert_eq!(report["to_version"], PHASE_1, "{report}");
    sandbox
}

/// The columns of every table but the migrator's.
fn columns(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    let sql =
        "SELECT list.name || ' ' || info.name FROM pragma_table_list AS list, pragma_table_info(list.name) AS info
               WHERE list.schema = 'main' AND list.type = 'table' AND list.name NOT LIKE 'sqlite\\_s%' ESCAPE '\\'
                     AND list.name NOT IN ('refinery_schema_history', 'bootproof_audit') ORDER BY list.name, info.cid";
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in query(connection, sql) {
        let (table, column) = column.split_once(' ').unwrap();
        columns.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    columns
}

/// Every row of those columns, by its number.
fn contents(connection: &Connection, columns: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let rows = |(table, columns): (&String, &Vec<String>)| {
        let values: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let sql = format!("SELECT rowid || ': ' || {} FROM \"{table}\" ORDER BY rowid", values.join(" || ', ' || "));
        (table.clone(), query(connection, &sql))
    };
    columns.iter().map(rows).collect()
}

fn sequences(connection: &Connection) -> Vec<String> {
    let own = "name NOT IN ('bootproof_audit', 'refinery_schema_history')";
    query(connection, &format!("SELECT name || ' ' || seq FROM sqlite_sequence WHERE {own} ORDER BY name"))
}

fn indexes(connection: &Connection) -> Vec<String> {
    query(connection, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
}

fn violations(connection: &Connection) -> Vec<String> {
    let sql = "SELECT \"table\" || ' ' || rowid || ' ' || parent FROM pragma_foreign_key_check ORDER BY 1";
    query(connection, sql)
}

#[test]
fn a_restart_leaves_it_waiting_and_says_so() {
    let sandbox = waiting(&Fixture::new(ROWS));
    let before = sandbox.bytes();
    for command in ["boot", "verify"] {
        let run = sandbox.run([command, "-v"]);
        let report = run.ready();
        assert_eq!((report["from_version"].as_i64(), report["to_version"].as_i64()), (Some(PHASE_1), Some(PHASE_1)));
        assert_eq!(report["held"][0]["name"], "multi_tenant_constraints", "{report}");
    }
    let log = sandbox.command().args(["boot", "-v"]).output().unwrap();
    let log = String::from_utf8(log.stderr).unwrap();
    assert!(log.contains("003 multi_tenant_constraints is held back: waits for permission"), "{log}");
    let status = sandbox.run(["status"]);
    assert_eq!((status.code, status.json["head"].as_i64()), (0, Some(worklog_schema::HEAD)));
    assert_eq!((status.json["pending"].as_array().unwrap().len(), &status.json["held"][0]["version"]), (0, &3.into()));
    let plan = sandbox.run(["plan"]).json;
    assert_eq!((plan["action"].as_str(), plan["held"].as_array().unwrap().len()), (Some("nothing"), 1));
    let health = sandbox.run(["health"]).json;
    let alerts: Vec<_> = health["alerts"].as_array().unwrap().iter().map(|alert| alert["name"].as_str()).collect();
    assert!(!alerts.contains(&Some("pending")), "what waits for a person alarms nobody: {health}");
    assert!(sandbox.bytes() == before, "waiting changes nothing");

    let permitted = sandbox.command().env("BOOTPROOF_MAINTENANCE", "on").arg("boot").output().unwrap();
    assert_eq!(applied(&Run::of(&permitted).ready()), [3]);
}

/// A boot that only reads the header, while the gate is closed.
#[test]
fn what_waits_costs_a_restart_nothing() {
    let sealed = |sandbox: &Sandbox| {
        let report = sandbox.run(["boot", "--integrity", "off"]).ready();
        assert_eq!(report["held"].as_array().unwrap().len(), 1, "{report}");
        assert_eq!((report["from_version"].as_i64(), report["to_version"].as_i64()), (Some(PHASE_1), Some(PHASE_1)));
        report["checks"][0]["detail"].as_str().unwrap().starts_with("sealed")
    };
    let sandbox = waiting(&Fixture::new(ROWS));
    assert!(sealed(&sandbox));
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    assert!(!sealed(&sandbox), "whoever changes the schema breaks it");
    assert!(sealed(&sandbox), "a repair seals anew");

    // The program of phase 1 has proven the same, and this one knows its seal: an upgrade of the program alone changes nothing.
    let older = Sandbox::unmanaged();
    let phase_1 = schema_of(&worklog_schema::COMPILED.migrations[..3]);
    bootproof::Boot::new(&phase_1, &older.database).run().unwrap();
    assert!(sealed(&older));
    let permitted = worklog_schema::boot(&older.database).integrity(Integrity::Off).maintenance(true);
    assert_eq!(permitted.run().unwrap().applied.len(), 1, "a seal below the gate is no reason to stop there");
}

#[test]
fn every_row_is_as_it_was() {
    let plain = Fixture::new(ROWS);
    let grown = Fixture::new(ROWS).run_time_additions(true);
    for fixture in [
        plain.clone(),
        plain.clone().wal(true).hand_made_indexes(true),
        grown.clone().wal(true),
        grown.clone().orphans(30).hand_made_indexes(true),
        plain.clone().orphans(30),
        Fixture::new(0).run_time_additions(true),
        Fixture::new(0),
    ] {
        for waits in [true, false] {
            let sandbox = Sandbox::with(&fixture);
            // A row of the highest number, gone again; a person without a company and a team.
            sandbox.execute(
                "INSERT INTO users(email, first_name, last_name) VALUES ('of@nobody.example', 'Of', 'Nobody'), ('x', 'x', 'x');
                 DELETE FROM users WHERE email = 'x'; INSERT INTO teams(name) VALUES ('Of nobody'), ('x');
                 DELETE FROM teams WHERE name = 'x'",
            );
            let tolerant = ["boot", "--foreign-keys", "no-new"];
            if waits {
                assert_eq!(sandbox.run(tolerant).ready()["to_version"], PHASE_1);
            }
            let before = sandbox.open();
            let (columns, sequences_before) = (columns(&before), sequences(&before));
            let (rows_before, violations_before) = (contents(&before, &columns), violations(&before));
            let indexes_before = indexes(&before);
            drop(before);

            let report = sandbox.run([&tolerant[..], &["--maintenance"]].concat()).ready();
            assert_eq!(report["to_version"], worklog_schema::HEAD);
            assert_eq!(applied(&report), if waits { vec![3] } else { vec![1, 2, 3] });
            assert_eq!(report["backup"]["verified"], true);
            let after = sandbox.open();
            assert_eq!(contents(&after, &columns), rows_before, "{fixture:?}");
            assert_eq!(sequences(&after), sequences_before, "{fixture:?}");
            assert_eq!(violations(&after), violations_before, "{fixture:?}");
            let indexes = indexes(&after);
            for index in indexes_before.iter().map(String::as_str).chain(NEW) {
                assert!(indexes.iter().any(|name| name == index), "{index} of {fixture:?}: {indexes:?}");
            }
            let of_another_company = "SELECT count(*) || '' FROM complementary_group_members AS member
                 JOIN complementary_groups AS mates ON mates.id = group_id WHERE member.company_id <> mates.company_id";
            assert_eq!(query(&after, of_another_company), ["0"]);
            assert_eq!(integrity_check(&sandbox.database), ["ok"]);
            assert_eq!(sandbox.run(tolerant).ready()["held"].as_array().unwrap().len(), 0);
        }
    }
}

#[test]
fn what_the_application_added_itself_is_kept_and_given_its_default_where_it_is_missing() {
    let owners = "SELECT id || ' ' || owner_id FROM teams ORDER BY id";
    let roles = "SELECT id || ' ' || role || ' ' || role_level FROM users ORDER BY id";
    let grown = waiting(&Fixture::new(ROWS).run_time_additions(true));
    let before = (query(&grown.open(), owners), query(&grown.open(), roles));
    assert_eq!(before.0.len(), 20);
    assert!(before.1.iter().any(|role| role.ends_with("MANAGER 3")));
    open_the_gate(&grown).ready();
    assert_eq!((query(&grown.open(), owners), query(&grown.open(), roles)), before);

    // Some installations have one of the columns, and not the other.
    let half = waiting(&Fixture::new(ROWS));
    half.execute("ALTER TABLE users ADD COLUMN role TEXT DEFAULT 'USER'; UPDATE users SET role = 'ADMIN' WHERE id = 7");
    open_the_gate(&half).ready();
    let count = |sql: &str| query(&half.open(), &format!("SELECT count(*) || '' FROM {sql}")).concat();
    assert_eq!(count("teams WHERE owner_id IS NOT NULL"), "0");
    assert_eq!(count("users WHERE role = 'ADMIN' AND id = 7"), "1");
    assert_eq!(count("users WHERE role = 'USER' AND role_level = 4"), "199");
}

/// Where the application's own column is a key, an owner that is gone was a violation before. Where it is none, the migration makes
/// it one: the runbook has how to repair that.
#[test]
fn an_owner_that_is_gone_is_tolerated_only_where_it_was_a_violation_before() {
    const TOLERANT: [&str; 4] = ["boot", "--maintenance", "--foreign-keys", "no-new"];
    for (declared, is_key) in [("INTEGER REFERENCES users(id) ON DELETE SET NULL", true), ("INTEGER", false)] {
        let sandbox = waiting(&Fixture::new(ROWS));
        let add = format!("ALTER TABLE teams ADD COLUMN owner_id {declared}");
        sandbox.execute(&format!("{add}; UPDATE teams SET owner_id = 4711 WHERE id = 1"));
        let strict = sandbox.run(["boot", "--maintenance"]).refused(6, "foreign_keys");
        assert!(strict.contains("owner_id = 4711 has no parent in `users`"), "{strict}");
        if !is_key {
            let run = sandbox.run(TOLERANT);
            let hint = run.json["error"]["hint"].to_string();
            assert!(hint.contains("tolerates only what violated the same key before"), "{hint}");
            let refused = run.refused(6, "foreign_keys");
            assert!(refused.contains("1 row violates a foreign key since the migration"), "{refused}");
            sandbox.execute("UPDATE teams SET owner_id = NULL WHERE owner_id NOT IN (SELECT id FROM users)");
        }
        sandbox.run(TOLERANT).ready();
        let owner = query(&sandbox.open(), "SELECT coalesce(owner_id, 'nobody') || '' FROM teams WHERE id = 1");
        assert_eq!(owner, [if is_key { "4711" } else { "nobody" }]);
    }
}

#[test]
fn the_same_name_in_two_companies_and_never_twice_in_one() {
    let tables = [
        ("teams", "name", ""),
        ("users", "email", ", first_name, last_name"),
        ("jira_instances", "name", ", url, email, api_token"),
    ];
    let (new, upgraded) = (Sandbox::empty(), waiting(&Fixture::new(ROWS)));
    new.boot().ready();
    new.execute("INSERT INTO companies(id, name) VALUES (1, 'one'), (2, 'two')");
    let insert = |sandbox: &Sandbox, (table, name, rest): (&str, &str, &str), company: &str| {
        let values = ", 'x'".repeat(rest.matches(',').count());
        let sql = format!("INSERT INTO {table}({name}{rest}, company_id) VALUES ('same'{values}, {company})");
        sandbox.open().execute_batch(&sql)
    };
    for table in tables {
        insert(&upgraded, table, "3").unwrap();
        insert(&upgraded, table, "4").expect_err("unique in the whole installation before");
    }
    open_the_gate(&upgraded).ready();
    for sandbox in [&new, &upgraded] {
        for table in tables {
            for company in ["1", "2", "NULL"] {
                insert(sandbox, table, company).unwrap();
                let error = insert(sandbox, table, company).unwrap_err().to_string();
                assert!(error.starts_with("UNIQUE constraint failed"), "{table:?} of {company}: {error}");
            }
        }
        let member = "INSERT INTO complementary_group_members(group_id, instance_id) VALUES (1, 1)";
        let error = sandbox.open().execute_batch(member).unwrap_err().to_string();
        assert!(error.contains("NOT NULL constraint failed: complementary_group_members.company_id"), "{error}");
    }
}

#[test]
fn a_member_of_no_company_is_named_and_nothing_is_changed() {
    let sandbox = waiting(&Fixture::new(ROWS));
    // A group that is gone, one without a company, and one of a company that is gone.
    sandbox.execute(
        "DELETE FROM complementary_groups WHERE id = 1; UPDATE complementary_groups SET company_id = NULL WHERE id = 2;
         UPDATE complementary_groups SET company_id = 4711 WHERE id = 3",
    );
    let members = query(
        &sandbox.open(),
        "SELECT id || '' FROM complementary_group_members WHERE group_id IN (1, 2, 3) ORDER BY id",
    );
    let before = sandbox.bytes();
    let files = sandbox.files();
    let gate = ["boot", "--maintenance", "--foreign-keys", "no-new"];
    let message = sandbox.run(gate).refused(5, "migration_failed");
    assert!(message.contains(&format!("id {}; {} in all", members.join(", "), members.len())), "{message}");
    assert!(message.contains("`complementary_group_members` has rows without a company"), "{message}");
    assert!(sandbox.bytes() == before, "nothing is changed");
    assert_eq!(sandbox.files(), files, "no backup is kept");
    assert_eq!(sandbox.run(["boot", "--foreign-keys", "no-new"]).ready()["to_version"], PHASE_1);

    // As the runbook says.
    sandbox.execute(
        "UPDATE complementary_groups SET company_id = (SELECT company_id FROM jira_instances WHERE id = primary_instance_id)
         WHERE company_id IS NULL OR company_id NOT IN (SELECT id FROM companies);
         DELETE FROM complementary_group_members WHERE group_id NOT IN (SELECT id FROM complementary_groups)",
    );
    assert_eq!(applied(&sandbox.run(gate).ready()), [3]);
}

#[test]
fn of_many_members_of_no_company_the_first_are_named() {
    let sandbox = waiting(&Fixture::new(ROWS));
    sandbox.execute(
        "WITH RECURSIVE number(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM number LIMIT 50)
         INSERT INTO complementary_groups(id, name) SELECT n, 'group ' || n FROM number;
         INSERT INTO complementary_group_members(group_id, instance_id)
         SELECT id, 1 FROM complementary_groups WHERE id >= 100",
    );
    let message = open_the_gate(&sandbox).refused(5, "migration_failed");
    assert!(message.contains(", …; 50 in all"), "{message}");
    assert_eq!(message.matches(", ").count(), 21, "{message}");
}

#[test]
fn names_that_are_there_twice_are_refused() {
    // An installation whose table lost its UNIQUE in a rebuild by hand.
    let sandbox = Sandbox::with(&Fixture::new(ROWS));
    sandbox.execute(
        "CREATE TABLE remade(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, created_at TIMESTAMP,
                             updated_at TIMESTAMP, company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE);
         INSERT INTO remade SELECT * FROM teams; DROP TABLE teams; ALTER TABLE remade RENAME TO teams;
         CREATE INDEX idx_teams_company ON teams(company_id); INSERT INTO teams(name, company_id) VALUES ('twice', 1), ('twice', 1)",
    );
    assert_eq!(
        sandbox.boot().ready()["to_version"],
        PHASE_1,
        "a UNIQUE less is a difference that an adoption tolerates"
    );
    let before = sandbox.bytes();
    let message = open_the_gate(&sandbox).refused(5, "migration_failed");
    assert!(message.contains("UNIQUE constraint failed: new_teams.company_id, new_teams.name"), "{message}");
    assert!(sandbox.bytes() == before);
    sandbox.execute("UPDATE teams SET name = name || ' ' || id WHERE name = 'twice'");
    open_the_gate(&sandbox).ready();
}

#[test]
fn a_company_that_somebody_gave_the_members_by_hand_is_the_one_of_their_group() {
    let sandbox = Sandbox::with(&Fixture::new(ROWS).hand_made_indexes(true));
    sandbox.execute(
        "ALTER TABLE complementary_group_members ADD COLUMN company_id INTEGER REFERENCES companies(id);
         UPDATE complementary_group_members SET company_id =
             (SELECT company_id FROM complementary_groups WHERE complementary_groups.id = group_id)",
    );
    let members = "SELECT id || ' ' || company_id FROM complementary_group_members ORDER BY id";
    let before = query(&sandbox.open(), members);
    open_the_gate(&sandbox).ready();
    assert_eq!(query(&sandbox.open(), members), before);
}

#[test]
fn what_others_added_stays_or_is_refused() {
    let sandbox = waiting(&Fixture::new(ROWS));
    sandbox.execute(
        "CREATE VIEW people AS SELECT email, teams.name FROM users JOIN teams ON teams.id = team_id;
         CREATE TRIGGER told AFTER INSERT ON companies BEGIN UPDATE teams SET name = name WHERE id = 1; END;
         CREATE TABLE desks(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id) ON DELETE CASCADE);
         INSERT INTO desks(user_id) SELECT id FROM users; CREATE INDEX mine ON users(last_name)",
    );
    let people = query(&sandbox.open(), "SELECT email FROM people ORDER BY 1");
    let desks = query(&sandbox.open(), "SELECT user_id || '' FROM desks");
    let report = open_the_gate(&sandbox).ready();
    assert!(strings(&report["notes"]).iter().any(|note| note.contains("`mine`")), "an index is told: {report}");
    assert_eq!(query(&sandbox.open(), "SELECT email FROM people ORDER BY 1"), people);
    assert_eq!(query(&sandbox.open(), "SELECT user_id || '' FROM desks"), desks);
    sandbox.execute("INSERT INTO companies(name) VALUES ('new')");

    // A column holds data, which the new table would not have.
    let sandbox = waiting(&Fixture::new(ROWS));
    sandbox.execute("ALTER TABLE teams ADD COLUMN floor INTEGER; UPDATE teams SET floor = 3");
    let before = sandbox.bytes();
    let message = open_the_gate(&sandbox).refused(5, "additions_lost");
    assert!(message.contains("floor"), "{message}");
    assert!(sandbox.bytes() == before);
}

#[test]
fn called_off_on_the_way_it_leaves_version_2() {
    let sandbox = waiting(&Fixture::new(ROWS).run_time_additions(true));
    let before = (sandbox.bytes(), rows(&sandbox.database));
    for step in [Step::Migrate("003_multi_tenant_constraints"), Step::Statistics, Step::Commit] {
        let switch = Cancellation::default();
        let observer = std::sync::Arc::new(CancelAt(step, switch.clone()));
        let boot = worklog_schema::boot(&sandbox.database).maintenance(true).observer(observer).cancellation(switch);
        if step == Step::Commit {
            boot.run().unwrap();
            continue;
        }
        assert_eq!(boot.run().unwrap_err().exit_code(), 130);
        assert!(sandbox.bytes() == before.0, "called off at {step:?}");
    }
    for table in REBUILT {
        assert_eq!(rows(&sandbox.database)[table].len(), before.1[table].len(), "{table}");
    }
}

#[test]
fn the_way_back_is_its_backup() {
    let sandbox = waiting(&Fixture::new(ROWS));
    let before = rows(&sandbox.database);
    let report = open_the_gate(&sandbox).ready();
    let message = sandbox.run(["revert", "--to", "2"]).refused(7, "not_revertable");
    assert!(message.contains("003_multi_tenant_constraints"), "{message}");
    assert_eq!(sandbox.run(["restore", report["backup"]["path"].as_str().unwrap()]).code, 0);
    assert_eq!(rows(&sandbox.database), before);
    // And there it stays until somebody opens the gate again.
    assert_eq!(sandbox.boot().ready()["to_version"], PHASE_1);
}

#[test]
fn the_program_of_phase_1_does_not_start_on_it() {
    let sandbox = waiting(&Fixture::new(ROWS));
    open_the_gate(&sandbox).ready();
    let phase_1 = schema_of(&worklog_schema::COMPILED.migrations[..3]);
    let failure = bootproof::Boot::new(&phase_1, &sandbox.database).run().unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (4, "newer"), "{failure}");
}
