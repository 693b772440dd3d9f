use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use worklog_fixture::Fixture;

use crate::tally::share;

/// What a boot takes of memory at most: 107 MB were measured with ten million worklogs.
const MOST_KIB: u64 = 128 << 10;
/// How many worklogs the databases have, where `RELIABILITY_ROWS` does not say: numbers with commas between them.
const ROWS: &str = "20000";
const ROWS_IN_THE_LONG_FORM: &str = "100000,1000000";

#[test]
fn does_not_grow_with_the_database() {
    for rows in all_rows() {
        for (wal, has_reader) in [(false, false), (true, false), (false, true)] {
            let directory = tempfile::tempdir().unwrap();
            let database = directory.path().join("worklog.db");
            Fixture::new(rows).wal(wal).create(&database).unwrap();
            let reader = has_reader.then(|| {
                let reader = Connection::open(&database).unwrap();
                reader.execute_batch("BEGIN; SELECT count(*) FROM companies").unwrap();
                reader
            });
            let (code, most) = boot(&database, has_reader);
            let with = if has_reader { ", with a reader that never ends" } else { "" };
            let mode = if wal { "wal" } else { "delete" };
            println!("{rows} worklogs, {mode}{with}: {} MB at most, exit code {code}", most >> 10);
            assert_eq!(code, if has_reader { 3 } else { 0 });
            // What it may not write, it has to keep.
            assert!(has_reader || most < MOST_KIB, "{most} KiB");
            drop(reader);
        }
    }
}

fn all_rows() -> Vec<usize> {
    let default = if share(0) == 0 { ROWS } else { ROWS_IN_THE_LONG_FORM };
    let rows = std::env::var("RELIABILITY_ROWS").unwrap_or_else(|_| default.to_owned());
    rows.split(',').map(|rows| rows.trim().parse().expect("numbers of worklogs with commas between them")).collect()
}

/// The exit code of a boot, and the most memory it had, in KiB.
fn boot(database: &Path, has_reader: bool) -> (i32, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    command.arg("--db").arg(database).arg("boot").stdout(Stdio::null()).stderr(Stdio::null());
    if has_reader {
        command.args(["--lock-timeout", "0.5"]);
    }
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // The system keeps the mark: only what grew since it was last read could be missed.
        most = most_resident(child.id()).unwrap_or_default().max(most);
        std::thread::sleep(Duration::from_millis(2));
    };
    (status.code().unwrap(), most)
}

/// `VmHWM` (`proc_pid_status(5)`); 0 where the system does not tell.
fn most_resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
