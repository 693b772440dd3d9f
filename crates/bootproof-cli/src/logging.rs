//! Where the engine's log goes: to standard error, and into a report that wants it.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use env_logger::{Builder, Logger, Target};
use log::{LevelFilter, Log, Metadata, Record};

use crate::progress::Progress;

/// One line, as a report shows it.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    /// When, in RFC 3339.
    pub(crate) at: String,
    /// How grave.
    pub(crate) level: log::Level,
    /// What.
    pub(crate) text: String,
}

/// The lines so far. There is one log in a process.
static KEPT: Mutex<Vec<LogLine>> = Mutex::new(Vec::new());

/// Shows the engine at `level` and everyone else's warnings, without tearing the progress bar; `RUST_LOG` overrules both.
/// What the engine says at `info` is kept besides. A program that has its own logger keeps it.
pub(crate) fn init(level: LevelFilter, progress: &Progress) {
    let mut builder = if std::env::var_os("RUST_LOG").is_some_and(|filter| !filter.is_empty()) {
        Builder::from_default_env()
    } else {
        let mut builder = Builder::new();
        builder.filter_level(level.min(LevelFilter::Warn)).filter_module("bootproof", level);
        if progress.is_shown() {
            // The bar shows it already.
            builder.filter_module(bootproof::PROGRESS, LevelFilter::Off);
        }
        builder
    };
    if progress.is_shown() {
        builder.target(Target::Pipe(Box::new(BesideBar(progress.clone()))));
    }
    let shown = builder.format_target(false).build();
    let most = shown.filter().max(LevelFilter::Info);
    if log::set_boxed_logger(Box::new(Tee(shown))).is_ok() {
        log::set_max_level(most);
    }
}

/// What was said so far.
pub(crate) fn kept() -> Vec<LogLine> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Shows and keeps.
struct Tee(Logger);

impl Log for Tee {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata) || is_kept(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        self.0.log(record);
        if is_kept(record.metadata()) {
            let (at, text) = (jiff::Timestamp::now().to_string(), record.args().to_string());
            let line = LogLine { at, level: record.level(), text };
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn is_kept(metadata: &Metadata<'_>) -> bool {
    metadata.level() <= LevelFilter::Info && metadata.target().starts_with("bootproof")
}

/// Standard error above the bar.
struct BesideBar(Progress);

impl Write for BesideBar {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.print(text).map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
