//! Whoever waits for a boot sees how far it is: every step is announced, and those that grow with the rows tell a share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bootproof::{Event, Observer, Step};
use worklog_fixture::Fixture;

use crate::support::Sandbox;

/// Keeps every step waiting at its beginning until it is due to tell how far it is, so that it does at the first occasion.
#[derive(Debug, Default)]
struct Dawdler {
    steps: Mutex<Vec<Seen>>,
}

/// What was told of a step: the same one can come twice.
#[derive(Debug)]
struct Seen {
    step: Step,
    told: Vec<f64>,
    has_ended: bool,
}

impl Observer for Dawdler {
    fn notice(&self, event: Event) {
        let mut steps = self.steps.lock().unwrap();
        let under_way = steps.last_mut().filter(|seen| !seen.has_ended);
        match event {
            Event::Started(step) => {
                assert!(under_way.is_none(), "{step:?} began within {under_way:?}");
                steps.push(Seen { step, told: Vec::new(), has_ended: false });
                std::thread::sleep(Duration::from_millis(110));
            }
            Event::Progress { step, done, .. } => {
                under_way.filter(|seen| seen.step == step).expect("a step that is under way").told.push(done);
            }
            Event::Finished { step, .. } => {
                under_way.filter(|seen| seen.step == step).expect("a step that is under way").has_ended = true;
            }
            _ => {}
        }
    }
}

#[test]
fn at_every_step_that_grows_with_the_rows() {
    for wal in [false, true] {
        let sandbox = Sandbox::with(&Fixture::new(20_000).wal(wal));
        let dawdler = Arc::new(Dawdler::default());
        worklog_schema::boot(&sandbox.database).observer(dawdler.clone()).run().unwrap();
        let steps = dawdler.steps.lock().unwrap();
        for seen in steps.iter() {
            assert!(seen.has_ended, "{seen:?}");
            assert!(seen.told.is_sorted(), "went back: {seen:?}");
            assert!(seen.told.iter().all(|done| (0.0..1.0).contains(done)), "{seen:?}");
        }
        let occurrences = |step| steps.iter().filter(move |seen| seen.step == step);
        for step in [
            Step::Integrity,
            Step::Backup,
            Step::Migrate("001_add_composite_indexes"),
            Step::Migrate("002_add_company_day_index"),
        ] {
            let told = occurrences(step).any(|seen| !seen.told.is_empty());
            assert!(told, "{step:?} told nothing of itself: {steps:?}");
        }
        // Reading the copy back goes on beside the copying: here it is done before its step begins.
        for step in [
            Step::VerifyBackup,
            Step::Lock,
            Step::Look,
            Step::ForeignKeys,
            Step::RowCounts,
            Step::Statistics,
            Step::Commit,
        ] {
            assert!(occurrences(step).next().is_some(), "{step:?} was not announced: {steps:?}");
        }
    }
}
