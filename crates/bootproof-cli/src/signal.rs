//! Ctrl-C, and what a service manager sends: the first calls the work off, the second ends the program.

use bootproof::Cancellation;

/// The exit code of a program that SIGINT ended, as a shell reports it.
const INTERRUPTED: i32 = 130;

/// Gives this process a switch that Ctrl-C turns.
///
/// The work under way is rolled back, whoever waits stops waiting. Whoever asks a second time does not want to wait for
/// that either: what is left behind then, the next boot cleans up.
pub(crate) fn cancellation() -> Cancellation {
    let cancellation = Cancellation::default();
    let switch = cancellation.clone();
    let installed = ctrlc::set_handler(move || {
        if switch.is_cancelled() {
            std::process::exit(INTERRUPTED);
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
