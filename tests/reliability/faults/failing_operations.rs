use std::panic::{AssertUnwindSafe, catch_unwind};

use faulty_vfs::{Counts, Fault, Injection};
use worklog_schema::bootproof::{BootReport, Error, Failure};

use crate::proof::{Expected, is_honest, prove};
use crate::scene::{Journal, Scene, Work};
use crate::tally::{Tally, chosen, share};

#[test]
fn while_migrating() {
    every_operation(Work::Migrate, Journal::Delete, 2);
}

#[test]
fn while_migrating_in_wal_mode() {
    every_operation(Work::Migrate, Journal::Wal, 2);
}

#[test]
fn while_migrating_through_a_connection_that_truncates_its_journal() {
    every_operation(Work::Migrate, Journal::Truncate, 1);
}

#[test]
fn while_migrating_through_a_connection_that_keeps_its_journal() {
    every_operation(Work::Migrate, Journal::Persist, 1);
}

#[test]
fn while_tables_are_made_anew() {
    every_operation(Work::Rebuild, Journal::Delete, 1);
    every_operation(Work::Rebuild, Journal::Wal, 1);
}

#[test]
fn with_nothing_to_do() {
    every_operation(Work::Nothing, Journal::Delete, 1);
    every_operation(Work::Nothing, Journal::Wal, 1);
}

#[test]
fn while_repairing() {
    every_operation(Work::Repair, Journal::Delete, 1);
    every_operation(Work::Repair, Journal::Wal, 1);
}

#[test]
fn while_going_back() {
    every_operation(Work::Revert, Journal::Delete, 1);
    every_operation(Work::Revert, Journal::Wal, 1);
}

#[test]
fn while_the_file_is_created() {
    every_operation(Work::Create, Journal::Delete, 1);
}

/// Every operation, every way to fail that fits it, once and from then on.
fn every_operation(work: Work, journal: Journal, short: usize) {
    let scene = Scene::new(work, journal);
    let stage = scene.stage();
    let (_, steps) = faulty_vfs::observe(|| scene.boot(&stage.database));
    println!("{}: {}", scene.name(), Counts::of(&steps));
    let mut tally = Tally::new(format!("failing operations, {}", scene.name()));
    for fault in Fault::ALL {
        for lasting in [false, true] {
            for nth in chosen(&steps, share(short), |step| fault.fits(step)) {
                let injection = Injection { fault, operation: None, nth: nth as u64, lasting };
                let times = if lasting { "from then on" } else { "once" };
                let case = format!("{fault:?} {times} at {nth}, {}", steps[nth - 1]);
                tally.count(&case, fails_well(&scene, injection));
            }
        }
    }
    tally.finish();
}

/// One boot with a fault, and what it must leave behind.
fn fails_well(scene: &Scene, injection: Injection) -> Result<String, String> {
    let stage = scene.stage();
    let boot = || faulty_vfs::with_fault(injection, || scene.boot(&stage.database));
    let (result, struck) = catch_unwind(AssertUnwindSafe(boot)).map_err(|_| "the boot panicked".to_owned())?;
    let Some(struck) = struck else { return Ok("not reached".to_owned()) };
    let told = result.as_ref().map_or_else(|| "the application could not open it".to_owned(), told);
    let expected = match &result {
        Some(Ok(_)) => Expected::New,
        Some(Err(Failure { error: Error::CommitUncertain { .. }, .. })) => Expected::Either,
        // The file gets its name when it is whole; opening it can fail then.
        Some(Err(_)) if scene.work == Work::Create => Expected::Either,
        None | Some(Err(_)) => Expected::Old,
    };
    if let Some(Err(failure)) = &result
        && !is_honest(injection.fault, failure.exit_code())
    {
        return Err(format!("{told}, exit code {}: {failure}", failure.exit_code()));
    }
    let said = match &result {
        Some(Err(failure)) => format!(": {failure}"),
        _ => String::new(),
    };
    let found = prove(scene, &stage, expected).map_err(|problem| format!("{told}; {problem}{said}"))?;
    Ok(format!("{:?} {}: {told}, {found:?}", injection.fault, struck.operation.name()))
}

fn told(result: &Result<BootReport, Failure>) -> String {
    match result {
        Ok(_) => "success".to_owned(),
        Err(failure) => format!("`{}`", failure.error.kind()),
    }
}
