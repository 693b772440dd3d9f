use faulty_vfs::{Operation, Step, with_power_cut};

use crate::proof::{Expected, prove};
use crate::scene::{Journal, Scene, Work};
use crate::tally::{Tally, chosen, share};

#[test]
fn while_migrating() {
    at_every_change(Work::Migrate, Journal::Delete, 2);
}

#[test]
fn while_migrating_in_wal_mode() {
    at_every_change(Work::Migrate, Journal::Wal, 2);
}

#[test]
fn while_migrating_through_a_connection_that_truncates_its_journal() {
    at_every_change(Work::Migrate, Journal::Truncate, 1);
}

#[test]
fn while_migrating_through_a_connection_that_keeps_its_journal() {
    at_every_change(Work::Migrate, Journal::Persist, 1);
}

#[test]
fn while_tables_are_made_anew() {
    at_every_change(Work::Rebuild, Journal::Delete, 1);
    at_every_change(Work::Rebuild, Journal::Wal, 1);
}

#[test]
fn with_nothing_to_do() {
    at_every_change(Work::Nothing, Journal::Delete, 1);
    at_every_change(Work::Nothing, Journal::Wal, 1);
}

#[test]
fn while_repairing() {
    at_every_change(Work::Repair, Journal::Delete, 1);
    at_every_change(Work::Repair, Journal::Wal, 1);
}

#[test]
fn while_going_back() {
    at_every_change(Work::Revert, Journal::Delete, 1);
    at_every_change(Work::Revert, Journal::Wal, 1);
}

#[test]
fn while_the_file_is_created() {
    at_every_change(Work::Create, Journal::Delete, 1);
}

/// How many states of the disk are tried after each cut, and after one that came when the boot had returned.
const SEEDS: u64 = 3;
const SEEDS_AT_THE_END: u64 = 8;

/// Before every operation that changes something, for between two of them the disk does not change; and after the last.
fn at_every_change(work: Work, journal: Journal, short: usize) {
    let scene = Scene::new(work, journal);
    let stage = scene.stage();
    let (_, steps) = faulty_vfs::observe(|| scene.boot(&stage.database));
    let mut tally = Tally::new(format!("power cuts, {}", scene.name()));
    let mut cuts = chosen(&steps, share(short), changes_something);
    cuts.push(usize::MAX);
    for at in cuts {
        let stage = scene.stage();
        let (result, cut) = with_power_cut(stage.path(), at as u64, || scene.boot(&stage.database)).unwrap();
        // What was told before the cut must be true after it.
        let is_ready = matches!(result, Some(Ok(_)));
        let expected = if is_ready { Expected::New } else { Expected::Either };
        let during = cut.during.as_ref().map_or_else(|| "the end".to_owned(), Step::to_string);
        for seed in 0..if cut.during.is_none() { SEEDS_AT_THE_END } else { SEEDS } {
            cut.restore_power(seed).unwrap();
            let told = if is_ready { "ready" } else { "cut off" };
            let kind = cut.during.as_ref().map_or("the end", |step| step.operation.name());
            let outcome = prove(&scene, &stage, expected).map(|found| format!("{kind}: {told}, {found:?}"));
            tally.count(&format!("cut at {at}, {during}, seed {seed}, {told}"), outcome);
        }
    }
    tally.finish();
}

fn changes_something(step: &Step) -> bool {
    use Operation::{Delete, Open, Sync, Truncate, Write};
    matches!(step.operation, Open | Write | Truncate | Sync | Delete) && !step.file.is_empty()
}
