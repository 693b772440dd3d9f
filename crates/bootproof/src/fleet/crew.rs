//! Threads that take one database after the other, within the memory and the time there are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::report::Stop;
use crate::event::Cancellation;

/// How often the one who watches the time looks whether somebody has called the fleet off.
const LOOK: Duration = Duration::from_millis(20);

/// What the crew goes by.
pub(super) struct Bounds<'b> {
    pub(super) threads: usize,
    /// What all that is under way may cost together; one alone may cost more.
    pub(super) memory: Option<u64>,
    /// When nothing is begun any more, and when what is under way is called off, if ever.
    pub(super) deadline: Option<(Instant, Option<Instant>)>,
    /// Somebody else's switch.
    pub(super) called_off: &'b Cancellation,
}

/// Where the work is.
struct State {
    next: usize,
    cost: u64,
    under_way: usize,
}

/// Does every piece of work, each of which has a cost: begins them in order, and never one that would exceed the bounds.
/// Returns why some were not begun or were called off, if so. What is under way is called off by the switch it is given.
pub(super) fn work(costs: &[u64], bounds: &Bounds<'_>, act: &(impl Fn(usize, &Cancellation) + Sync)) -> Option<Stop> {
    let state = Mutex::new(State { next: 0, cost: 0, under_way: 0 });
    let changed = Condvar::new();
    let switch = Cancellation::default();
    let is_done = AtomicBool::new(false);
    let is_over = || {
        let is_late = bounds.deadline.is_some_and(|(deadline, _)| Instant::now() >= deadline);
        match (bounds.called_off.is_cancelled(), is_late) {
            (true, _) => Some(Stop::CalledOff),
            (false, true) => Some(Stop::Deadline),
            (false, false) => None,
        }
    };
    let take = || {
        let mut state = lock(&state);
        loop {
            let cost = *costs.get(state.next)?;
            if is_over().is_some() {
                return None;
            }
            let fits = bounds.memory.is_none_or(|memory| state.cost.saturating_add(cost) <= memory);
            if fits || state.under_way == 0 {
                let taken = state.next;
                state.next += 1;
                state.under_way += 1;
                state.cost = state.cost.saturating_add(cost);
                return Some((taken, cost));
            }
            state = changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    };
    let member = || {
        while let Some((taken, cost)) = take() {
            act(taken, &switch);
            let mut state = lock(&state);
            state.under_way -= 1;
            state.cost = state.cost.saturating_sub(cost);
            changed.notify_all();
        }
    };
    let watch = || {
        while !is_done.load(Ordering::Relaxed) {
            let is_late = bounds.deadline.and_then(|(_, end)| end).is_some_and(|end| Instant::now() >= end);
            if is_late || bounds.called_off.is_cancelled() {
                switch.cancel();
            }
            thread::park_timeout(LOOK);
        }
    };
    thread::scope(|scope| {
        // Where the system gives no thread for it, what is under way is not called off; nothing more is begun all the same.
        spawn(scope, watch);
        let members: Vec<_> = (0..bounds.threads.min(costs.len())).map_while(|_| spawn(scope, member)).collect();
        if members.is_empty() {
            member();
        }
        for member in members {
            // A panic was caught where the work is done.
            let _ = member.join();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    let is_whole = lock(&state).next == costs.len() && !switch.is_cancelled();
    if is_whole { None } else { is_over() }
}

/// None where the system gives no thread.
fn spawn<'s>(scope: &'s Scope<'s, '_>, work: impl FnOnce() + Send + 's) -> Option<ScopedJoinHandle<'s, ()>> {
    let spawned = thread::Builder::new().name("fleet".to_owned()).spawn_scoped(scope, work);
    spawned.inspect_err(|error| log::warn!("booting with one thread less: {error}")).ok()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
