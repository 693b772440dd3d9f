//! Random sequences of everything that can happen to a database, each compared with a model of what should become of it.

mod model;
mod operation;
mod release;
mod resolve;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use faulty_vfs::Random;

use crate::tally::{Tally, seeds};
use operation::Operation;
use world::World;

/// How many sequences, and how many operations in each.
const SHORT: u64 = 10;
const LONG: u64 = 300;
const OPERATIONS: u64 = 16;

#[test]
fn no_sequence_of_operations_loses_anything() {
    let mut tally = Tally::new("simulated sequences".to_owned());
    for seed in seeds(SHORT, LONG) {
        let operations = sequence(seed);
        match run(seed, &operations) {
            Ok(outcomes) => outcomes.into_iter().for_each(|outcome| tally.count("", Ok(outcome))),
            Err(problem) => {
                let (operations, problem) = shrink(seed, operations, problem);
                tally.count(&format!("RELIABILITY_SEED={seed}, of which {operations:#?} is enough"), Err(problem));
            }
        }
    }
    tally.finish();
}

fn sequence(seed: u64) -> Vec<Operation> {
    let mut random = Random::new(seed);
    (0..OPERATIONS).map(|_| Operation::random(&mut random)).collect()
}

/// What became of each operation, or what was wrong after the last.
fn run(seed: u64, operations: &[Operation]) -> Result<Vec<String>, String> {
    let run = || {
        let mut world = World::new(seed);
        let outcome = |operation: &Operation| {
            let outcome = world.make(operation).and_then(|outcome| world.prove().map(|()| outcome));
            outcome.map_err(|problem| format!("{operation:?}: {problem}; {}", world.words()))
        };
        operations.iter().map(outcome).collect()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

/// Leaves out what a failure does not need.
fn shrink(seed: u64, mut operations: Vec<Operation>, mut problem: String) -> (Vec<Operation>, String) {
    let mut position = operations.len();
    while position > 0 {
        position -= 1;
        let mut fewer = operations.clone();
        fewer.remove(position);
        if let Err(same) = run(seed, &fewer) {
            (operations, problem) = (fewer, same);
        }
    }
    (operations, problem)
}
