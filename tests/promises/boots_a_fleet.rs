//! A directory of databases, one for each tenant: all of them are booted, and what fails is alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bootproof::{
    Cancellation, Fleet, FleetDatabase, FleetEvent, FleetObserver, FleetOutcome, FleetReport, Integrity, Options, Stop,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::SCHEMA;

use crate::support::PHASE_1;

/// Databases as found in production, in a directory of their own.
fn tenants(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let first = directory.path().join("template");
    Fixture::new(10).create(&first).unwrap();
    for name in names {
        fs::copy(&first, directory.path().join(name)).unwrap();
    }
    fs::remove_file(first).unwrap();
    directory
}

fn fleet(directory: &TempDir) -> Fleet<'static> {
    let options = Options { lock_timeout: Duration::from_millis(200), environment: false, ..Options::default() };
    Fleet::new(&SCHEMA, directory.path()).options(options)
}

fn named<'r>(report: &'r FleetReport, name: &str) -> &'r FleetDatabase {
    report.databases.iter().find(|database| database.name == name).unwrap()
}

fn version(path: &Path) -> Option<i64> {
    let connection = Connection::open(path).unwrap();
    connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0)).ok()
}

fn code(database: &FleetDatabase) -> Option<u8> {
    database.error.as_ref().map(|error| error.code)
}

#[test]
fn a_failing_database_is_alone_and_as_it_was() {
    let directory = tenants(&["b-corrupt.db", "c-locked.db", "d-newer.db", "f.db", "a.db", "e-no-database.db"]);
    let at = |name: &str| directory.path().join(name);
    // A damaged page, somebody at work, a program of tomorrow, and a text.
    let mut bytes = fs::read(at("b-corrupt.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(at("b-corrupt.db"), &bytes).unwrap();
    let holder = Connection::open(at("c-locked.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    worklog_schema::migrate_on_boot(at("d-newer.db")).unwrap();
    let newer = Connection::open(at("d-newer.db")).unwrap();
    newer
        .execute_batch("INSERT INTO refinery_schema_history SELECT 99, 'future', applied_on, '1' FROM refinery_schema_history LIMIT 1")
        .unwrap();
    drop(newer);
    fs::write(at("e-no-database.db"), "a long text that is no database ".repeat(64)).unwrap();
    let before: Vec<_> =
        ["b-corrupt.db", "d-newer.db", "e-no-database.db"].map(|name| fs::read(at(name)).unwrap()).into();

    let report = fleet(&directory).run().unwrap();
    let names: Vec<_> = report.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(names, ["a.db", "b-corrupt.db", "c-locked.db", "d-newer.db", "e-no-database.db", "f.db"]);
    let codes: Vec<_> = report.databases.iter().map(code).collect();
    assert_eq!(codes, [None, Some(6), Some(3), Some(4), Some(6), None]);
    for name in ["a.db", "f.db"] {
        assert_eq!((named(&report, name).outcome, named(&report, name).applied), (FleetOutcome::Ready, 2));
        assert_eq!(version(&at(name)), Some(PHASE_1));
    }
    let after: Vec<_> =
        ["b-corrupt.db", "d-newer.db", "e-no-database.db"].map(|name| fs::read(at(name)).unwrap()).into();
    assert!(before == after, "a database that failed was written to");
    assert!(report.databases.iter().filter_map(|database| database.error.as_ref()).all(|error| !error.hint.is_empty()));
    assert_eq!((report.exit_code(), report.stopped), (10, None));
    let text = report.to_string();
    assert!(
        text.starts_with("2 of 6 databases are ready in ") && text.contains("failed  c-locked.db (exit code 3)"),
        "{text}"
    );
    drop(holder);
}

#[cfg(unix)]
#[test]
fn a_database_that_cannot_be_read_is_alone() {
    use std::os::unix::fs::symlink;

    // Whoever runs the tests as root may read everything; a link that leads in a circle nobody can follow.
    let directory = tenants(&["a.db", "c.db"]);
    symlink(directory.path().join("b.db"), directory.path().join("b.db")).unwrap();
    let report = fleet(&directory).run().unwrap();
    assert_eq!(report.databases.iter().map(code).collect::<Vec<_>>(), [None, Some(8), None]);
    assert_eq!(report.exit_code(), 8, "the one reason there is");
}

#[test]
fn what_belongs_to_another_file_is_no_database() {
    let directory = tenants(&["a.db", "eu.b3.db"]);
    let at = |name: &str| directory.path().join(name);
    fleet(&directory).run().unwrap();
    for name in [
        "a.db-wal",
        "a.db-journal",
        "x.db.replaced-20260210_093000",
        "a.db.remade",
        "b.db.backup-by-hand.db",
        "copy.db.b3",
    ] {
        fs::write(at(name), "").unwrap();
    }
    fs::create_dir(at("directory.db")).unwrap();
    let report = fleet(&directory).pattern("*").run().unwrap();
    let names: Vec<_> = report.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(names, ["a.db", "eu.b3.db"], "{:?}", report.skipped);
    let reason = |name: &str| report.skipped.iter().find(|skipped| skipped.name == name).map(|skipped| skipped.reason);
    assert_eq!(reason("directory.db"), Some("not a file"));
    assert_eq!(reason("b.db.backup-by-hand.db"), Some("belongs to another file"));
    let backups = report.skipped.iter().filter(|skipped| skipped.name.contains(".backup-2")).count();
    assert_eq!(backups, 4, "two backups with their digests: {:?}", report.skipped);
}

#[test]
fn a_pattern_goes_down_directories_and_a_link_is_no_second_database() {
    let directory = tenants(&["x.db", "stray.sqlite"]);
    for tenant in ["globex", "acme"] {
        fs::create_dir(directory.path().join(tenant)).unwrap();
        fs::copy(directory.path().join("x.db"), directory.path().join(tenant).join("data.db")).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(directory.path().join("acme"), directory.path().join("zacme")).unwrap();
    let report = fleet(&directory).pattern("*/data.db").run().unwrap();
    assert!(report.databases.iter().all(|database| database.outcome == FleetOutcome::Ready));
    assert!(named(&report, "acme/data.db").backup.is_some() && named(&report, "globex/data.db").applied == 2);
    assert_eq!(version(&directory.path().join("x.db")), None, "it was not meant");
    #[cfg(unix)]
    assert_eq!((report.databases.len(), report.skipped[0].name.as_str()), (2, "zacme/data.db"));
}

#[test]
fn a_database_at_head_is_believed_by_its_seal_on_request_and_by_nothing_else() {
    let directory = tenants(&["a.db", "b.db"]);
    fleet(&directory).run().unwrap();
    // Damage that only reading the file finds.
    let path = directory.path().join("b.db");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let outcomes = |fleet: Fleet<'_>| fleet.run().unwrap().databases.iter().map(code).collect::<Vec<_>>();
    assert_eq!(outcomes(fleet(&directory)), [None, Some(6)], "everything is checked");
    assert_eq!(outcomes(fleet(&directory).resume(true)), [None, None], "the seal is believed");
    Connection::open(directory.path().join("a.db")).unwrap().execute_batch("DROP INDEX idx_users_email").unwrap();
    let report = fleet(&directory).resume(true).run().unwrap();
    assert_eq!(named(&report, "a.db").repaired, 1, "a broken seal is not");
}

#[test]
fn behind_the_deadline_nothing_begins_and_the_next_run_goes_on() {
    let names: Vec<_> = (0..6).map(|number| format!("{number:02}.db")).collect();
    let directory = tenants(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let none = fleet(&directory).deadline(Duration::ZERO).run().unwrap();
    assert_eq!((none.count(FleetOutcome::Remaining), none.stopped, none.exit_code()), (6, Some(Stop::Deadline), 3));
    assert!(none.to_string().contains("remaining: the time was up with 6 to go, the first of them 00.db"), "{none}");
    assert_eq!(version(&directory.path().join("00.db")), None);
    let cancellation = Cancellation::default();
    let observer = Arc::new(CancelAfter(3, cancellation.clone(), Mutex::default()));
    let some = fleet(&directory).threads(1).cancellation(cancellation).observer(observer.clone()).run().unwrap();
    assert_eq!((some.count(FleetOutcome::Ready), some.count(FleetOutcome::Remaining)), (3, 3));
    assert_eq!((some.stopped, some.exit_code()), (Some(Stop::CalledOff), 130));
    assert_eq!(*observer.2.lock().unwrap(), ["00.db", "01.db", "02.db"], "in the order of their names");
    let rest = fleet(&directory).resume(true).run().unwrap();
    let applied: Vec<_> = rest.databases.iter().map(|database| database.applied).collect();
    assert_eq!(applied, [0, 0, 0, 2, 2, 2]);
    assert!(rest.is_ready());
}

#[derive(Debug)]
struct CancelAfter(usize, Cancellation, Mutex<Vec<String>>);

impl FleetObserver for CancelAfter {
    fn notice(&self, event: FleetEvent<'_>) {
        if let FleetEvent::Finished { database, done } = event {
            self.2.lock().unwrap().push(database.name.clone());
            if done == self.0 {
                self.1.cancel();
            }
        }
    }
}

#[test]
fn what_is_under_way_when_the_grace_is_over_is_rolled_back() {
    let directory = tenants(&["a.db"]);
    let path = directory.path().join("a.db");
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let patient = Options { lock_timeout: Duration::from_mins(1), environment: false, ..Options::default() };
    let start = Instant::now();
    let bounded = Fleet::new(&SCHEMA, directory.path()).options(patient);
    let report = bounded.deadline(Duration::from_millis(100)).grace(Duration::from_millis(100)).run().unwrap();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!((report.databases[0].outcome, report.stopped), (FleetOutcome::Remaining, Some(Stop::Deadline)));
    drop(holder);
    assert_eq!(version(&path), None);
}

#[test]
fn every_database_can_have_options_of_its_own() {
    let directory = tenants(&["a.db", "b.db"]);
    let own = |path: &Path, options: Options| Options {
        backup: path != Path::new("b.db"),
        integrity: Integrity::Quick,
        ..options
    };
    let report = fleet(&directory).each(own).memory(1).run().unwrap();
    assert_eq!(report.databases.iter().map(|database| database.backup.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_database_that_goes_before_its_turn_is_not_made_anew() {
    let directory = tenants(&["a.db", "b.db"]);
    let gone = directory.path().join("b.db");
    let remove = |path: &Path, options| {
        if path == Path::new("a.db") {
            fs::remove_file(&gone).unwrap();
        }
        options
    };
    let report = fleet(&directory).threads(1).each(remove).run().unwrap();
    assert_eq!(report.databases.iter().map(code).collect::<Vec<_>>(), [None, Some(8)]);
    assert!(!gone.exists());
}

#[test]
fn code_that_panics_costs_one_database() {
    let directory = tenants(&["a.db", "b.db"]);
    let panicking = |path: &Path, options| {
        assert!(path != Path::new("a.db"), "told to");
        options
    };
    let report = fleet(&directory).each(panicking).run().unwrap();
    assert_eq!(report.databases.iter().map(code).collect::<Vec<_>>(), [Some(1), None]);
}

#[test]
fn an_observer_that_panics_costs_nothing() {
    #[derive(Debug)]
    struct Panicking;

    impl FleetObserver for Panicking {
        fn notice(&self, event: FleetEvent<'_>) {
            match event {
                FleetEvent::Started { name } => assert!(name != "a.db", "told to"),
                FleetEvent::Finished { database, .. } => assert!(database.name != "b.db", "told to"),
                _ => {}
            }
        }
    }

    let directory = tenants(&["a.db", "b.db", "c.db", "d.db"]);
    // Two at once and no memory for two: whoever waits for room must not wait for one that will never be done.
    let report = fleet(&directory).threads(2).memory(1).observer(Arc::new(Panicking)).run().unwrap();
    let outcomes: Vec<_> = report.databases.iter().map(|database| database.outcome).collect();
    assert_eq!(outcomes, [FleetOutcome::Ready; 4]);
    assert_eq!(report.databases.iter().map(|database| database.applied).collect::<Vec<_>>(), [2; 4]);
}

#[test]
fn grace_without_end_leaves_the_deadline_in_force() {
    let directory = tenants(&["a.db"]);
    let report = fleet(&directory).deadline(Duration::ZERO).grace(Duration::MAX).run().unwrap();
    assert_eq!((report.databases[0].outcome, report.stopped), (FleetOutcome::Remaining, Some(Stop::Deadline)));
}

/// A thread cannot have a stack of this size.
#[cfg(target_os = "linux")]
#[test]
fn without_a_single_thread_one_is_booted_after_the_other() {
    let directory = tenants(&["a.db", "b.db"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    command.arg("fleet").arg(directory.path()).args(["--threads", "4", "--json"]);
    let output = command.env("RUST_MIN_STACK", (1_u64 << 50).to_string()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["databases"].as_array().unwrap().iter().all(|database| database["outcome"] == "ready"));
}

/// Two names of one file have a log each in WAL mode, and two boots would write over one another.
#[cfg(unix)]
#[test]
fn a_second_name_of_a_file_is_no_second_database() {
    let directory = tenants(&["a.db", "c.db"]);
    let at = |name: &str| directory.path().join(name);
    fs::hard_link(at("a.db"), at("b.db")).unwrap();
    let report = fleet(&directory).run().unwrap();
    let names: Vec<_> = report.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!((names, report.skipped[0].name.as_str()), (vec!["a.db", "c.db"], "b.db"));
}

#[cfg(unix)]
#[test]
fn a_link_to_a_backup_is_no_database() {
    let directory = tenants(&["a.db"]);
    let backup = PathBuf::from(fleet(&directory).run().unwrap().databases[0].backup.clone().unwrap());
    let before = fs::read(&backup).unwrap();
    std::os::unix::fs::symlink(&backup, directory.path().join("latest.db")).unwrap();
    let report = fleet(&directory).run().unwrap();
    assert_eq!((report.databases.len(), report.skipped[0].reason), (1, "belongs to another file"));
    assert!(before == fs::read(&backup).unwrap(), "the backup was migrated");
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_read_is_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tenants(&["x.db"]);
    for tenant in ["acme", "lost+found"] {
        fs::create_dir(directory.path().join(tenant)).unwrap();
        fs::copy(directory.path().join("x.db"), directory.path().join(tenant).join("data.db")).unwrap();
    }
    let closed = directory.path().join("lost+found");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&closed).is_ok() {
        // To root nothing is closed.
        return;
    }
    let report = fleet(&directory).pattern("*/data.db").run();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let report = report.unwrap();
    let codes: Vec<_> = report.databases.iter().map(|database| (database.name.as_str(), code(database))).collect();
    assert_eq!(codes, [("acme/data.db", None), ("lost+found/data.db", Some(8))]);
}

#[test]
fn what_would_fail_every_boot_fails_the_fleet() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Fleet::new(&SCHEMA, directory.path().join("nothing")).run().unwrap_err();
    assert_eq!(missing.exit_code(), 8);
    let nobody = fleet(&directory).run().unwrap();
    assert_eq!((nobody.databases.len(), nobody.exit_code()), (0, 0));
}

#[test]
fn the_command_boots_a_fleet_and_one_that_is_killed_goes_on() {
    let names: Vec<_> = (0..16).map(|number| format!("{number:02}.db")).collect();
    let directory = tenants(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let command = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        command.arg("fleet").arg(directory.path()).arg("--json").args(more);
        command.env_remove("BOOTPROOF_DB").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let head = |path: PathBuf| version(&path) == Some(PHASE_1);
    let mut killed = command(&["--threads", "2"]).spawn().unwrap();
    let patience = Instant::now() + Duration::from_mins(1);
    let has_come_to_the_fourth = || {
        let mut names = fs::read_dir(directory.path()).unwrap().flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("03.db.backup-2"))
    };
    while !has_come_to_the_fourth() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let done = names.iter().filter(|name| head(directory.path().join(name))).count();
    assert!(done < 16, "the kill came too late to prove anything");
    let output = command(&["--resume"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let databases = report["databases"].as_array().unwrap();
    let unchanged = databases.iter().filter(|database| database["applied"] == 0).count();
    assert_eq!((databases.len(), unchanged), (16, done));
    assert!(databases.iter().all(|database| database["outcome"] == "ready" && database["to_version"] == PHASE_1));
    let late = command(&["--deadline", "0"]).output().unwrap();
    assert_eq!(late.status.code(), Some(3));
}

/// A mark beside a database is of that database, whatever the bytes of their names: not of one that is not there.
#[cfg(unix)]
#[test]
fn the_mark_of_a_restore_is_of_a_database_whose_name_is_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let directory = tenants(&["a.db"]);
    let at = |name: &[u8]| directory.path().join(OsStr::from_bytes(name));
    fs::rename(directory.path().join("a.db"), at(b"caf\xe9.db")).unwrap();
    fs::write(at(b"caf\xe9.db.restoring"), "").unwrap();
    let report = fleet(&directory).pattern("*.db").run().unwrap();
    let names: Vec<&str> = report.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(names, ["caf\u{fffd}.db"], "{report}");
}
