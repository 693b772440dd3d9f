use std::sync::Arc;
use std::time::{Duration, Instant};

use beyond_sql::{broken, outside};
use bootproof::{Boot, Cancellation, CheckName, Options, Outcome, Schema, Step, fresh};
use rusqlite::Connection;

use crate::support::{CancelAt, Sandbox, rows, value};

pub(crate) fn schema() -> Schema {
    Schema::new("entries", &outside::COMPILED)
}

pub(crate) const ROWS: &str = "INSERT INTO entries(body)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT hex(i) || printf('%200d', i) FROM n;
    INSERT INTO entries(body) VALUES ('');";

fn bodies(connection: &Connection) -> Vec<String> {
    rows(connection, "SELECT id, body FROM entries WHERE body <> '' ORDER BY id")
}

fn format(connection: &Connection) -> [String; 3] {
    ["page_size", "auto_vacuum", "journal_mode"].map(|name| value(connection, &format!("PRAGMA {name}")))
}

#[test]
fn the_file_gets_its_new_format_and_keeps_its_rows() {
    for journal in ["delete", "wal"] {
        let sandbox = Sandbox::at(&schema(), 1, &format!("PRAGMA journal_mode = {journal}; {ROWS}"));
        let before = bodies(&sandbox.open());
        let report = Boot::new(&schema(), &sandbox.database).run().unwrap();
        assert_eq!((report.from_version, report.to_version, report.applied.len()), (Some(1), Some(4), 3));
        for name in [CheckName::Schema, CheckName::RowCounts, CheckName::ForeignKeys, CheckName::Integrity] {
            assert_eq!(report.check(name).unwrap().outcome, Outcome::Passed, "{report}");
        }
        let said = report.notes.iter().any(|note| note.contains("003_larger_pages ran outside the transaction"));
        assert!(said && report.to_string().contains("pages of 8 KiB hold a whole entry"), "{report}");

        let connection = sandbox.open();
        assert_eq!(format(&connection), ["8192", "2", journal]);
        assert!(bodies(&connection) == before);
        assert_eq!(value(&connection, "SELECT count(*) FROM entries"), "3000");
        assert_eq!(value(&connection, "PRAGMA integrity_check"), "ok");
        let versions = "SELECT group_concat(version) FROM refinery_schema_history";
        assert_eq!(value(&connection, versions), "1,2,3,4");
        let steps = "SELECT group_concat(coalesce(from_version, '') || '>' || to_version) FROM bootproof_audit";
        assert_eq!(value(&connection, steps), ">1,1>2,2>3,3>4");
        drop(connection);

        // A backup of every commit on the way, and nothing else.
        let known = |name: &String| name == "app.db" || name.contains(".backup-");
        assert!(sandbox.names().iter().all(known), "{:?}", sandbox.names());
        assert_eq!(sandbox.backups().len(), 3);
        // The first of them is told: it is of the database as it was found.
        let backup = Connection::open(&report.backup.unwrap().path).unwrap();
        assert_eq!(value(&backup, versions), "1");
        assert_eq!(Boot::new(&schema(), &sandbox.database).verify().unwrap().to_version, Some(4));
    }
}

#[test]
fn a_new_database_has_the_format_too() {
    let sandbox = Sandbox::empty();
    let report = Boot::new(&schema(), &sandbox.database).run().unwrap();
    assert_eq!((report.created, report.to_version, report.applied.len()), (true, Some(4), 4));
    assert_eq!(format(&sandbox.open()), ["8192", "2", "delete"]);
    assert_eq!(sandbox.names(), ["app.db"]);
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().from_version, Some(4));
    // Whoever has backups switched off has nothing to lose here.
    let sandbox = Sandbox::empty();
    assert_eq!(Boot::new(&schema(), &sandbox.database).backup(false).run().unwrap().to_version, Some(4));
    assert_eq!(value(&fresh(&schema()).unwrap(), "SELECT count(*) FROM refinery_schema_history"), "4");
}

#[test]
fn what_fails_leaves_the_file_as_it_was_before_that_step() {
    let schema = Schema::new("entries", &broken::COMPILED);
    let twice = "INSERT INTO entries(body) VALUES ('a'), ('b'), ('b');";
    let sandbox = Sandbox::at(&schema, 1, twice);
    let before = sandbox.files();
    for _ in 0..3 {
        let failure = Boot::new(&schema, &sandbox.database).run().unwrap_err();
        assert_eq!((failure.exit_code(), failure.error.kind()), (5, "migration_failed"));
        assert!(failure.to_string().contains("002_unique.sql:4 (statement 3 of 3)"), "{failure}");
        assert!(failure.to_string().contains("unchanged at version 1; no backup kept"), "{failure}");
        // Although the first statement had deleted a row, the second had written every page anew, and boots pile up.
        assert!(before == sandbox.files(), "{:?}", sandbox.names());
    }
    sandbox.open().execute_batch("DELETE FROM entries WHERE id = 3").unwrap();
    assert_eq!(Boot::new(&schema, &sandbox.database).run().unwrap().to_version, Some(2));
    assert_eq!(value(&sandbox.open(), "SELECT group_concat(body) FROM entries"), "b");
}

#[test]
fn what_was_committed_before_it_stays_and_is_told() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let switch = Cancellation::default();
    let observer = Arc::new(CancelAt(Step::Migrate("003_larger_pages"), switch.clone()));
    let boot = Boot::new(&schema(), &sandbox.database).observer(observer).cancellation(switch).run();
    let failure = boot.unwrap_err();
    assert_eq!(failure.error.kind(), "cancelled");
    let report = &failure.report;
    assert_eq!((report.from_version, report.to_version, report.applied.len()), (Some(1), Some(2), 1));
    assert!(failure.to_string().contains("is proven at version 2; backup at"), "{failure}");
    assert_eq!(sandbox.backups().len(), 1);
    assert_eq!(sandbox.names().len(), 3, "{:?}", sandbox.names());
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().to_version, Some(4));
}

#[test]
fn it_can_be_called_off_at_any_step() {
    let steps = [Step::Lock, Step::Backup, Step::VerifyBackup, Step::CopyBackup, Step::Statistics, Step::Integrity];
    for step in steps.into_iter().chain([Step::Commit, Step::RowCounts]) {
        let sandbox = Sandbox::at(&schema(), 2, ROWS);
        let before = sandbox.files();
        let switch = Cancellation::default();
        let observer = Arc::new(CancelAt(step, switch.clone()));
        let failure = Boot::new(&schema(), &sandbox.database).observer(observer).cancellation(switch).run();
        assert_eq!(failure.unwrap_err().error.kind(), "cancelled", "{step}");
        assert!(before == sandbox.files(), "{step}: {:?}", sandbox.names());
    }
}

#[test]
fn without_a_backup_it_is_refused_before_anything_is_done() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let before = sandbox.files();
    let failure = Boot::new(&schema(), &sandbox.database).backup(false).run().unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (2, "not_alone"));
    assert!(failure.to_string().contains("003_larger_pages") && before == sandbox.files(), "{failure}");
    // Up to it, and without rows, nobody minds.
    assert_eq!(Boot::new(&schema(), &sandbox.database).backup(false).target(2).run().unwrap().to_version, Some(2));
    let bare = Sandbox::at(&schema(), 1, "");
    assert_eq!(Boot::new(&schema(), &bare.database).backup(false).run().unwrap().to_version, Some(4));
}

#[test]
fn a_connection_of_the_application_is_refused_and_one_in_memory_is_not() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let before = sandbox.files();
    let failure = bootproof::migrate(&schema(), &mut sandbox.open(), &Options::default()).unwrap_err();
    assert_eq!(failure.error.kind(), "not_alone");
    assert!(before == sandbox.files());

    let mut memory = Connection::open_in_memory().unwrap();
    let options = Options { target: Some(1), ..Options::default() };
    bootproof::migrate(&schema(), &mut memory, &options).unwrap();
    memory.execute_batch(ROWS).unwrap();
    let report = bootproof::migrate(&schema(), &mut memory, &Options::default()).unwrap();
    assert_eq!((report.to_version, report.applied.len()), (Some(4), 3));
    assert_eq!(value(&memory, "SELECT count(*) FROM entries"), "3000");

    let broken = Schema::new("entries", &broken::COMPILED);
    let mut memory = Connection::open_in_memory().unwrap();
    bootproof::migrate(&broken, &mut memory, &options).unwrap();
    memory.execute_batch("INSERT INTO entries(body) VALUES ('a'), ('b'), ('b')").unwrap();
    bootproof::migrate(&broken, &mut memory, &Options::default()).unwrap_err();
    assert_eq!(value(&memory, "SELECT group_concat(body) FROM entries"), "a,b,b");
    assert_eq!(value(&memory, "SELECT max(version) FROM refinery_schema_history"), "1");
}

#[test]
fn a_database_in_use_is_refused_as_locked() {
    for journal in ["delete", "wal"] {
        let sandbox = Sandbox::at(&schema(), 2, &format!("PRAGMA journal_mode = {journal}; {ROWS}"));
        // Idle, without any lock: its pages would be those of a file that is not there any more.
        let idle = sandbox.open();
        value(&idle, "SELECT count(*) FROM entries");
        let schema = schema();
        let boot = Boot::new(&schema, &sandbox.database).lock_timeout(Duration::from_millis(300));
        let failure = boot.run().unwrap_err();
        assert_eq!((failure.exit_code(), failure.error.kind()), (3, "locked"), "{failure}");
        idle.execute_batch("INSERT INTO entries(body) VALUES ('late')").unwrap();
        drop(idle);
        assert_eq!(boot.run().unwrap().to_version, Some(4));
        assert_eq!(value(&sandbox.open(), "SELECT count(*) FROM entries WHERE body = 'late'"), "1");
    }
}

#[test]
fn two_boots_at_once_do_it_once() {
    for journal in ["delete", "wal"] {
        let sandbox = Sandbox::at(&schema(), 1, &format!("PRAGMA journal_mode = {journal}; {ROWS}"));
        let start = Instant::now();
        let reports: Vec<_> = std::thread::scope(|threads| {
            let boots: Vec<_> = (0..4)
                .map(|_| {
                    threads.spawn(|| {
                        let schema = schema();
                        Boot::new(&schema, &sandbox.database)
                            .lock_timeout(Duration::from_mins(1))
                            .run()
                            .unwrap_or_else(|failure| panic!("{journal} {failure}\n{:?}", failure.report.timeline))
                    })
                })
                .collect();
            boots.into_iter().map(|boot| boot.join().unwrap()).collect()
        });
        assert!(start.elapsed() < Duration::from_secs(50), "they waited for one another");
        assert!(reports.iter().all(|report| report.to_version == Some(4)));
        assert_eq!(reports.iter().map(|report| report.applied.len()).sum::<usize>(), 3);
        assert_eq!(format(&sandbox.open())[0], "8192");
        assert_eq!(value(&sandbox.open(), "SELECT count(*) FROM entries"), "3000");
    }
}

#[test]
fn plan_and_status_say_that_it_runs_outside() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let boot_of = schema();
    let boot = Boot::new(&boot_of, &sandbox.database);
    let (plan, status) = (boot.plan().unwrap().to_string(), boot.status().unwrap().to_string());
    for text in [&plan, &status] {
        assert!(
            text.contains("003 larger_pages") && text.contains("outside the transaction: pages of 8 KiB"),
            "{text}"
        );
    }
}

#[test]
fn it_is_not_reverted_without_a_script() {
    let sandbox = Sandbox::at(&schema(), 4, ROWS);
    let before = sandbox.files();
    let failure = Boot::new(&schema(), &sandbox.database).revert(2).unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (7, "not_revertable"));
    assert!(before == sandbox.files());
}

/// Whoever writes when the boot comes is waited for, and not kept from committing by the wait.
#[test]
fn a_writer_commits_while_the_boot_waits() {
    let sandbox = Sandbox::at(&schema(), 2, ROWS);
    let writer = sandbox.open();
    writer.busy_timeout(Duration::from_secs(5)).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO entries(body) VALUES ('late')").unwrap();
    let report = std::thread::scope(|threads| {
        let boot = threads.spawn(|| Boot::new(&schema(), &sandbox.database).run().unwrap());
        std::thread::sleep(Duration::from_millis(300));
        writer.execute_batch("COMMIT").unwrap();
        drop(writer);
        boot.join().unwrap()
    });
    assert_eq!(report.to_version, Some(4));
    assert_eq!(value(&sandbox.open(), "SELECT count(*) FROM entries WHERE body = 'late'"), "1");
}

#[test]
fn a_plan_says_what_it_waits_for_and_what_it_lacks() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let plan = Boot::new(&schema(), &sandbox.database).plan().unwrap();
    assert!(plan.error.is_none(), "{plan}");
    let waits = "003_larger_pages runs outside the transaction: it waits until no other process has the database open";
    assert!(plan.locks.iter().any(|line| line.starts_with(waits)) && plan.to_string().contains(waits), "{plan}");
    // What a boot would refuse.
    let plan = Boot::new(&schema(), &sandbox.database).backup(false).plan().unwrap();
    let refused = Boot::new(&schema(), &sandbox.database).backup(false).run().unwrap_err();
    assert_eq!(plan.error.as_ref().map(|error| error.kind), Some(refused.error.kind()), "{plan}");
    assert_eq!(plan.action, bootproof::inspect::PlannedAction::Refuse);
    // Without rows there is nothing to lose.
    let sandbox = Sandbox::at(&schema(), 1, "DELETE FROM entries");
    let plan = Boot::new(&schema(), &sandbox.database).backup(false).plan().unwrap();
    assert!(plan.error.is_none(), "{plan}");
}
