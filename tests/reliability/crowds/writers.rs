use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use worklog_fixture::Fixture;

use super::{PATIENCE, end_of, is_long, spawn_boot};
use crate::support::{Sandbox, applied, integrity_check, query};
use crate::tally::Tally;

const WRITERS: usize = 3;
/// How long they write before the boots and after them.
const AROUND: Duration = Duration::from_millis(100);

#[test]
fn lose_nothing_to_boots() {
    let mut tally = Tally::new("writers around boots".to_owned());
    let (rounds, rows) = if is_long() { (8, 20_000) } else { (1, 1_000) };
    for _ in 0..rounds {
        for wal in [false, true] {
            for boots in [1, 2] {
                let case = format!("{boots} boots{}", if wal { " in wal mode" } else { "" });
                tally.count(&case, nothing_is_lost(rows, wal, boots).map(|()| case.clone()));
            }
        }
    }
    tally.finish();
}

fn nothing_is_lost(rows: usize, wal: bool, boots: usize) -> Result<(), String> {
    let sandbox = Sandbox::with(&Fixture::new(rows).wal(wal));
    let is_over = AtomicBool::new(false);
    let (written, runs) = std::thread::scope(|scope| {
        let write = |writer| {
            scope.spawn({
                let (sandbox, is_over) = (&sandbox, &is_over);
                move || write(&sandbox.database, writer, is_over)
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        std::thread::sleep(AROUND);
        let boots: Vec<Child> = (0..boots).map(|_| spawn_boot(&sandbox, PATIENCE)).collect();
        let runs: Vec<_> = boots.into_iter().map(end_of).collect();
        std::thread::sleep(AROUND);
        is_over.store(true, Ordering::Relaxed);
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        (written, runs)
    });
    let mut migrated = 0;
    for run in runs {
        if run.code != 0 {
            return Err(format!("{} {}", run.code, run.json));
        }
        migrated += usize::from(!applied(&run.json).is_empty());
    }
    if migrated != 1 {
        return Err(format!("{migrated} migrated"));
    }
    let mut ids = BTreeSet::new();
    for written in written {
        ids.extend(written?);
    }
    let connection = sandbox.open();
    let found = query(&connection, "SELECT id FROM worklogs WHERE id LIKE 'writer-%'");
    if found.len() != ids.len() || !found.iter().all(|id| ids.contains(id)) {
        return Err(format!("{} rows were committed, {} are there", ids.len(), found.len()));
    }
    // Found through the new index, too.
    let indexed = "SELECT id FROM worklogs INDEXED BY idx_worklogs_company_day WHERE company_id = 1 AND date(started) = '2026-01-31' AND id LIKE 'writer-%'";
    if query(&connection, indexed).len() != ids.len() {
        return Err("an index lacks rows".to_owned());
    }
    let count: i64 = connection.query_row("SELECT count(*) FROM worklogs", [], |row| row.get(0)).unwrap();
    if usize::try_from(count) != Ok(rows + ids.len()) {
        return Err(format!("{count} rows"));
    }
    drop(connection);
    let sound = integrity_check(&sandbox.database);
    if sound == ["ok"] { Ok(()) } else { Err(format!("{sound:?}")) }
}

/// Commits one row after another, and tells which.
fn write(database: &Path, writer: usize, is_over: &AtomicBool) -> Result<Vec<String>, String> {
    let failed = |error: rusqlite::Error| format!("a writer failed: {error}");
    let connection = Connection::open(database).map_err(failed)?;
    connection.busy_timeout(Duration::from_mins(1)).map_err(failed)?;
    let mut written = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let id = format!("writer-{writer}-{}", written.len());
        let sql = "INSERT INTO worklogs(id, issue_key, author_email, time_spent_seconds, started, jira_instance, data, company_id)
             VALUES (?1, 'A-1', 'a@example.com', 60, '2026-01-31T09:00:00.000+00:00', 'main', '{}', 1)";
        connection.execute(sql, [&id]).map_err(failed)?;
        written.push(id);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(written)
}
