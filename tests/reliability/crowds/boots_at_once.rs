use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use worklog_fixture::Fixture;
use worklog_schema::bootproof::{BootReport, Options};

use super::{PATIENCE, end_of, is_long, spawn_boot};
use crate::support::{Sandbox, integrity_check, query, rows};
use crate::tally::Tally;

/// Few enough for a crowd to read.
const ROWS: usize = 100;

/// What a crowd finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Unmanaged,
    Current,
    WithoutAnIndex,
}

/// How a crowd boots.
#[derive(Clone, Copy, Debug)]
enum Through {
    Processes,
    Paths,
    Connections,
}

const SCENES: [(Found, bool); 7] = [
    (Found::Nothing, false),
    (Found::Unmanaged, false),
    (Found::Unmanaged, true),
    (Found::Current, false),
    (Found::Current, true),
    (Found::WithoutAnIndex, false),
    (Found::WithoutAnIndex, true),
];

#[test]
fn of_many_processes_one_does_the_work() {
    // A process costs most, and threads go the same ways.
    crowds(Through::Processes, if is_long() { 64 } else { 10 });
}

#[test]
fn of_many_threads_one_does_the_work() {
    crowds(Through::Paths, if is_long() { 64 } else { 10 });
}

#[test]
fn of_many_connections_one_does_the_work() {
    crowds(Through::Connections, if is_long() { 64 } else { 10 });
}

fn crowds(through: Through, size: usize) {
    let mut tally = Tally::new(format!("crowds of {size}, {through:?}").to_lowercase());
    for _ in 0..if is_long() { 5 } else { 1 } {
        for (found, wal) in SCENES {
            let mode = if wal { " in wal mode" } else { "" };
            let case = format!("{found:?}{mode}").to_lowercase();
            let outcome = one_does_the_work(through, size, found, wal);
            tally.count(
                &case,
                outcome.map(|slowest| {
                    println!("  {case}: the last was ready after {:.1} s", slowest.as_secs_f64());
                    case.clone()
                }),
            );
        }
    }
    tally.finish();
}

/// How long the last of the crowd took.
fn one_does_the_work(through: Through, size: usize, found: Found, wal: bool) -> Result<Duration, String> {
    let sandbox = prepared(found, wal);
    let exists = sandbox.database.exists();
    let (before, events) = if exists { (rows(&sandbox.database), events(&sandbox)) } else { Default::default() };
    let start = Instant::now();
    let reports = match through {
        Through::Processes => {
            let boots: Vec<_> = (0..size).map(|_| spawn_boot(&sandbox, PATIENCE)).collect();
            boots
                .into_iter()
                .map(end_of)
                .map(|run| (run.code == 0).then_some(run.json.clone()).ok_or(format!("{} {}", run.code, run.json)))
                .collect::<Result<Vec<Value>, _>>()?
        }
        Through::Paths => {
            threads(size, || worklog_schema::boot(&sandbox.database).run().map_err(|failure| failure.to_string()))?
        }
        Through::Connections => threads(size, || through_connection(&sandbox.database))?,
    };
    let slowest = start.elapsed();

    let worked = reports.iter().filter(|report| has_worked(report)).count();
    let expected = usize::from(found != Found::Current);
    if worked != expected {
        return Err(format!("{worked} of {size} did the work"));
    }
    if let Some(report) = reports.iter().find(|report| report["verdict"] != "ready") {
        return Err(format!("not ready: {report}"));
    }
    let recorded = self::events(&sandbox).len() - events.len();
    if recorded != expected {
        return Err(format!("{recorded} were recorded"));
    }
    if exists && rows(&sandbox.database) != before {
        return Err("other rows".to_owned());
    }
    match integrity_check(&sandbox.database).as_slice() {
        [ok] if ok == "ok" => {}
        problems => return Err(format!("{problems:?}")),
    }
    let strays: Vec<String> =
        sandbox.files().into_iter().filter(|name| name != "worklog.db" && !name.contains(".backup-2")).collect();
    let backups = usize::from(found == Found::Unmanaged);
    if !strays.is_empty() || sandbox.backups().len() != backups {
        return Err(format!("left behind: {:?}", sandbox.files()));
    }
    Ok(slowest)
}

fn prepared(found: Found, wal: bool) -> Sandbox {
    let sandbox = Sandbox::empty();
    if found == Found::Nothing {
        return sandbox;
    }
    Fixture::new(ROWS).wal(wal).create(&sandbox.database).unwrap();
    if found != Found::Unmanaged {
        worklog_schema::boot(&sandbox.database).backup(false).run().unwrap();
    }
    if found == Found::WithoutAnIndex {
        sandbox.execute("DROP INDEX idx_worklogs_company_day");
    }
    for log in sandbox.files().iter().filter(|name| *name != "worklog.db") {
        fs::remove_file(sandbox.path().join(log)).unwrap();
    }
    sandbox
}

/// What boots have recorded.
fn events(sandbox: &Sandbox) -> Vec<String> {
    let connection = sandbox.open();
    let has_audit = "SELECT name FROM sqlite_schema WHERE name = 'bootproof_audit'";
    if query(&connection, has_audit).is_empty() {
        Vec::new()
    } else {
        query(&connection, "SELECT event FROM bootproof_audit")
    }
}

/// Created, adopted, migrated or repaired.
fn has_worked(report: &Value) -> bool {
    let some = |list: &str| report[list].as_array().is_some_and(|list| !list.is_empty());
    report["created"] == true || report["adopted"] == true || some("applied") || some("repaired")
}

fn threads(size: usize, boot: impl Fn() -> Result<BootReport, String> + Sync) -> Result<Vec<Value>, String> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..size).map(|_| scope.spawn(&boot)).collect();
        let reports = threads.into_iter().map(|thread| thread.join().map_err(|_| "a boot panicked".to_owned())?);
        reports.map(|report| Ok(serde_json::from_str(&report?.to_json()).unwrap())).collect()
    })
}

fn through_connection(database: &Path) -> Result<BootReport, String> {
    let mut connection = Connection::open(database).map_err(|error| error.to_string())?;
    worklog_schema::migrate(&mut connection, &Options::default()).map_err(|failure| failure.to_string())
}
