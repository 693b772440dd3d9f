//! A run of the real binary with a layer between it and the C library.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::scene::Stage;

const EIO: i32 = 5;
const EACCES: i32 = 13;
const EINTR: i32 = 4;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// A way for a call to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails with this `errno`.
    Error(i32, &'static str),
    /// It transfers half of the bytes, as a signal or a full disk can make it.
    Short,
    /// The process dies before it is made.
    Kill,
}

impl Fault {
    /// Whether a file system can go on like that. Dying is for ever, and what is interrupted is tried again for ever.
    pub(super) fn can_last(self) -> bool {
        matches!(self, Self::Error(number, _) if number != EINTR)
    }

    /// The ways in which a call can go wrong.
    pub(super) fn of(call: &str) -> &'static [Self] {
        const IO: Fault = Fault::Error(EIO, "EIO");
        const FULL: Fault = Fault::Error(ENOSPC, "ENOSPC");
        const QUOTA: Fault = Fault::Error(EDQUOT, "EDQUOT");
        const DENIED: Fault = Fault::Error(EACCES, "EACCES");
        const INTERRUPTED: Fault = Fault::Error(EINTR, "EINTR");
        match call {
            "read" => &[IO, INTERRUPTED],
            "write" => &[IO, FULL, QUOTA, INTERRUPTED, Fault::Short, Fault::Kill],
            "fsync" | "copy" | "ftruncate" | "fallocate" => &[IO, FULL, Fault::Kill],
            "open" | "link" | "rename" => &[IO, FULL, DENIED, Fault::Kill],
            "lock" => &[IO, DENIED],
            _ => &[IO, DENIED, Fault::Kill],
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(_, name) => f.write_str(name),
            Self::Short => f.write_str("short"),
            Self::Kill => f.write_str("kill"),
        }
    }
}

/// Which call goes wrong, and how.
#[derive(Clone, Copy)]
pub(super) struct Plan<'p> {
    pub(super) call: &'p str,
    pub(super) nth: u64,
    pub(super) fault: Fault,
    pub(super) lasting: bool,
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.lasting { "from then on" } else { "once" };
        write!(f, "{} {} {times} at {}", self.call, self.fault, self.nth)
    }
}

/// How a run ended.
pub(super) struct Ended {
    /// Its exit code; `None` where it was killed.
    pub(super) code: Option<i32>,
    /// The kind of the error in its JSON.
    pub(super) kind: Option<String>,
    pub(super) stderr: String,
}

/// The layer, built with the C compiler that SQLite is built with.
pub(super) struct Interposer {
    library: PathBuf,
    /// Where SQLite has its temporary files, whose calls are then the ones that count; `None` for those of the database.
    temporary: Option<PathBuf>,
}

impl Interposer {
    pub(super) fn build() -> Self {
        static BUILT: OnceLock<TempDir> = OnceLock::new();
        let directory = BUILT.get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reliability/system_calls/interpose.c");
            let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
            compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(directory.path().join("interpose.so"));
            assert!(compiler.args([source, "-ldl"]).status().unwrap().success());
            directory
        });
        Self { library: directory.path().join("interpose.so"), temporary: None }
    }

    /// Between the binary and the disk of the temporary files.
    pub(super) fn of_temporary_files(self, directory: &TempDir) -> Self {
        Self { temporary: Some(directory.path().canonicalize().unwrap()), ..self }
    }

    /// Runs the binary undisturbed, and tells how many calls of each kind it makes.
    pub(super) fn observe(&self, stage: &Stage, arguments: &[String]) -> Vec<(String, u64)> {
        let report = stage.path().join("calls");
        let mut command = self.command(stage, arguments);
        let output = command.env("INTERPOSE_REPORT", &report).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = fs::read_to_string(&report).unwrap();
        let calls = report.lines().filter_map(|line| line.split_once(' '));
        let calls = calls.map(|(call, count)| (call.to_owned(), count.parse().unwrap()));
        calls.filter(|(_, count)| *count > 0).collect()
    }

    /// Runs it while a call goes wrong.
    pub(super) fn run(&self, stage: &Stage, arguments: &[String], plan: &Plan<'_>) -> Ended {
        let mut command = self.command(stage, arguments);
        command.env("INTERPOSE_CALL", plan.call).env("INTERPOSE_NTH", plan.nth.to_string());
        let fault = match plan.fault {
            Fault::Error(number, _) => number.to_string(),
            other => other.to_string(),
        };
        command.env("INTERPOSE_FAULT", fault);
        if plan.lasting {
            command.env("INTERPOSE_LASTING", "1");
        }
        Ended::of(&command.output().unwrap())
    }

    /// Runs it as it is.
    pub(super) fn undisturbed(&self, stage: &Stage, arguments: &[String]) -> Ended {
        Ended::of(&self.command(stage, arguments).output().unwrap())
    }

    fn command(&self, stage: &Stage, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        command.arg("--db").arg(&stage.database).args(["--json", "--lock-timeout", "1"]).args(arguments);
        command.current_dir(stage.path());
        command.env("LD_PRELOAD", &self.library);
        match &self.temporary {
            Some(directory) => command.env("SQLITE_TMPDIR", directory).env("INTERPOSE_UNDER", directory),
            None => command.env("INTERPOSE_UNDER", stage.path()),
        };
        command
    }
}

impl Ended {
    fn of(output: &Output) -> Self {
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Self {
            code: output.status.code(),
            kind: json["error"]["kind"].as_str().map(str::to_owned),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
