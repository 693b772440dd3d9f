use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bootproof::{Cancellation, Event, Observer, Step};
use worklog_fixture::Fixture;

use crate::support::{Sandbox, integrity_check, rows};

/// Turns the switch when the boot begins its nth step.
#[derive(Debug)]
struct AtStep {
    left: AtomicUsize,
    switch: Cancellation,
    at: Mutex<Option<Step>>,
}

impl AtStep {
    fn new(nth: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(nth), switch: Cancellation::default(), at: Mutex::default() })
    }
}

impl Observer for AtStep {
    fn notice(&self, event: Event) {
        if let Event::Started(step) = event
            && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            *self.at.lock().unwrap() = Some(step);
            self.switch.cancel();
        }
    }
}

/// The steps at which a boot was called off, in order; each time the database must be as it was and nothing left behind.
fn called_off_at_every_step(fixture: &Fixture) -> Vec<Step> {
    let sandbox = Sandbox::with(fixture);
    let (before, before_rows) = (sandbox.bytes(), rows(&sandbox.database));
    let mut steps = Vec::new();
    for nth in 1.. {
        let observer = AtStep::new(nth);
        let boot = worklog_schema::boot(&sandbox.database).benchmark(true);
        let booted = boot.observer(observer.clone()).cancellation(observer.switch.clone()).run();
        let step = observer.at.lock().unwrap().take();
        let Err(failure) = booted else { break };
        assert_eq!((failure.exit_code(), failure.error.kind()), (130, "cancelled"), "at {step:?}: {failure}");
        assert_eq!(failure.report.backup.as_ref().map(|backup| &backup.path), None, "at {step:?}");
        let names = sandbox.files();
        assert!(names.iter().all(|name| !name.contains("backup")), "at {step:?}: {names:?}");
        assert_eq!(rows(&sandbox.database), before_rows, "at {step:?}");
        if !names.iter().any(|name| name.ends_with("-wal")) {
            assert!(sandbox.bytes() == before, "the file changed at {step:?}");
        }
        steps.push(step.unwrap());
    }
    assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    assert_eq!(sandbox.run(["status"]).json["version"], 2);
    steps
}

#[test]
fn at_every_step_before_the_commit_and_then_no_more() {
    for wal in [false, true] {
        let fixture = Fixture::new(300).wal(wal);
        let steps = called_off_at_every_step(&fixture);
        for step in [
            Step::Lock,
            Step::Look,
            Step::Integrity,
            Step::ForeignKeys,
            Step::Backup,
            Step::Migrate("001_add_composite_indexes"),
            Step::Migrate("002_add_company_day_index"),
            Step::Statistics,
            Step::RowCounts,
            Step::Contracts,
        ] {
            assert!(steps.contains(&step), "never called off at {step:?}: {steps:?}");
        }
        let last = steps.last().unwrap();
        // What was written is checked beside the contracts, and to its end after them.
        assert!(matches!(last, Step::Integrity | Step::Commit), "called off after the commit: {last:?}");
    }
}

#[test]
fn in_the_middle_of_one_long_statement() {
    /// Turns the switch when a step tells for the first time how far it is.
    #[derive(Debug, Default)]
    struct InTheMiddle(Cancellation, Mutex<Option<(Step, f64)>>);

    impl Observer for InTheMiddle {
        fn notice(&self, event: Event) {
            if let Event::Progress { step, done, .. } = event
                && !self.0.is_cancelled()
            {
                *self.1.lock().unwrap() = Some((step, done));
                self.0.cancel();
            }
        }
    }

    // Enough rows for the integrity check of an unoptimised build to last longer than a tenth of a second.
    let sandbox = Sandbox::with(&Fixture::new(60_000));
    let before = sandbox.bytes();
    let observer = Arc::new(InTheMiddle::default());
    let boot = worklog_schema::boot(&sandbox.database).observer(observer.clone()).cancellation(observer.0.clone());
    let failure = boot.run().unwrap_err();
    assert_eq!(failure.exit_code(), 130, "{failure}");
    let (step, done) = observer.1.lock().unwrap().take().unwrap();
    assert!(done < 1.0, "{step:?} was {done} done");
    assert!(sandbox.bytes() == before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn while_it_waits_for_somebody_else() {
    let sandbox = Sandbox::unmanaged();
    let other = sandbox.open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let switch = Cancellation::default();
    let boot = worklog_schema::boot(&sandbox.database).cancellation(switch.clone());
    let start = Instant::now();
    let failure = std::thread::scope(|scope| {
        let booting = scope.spawn(|| boot.run().unwrap_err());
        std::thread::sleep(Duration::from_millis(300));
        switch.cancel();
        booting.join().unwrap()
    });
    assert_eq!(failure.exit_code(), 130, "{failure}");
    assert!(start.elapsed() < Duration::from_mins(1), "it waited on for {:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn by_a_signal() {
    use std::os::unix::process::ExitStatusExt as _;

    let sandbox = Sandbox::unmanaged();
    let before = sandbox.bytes();
    let other = sandbox.open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for signal in ["INT", "TERM"] {
        let child = sandbox.command().arg("boot").stdout(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let sent = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.status.signal()), (Some(130), None), "{signal}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["error"]["kind"], "cancelled");
    }
    drop(other);
    assert!(sandbox.bytes() == before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}
