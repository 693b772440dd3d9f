//! Threads that work at the same time, and the one that waits for them and tells meanwhile how far they are.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long to wait before it is told again how far the work is.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How many are under way.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    under_way: Mutex<usize>,
    changed: Condvar,
}

/// Held by a thread as long as it works; also a panic ends that, and a thread that could not be had.
#[derive(Debug)]
pub(crate) struct Errand<'e>(&'e Errands);

impl Errands {
    /// One more is under way, until what is returned is dropped.
    pub(crate) fn begin(&self) -> Errand<'_> {
        *self.under_way() += 1;
        Errand(self)
    }

    /// Waits until all are done, or for a moment. Returns whether some are still under way.
    ///
    /// A thread that has done its work is not asked whether it has finished: that takes until what it owned is gone.
    pub(crate) fn wait(&self) -> bool {
        let under_way = self.changed.wait_timeout_while(self.under_way(), BETWEEN_LOOKS, |under_way| *under_way > 0);
        *under_way.unwrap_or_else(PoisonError::into_inner).0 > 0
    }

    fn under_way(&self) -> MutexGuard<'_, usize> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Errand<'_> {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way();
        *under_way = under_way.saturating_sub(1);
        self.0.changed.notify_all();
    }
}
