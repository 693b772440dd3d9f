//! The most memory that a process has had, as the system counts it: pages of mapped files included.

/// Of this process; `None` where the system does not tell.
#[must_use]
pub fn of_this_process() -> Option<u64> {
    // Not from getrusage: what a process had before it became this program counts there.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Of the largest program that this process has started and waited for.
#[cfg(target_os = "linux")]
#[must_use]
pub fn of_children() -> Option<u64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    u64::try_from(usage.max_rss()).ok().map(|kilobytes| kilobytes * 1024)
}

/// Elsewhere the unit differs, or nothing is told.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn of_children() -> Option<u64> {
    None
}
