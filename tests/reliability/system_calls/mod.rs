//! The real binary, whose calls to the C library go wrong one by one: those of SQLite, and those with which the engine
//! itself writes, flushes and names backups, digests and reports.
//!
//! What the binary asks of the kernel without the C library, such as a rename that replaces nothing, always works here.
#![cfg(target_os = "linux")]

mod interposed;

use interposed::{Ended, Fault, Interposer, Plan};

use crate::proof::{Expected, prove};
use crate::scene::{Journal, Scene, Stage, Work};
use crate::tally::{Tally, share, spread};

#[test]
fn while_migrating() {
    every_call(Work::Migrate, Journal::Delete, &["boot"], 1);
}

#[test]
fn while_migrating_in_wal_mode() {
    every_call(Work::Migrate, Journal::Wal, &["boot"], 1);
}

#[test]
fn with_nothing_to_do_but_a_report() {
    every_call(Work::Nothing, Journal::Delete, &["boot", "--report", "report.html"], 1);
}

#[test]
fn while_repairing() {
    every_call(Work::Repair, Journal::Delete, &["boot"], 1);
}

#[test]
fn while_going_back() {
    every_call(Work::Revert, Journal::Delete, &["revert", "--to", "0"], 1);
}

#[test]
fn while_the_file_is_created() {
    every_call(Work::Create, Journal::Delete, &["boot"], 2);
}

/// Every call of every kind, in every way it can go wrong, once and from then on.
fn every_call(work: Work, journal: Journal, arguments: &[&str], short: usize) {
    let scene = Scene::new(work, journal);
    let interposer = Interposer::build();
    let stage = scene.stage();
    let calls = interposer.observe(&stage, arguments);
    let mut tally = Tally::new(format!("system calls, {}", scene.name()));
    for (call, count) in calls {
        let all: Vec<u64> = (1..=count).collect();
        for &fault in Fault::of(&call) {
            for lasting in [false, true] {
                if lasting && !fault.can_last() {
                    continue;
                }
                for nth in spread(&all, share(short)) {
                    let plan = Plan { call: &call, nth, fault, lasting };
                    let stage = scene.stage();
                    let outcome = fails_well(&scene, &stage, &interposer.run(&stage, arguments, &plan), fault);
                    tally.count(&plan.to_string(), outcome.map(|outcome| format!("{call} {fault}: {outcome}")));
                }
            }
        }
    }
    tally.finish();
}

/// What a run that something went wrong in must have said, and left behind.
fn fails_well(scene: &Scene, stage: &Stage, ended: &Ended, fault: Fault) -> Result<String, String> {
    if ended.stderr.contains("panicked") {
        return Err(format!("it panicked: {}", ended.stderr));
    }
    let expected = match (ended.code, ended.kind.as_deref()) {
        (None, _) if fault == Fault::Kill => Expected::Either,
        (Some(0), _) => Expected::New,
        (Some(8), Some("commit_uncertain")) => Expected::Either,
        (Some(8), _) if scene.work == Work::Create => Expected::Either,
        (Some(3 | 8), _) => Expected::Old,
        (code, kind) => return Err(format!("it ended with {code:?}, {kind:?}: {}", ended.stderr)),
    };
    let found =
        prove(scene, stage, expected).map_err(|problem| format!("{:?} {:?}; {problem}", ended.code, ended.kind))?;
    let code = ended.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    Ok(format!("{code} {}, {found:?}", ended.kind.as_deref().unwrap_or_default()))
}
