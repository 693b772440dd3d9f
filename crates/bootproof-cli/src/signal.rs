//! Ctrl-C, and what a service manager sends: the first calls the work off, the second ends the program.

#[cfg(unix)]
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bootproof::Cancellation;

/// The exit code of a program that SIGINT ended, as a shell reports it.
const INTERRUPTED: i32 = 130;
/// Signals that come closer together are one wish.
const ONE_WISH: Duration = Duration::from_secs(1);

/// What a signal calls off; nothing before there is any work.
static WORK: OnceLock<Cancellation> = OnceLock::new();

/// Answers signals from now on, which is to be as early as can be: before, they end the program as if it had crashed.
///
/// Without work it ends at once. Otherwise the work under way is rolled back, whoever waits stops waiting. Whoever asks a
/// second time does not want to wait for that either: what is left behind then, the next boot cleans up.
pub(crate) fn listen() {
    let mut first: Option<Instant> = None;
    let answer = move || {
        let Some(work) = WORK.get() else { std::process::exit(INTERRUPTED) };
        match first {
            // `timeout` and some terminals send the same signal twice, to the process and to its group.
            Some(first) if first.elapsed() < ONE_WISH => return,
            Some(_) => std::process::exit(INTERRUPTED),
            None => first = Some(Instant::now()),
        }
        work.cancel();
        log::warn!("cancelling: what was not committed is rolled back; again to end at once");
    };
    // A program that handles signals itself goes on doing so.
    let _ = ctrlc::set_handler(answer);
    outlive_limits();
}

/// A write beyond what `ulimit -f` or a service manager's `LimitFSIZE=` allows fails, as one on a full disk does, rather than end
/// the program (`setrlimit(2)`): any answer to the signal will do.
#[cfg(unix)]
fn outlive_limits() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
fn outlive_limits() {}

/// The switch that a signal turns from now on.
pub(crate) fn cancellation() -> Cancellation {
    WORK.get_or_init(Cancellation::default).clone()
}
