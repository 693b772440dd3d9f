use faulty_vfs::memory::{Shortage, count, with_shortage};

use super::alone::alone;
use super::fails_well;
use crate::scene::{Journal, Scene, Work};
use crate::tally::{Tally, share, spread};

/// Of each boot, in the long form: a boot asks for memory some ten thousand times, mostly for the same. `RELIABILITY=2000`
/// takes more.
const MANY: usize = 150;

#[test]
fn while_migrating() {
    alone("memory::failing_allocations::while_migrating", || every_request(Work::Migrate, Journal::Delete, 3));
}

#[test]
fn while_migrating_in_wal_mode() {
    alone("memory::failing_allocations::while_migrating_in_wal_mode", || {
        every_request(Work::Migrate, Journal::Wal, 3);
    });
}

#[test]
fn with_nothing_to_do() {
    alone("memory::failing_allocations::with_nothing_to_do", || every_request(Work::Nothing, Journal::Delete, 4));
}

#[test]
fn while_repairing() {
    alone("memory::failing_allocations::while_repairing", || every_request(Work::Repair, Journal::Wal, 2));
}

#[test]
fn while_going_back() {
    alone("memory::failing_allocations::while_going_back", || every_request(Work::Revert, Journal::Delete, 2));
}

#[test]
fn while_the_file_is_created() {
    alone("memory::failing_allocations::while_the_file_is_created", || {
        every_request(Work::Create, Journal::Delete, 4);
    });
}

/// Requests spread over the whole boot are denied, once and from then on.
fn every_request(work: Work, journal: Journal, short: usize) {
    let scene = Scene::new(work, journal);
    let stage = scene.stage();
    let (_, requests) = count(|| scene.boot(&stage.database));
    println!("{}: {requests} requests", scene.name());
    let requests: Vec<usize> = (1..=usize::try_from(requests).unwrap()).collect();
    let share = if share(short) == usize::MAX { MANY } else { share(short) };
    let mut tally = Tally::new(format!("failing allocations, {}", scene.name()));
    for lasting in [false, true] {
        for nth in spread(&requests, share) {
            let stage = scene.stage();
            let shortage = Shortage { nth: nth as u64, lasting };
            let boot = || scene.boot(&stage.database).expect("a boot of its own");
            let outcome = fails_well(&scene, &stage, || with_shortage(shortage, boot).0);
            let times = if lasting { "from then on" } else { "once" };
            tally.count(&format!("request {nth} denied {times}"), outcome.map(|outcome| format!("{times}: {outcome}")));
        }
    }
    tally.finish();
}
