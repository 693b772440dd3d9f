//! The operator's command, killed whenever it pleases the clock: once, or again and again while it recovers, as by a service
//! manager that restarts what a machine without memory kills.

use std::path::Path;
use std::time::{Duration, Instant};

use faulty_vfs::Random;

use super::child::{Running, operator, rows};
use crate::proof::{Expected, is_backup, prove};
use crate::scene::{Journal, Scene, Stage, Work};
use crate::tally::{Tally, seeds};

/// How many cases there are of each work.
const SHORT: u64 = 4;
const LONG: u64 = 150;
/// One in so many cases is a long row of restarts, of up to so many.
const ROWS_OF_RESTARTS: u64 = 10;
const RESTARTS: u64 = 15;

#[test]
fn while_migrating() {
    at_random_instants(Work::Migrate, Journal::Delete);
}

#[test]
fn while_migrating_in_wal_mode() {
    at_random_instants(Work::Migrate, Journal::Wal);
}

#[test]
fn while_tables_are_made_anew() {
    at_random_instants(Work::Rebuild, Journal::Delete);
    at_random_instants(Work::Rebuild, Journal::Wal);
}

#[test]
fn while_going_back() {
    at_random_instants(Work::Revert, Journal::Delete);
    at_random_instants(Work::Revert, Journal::Wal);
}

#[test]
fn while_the_file_is_created() {
    at_random_instants(Work::Create, Journal::Delete);
}

#[test]
fn while_backing_up_and_pruning() {
    at_random_instants(Work::BackUp, Journal::Wal);
    at_random_instants(Work::Prune, Journal::Delete);
}

#[test]
fn while_restoring() {
    at_random_instants(Work::Restore, Journal::Delete);
    at_random_instants(Work::Restore, Journal::Wal);
}

fn at_random_instants(work: Work, journal: Journal) {
    let scene = Scene::of_size(work, journal, rows());
    let whole = time(&scene);
    let mut tally = Tally::new(format!("killed at random instants, {} of {} rows", scene.name(), rows()));
    for seed in seeds(SHORT, LONG) {
        let mut random = Random::new(seed);
        let restarts = if random.one_in(ROWS_OF_RESTARTS) { RESTARTS } else { 3 };
        let stage = scene.stage();
        let kills =
            (0..=random.below(restarts)).filter(|_| is_killed(work, &stage.database, whole, &mut random)).count();
        // Then somebody lets it finish, or the application starts.
        let outcome = if random.coin() { finished(&scene, &stage) } else { prove(&scene, &stage, Expected::Either) };
        let backups = || stage.files_beside().iter().filter(|name| is_backup(name)).count();
        let outcome = outcome.map(|found| format!("{kills} times: {found:?}, {} backups", backups()));
        tally.count(&format!("seed {seed}, killed {kills} times"), outcome);
    }
    tally.finish();
}

/// How long it takes.
fn time(scene: &Scene) -> Duration {
    let stage = scene.stage();
    let start = Instant::now();
    assert!(operator(scene.work, &stage.database).status().unwrap().success());
    start.elapsed()
}

/// Starts it and kills it within the time it takes. Returns whether it had not ended before.
fn is_killed(work: Work, database: &Path, whole: Duration, random: &mut Random) -> bool {
    let mut running = Running(operator(work, database).spawn().unwrap());
    let micros = u64::try_from(whole.as_micros()).unwrap();
    std::thread::sleep(Duration::from_micros(random.below(micros)));
    let is_running = running.0.try_wait().unwrap().is_none();
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    is_running
}

fn finished(scene: &Scene, stage: &Stage) -> Result<crate::proof::Found, String> {
    let output = operator(scene.work, &stage.database).stderr(std::process::Stdio::piped()).output().unwrap();
    if output.status.success() {
        return prove(scene, stage, Expected::New);
    }
    Err(format!("left to finish, {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}
