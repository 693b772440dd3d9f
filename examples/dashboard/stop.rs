//! What Ctrl-C and a service manager's SIGTERM do: while booting, call the boot off; while serving, end.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bootproof::Cancellation;

/// Whether the boot is over.
#[derive(Clone, Default)]
pub(crate) struct Booted(Arc<AtomicBool>);

impl Booted {
    /// From now on a signal ends the program: every request is a short read, and the database needs no farewell.
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Handles signals from here on; returns the switch they turn, and what to tell when the boot is over.
pub(crate) fn on_signal() -> (Cancellation, Booted) {
    let (cancellation, booted) = (Cancellation::default(), Booted::default());
    let (switch, is_serving) = (cancellation.clone(), booted.0.clone());
    let installed = ctrlc::set_handler(move || {
        if is_serving.load(Ordering::Relaxed) {
            process::exit(0);
        }
        switch.cancel();
    });
    if let Err(error) = installed {
        log::warn!("signals end the program at once: {error}");
    }
    (cancellation, booted)
}
