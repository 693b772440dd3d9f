//! Backups of a database with a log, which others write and fold all the time.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use faulty_vfs::Random;
use rusqlite::Connection;
use worklog_fixture::Fixture;

use super::is_long;
use crate::support::{Sandbox, digest_agrees, digest_of, integrity_check};

/// The file that a writer's process works on, and which of them it is.
const DATABASE: &str = "RELIABILITY_WRITES";
const WRITER: &str = "RELIABILITY_WRITER";
const WRITERS: u64 = 2;
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_mins(10);

/// Many pages that are all of one state: every commit counts every row up.
const STATE: &str = "CREATE TABLE state(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, filler TEXT NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300)
    INSERT INTO state SELECT i, 0, hex(randomblob(1000)) FROM n";

#[test]
fn are_of_one_state_while_other_processes_write_and_fold_the_log() {
    let sandbox = Sandbox::with(&Fixture::new(if is_long() { 100_000 } else { 5_000 }).wal(true));
    sandbox.execute(STATE);
    let writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(&sandbox.database, number)).collect();
    let watching = sandbox.open();
    watching.busy_timeout(Duration::from_mins(1)).unwrap();
    let number = || -> i64 { watching.query_row("SELECT number FROM state LIMIT 1", [], |row| row.get(0)).unwrap() };
    while number() == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let rounds = if is_long() { 300 } else { 20 };
    let (mut byte_for_byte, first, start) = (0, number(), Instant::now());
    for _ in 0..rounds {
        let before = number();
        let copy = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
        let after = number();
        assert!(digest_agrees(&digest_of(&copy)));
        assert_eq!(integrity_check(&copy), ["ok"]);
        let copied = Connection::open(&copy).unwrap();
        let numbers = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (least, most) = copied.query_row("SELECT min(number), max(number) FROM state", [], numbers).unwrap();
        assert_eq!(least, most, "of two states");
        assert!((before..=after).contains(&least), "{least} is not of {before} to {after}");
        // SQLite's own copying counts as a change of the schema.
        byte_for_byte += usize::from(cookie(&copied) == cookie(&watching));
        drop(copied);
        std::fs::remove_file(digest_of(&copy)).unwrap();
        std::fs::remove_file(copy).unwrap();
    }
    let commits = number() - first;
    println!(
        "{rounds} backups while {WRITERS} processes made {commits} commits in {:.1} s; {byte_for_byte} of them byte for byte",
        start.elapsed().as_secs_f64()
    );
    assert!(byte_for_byte > 0 || cfg!(not(target_os = "linux")));
    drop(writers);
}

fn cookie(connection: &Connection) -> i64 {
    connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap()
}

/// A process that writes; it ends with this.
struct Writer(Child);

impl Writer {
    fn new(database: &Path, number: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "crowds::copies::write", "--nocapture"]).stdout(Stdio::null());
        Self(command.env(DATABASE, database).env(WRITER, number.to_string()).spawn().unwrap())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Not a test, but what the process runs: it commits, and folds the log in every way there is.
#[test]
fn write() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let number: u64 = std::env::var(WRITER).unwrap().parse().unwrap();
    let (mut random, start) = (Random::new(number), Instant::now());
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_mins(1)).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 100").unwrap();
    while start.elapsed() < FOR_EVER {
        connection.execute_batch("UPDATE state SET number = number + 1").unwrap();
        let mode =
            ["PASSIVE", "FULL", "RESTART", "TRUNCATE", "NOOP", "NOOP"][usize::try_from(random.below(6)).unwrap()];
        // Others may be folding it, or reading.
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).unwrap();
        std::thread::sleep(Duration::from_millis(random.below(10)));
    }
}
