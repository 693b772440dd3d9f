//! A process that is killed when a step begins, or when it has ended.

use super::child::{events, killed_at};
use crate::proof::{Expected, prove};
use crate::scene::{Journal, Scene, Work};
use crate::tally::{Tally, share, spread};

/// How many steps of each work are taken in the short form.
const SHORT: usize = 6;

#[test]
fn while_migrating() {
    every_step(Work::Migrate, Journal::Delete);
}

#[test]
fn while_migrating_in_wal_mode() {
    every_step(Work::Migrate, Journal::Wal);
}

#[test]
fn while_tables_are_made_anew() {
    every_step(Work::Rebuild, Journal::Delete);
    every_step(Work::Rebuild, Journal::Wal);
}

#[test]
fn with_nothing_to_do() {
    every_step(Work::Nothing, Journal::Delete);
    every_step(Work::Nothing, Journal::Wal);
}

#[test]
fn while_repairing() {
    every_step(Work::Repair, Journal::Delete);
    every_step(Work::Repair, Journal::Wal);
}

#[test]
fn while_going_back() {
    every_step(Work::Revert, Journal::Delete);
    every_step(Work::Revert, Journal::Wal);
}

#[test]
fn while_the_file_is_created() {
    every_step(Work::Create, Journal::Delete);
}

#[test]
fn while_backing_up() {
    every_step(Work::BackUp, Journal::Delete);
    every_step(Work::BackUp, Journal::Wal);
}

#[test]
fn while_pruning() {
    every_step(Work::Prune, Journal::Delete);
}

#[test]
fn while_restoring() {
    every_step(Work::Restore, Journal::Delete);
    every_step(Work::Restore, Journal::Wal);
}

fn every_step(work: Work, journal: Journal) {
    let scene = Scene::new(work, journal);
    let stage = scene.stage();
    let events = events(work, &stage.database);
    let mut tally = Tally::new(format!("killed at every step, {}", scene.name()));
    let all: Vec<(usize, &String)> = (1..).zip(&events).collect();
    for (at, event) in spread(&all, share(SHORT)) {
        let stage = scene.stage();
        let outcome = if killed_at(at, work, &stage.database) {
            prove(&scene, &stage, Expected::Either).map(|found| format!("{event}: {found:?}"))
        } else {
            Err("it was not reached".to_owned())
        };
        tally.count(&format!("killed at {at}, {event}"), outcome);
    }
    tally.finish();
}
