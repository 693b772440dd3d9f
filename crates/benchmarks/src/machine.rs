//! What a figure was measured on, for whoever compares it with another.

use std::process::Command;
use std::thread;

/// Date, commit, processor, system, in one line.
#[must_use]
pub fn description() -> String {
    let mut parts = vec![today()];
    parts.extend(commit().map(|commit| format!("commit {commit}")));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    parts.push(format!("{cores} cores of {processor}"));
    parts.push(std::env::consts::OS.to_owned());
    parts.push(format!("SQLite {}", rusqlite::version()));
    parts.join(", ")
}

fn today() -> String {
    let now = jiff::Timestamp::now().to_string();
    now.split_once('T').map_or(now.clone(), |(day, _)| day.to_owned())
}

/// With a mark if there is something in the directory that is not in the commit.
fn commit() -> Option<String> {
    let answer = Command::new("git").args(["describe", "--always", "--dirty", "--exclude", "*"]).output().ok()?;
    let commit = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (answer.status.success() && !commit.is_empty()).then_some(commit)
}

fn processor() -> Option<String> {
    let description = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = description.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}
