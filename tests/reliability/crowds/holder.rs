//! Another process that holds a database, to be stopped, continued and killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

/// What the process does, and the file it does it to.
const HOLDS: &str = "RELIABILITY_HOLDS";
const DATABASE: &str = "RELIABILITY_DATABASE";
/// What it says when it has done that.
const HOLDING: &str = "holding";
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_mins(2);

/// How a process holds a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is connected and has read once.
    Idle,
    /// It is in the middle of reading.
    Reading,
    /// It has begun to write.
    Writing,
    /// It has overwritten much of the file, or written much to the log, and not committed.
    Overwriting,
}

impl Hold {
    const ALL: [Self; 4] = [Self::Idle, Self::Reading, Self::Writing, Self::Overwriting];

    fn sql(self) -> &'static str {
        match self {
            Self::Idle => "SELECT count(*) FROM companies",
            Self::Reading => "BEGIN; SELECT count(*) FROM companies",
            Self::Writing => "BEGIN IMMEDIATE; UPDATE companies SET name = name || ' & sons'",
            // Without room in its cache, SQLite writes pages before the commit.
            Self::Overwriting => {
                "PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE worklogs SET issue_summary = 'lost', data = '{}'"
            }
        }
    }
}

/// The process; it ends with this.
pub(super) struct Holder(Child);

impl Holder {
    /// Starts a process that holds the database when this returns.
    pub(super) fn new(database: &Path, hold: Hold) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "crowds::holder::hold", "--nocapture"]);
        command.env(HOLDS, format!("{hold:?}")).env(DATABASE, database).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(HOLDING)), "it does not hold");
        Self(child)
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Stops a process in its tracks, or lets it go on.
pub(super) fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

/// Not a test, but what the process runs.
#[test]
fn hold() {
    let Ok(name) = std::env::var(HOLDS) else { return };
    let hold = Hold::ALL.into_iter().find(|hold| format!("{hold:?}") == name).unwrap();
    let connection = Connection::open(std::env::var_os(DATABASE).unwrap()).unwrap();
    connection.execute_batch(hold.sql()).unwrap();
    println!("{HOLDING}");
    std::thread::sleep(FOR_EVER);
}
