//! Every target on its seeds, as they are and edited at random. A failure prints the input, shrunk, to be kept as a seed.
//!
//! The short form throws the same inputs every time; `RELIABILITY=long`, or the number of inputs a target, throws others.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod mutation;

use std::time::{Duration, Instant};

use fuzzing::{TARGETS, Target};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::mutation::hostile;

/// Longer than anything takes that is small and ends, also without optimisation on a busy machine.
const HANGS: Duration = Duration::from_mins(1);
/// The inputs of the long form, a target.
const LONG: u32 = 5_000;

fn promises_hold(name: &str, short: u32) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let seeds = (target.seeds)();
    let start = Instant::now();
    for (number, seed) in seeds.iter().enumerate() {
        let start = Instant::now();
        in_time(target, seed);
        println!("{name}: seed {number} in {:.2} s", start.elapsed().as_secs_f64());
    }
    let form = std::env::var("RELIABILITY").ok();
    let cases = match form.as_deref() {
        Some("long") => LONG,
        Some(cases) => cases.parse().expect("`long`, or how many inputs"),
        None => short,
    };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = match form {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let outcome = runner.run(&hostile(&seeds), |input| {
        in_time(target, &input);
        Ok(())
    });
    println!("{name}: {} seeds and {cases} inputs in {:.1} s", seeds.len(), start.elapsed().as_secs_f64());
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => {
            panic!("{name} breaks a promise: {reason}\nwith b\"{}\"", input.escape_ascii())
        }
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
    }
}

fn in_time(target: &Target, input: &[u8]) {
    let start = Instant::now();
    (target.run)(input);
    assert!(start.elapsed() < HANGS, "{:?} with b\"{}\"", start.elapsed(), input.escape_ascii());
}

/// A target whose input is not even close to anything is still a target.
#[test]
fn any_bytes_are_survived() -> Result<(), TestError<Vec<u8>>> {
    let config = Config { cases: 1, failure_persistence: None, ..Config::default() };
    for target in TARGETS {
        let any = proptest::collection::vec(proptest::num::u8::ANY, 0..200);
        TestRunner::new(config.clone()).run(&any, |input| {
            (target.run)(&input);
            Ok::<(), TestCaseError>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_migrations_directory_compiles_or_is_explained() {
    promises_hold("migrations", 40);
}

#[test]
fn an_annotation_is_understood_or_explained() {
    promises_hold("annotations", 40);
}

#[test]
fn sql_text_is_the_same_as_itself() {
    promises_hold("sql_text", 100);
}

#[test]
fn a_history_of_anybodys_making_costs_nobody_a_row() {
    promises_hold("history", 10);
}

#[test]
fn a_damaged_database_is_refused_or_sound() {
    promises_hold("database", 8);
}

#[test]
fn a_damaged_backup_is_refused_or_whole() {
    promises_hold("backup", 8);
}

#[test]
fn a_command_line_runs_or_is_a_usage_error() {
    promises_hold("arguments", 10);
}

#[test]
fn a_setting_is_understood_or_refused() {
    promises_hold("settings", 8);
}
