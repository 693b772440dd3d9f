//! Ctrl-C, and what a service manager sends: the first calls the work off, the second ends the program.

use std::time::{Duration, Instant};

use bootproof::Cancellation;

/// The exit code of a program that SIGINT ended, as a shell reports it.
const INTERRUPTED: i32 = 130;
/// Signals that come closer together are one wish.
const ONE_WISH: Duration = Duration::from_secs(1);

/// Gives this process a switch that Ctrl-C turns.
///
/// The work under way is rolled back, whoever waits stops waiting. Whoever asks a second time does not want to wait for
/// that either: what is left behind then, the next boot cleans up.
pub(crate) fn cancellation() -> Cancellation {
    let cancellation = Cancellation::default();
    let switch = cancellation.clone();
    let mut first: Option<Instant> = None;
    let installed = ctrlc::set_handler(move || {
        match first {
            // `timeout` and some terminals send the same signal twice, to the process and to its group.
            Some(first) if first.elapsed() < ONE_WISH => return,
            Some(_) => std::process::exit(INTERRUPTED),
            None => first = Some(Instant::now()),
        }
        switch.cancel();
        log::warn!("cancelling: what was not committed is rolled back; again to end at once");
    });
    if let Err(error) = installed {
        // A program that handles signals itself goes on doing so.
        log::debug!("Ctrl-C ends the program as usual: {error}");
    }
    cancellation
}
