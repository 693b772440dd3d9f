//! What Ctrl-C and a service manager's SIGTERM do: while booting, call the boot off; while serving, finish what was begun; a
//! second time, end at once.

use std::process;
use std::sync::{Arc, OnceLock};

use bootproof::Cancellation;
use tokio::sync::watch;

/// Says when to stop serving.
pub type Drain = watch::Sender<bool>;

/// What signals do from now on.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<OnceLock<Drain>>);

impl Signals {
    /// From now on a signal stops the server; returns what it turns.
    #[must_use]
    pub fn booted(&self) -> Drain {
        self.0.get_or_init(|| watch::Sender::new(false)).clone()
    }
}

/// Handles signals from here on; returns the switch they turn, and what to tell when the boot is over.
#[must_use]
pub fn on_signal() -> (Cancellation, Signals) {
    let (cancellation, signals) = (Cancellation::default(), Signals::default());
    let (switch, serving) = (cancellation.clone(), signals.0.clone());
    let installed = ctrlc::set_handler(move || match serving.get() {
        // Every request is a short read, and the database needs no farewell.
        Some(drain) if drain.send_replace(true) => process::exit(0),
        Some(_) => {}
        None => switch.cancel(),
    });
    if let Err(error) = installed {
        log::warn!("signals end the program at once: {error}");
    }
    (cancellation, signals)
}
