use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Run, Sandbox, rows};

#[test]
fn a_database_that_is_locked_for_longer_than_the_timeout() {
    let sandbox = Sandbox::unmanaged();
    let before = rows(&sandbox.database);
    let writer = sandbox.open();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM logs").unwrap();
    let start = Instant::now();
    let message = sandbox.run(["boot", "--lock-timeout", "0.5"]).refused(3, "locked");
    assert!(start.elapsed() >= Duration::from_millis(500));
    if cfg!(target_os = "linux") {
        assert!(message.contains(&format!("process {}", std::process::id())), "it says for whom: {message}");
    }
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(rows(&sandbox.database), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn a_reader_that_never_ends_in_rollback_journal_mode() {
    let sandbox = Sandbox::unmanaged();
    let reader = sandbox.open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM users").unwrap();
    sandbox.run(["boot", "--lock-timeout", "0.5"]).refused(3, "locked");
    reader.execute_batch("ROLLBACK").unwrap();
    assert_eq!(sandbox.files(), ["worklog.db"]);
    sandbox.boot().ready();
}

#[test]
fn what_is_not_a_regular_file() {
    let sandbox = Sandbox::empty();
    fs::create_dir(&sandbox.database).unwrap();
    let message = sandbox.boot().refused(8, "storage");
    assert!(message.contains("not a regular file"), "{message}");
}

#[test]
fn a_directory_that_does_not_exist() {
    let sandbox = Sandbox::empty();
    let path = sandbox.path().join("nowhere").join("worklog.db");
    let mut command = sandbox.command();
    let output = command.arg("--db").arg(&path).arg("boot").output().unwrap();
    if output.status.code() == Some(2) {
        return; // The option was given twice; covered below by the library.
    }
    Run::of(&output).refused(8, "storage");
}

#[test]
fn the_library_refuses_what_the_command_refuses() {
    let sandbox = Sandbox::empty();
    let failure = worklog_schema::migrate_on_boot(sandbox.path().join("nowhere").join("worklog.db")).unwrap_err();
    assert_eq!(failure.exit_code(), 8);
    assert!(failure.to_string().contains("hint: "), "{failure}");
}

#[test]
fn a_wish_that_means_nothing() {
    let sandbox = Sandbox::unmanaged();
    let output = sandbox.command().arg("boot").env("BOOTPROOF_FOREIGN_KEYS", "nonew").output().unwrap();
    let message = Run::of(&output).refused(2, "environment");
    assert!(message.contains("`nonew`") && message.contains("`no-new`"), "{message}");
}
