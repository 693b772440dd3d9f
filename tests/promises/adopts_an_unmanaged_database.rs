use std::fs;
use std::path::Path;

use worklog_fixture::Fixture;

use crate::support::{
    NEW_INDEXES, ROWS, Sandbox, applied, assert_all_plans_hold, integrity_check, outcome, query, rows,
};

/// Boots an unmanaged file and asserts everything that must hold of any of them.
fn adopt(sandbox: &Sandbox) -> serde_json::Value {
    let before = rows(&sandbox.database);
    let report = sandbox.boot().ready();
    assert_eq!(report["adopted"], true);
    assert_eq!(report["from_version"], serde_json::Value::Null);
    assert_eq!(report["to_version"], 2);
    assert_eq!(applied(&report), [1, 2]);
    assert_all_plans_hold(&report);
    for check in ["schema", "indexes", "row_counts", "foreign_keys", "integrity", "query_plans"] {
        assert_eq!(outcome(&report, check), "passed", "{check}");
    }
    assert_eq!(rows(&sandbox.database), before, "rows untouched");
    assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    report
}

#[test]
fn a_production_copy_goes_from_nothing_to_head_in_one_boot() {
    let sandbox = Sandbox::unmanaged();
    let original = sandbox.bytes();
    let report = adopt(&sandbox);
    assert_eq!(report["repaired"].as_array().unwrap().len(), 0);

    let backup = Path::new(report["backup"]["path"].as_str().unwrap());
    assert_eq!(report["backup"]["verified"], true);
    assert_eq!(fs::read(backup).unwrap(), original, "the backup is the file as it was, byte for byte");
    assert_eq!(report["backup"]["bytes"], original.len());
    let stamp = backup.file_name().unwrap().to_str().unwrap().strip_prefix("worklog.db.backup-").unwrap();
    assert!(stamp.len() == 15 && stamp.as_bytes()[8] == b'_', "{stamp}");
    assert_eq!(sandbox.files().len(), 3, "the backup has its digest beside it");

    let indexes = query(&sandbox.open(), "SELECT name FROM sqlite_schema WHERE type = 'index'");
    assert!(NEW_INDEXES.iter().all(|index| indexes.iter().any(|name| name == index)));
    let audit = query(&sandbox.open(), "SELECT event || to_version FROM bootproof_audit");
    assert_eq!(audit, ["adopt2"]);

    sandbox.boot().ready();
}

#[test]
fn however_few_rows_there_are() {
    for rows in [0, 1, 2, 3, 5, 10, 100] {
        let sandbox = Sandbox::with(&Fixture::new(rows));
        sandbox.boot().ready();
        sandbox.boot().ready();
    }
}

#[test]
fn with_100_000_rows_every_contract_uses_its_index() {
    let sandbox = Sandbox::with(&Fixture::new(100_000));
    assert_all_plans_hold(&sandbox.boot().ready());
    assert_all_plans_hold(&sandbox.boot().ready());
}

#[test]
fn indexes_made_by_hand_with_other_columns_are_replaced() {
    let sandbox = Sandbox::with(&Fixture::new(100_000).hand_made_indexes(true));
    let report = sandbox.boot().ready();
    assert_eq!(applied(&report), [1, 2]);
    assert_all_plans_hold(&report);
    let sql = query(&sandbox.open(), "SELECT sql FROM sqlite_schema WHERE name = 'idx_worklogs_user_range'");
    assert!(sql[0].contains("date(started)"), "{sql:?}");
}

#[test]
fn what_the_application_added_at_run_time_stays() {
    let sandbox = Sandbox::with(&Fixture::new(ROWS).run_time_additions(true));
    let report = adopt(&sandbox);
    let notes = report["notes"].to_string();
    for addition in ["worklogs.issue_type", "users.role", "generic_issues"] {
        assert!(notes.contains(addition), "{addition}: {notes}");
    }
}

/// The application starts behind the boot that adopts, and adds then what it has not found: keys and CHECKs come with it.
#[test]
fn what_the_application_adds_after_the_adoption_stays_as_well() {
    let sandbox = Sandbox::current();
    sandbox.execute(
        "ALTER TABLE teams ADD COLUMN owner_id INTEGER REFERENCES users(id) ON DELETE SET NULL;
         ALTER TABLE users ADD COLUMN role TEXT DEFAULT 'USER' CHECK (role IN ('USER', 'MANAGER', 'ADMIN'))",
    );
    for command in ["boot", "verify"] {
        let report = sandbox.run([command]).ready();
        assert_eq!(report["to_version"], 2, "{report}");
    }
    // A key of the compiled schema that is another now is no addition.
    sandbox.execute(
        "PRAGMA writable_schema = on;
         UPDATE sqlite_schema SET sql = replace(sql, 'oauth_users', 'users') WHERE name = 'invitations'",
    );
    let message = sandbox.boot().refused(4, "drifted");
    assert!(message.contains("has another foreign key (invited_by) -> users(id)"), "{message}");
}

#[test]
fn differences_in_defaults_are_recorded_once_and_tolerated_from_then_on() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute(
        "DROP TABLE holidays; CREATE TABLE holidays (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, holiday_date TEXT NOT NULL,
         holiday_type TEXT NOT NULL, month INTEGER, day INTEGER, country TEXT DEFAULT 'DE', is_active INTEGER DEFAULT 1,
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
         company_id INTEGER REFERENCES companies(id) ON DELETE CASCADE, UNIQUE (holiday_date, country))",
    );
    let report = adopt(&sandbox);
    // The two indexes of the table went with it, and are rebuilt.
    assert_eq!(report["repaired"].as_array().unwrap().len(), 2);
    let notes = report["notes"].to_string();
    assert!(notes.contains("`holidays.country` has DEFAULT 'DE' instead of 'IT'"), "{notes}");
    assert!(notes.contains("`holidays.name` lacks NOT NULL"), "{notes}");
    sandbox.boot().ready();

    sandbox.execute(
        "PRAGMA writable_schema = on;
         UPDATE sqlite_schema SET sql = replace(sql, '''DE''', '''FR''') WHERE name = 'holidays'",
    );
    let message = sandbox.boot().refused(4, "drifted");
    assert!(message.contains("'FR'"), "what changes after the adoption is drift: {message}");
}

#[test]
fn wal_mode_is_kept_and_leaves_no_log_behind() {
    let sandbox = Sandbox::with(&Fixture::new(ROWS).wal(true));
    adopt(&sandbox);
    assert_eq!(query(&sandbox.open(), "PRAGMA journal_mode"), ["wal"]);
    let log = fs::metadata(sandbox.path().join("worklog.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
}

#[test]
fn rows_that_are_only_in_the_log_are_in_the_backup_too() {
    let sandbox = Sandbox::with(&Fixture::new(ROWS).wal(true));
    let writer = sandbox.open();
    writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    writer.execute("INSERT INTO logs(timestamp, level, message) VALUES ('2025-12-31', 'INFO', 'late')", []).unwrap();
    let before = rows(&sandbox.database);
    let report = sandbox.boot().ready();
    let backup = Path::new(report["backup"]["path"].as_str().unwrap());
    assert_eq!(rows(backup), before);
    assert_eq!(rows(&sandbox.database), before);
}

#[test]
fn readers_may_hold_the_file_open() {
    for wal in [false, true] {
        let sandbox = Sandbox::with(&Fixture::new(ROWS).wal(wal));
        let reader = sandbox.open();
        let count =
            |connection: &rusqlite::Connection| query(connection, "SELECT CAST(count(*) AS TEXT) FROM worklogs");
        let before = count(&reader);
        if wal {
            // A read transaction that stays open all the time sees its own state, and blocks nobody.
            reader.execute_batch("BEGIN").unwrap();
            count(&reader);
        }
        adopt(&sandbox);
        assert_eq!(count(&reader), before);
    }
}

#[cfg(unix)]
#[test]
fn the_backup_is_no_more_readable_than_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    for (database, backup) in [(0o644, 0o600), (0o600, 0o600), (0o400, 0o400)] {
        let sandbox = Sandbox::unmanaged();
        fs::set_permissions(&sandbox.database, fs::Permissions::from_mode(database)).unwrap();
        let run = sandbox.boot();
        if run.code == 8 {
            continue; // 0400 is refused to anybody but root.
        }
        run.ready();
        let mode = fs::metadata(&sandbox.backups()[0]).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, backup, "{database:o}");
    }
}

#[test]
fn names_in_another_letter_case_are_the_same_names() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute(
        "ALTER TABLE worklogs RENAME COLUMN company_id TO Company_ID;
         DROP INDEX idx_logs_timestamp; CREATE INDEX IDX_LOGS_TIMESTAMP ON logs(TIMESTAMP)",
    );
    assert_all_plans_hold(&sandbox.boot().ready());
}

#[test]
fn text_that_is_no_text_is_no_parameter() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute("UPDATE worklogs SET author_email = CAST(x'ff80' AS TEXT) WHERE rowid % 2 = 0");
    sandbox.run(["boot", "--benchmark"]).ready();
}

#[test]
fn rows_that_no_query_by_date_can_see_are_told() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute("UPDATE worklogs SET started = '2025-01-31T09:15:00.000+0100' WHERE rowid <= 7");
    for _ in 0..2 {
        let notes = sandbox.boot().ready()["notes"].to_string();
        assert!(notes.contains("7 rows of `worklogs` have no date"), "{notes}");
        assert!(notes.contains("2025-01-31T09:15:00.000+0100"), "{notes}");
    }
}

#[test]
fn somebody_elses_orphans_are_reported_and_not_refused() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute("CREATE TABLE mine(team INTEGER REFERENCES teams(id)); INSERT INTO mine VALUES (4242)");
    let notes = sandbox.boot().ready()["notes"].to_string();
    assert!(notes.contains("`mine`: team = 4242 has no parent in `teams`"), "{notes}");
}
