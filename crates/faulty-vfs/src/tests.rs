use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::*;

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

/// A database with rows in a directory of its own.
fn place(journal: &str) -> Place {
    install().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let connection = Connection::open(path.join("test.db")).unwrap();
    connection.pragma_update(None, "journal_mode", journal).unwrap();
    connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    Place { _directory: directory, path }
}

fn insert(directory: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(directory.join("test.db"))?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
         INSERT INTO t SELECT randomblob(3000) FROM n",
    )
}

fn rows(directory: &Path) -> i64 {
    let connection = Connection::open(directory.join("test.db")).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_observed_is_what_strikes() {
    let place = place("delete");
    let (_, steps) = observe(|| insert(&place.path));
    let first = steps.iter().find(|step| step.operation == Operation::Write).unwrap();
    assert!(first.file.ends_with("-journal") && !first.is_database, "{first}");
    let injection = Injection { fault: Fault::Io, operation: Some(Operation::Write), nth: 1, lasting: true };
    let (_, struck) = with_fault(injection, || insert(&place.path).unwrap_err());
    assert_eq!(struck.as_ref(), Some(first));
    assert_eq!(rows(&place.path), 21);
}

#[test]
fn a_fault_ends_with_what_it_was_for_and_strikes_nobody_else() {
    let place = place("wal");
    let injection = Injection { fault: Fault::Busy, operation: Some(Operation::ShmLock), nth: 1, lasting: true };
    let (result, _) = with_fault(injection, || {
        std::thread::scope(|scope| scope.spawn(|| insert(&place.path)).join()).unwrap().unwrap();
        insert(&place.path)
    });
    assert!(matches!(
        result.unwrap_err().sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed)
    ));
    insert(&place.path).unwrap();
    assert_eq!(rows(&place.path), 41);
}

#[test]
fn what_was_committed_survives_and_what_was_not_leaves_no_trace() {
    for journal in ["delete", "truncate", "persist", "wal"] {
        let reference = place(journal);
        let (_, steps) = observe(|| insert(&reference.path));
        for at in (1..=steps.len() as u64 + 1).step_by(3).chain([u64::MAX]) {
            let place = place(journal);
            let (result, cut) = with_power_cut(&place.path, at, || insert(&place.path)).unwrap();
            for seed in 0..8 {
                cut.restore_power(seed).unwrap();
                let rows = rows(&place.path);
                assert!(
                    rows == 21 || (rows == 1 && result.is_err()),
                    "{journal}, cut at {at}, seed {seed}: {rows} rows"
                );
            }
        }
    }
}

#[test]
fn what_was_not_flushed_may_be_lost() {
    let place = place("delete");
    let (result, cut) = with_power_cut(&place.path, u64::MAX, || {
        let connection = Connection::open(place.path.join("test.db"))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch("INSERT INTO t VALUES (2)")
    })
    .unwrap();
    result.unwrap();
    cut.restore_power(0).unwrap();
    assert_eq!(rows(&place.path), 1, "nothing was flushed");
    cut.restore_power(1).unwrap();
    assert_eq!(rows(&place.path), 2, "all was");
}

#[test]
fn a_seed_gives_the_same_disk_again() {
    let place = place("delete");
    let (_, cut) = with_power_cut(&place.path, 40, || insert(&place.path)).unwrap();
    let content = |seed| {
        cut.restore_power(seed).unwrap();
        let mut files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(&place.path)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let first = content(5);
    assert!((2..40).any(|seed| content(seed) != first), "seeds differ");
    assert_eq!(content(5), first);
}
