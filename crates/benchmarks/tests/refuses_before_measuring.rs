//! What cannot end well is refused before anything is measured: a comparison takes minutes.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;

/// Runs the program in a directory of its own, and gives what it says on stderr.
fn refused(directory: &TempDir, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_benchmarks"));
    let answer = program.current_dir(directory).args(["--rows", "10"]).args(arguments).output().unwrap();
    let said = String::from_utf8(answer.stderr).unwrap();
    assert!(!answer.status.success() && answer.stdout.is_empty(), "{arguments:?}: {said}");
    said
}

#[test]
fn what_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (["--case", "nonsense", "integrity"].as_slice(), "no case of these phases has `nonsense` in its name"),
        (&["--case", "nonsense", "--csv", "figures.csv", "integrity"], "no case of these phases"),
        (&["--write", "nowhere.md", "integrity"], "`nowhere.md`: "),
        (&["--csv", "nowhere/figures.csv", "integrity"], "`nowhere/figures.csv`: "),
        (&["--svg", "chart.svg", "fresh"], "none of these phases grows with the rows"),
        (&["--peers", "nowhere", "fresh"], "no program `"),
        (&["nonsense"], "no phase `nonsense`"),
    ] {
        let refusal = refused(&directory, arguments);
        assert!(refusal.starts_with(&format!("error: {said}")), "{arguments:?}: {refusal}");
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn a_page_without_a_place_for_every_phase() {
    let directory = tempfile::tempdir().unwrap();
    let page = "<!-- results: integrity -->\n<!-- end -->\n";
    fs::write(directory.path().join("page.md"), page).unwrap();
    let refusal = refused(&directory, &["--write", "page.md", "integrity", "backup"]);
    assert_eq!(refusal, "error: the page has no `<!-- results: backup -->`\n");
    // A part of a phase would take the place of the whole.
    assert!(refused(&directory, &["--write", "page.md", "--case", "one core"]).contains("cannot be used with"));
    assert_eq!(fs::read_to_string(directory.path().join("page.md")).unwrap(), page);
}

#[test]
fn a_cache_that_cannot_be_one() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let refusal = refused(&directory, &["--cache", "file", "integrity"]);
    assert!(refusal.contains(&directory.path().join("file").display().to_string()), "{refusal}");
}
