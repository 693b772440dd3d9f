//! The real binary, with a time limit.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

/// Far longer than any of these commands takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command on a database as an operator does.
pub(crate) fn run<A: AsRef<OsStr>>(database: &Path, arguments: impl IntoIterator<Item = A>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    command.arg("--db").arg(database).args(arguments);
    end(command)
}

/// Runs a command to its end; one that does not come fails the test.
pub(crate) fn end(mut command: Command) -> Ended {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    // Everything these commands say fits a pipe.
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} hangs: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ended::of(&child.wait_with_output().unwrap())
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ended = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        assert!(!matches!(ended.code, -1 | 1 | 101), "{ended:?}");
        ended
    }

    /// Asserts the exit code, and returns what was said.
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// A small database as found in production.
pub(crate) fn unmanaged(path: &Path) {
    Fixture::new(20).create(path).unwrap();
}

/// A small database at head.
pub(crate) fn current(path: &Path) {
    unmanaged(path);
    worklog_schema::boot(path).backup(false).run().unwrap();
}

/// The names in a directory, in order.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A named pipe.
pub(crate) fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
