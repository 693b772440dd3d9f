//! The operator's command, asked to end by a signal at any instant: it has done its work or nothing, says which by its exit
//! code, and leaves nothing behind.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use faulty_vfs::Random;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::child::{Running, operator, rows};
use crate::proof::{Expected, prove};
use crate::scene::{Journal, Scene, Stage, Work};
use crate::tally::{Tally, seeds};

/// How many cases there are of each work.
const SHORT: u64 = 3;
const LONG: u64 = 100;
/// Of a service manager, of a person, of a terminal that was closed.
const SIGNALS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
/// What says that it was called off.
const CALLED_OFF: i32 = 130;

#[test]
fn while_migrating() {
    at_random_instants(Work::Migrate, Journal::Delete);
    at_random_instants(Work::Migrate, Journal::Wal);
}

#[test]
fn with_nothing_to_do() {
    at_random_instants(Work::Nothing, Journal::Delete);
}

#[test]
fn while_going_back() {
    at_random_instants(Work::Revert, Journal::Delete);
}

#[test]
fn while_the_file_is_created() {
    at_random_instants(Work::Create, Journal::Delete);
}

#[test]
fn while_backing_up() {
    at_random_instants(Work::BackUp, Journal::Wal);
}

#[test]
fn while_restoring() {
    at_random_instants(Work::Restore, Journal::Delete);
    at_random_instants(Work::Restore, Journal::Wal);
}

fn at_random_instants(work: Work, journal: Journal) {
    let scene = Scene::of_size(work, journal, rows());
    let stage = scene.stage();
    let start = Instant::now();
    assert!(operator(work, &stage.database).status().unwrap().success());
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap();
    let mut tally = Tally::new(format!("called off at random instants, {} of {} rows", scene.name(), rows()));
    for seed in seeds(SHORT, LONG) {
        let mut random = Random::new(seed);
        let stage = scene.stage();
        let signal = SIGNALS[usize::try_from(random.below(3)).unwrap()];
        // `timeout` sends it twice.
        let times = if random.one_in(4) { 2 } else { 1 };
        let after = Duration::from_micros(random.below(micros));
        let status = asked_to_end(&scene, &stage, signal, times, after);
        let outcome = ends_well(&scene, &stage, status).map(|told| format!("{signal}: {told}"));
        tally.count(&format!("seed {seed}, {signal} after {after:?}, {status}"), outcome);
    }
    tally.finish();
}

fn asked_to_end(scene: &Scene, stage: &Stage, signal: Signal, times: u32, after: Duration) -> ExitStatus {
    let mut running = Running(operator(scene.work, &stage.database).spawn().unwrap());
    let process = Pid::from_raw(i32::try_from(running.0.id()).unwrap());
    std::thread::sleep(after);
    for _ in 0..times {
        // It is ours until it is waited for.
        kill(process, signal).unwrap();
    }
    running.0.wait().unwrap()
}

fn ends_well(scene: &Scene, stage: &Stage, status: ExitStatus) -> Result<String, String> {
    match status.code() {
        Some(0) => prove(scene, stage, Expected::New).map(|_| "done".to_owned()),
        Some(CALLED_OFF) => {
            nothing_is_left(scene, stage)?;
            // A file that was whole by then stays.
            let expected = if scene.work == Work::Create { Expected::Either } else { Expected::Old };
            prove(scene, stage, expected).map(|found| format!("called off, {found:?}"))
        }
        // Before its first instruction nothing can listen.
        None if SIGNALS.iter().any(|signal| status.signal() == Some(*signal as i32)) => {
            nothing_is_left(scene, stage)?;
            prove(scene, stage, Expected::Old).map(|_| "ended before it began".to_owned())
        }
        _ => Err(format!("it ended with {status}")),
    }
}

/// Every file beside the database was there before; a log may have been folded into its file.
fn nothing_is_left(scene: &Scene, stage: &Stage) -> Result<(), String> {
    let before = scene.files_beside();
    let has_log = before.iter().any(|name| name == "worklog.db-wal");
    let is_known = |name: &String| before.contains(name) || (has_log && name == "worklog.db-shm");
    let new: Vec<String> = stage.files_beside().into_iter().filter(|name| !is_known(name)).collect();
    if new.is_empty() { Ok(()) } else { Err(format!("left: {new:?}")) }
}
