//! With the integrity switched off, a boot believes a seal in the header, and nothing but a whole one.

use std::process::Command;

use rusqlite::Connection;
use worklog_schema::bootproof::compiled::{Migration, Revert, Statement};
use worklog_schema::bootproof::{Boot, BootReport, Integrity};

use crate::support::{Sandbox, outcome, rows, schema_with};

const OFF: [&str; 3] = ["boot", "--integrity", "off"];

/// Whether a boot looked no further than the header.
fn believes_the_seal(sandbox: &Sandbox) -> bool {
    let report = sandbox.run(OFF).ready();
    assert_eq!(report["from_version"], report["to_version"], "{report}");
    outcome(&report, "foreign_keys") == "skipped"
}

fn seal(sandbox: &Sandbox) -> i64 {
    sandbox.open().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_database_that_was_proven_is_ready_at_once() {
    for sandbox in [Sandbox::current(), Sandbox::unmanaged(), Sandbox::empty()] {
        sandbox.boot().ready();
        let before = sandbox.bytes();
        assert!(believes_the_seal(&sandbox));
        assert_eq!(sandbox.bytes(), before, "a boot with nothing to do writes nothing");
        // The seal is no reason to check less than was asked for.
        let report = sandbox.boot().ready();
        assert_eq!(outcome(&report, "foreign_keys"), "passed");
    }
}

#[test]
fn whoever_changes_the_schema_breaks_it() {
    let sandbox = Sandbox::current();
    sandbox.execute("CREATE TABLE additions(a)");
    assert!(!believes_the_seal(&sandbox));
    sandbox.execute("ALTER TABLE worklogs DROP COLUMN parent_type");
    sandbox.run(OFF).refused(4, "drifted");
}

#[test]
fn a_declared_index_that_was_dropped_is_rebuilt_and_sealed_again() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    let report = sandbox.run(OFF).ready();
    assert_eq!(report["repaired"][0], "idx_worklogs_user_range", "{report}");
    assert!(believes_the_seal(&sandbox));
}

#[test]
fn a_number_of_the_applications_own_stays_and_the_seal_is_in_the_audit_table() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute("PRAGMA user_version = 42");
    sandbox.boot().ready();
    assert_eq!(seal(&sandbox), 42);
    assert!(believes_the_seal(&sandbox));
    // And one that came later.
    let sandbox = Sandbox::current();
    sandbox.execute("PRAGMA user_version = 42");
    let before = sandbox.bytes();
    assert!(believes_the_seal(&sandbox));
    assert_eq!(sandbox.bytes(), before);
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    let report = sandbox.run(OFF).ready();
    assert_eq!(report["repaired"][0], "idx_worklogs_user_range", "{report}");
    assert_eq!(seal(&sandbox), 42);
    assert!(believes_the_seal(&sandbox));
    sandbox.execute("ALTER TABLE worklogs DROP COLUMN parent_type");
    sandbox.run(OFF).refused(4, "drifted");
}

#[test]
fn going_back_takes_it_off() {
    let sandbox = Sandbox::current();
    sandbox.run(["revert", "--to", "1"]).ready();
    assert_eq!(seal(&sandbox), 0);
    let report = sandbox.run(OFF).ready();
    assert_eq!(report["from_version"], 1, "{report}");
    assert!(believes_the_seal(&sandbox));
}

/// Rows alone are changed: the schema, and SQLite's count of its changes, are as before.
fn rows_alone() -> Migration {
    const SQL: &str = "UPDATE teams SET name = name";
    const STATEMENTS: &[Statement] = &[Statement { start: 0, end: SQL.len(), line: 1 }];
    Migration {
        version: 4,
        name: "name_the_nameless",
        file: "004_name_the_nameless.sql",
        sql: SQL,
        checksum: bootproof_catalog::source::checksum(4, "name_the_nameless", SQL),
        statements: STATEMENTS,
        creates: &[],
        writes: &["teams"],
        fingerprint: worklog_schema::COMPILED.migrations.last().unwrap().fingerprint,
        revert: Some(Revert { sql: SQL, file: None, statements: STATEMENTS, writes: &["teams"] }),
        maintenance: None,
        compatible: true,
        step: None,
        no_transaction: None,
    }
}

#[test]
fn it_is_of_one_set_of_migrations() {
    let sandbox = Sandbox::at_head();
    let old = seal(&sandbox);
    let newer = schema_with(rows_alone());
    let boot = || Boot::new(&newer, &sandbox.database).integrity(Integrity::Off);
    let before = rows(&sandbox.database);
    assert_eq!(boot().run().unwrap().applied.len(), 1);
    assert_ne!(seal(&sandbox), old);
    assert!(is_sealed(&boot().run().unwrap()), "the newer program seals anew");
    assert!(!believes_nothing_newer(&sandbox), "the older one looks, and finds what is newer");
    boot().revert(3).unwrap();
    assert_eq!(seal(&sandbox), 0, "no seal says that the newer program is at head");
    assert_eq!(boot().run().unwrap().applied.len(), 1);
    assert_eq!(rows(&sandbox.database).get("teams"), before.get("teams"));
}

#[test]
fn one_in_wal_mode_that_nobody_has_open_is_sealed_without_a_log() {
    let sandbox = Sandbox::current();
    sandbox.execute("PRAGMA journal_mode = WAL");
    let (before, files) = (sandbox.bytes(), sandbox.files());
    assert!(believes_the_seal(&sandbox));
    assert_eq!((sandbox.bytes(), sandbox.files()), (before, files));
}

/// The header in the file still is that of the moment before.
#[test]
fn what_is_in_the_log_counts() {
    let sandbox = Sandbox::current();
    let other = sandbox.open();
    other.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    // Not by this process: closing the file would drop the locks of the connection.
    let bytes = || Command::new("cat").arg(&sandbox.database).output().unwrap().stdout;
    let before = bytes();
    assert!(believes_the_seal(&sandbox), "whoever has it open has changed nothing");
    other.execute_batch("CREATE VIEW additions AS SELECT 1").unwrap();
    assert!(bytes() == before);
    assert!(!believes_the_seal(&sandbox));
    drop(other);
    assert!(!believes_the_seal(&sandbox), "now it is in the file");
}

/// A program was killed while it wrote a change of the schema into the file.
#[test]
fn what_a_killed_program_has_begun_is_taken_back_first() {
    let (killed, sandbox) = (Sandbox::current(), Sandbox::empty());
    let sealed = killed.bytes();
    let connection = killed.open();
    connection
        .execute_batch(
            "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; CREATE VIEW additions AS SELECT 1;
             UPDATE worklogs SET data = data || 'x'; UPDATE worklogs SET epic_name = 'y'",
        )
        .unwrap();
    for suffix in ["", "-journal"] {
        let name = |of: &Sandbox| format!("{}{suffix}", of.database.display());
        std::fs::copy(name(&killed), name(&sandbox)).unwrap();
    }
    assert!(sandbox.bytes() != sealed, "some of it is in the file");
    assert!(believes_the_seal(&sandbox));
    assert!(sandbox.bytes() == sealed, "and none of it any more");
    connection.execute_batch("ROLLBACK").unwrap();
}

/// One that was interrupted may have moved the log away, and with it what was committed last.
#[test]
fn none_is_believed_while_a_restore_is_under_way() {
    let sandbox = Sandbox::current();
    let mark = format!(
        r#"{{"backup": "gone", "digest": "{}", "kept": ".replaced-20260210_093000", "had_database": true}}"#,
        "0".repeat(64)
    );
    std::fs::write(sandbox.path().join("worklog.db.restoring"), mark).unwrap();
    sandbox.run(OFF).refused(7, "restore_interrupted");
}

/// In WAL mode whoever reads makes a log and its index.
#[cfg(unix)]
#[test]
fn none_is_believed_of_a_file_that_nobody_could_read() {
    use std::fs::{File, Permissions, remove_file, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::current();
    sandbox.execute("PRAGMA journal_mode = WAL");
    set_permissions(sandbox.path(), Permissions::from_mode(0o555)).unwrap();
    let is_denied = File::create(sandbox.path().join("attempt")).is_err();
    if is_denied {
        sandbox.run(OFF).refused(8, "storage");
    }
    set_permissions(sandbox.path(), Permissions::from_mode(0o755)).unwrap();
    if !is_denied {
        remove_file(sandbox.path().join("attempt")).unwrap(); // Nothing is denied to root.
    }
    assert!(believes_the_seal(&sandbox));
}

/// In the oldest format of schemas an index that descends is stored as one that ascends, whatever its statement says.
#[test]
fn words_that_mean_something_else_are_not_the_same() {
    // A new file, in which all is written as it was compiled.
    let sandbox = Sandbox::empty();
    sandbox.boot().ready();
    sandbox.execute("CREATE VIEW additions AS SELECT 1");
    assert!(!believes_the_seal(&sandbox));
    let format = |bytes: [u8; 4]| {
        let mut file = sandbox.bytes();
        assert_ne!(file[44..48], bytes);
        file[44..48].copy_from_slice(&bytes);
        std::fs::write(&sandbox.database, file).unwrap();
    };
    format([0, 0, 0, 1]);
    let message = sandbox.run(OFF).refused(4, "behind");
    assert!(message.contains("idx_factorial_leaves_company_status"), "{message}");
    format([0, 0, 0, 4]);
    sandbox.execute("DROP VIEW additions");
    assert!(believes_the_seal(&sandbox), "by the audit table");
    format([0, 0, 0, 1]);
    sandbox.run(OFF).refused(4, "behind");
}

/// SQLite opens no path of more than 512 bytes, and the application could not either.
#[cfg(unix)]
#[test]
fn none_is_believed_at_a_path_too_long_for_sqlite() {
    let sandbox = Sandbox::current();
    let deep = sandbox.path().join(["d".repeat(200), "e".repeat(200), "f".repeat(200)].join("/"));
    std::fs::create_dir_all(&deep).unwrap();
    let path = deep.join("worklog.db");
    std::fs::rename(&sandbox.database, &path).unwrap();
    let failure = worklog_schema::boot(&path).integrity(Integrity::Off).run().unwrap_err();
    assert_eq!(failure.exit_code(), 8, "{failure}");
}

#[test]
fn a_schema_that_is_word_for_word_as_it_was_proven_is_sealed_by_the_audit_table() {
    let sandbox = Sandbox::current();
    let whole = seal(&sandbox);
    for touched in ["VACUUM", "CREATE TABLE t(a); DROP TABLE t", "ANALYZE", "PRAGMA user_version = 0"] {
        sandbox.execute(touched);
        assert!(believes_the_seal(&sandbox), "{touched}");
    }
    assert_ne!(seal(&sandbox), whole, "a boot with nothing to do writes nothing");
    for changed in ["CREATE VIEW additions AS SELECT 1", "DROP VIEW additions; CREATE INDEX additions ON teams(id)"] {
        sandbox.execute(changed);
        assert!(!believes_the_seal(&sandbox), "{changed}");
    }
}

#[test]
fn of_the_seals_in_the_audit_table_only_the_newest_counts() {
    let sandbox = Sandbox::at_head();
    sandbox.execute("PRAGMA user_version = 42");
    assert!(believes_the_seal(&sandbox));
    let newer = schema_with(rows_alone());
    let boot = || Boot::new(&newer, &sandbox.database).integrity(Integrity::Off);
    assert_eq!(boot().run().unwrap().applied.len(), 1);
    assert!(is_sealed(&boot().run().unwrap()));
    assert!(!believes_nothing_newer(&sandbox), "the older one looks, and finds what is newer");
    boot().revert(3).unwrap();
    assert_eq!(boot().run().unwrap().applied.len(), 1, "no seal says that the newer program is at head");
}

fn is_sealed(report: &BootReport) -> bool {
    report.checks.iter().any(|check| check.detail.starts_with("sealed"))
}

/// Whether the older program believes a seal although there is something newer.
fn believes_nothing_newer(sandbox: &Sandbox) -> bool {
    sandbox.run(OFF).ready()["ahead"].as_array().is_none_or(Vec::is_empty)
}

#[test]
fn one_in_memory_is_sealed_as_a_file_is() {
    let number =
        |connection: &Connection| -> i64 { connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap() };
    assert_eq!(
        number(&worklog_schema::fresh().unwrap()),
        seal(&{
            let sandbox = Sandbox::empty();
            sandbox.boot().ready();
            sandbox
        })
    );
}
