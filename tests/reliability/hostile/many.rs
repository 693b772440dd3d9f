//! More objects than anybody makes by hand: time and messages stay within bounds.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::binary::{current, run};
use crate::scene::directory;
use crate::tally::share;

/// As many tables, each with an index, as many views and triggers.
fn fill(path: &Path, each: usize) {
    let connection = Connection::open(path).unwrap();
    let transaction = connection.unchecked_transaction().unwrap();
    for number in 0..each {
        let sql = format!(
            "CREATE TABLE t{number}(a, b); CREATE INDEX i{number} ON t{number}(a);
             CREATE VIEW v{number} AS SELECT a FROM t{number};
             CREATE TRIGGER g{number} AFTER INSERT ON t{number} BEGIN SELECT 1; END"
        );
        transaction.execute_batch(&sql).unwrap();
    }
    transaction.commit().unwrap();
}

/// The long form makes a hundred thousand objects, the short one two thousand. Ten times as many may take ten times as long, and
/// what SQLite itself does to read them; not a hundred times.
#[test]
fn objects_take_time_in_proportion() {
    let most = if share(0) == usize::MAX { 25_000 } else { 500 };
    let times: Vec<Duration> = [most / 5, most]
        .into_iter()
        .map(|each| {
            let directory = directory();
            let path = directory.path().join("worklog.db");
            current(&path);
            fill(&path, each);
            let time = |arguments: &[&str]| {
                let start = Instant::now();
                let ended = run(&path, arguments).with(0);
                assert!(ended.stdout.lines().count() < 300, "{} lines", ended.stdout.lines().count());
                start.elapsed()
            };
            let took = time(&["boot"]);
            println!("{} objects: boot {took:?}, status {:?}, plan {:?}", each * 4, time(&["status"]), time(&["plan"]));
            took
        })
        .collect();
    assert!(times[1] < times[0] * 15 + Duration::from_secs(2), "{times:?}");
}

#[test]
fn a_refusal_names_the_first_and_how_many_more() {
    let directory = directory();
    let path = directory.path().join("worklog.db");
    current(&path);
    let connection = Connection::open(&path).unwrap();
    let rows = share(0).clamp(5_000, 100_000);
    connection
        .execute(
            "INSERT INTO refinery_schema_history(version, name, applied_on, checksum)
             WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT ?1)
             SELECT i, 'later', '2026-01-01T00:00:00Z', '1' FROM n",
            [i64::try_from(rows).unwrap()],
        )
        .unwrap();
    for command in ["boot", "status", "plan", "health", "verify"] {
        let ended = run(&path, [command]);
        let said = ended.stdout.lines().count() + ended.stderr.lines().count();
        assert!(said < 400, "{command}: {said} lines");
    }
    run(&path, ["boot"]).with(4);
}
