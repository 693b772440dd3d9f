use std::fs;
use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

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
    // Enough rows for the new indexes to outgrow the page cache: SQLite would like to write, and must not wait each time.
    let sandbox = Sandbox::with(&Fixture::new(20_000));
    let reader = sandbox.open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM users").unwrap();
    let start = Instant::now();
    sandbox.run(["boot", "--lock-timeout", "2"]).refused(3, "locked");
    assert!(start.elapsed() < Duration::from_mins(1), "waited {:?} for one reader", start.elapsed());
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

/// A file size limit stands in for a full disk: the write fails in the middle of the transaction, after pages have already
/// been written to the file.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_in_the_middle_is_rolled_back_before_anything_is_said() {
    let sandbox = Sandbox::with(&Fixture::new(20_000));
    let before = sandbox.bytes();
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f $1; exec $2 --json --db $3 boot", "sh"])
        .arg((before.len() / 512 + 200).to_string())
        .arg(env!("CARGO_BIN_EXE_worklog-migrate"))
        .arg(&sandbox.database)
        .output()
        .unwrap();
    let run = Run::of(&output);
    assert_eq!(run.code, 8, "{}\n{}", run.json, run.stderr);
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
    sandbox.boot().ready();
}

#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files() {
    let sandbox = Sandbox::unmanaged();
    let before = sandbox.bytes();
    // In blocks of 512 bytes: half of what the backup needs, and a little more than that.
    for (percent, kind) in [(50, "disk_full"), (105, "storage")] {
        let blocks = before.len() * percent / 100 / 512;
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_worklog-migrate")]);
        let output = limited.args(["--json", "boot", "--db"]).arg(&sandbox.database).output().unwrap();
        let ended = Run::of(&output);
        ended.refused(8, kind);
        assert_eq!(sandbox.bytes(), before);
        assert_eq!(sandbox.files(), ["worklog.db"]);
    }
    sandbox.boot().ready();
}
