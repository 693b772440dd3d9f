use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use worklog_fixture::Fixture;

use super::{PATIENCE, end_of, is_long, spawn_boot};
use crate::support::Sandbox;

const READERS: usize = 2;
/// What a boot may add to a read in WAL mode, in the long form, on a machine that does nothing else.
const MOST_ADDED: Duration = Duration::from_millis(100);
/// What an application waits for a lock that needs no log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

fn all_rows() -> &'static [usize] {
    if is_long() { &[20_000, 100_000] } else { &[5_000] }
}

#[test]
fn are_never_turned_away_from_a_file_with_a_log() {
    for rows in all_rows() {
        let (control, measured) = with_control(*rows, true, Duration::ZERO);
        say(*rows, "wal", &control, &measured);
        if is_long() {
            let added = measured.longest.saturating_sub(control.longest);
            assert!(added < MOST_ADDED, "a boot added {added:?} to a read");
        }
    }
}

#[test]
fn wait_for_no_more_than_the_commit_of_a_file_without_a_log() {
    for rows in all_rows() {
        let (control, measured) = with_control(*rows, false, BUSY_TIMEOUT);
        say(*rows, "delete", &control, &measured);
    }
}

/// What readers met with.
#[derive(Debug, Default)]
struct Reads {
    count: usize,
    longest: Duration,
    boot: Duration,
}

fn say(rows: usize, mode: &str, control: &Reads, measured: &Reads) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "{rows} worklogs, {mode}: {} reads while a boot took {:.1} s, the longest {:.1} ms; {:.1} ms while it booted another file",
        measured.count,
        measured.boot.as_secs_f64(),
        ms(measured.longest),
        ms(control.longest)
    );
}

/// Reads of a file that is not booted while another is, and of one that is: the same load, but for the locks.
fn with_control(rows: usize, wal: bool, busy_timeout: Duration) -> (Reads, Reads) {
    let original = Sandbox::with(&Fixture::new(rows).wal(wal));
    let copied = || {
        let sandbox = Sandbox::empty();
        fs::copy(&original.database, &sandbox.database).unwrap();
        sandbox
    };
    let booted = copied();
    let control = reads(&original, &booted, busy_timeout);
    let booted = copied();
    (control, reads(&booted, &booted, busy_timeout))
}

/// Reads one database while another is booted, which may be the same.
fn reads(read: &Sandbox, booted: &Sandbox, busy_timeout: Duration) -> Reads {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || read_on(&read.database, busy_timeout, &is_over);
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        let run = end_of(spawn_boot(booted, PATIENCE));
        let boot = start.elapsed();
        std::thread::sleep(Duration::from_millis(50));
        is_over.store(true, Ordering::Relaxed);
        let all: Vec<Reads> = readers.into_iter().map(|reader| reader.join().unwrap().unwrap()).collect();
        assert_eq!(run.ready()["adopted"], true);
        Reads {
            count: all.iter().map(|reads| reads.count).sum(),
            longest: all.iter().map(|reads| reads.longest).max().unwrap(),
            boot,
        }
    })
}

/// A person's page, again and again, each time in a transaction of its own.
fn read_on(database: &Path, busy_timeout: Duration, is_over: &AtomicBool) -> rusqlite::Result<Reads> {
    let connection = Connection::open(database)?;
    // The first of the readers makes the index of the log, and the other may have to wait for that: not for a boot.
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.busy_timeout(busy_timeout)?;
    let mut reads = Reads::default();
    while !is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let sql = "SELECT count(*) FROM worklogs WHERE author_email = (SELECT author_email FROM worklogs LIMIT 1)";
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        assert!(count > 0);
        reads.longest = reads.longest.max(start.elapsed());
        reads.count += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(reads)
}
