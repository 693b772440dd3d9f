//! Boots thousands of databases and says how fast that was: `cargo run --release --example fleet -- 2000`.
//!
//! Makes so many copies of a database at version 0 with 200 worklogs, in a directory of its own, and boots it three times: all of
//! them to migrate, nothing to do with everything checked, and nothing to do with the seals believed. Two thousand take 2 GB.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails stops")]

use std::fs;

use bootproof::Fleet;
use rusqlite::Connection;
use worklog_schema::SCHEMA;

const ROWS: &str = "
    INSERT INTO companies(id, name) VALUES (1, 'Company');
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 200)
    INSERT INTO worklogs(id, issue_key, author_email, time_spent_seconds, started, jira_instance, data, company_id)
    SELECT n, 'KEY-' || n, 'user' || n % 7 || '@example.com', 3600, date('2025-01-01', n || ' days'), 'Main', '{}', 1 FROM number";

fn main() {
    let databases: usize = std::env::args().nth(1).map_or(2_000, |count| count.parse().unwrap());
    let threads: Option<usize> = std::env::args().nth(2).map(|count| count.parse().unwrap());
    let directory = tempfile::tempdir_in(".").unwrap();
    let template = directory.path().join("template");
    worklog_schema::boot(&template).target(0).run().unwrap();
    Connection::open(&template).unwrap().execute_batch(ROWS).unwrap();
    for number in 0..databases {
        fs::copy(&template, directory.path().join(format!("{number:06}.db"))).unwrap();
    }
    let bytes = fs::metadata(&template).unwrap().len();
    println!("{databases} databases of {bytes} bytes, {:.0} MB before the first boot", peak());
    for (what, believes_seals) in [("migrated", false), ("checked", false), ("sealed", true)] {
        let fleet = Fleet::new(&SCHEMA, directory.path()).resume(believes_seals);
        let report = threads.into_iter().fold(fleet, Fleet::threads).run().unwrap();
        assert!(report.is_ready(), "{report}");
        let seconds = report.duration_ms.0 / 1e3;
        #[expect(clippy::cast_precision_loss, reason = "a number of files")]
        let rate = databases as f64 / seconds;
        println!("{what:<9} {seconds:>7.2} s  {rate:>7.0} a second, {} at once  peak {:.0} MB", report.threads, peak());
    }
}

/// The most memory that this process has had, in megabytes; 0 where the system does not tell.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 =
        peak.and_then(|peak| peak.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or_default();
    kilobytes * 1024.0 / 1e6
}
