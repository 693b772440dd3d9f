//! The real program.

use std::ffi::OsStr;
use std::path::Path;

use harness::{Run, Sandbox};

fn run(database: &Path, arguments: &[&str]) -> Run {
    let arguments: Vec<_> = arguments.iter().map(OsStr::new).collect();
    harness::run(env!("CARGO_BIN_EXE_guide-cli"), &[&[database.as_os_str()], arguments.as_slice()].concat(), "")
}

#[test]
fn a_new_database_keeps_tasks() {
    let sandbox = Sandbox::default();
    let database = sandbox.path("tasks.db");
    assert_eq!(run(&database, &["add", "Call the plumber", "2025-03-01"]).stdout, "1\n");
    let listed = run(&database, &["list"]);
    assert_eq!((listed.stdout.as_str(), listed.stderr.as_str()), ("    1  2025-03-01  Call the plumber\n", ""));
    assert_eq!(run(&database, &["done", "1"]).code, Some(0));
    assert_eq!(run(&database, &["done", "1"]).code, Some(1));
    assert_eq!(run(&database, &["list"]).stdout, "");
    assert_eq!(run(&database, &["paint"]).code, Some(2));
}

#[test]
fn an_upgrade_is_told_beside_the_answer() {
    let sandbox = Sandbox::default();
    let listed = run(&sandbox.old("tasks.db"), &["list"]);
    assert_eq!(listed.stdout, "    1  9999-12-31  Sweep\n");
    assert!(listed.stderr.contains("tasks.db from version 1 to 2\nthe file as it was: "), "{}", listed.stderr);
}

#[test]
fn a_newer_database_is_refused() {
    let sandbox = Sandbox::default();
    let refused = run(&sandbox.newer("tasks.db"), &["list"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(4), ""));
    assert!(refused.stderr.starts_with("error: the database is at version 99"), "{}", refused.stderr);
}
