use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

use super::holder::{Hold, Holder, signal};
use super::{PATIENCE, end_of, spawn_boot};
use crate::support::{Run, Sandbox, integrity_check, rows, strings};

/// What a boot waits in these tests, in seconds.
const TIMEOUT: &str = "1.5";
/// What it may take beyond that: looking, working up to where it waits, rolling back, on a busy machine in debug.
const GRACE: Duration = Duration::from_secs(30);

fn sandbox(rows: usize, wal: bool) -> Sandbox {
    Sandbox::with(&Fixture::new(rows).wal(wal))
}

/// Refuses for a lock that this process holds, in time.
fn refuses_for(pid: u32, sandbox: &Sandbox) {
    let start = Instant::now();
    let message = end_of(spawn_boot(sandbox, TIMEOUT)).refused(3, "locked");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1500) && took < GRACE, "{took:?}");
    if cfg!(target_os = "linux") {
        assert!(message.contains(&format!("process {pid} (")), "{message}");
    }
}

#[test]
fn a_writer_that_was_stopped_is_named_and_waited_for_no_longer_than_allowed() {
    for wal in [false, true] {
        let sandbox = sandbox(500, wal);
        let before = rows(&sandbox.database);
        let writer = Holder::new(&sandbox.database, Hold::Writing);
        signal(writer.pid(), "STOP");
        refuses_for(writer.pid(), &sandbox);
        let output = sandbox.command().arg("boot").env("BOOTPROOF_LOCK_TIMEOUT", TIMEOUT).output().unwrap();
        Run::of(&output).refused(3, "locked");
        signal(writer.pid(), "CONT");
        drop(writer);
        sandbox.boot().ready();
        assert_eq!(rows(&sandbox.database), before);
    }
}

#[test]
fn what_a_killed_writer_left_is_rolled_back_by_the_boot_that_waited_for_it() {
    for (wal, hold) in
        [(false, Hold::Writing), (false, Hold::Overwriting), (true, Hold::Writing), (true, Hold::Overwriting)]
    {
        let sandbox = sandbox(2_000, wal);
        let before = rows(&sandbox.database);
        let writer = Holder::new(&sandbox.database, hold);
        let boot = spawn_boot(&sandbox, PATIENCE);
        std::thread::sleep(Duration::from_millis(700));
        drop(writer);
        end_of(boot).ready();
        assert_eq!(rows(&sandbox.database), before, "{hold:?}");
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    }
}

#[test]
fn a_boot_that_was_stopped_in_the_middle_goes_on_when_it_can() {
    for wal in [false, true] {
        let sandbox = sandbox(20_000, wal);
        let before = rows(&sandbox.database);
        let boot = spawn_boot(&sandbox, PATIENCE);
        let is_at_work = || sandbox.files().iter().any(|name| name.contains("backup-in-progress"));
        while !is_at_work() {
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(boot.id(), "STOP");
        refuses_for(boot.id(), &sandbox);
        signal(boot.id(), "CONT");
        let report = end_of(boot).ready();
        assert_eq!(report["adopted"], true, "nobody did its work meanwhile");
        sandbox.boot().ready();
        assert_eq!(rows(&sandbox.database), before);
        assert_eq!(sandbox.backups().len(), 1);
    }
}

#[test]
fn a_reader_that_was_stopped_keeps_a_commit_from_a_file_without_a_log() {
    let sandbox = sandbox(2_000, false);
    let before = sandbox.bytes();
    let reader = Holder::new(&sandbox.database, Hold::Reading);
    signal(reader.pid(), "STOP");
    refuses_for(reader.pid(), &sandbox);
    drop(reader);
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
    sandbox.boot().ready();
}

#[test]
fn readers_and_idle_connections_keep_nothing_from_a_file_with_a_log() {
    for hold in [Hold::Idle, Hold::Reading] {
        let sandbox = sandbox(2_000, true);
        let before = rows(&sandbox.database);
        let reader = Holder::new(&sandbox.database, hold);
        signal(reader.pid(), "STOP");
        let report = sandbox.boot().ready();
        let is_late = strings(&report["notes"]).iter().any(|note| note.contains("was not folded in"));
        assert_eq!(is_late, hold == Hold::Reading, "{}", report["notes"]);
        drop(reader);
        sandbox.boot().ready();
        assert_eq!(rows(&sandbox.database), before);
    }
}
