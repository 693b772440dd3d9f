use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faulty_vfs::memory;
use worklog_schema::bootproof::{BootReport, Event, Failure, Observer};

use super::alone::alone;
use super::fails_well;
use crate::scene::{Journal, Scene, Stage, Work};
use crate::tally::{Tally, share, spread};

/// What there is beyond that in use when a step begins.
const LITTLE_MORE: [u64; 4] = [0, 16 << 10, 64 << 10, 256 << 10];
/// The most that SQLite is given from the beginning.
const ENOUGH: usize = 20 << 20;

#[test]
fn from_any_step_on() {
    alone("memory::heap_limits::from_any_step_on", || {
        for (work, journal) in
            [(Work::Migrate, Journal::Delete), (Work::Migrate, Journal::Wal), (Work::Nothing, Journal::Wal)]
        {
            let scene = Scene::new(work, journal);
            let counter = Arc::new(LimitAt::default());
            let stage = scene.stage();
            observed(&stage, &counter).unwrap();
            let steps: Vec<usize> = (1..=counter.begun.load(Ordering::Relaxed)).collect();
            let mut tally = Tally::new(format!("heap limits at a step, {}", scene.name()));
            for more in LITTLE_MORE {
                for at in spread(&steps, share(2)) {
                    let stage = scene.stage();
                    let limit = Arc::new(LimitAt { at, more, ..LimitAt::default() });
                    let outcome = fails_well(&scene, &stage, || observed(&stage, &limit));
                    tally.count(&format!("{more} more bytes from step {at}"), outcome);
                }
            }
            tally.finish();
        }
    });
}

#[test]
fn from_the_beginning() {
    alone("memory::heap_limits::from_the_beginning", || {
        let sizes: Vec<usize> = (1..=ENOUGH / (50 << 10)).map(|part| part * (50 << 10)).collect();
        for journal in [Journal::Delete, Journal::Wal] {
            let scene = Scene::new(Work::Migrate, journal);
            let mut tally = Tally::new(format!("heap limits, {}", scene.name()));
            for bytes in spread(&sizes, share(6)) {
                let stage = scene.stage();
                memory::limit(bytes as u64);
                let outcome = fails_well(&scene, &stage, || {
                    let result = worklog_schema::boot(&stage.database).run();
                    memory::limit(0);
                    result
                });
                memory::limit(0);
                tally.count(&format!("{bytes} bytes"), outcome);
            }
            tally.finish();
        }
    });
}

fn observed(stage: &Stage, limit: &Arc<LimitAt>) -> Result<BootReport, Failure> {
    let result = worklog_schema::boot(&stage.database).observer(Arc::clone(limit) as _).run();
    memory::limit(0);
    result
}

/// Limits the heap when the step of that number begins, from 1; 0 is never.
#[derive(Debug, Default)]
struct LimitAt {
    at: usize,
    more: u64,
    begun: AtomicUsize,
}

impl Observer for LimitAt {
    fn notice(&self, event: Event) {
        if matches!(event, Event::Started(_)) && self.begun.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            memory::limit(memory::used_bytes() + self.more);
        }
    }
}
