//! The real binary, whose calls to the C library go wrong one by one: those of SQLite, and those with which the engine
//! itself writes, flushes and names backups, digests and reports.
//!
//! What the binary asks of the kernel without the C library, such as a rename that replaces nothing, always works here.
#![cfg(target_os = "linux")]

mod interposed;

use std::collections::BTreeMap;

use interposed::{Ended, Fault, Interposer, Plan};

use crate::proof::{Expected, prove};
use crate::scene::{Journal, Scene, Stage, Work};
use crate::tally::{Tally, share, spread};

#[test]
fn while_migrating() {
    every_call(Work::Migrate, Journal::Delete, 1);
}

#[test]
fn while_migrating_in_wal_mode() {
    every_call(Work::Migrate, Journal::Wal, 1);
}

#[test]
fn with_nothing_to_do_but_a_report() {
    every_call(Work::Nothing, Journal::Delete, 1);
}

#[test]
fn while_repairing() {
    every_call(Work::Repair, Journal::Delete, 1);
}

#[test]
fn while_going_back() {
    every_call(Work::Revert, Journal::Delete, 1);
}

#[test]
fn while_the_file_is_created() {
    every_call(Work::Create, Journal::Delete, 1);
}

#[test]
fn while_backing_up_and_pruning() {
    every_call(Work::Prune, Journal::Delete, 1);
}

#[test]
fn while_restoring() {
    every_call(Work::Restore, Journal::Delete, 1);
}

/// So many that an index is sorted on the disk.
const SORTED_ROWS: usize = 40_000;

/// The disk of the temporary files takes nothing any more, or gives nothing back. Which threads sort what, and in how many calls,
/// is another thing each time: where there are fewer, the boot succeeds.
#[test]
fn while_sorting() {
    const FULL: Fault = Fault::Error(28, "ENOSPC");
    const IO: Fault = Fault::Error(5, "EIO");
    let scene = Scene::of_size(Work::Migrate, Journal::Delete, SORTED_ROWS);
    let directory = tempfile::tempdir().unwrap();
    let interposer = Interposer::build().of_temporary_files(&directory);
    let stage = scene.stage();
    let calls: BTreeMap<_, _> = interposer.observe(&stage, &arguments(&scene, &stage)).into_iter().collect();
    let mut tally = Tally::new("system calls while sorting".to_owned());
    for (call, fault) in [("write", FULL), ("write", IO), ("read", IO), ("open", IO)] {
        let all: Vec<u64> = (1..=calls[call]).collect();
        // The first is always made.
        let chosen = if share(1) == 1 { vec![1] } else { spread(&all, share(1)) };
        for nth in chosen {
            let plan = Plan { call, nth, fault, lasting: true };
            let stage = scene.stage();
            let ended = interposer.run(&stage, &arguments(&scene, &stage), &plan);
            let outcome = match ended.code {
                Some(8) => fails_well(&scene, &stage, &ended, fault),
                Some(0) if nth > 1 => fails_well(&scene, &stage, &ended, fault),
                code => Err(format!("it ended with {code:?}: {}", ended.stderr)),
            };
            tally.count(&plan.to_string(), outcome.map(|outcome| format!("{call} {fault}: {outcome}")));
        }
    }
    tally.finish();
}

const REPORT: &str = "report.html";

/// Every call of every kind, in every way it can go wrong, once and from then on.
fn every_call(work: Work, journal: Journal, short: usize) {
    let scene = Scene::new(work, journal);
    let interposer = Interposer::build();
    let stage = scene.stage();
    let calls = interposer.observe(&stage, &arguments(&scene, &stage));
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
                    let ended = interposer.run(&stage, &arguments(&scene, &stage), &plan);
                    let outcome = fails_well(&scene, &stage, &ended, fault);
                    tally.count(&plan.to_string(), outcome.map(|outcome| format!("{call} {fault}: {outcome}")));
                }
            }
        }
    }
    tally.finish();
}

/// What the operator types; a boot that changes nothing writes a report.
fn arguments(scene: &Scene, stage: &Stage) -> Vec<String> {
    let mut arguments = scene.work.arguments(&stage.database);
    if scene.work == Work::Nothing {
        arguments.extend(["--report".to_owned(), stage.path().join(REPORT).display().to_string()]);
    }
    arguments
}

/// What a run that something went wrong in must have said, and left behind.
fn fails_well(scene: &Scene, stage: &Stage, ended: &Ended, fault: Fault) -> Result<String, String> {
    if ended.stderr.contains("panicked") {
        return Err(format!("it panicked: {}", ended.stderr));
    }
    let expected = match (ended.code, ended.kind.as_deref()) {
        (None, _) if fault == Fault::Kill => Expected::Either,
        (Some(8), Some("commit_uncertain")) | (Some(7), Some("restore_interrupted")) => Expected::Either,
        (Some(0), _) => Expected::New,
        (Some(3 | 8), _) if scene.work == Work::Create => Expected::Either,
        (Some(3 | 8), _) => Expected::Old,
        (code, kind) => return Err(format!("it ended with {code:?}, {kind:?}: {}", ended.stderr)),
    };
    prove_report(scene, stage, ended)?;
    let found =
        prove(scene, stage, expected).map_err(|problem| format!("{:?} {:?}; {problem}", ended.code, ended.kind))?;
    let code = ended.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    Ok(format!("{code} {}, {found:?}", ended.kind.as_deref().unwrap_or_default()))
}

/// A report is there as a whole or not at all, and what a report in progress leaves goes with the next.
fn prove_report(scene: &Scene, stage: &Stage, ended: &Ended) -> Result<(), String> {
    if scene.work != Work::Nothing {
        return Ok(());
    }
    let path = stage.path().join(REPORT);
    let is_whole = |page: &String| page.trim_end().ends_with("</html>");
    if std::fs::read_to_string(&path).is_ok_and(|page| !is_whole(&page)) {
        return Err(format!("{:?}, and a report that ends in the middle", ended.code));
    }
    let next = Interposer::build().undisturbed(stage, &arguments(scene, stage));
    if next.code != Some(0) || !std::fs::read_to_string(&path).is_ok_and(|page| is_whole(&page)) {
        return Err(format!("the next run ends with {:?}: {}", next.code, next.stderr));
    }
    std::fs::remove_file(path).map_err(|error| error.to_string())
}
