//! Time and memory, in the form in which the crate `benchmarks` reads them.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Result;

/// As many as that crate takes.
const TIMES: usize = 100;

pub fn once(work: impl FnOnce() -> Result<()>) -> Result<String> {
    let start = Instant::now();
    work()?;
    Ok(answer(start.elapsed()))
}

/// The median, after one that does not count.
pub fn many(work: impl Fn() -> Result<()>) -> Result<String> {
    work()?;
    let mut all = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        work()?;
        all.push(start.elapsed());
    }
    all.sort();
    Ok(answer(all[TIMES / 2]))
}

fn answer(took: Duration) -> String {
    json!({ "took": { "secs": took.as_secs(), "nanos": took.subsec_nanos() }, "peak_bytes": peak_bytes() }).to_string()
}

/// The most memory that this process has had.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
