//! A database as an application has it, and a log to look into.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use bootproof::BootReport;
use log::{Level, LevelFilter, Log, Metadata, Record};
use rusqlite::Connection;
use tempfile::TempDir;
use worklog_fixture::Fixture;

/// A database at head with two thousand worklogs, in a directory of its own.
pub(crate) struct Scene {
    directory: TempDir,
    pub(crate) report: BootReport,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worklog.db");
        Fixture::new(2_000).create(&path).unwrap();
        let report = worklog_schema::migrate_on_boot(&path).unwrap();
        Self { directory, report }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("worklog.db")
    }

    pub(crate) fn connection(&self) -> Connection {
        open(&self.path())
    }
}

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// The lines of the log at `warn` that contain a text. Every test shares the log: ask for what only one of them writes.
pub(crate) fn warnings(containing: &str) -> Vec<String> {
    log_lines().lock().unwrap().iter().filter(|line| line.contains(containing)).cloned().collect()
}

/// Installs the log, once.
pub(crate) fn listen() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        log::set_logger(&Lines).unwrap();
        log::set_max_level(LevelFilter::Warn);
    });
}

fn log_lines() -> &'static Mutex<Vec<String>> {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    &LINES
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("bootproof_monitor")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            log_lines().lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}
