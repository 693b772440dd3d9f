//! Every phase runs on a small database, and what is compared is named. No time is asserted: machines differ.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use std::path::{Path, PathBuf};

use benchmarks::compare;
use benchmarks::phases;
use benchmarks::scene::{self, Scene};
use benchmarks::table;

const PROGRAM: &str = env!("CARGO_BIN_EXE_benchmarks");

fn small(cache: &Path) -> Scene {
    let shell = scene::find_program("sqlite3");
    Scene { rows: 1_000, cache: cache.to_owned(), scratch: PathBuf::new(), shell, peers: None }
}

/// Measures every case of a phase once.
fn runs(name: &str) {
    let cache = tempfile::tempdir().unwrap();
    let scene = small(cache.path());
    let phase = phases::all(&scene).into_iter().find(|phase| phase.name == name).unwrap();
    for case in &phase.cases {
        let comparison = compare::compare(Path::new(PROGRAM), &scene, &phase, case, 1).unwrap();
        assert_eq!(comparison.series.len(), case.contenders.len());
        assert!(comparison.series.iter().all(|series| !series.median().is_zero()), "{}", case.name);
        let text = table::table([(case, &comparison)]);
        assert!(case.contenders.iter().all(|contender| text.contains(&contender.name)), "{text}");
    }
}

#[test]
fn nothing_to_do() {
    runs("nothing-to-do");
}

#[test]
fn fresh() {
    runs("fresh");
}

#[test]
fn integrity() {
    runs("integrity");
}

#[test]
fn backup() {
    runs("backup");
}

#[test]
fn indexes() {
    runs("indexes");
}

#[test]
fn migrating_boot() {
    runs("migrating-boot");
}

#[test]
fn current_boot() {
    runs("current-boot");
}

#[test]
fn contracts() {
    runs("contracts");
}

#[test]
fn build() {
    runs("build");
}

#[test]
fn no_phase_is_left_out() {
    let cache = tempfile::tempdir().unwrap();
    let names: Vec<_> = phases::all(&small(cache.path())).iter().map(|phase| phase.name).collect();
    let tested = [
        "nothing-to-do",
        "fresh",
        "integrity",
        "backup",
        "indexes",
        "migrating-boot",
        "current-boot",
        "contracts",
        "build",
    ];
    assert_eq!(names, tested);
}

#[test]
fn a_measurement_that_fails_says_why() {
    let cache = tempfile::tempdir().unwrap();
    let scene = Scene { shell: Some("/nonexistent/sqlite3".into()), ..small(cache.path()) };
    let phase = phases::all(&scene).into_iter().find(|phase| phase.name == "backup").unwrap();
    let error = compare::compare(Path::new(PROGRAM), &scene, &phase, &phase.cases[0], 1).unwrap_err();
    assert!(error.to_string().starts_with("backup, at head, .backup in the sqlite3 shell"), "{error}");
}
