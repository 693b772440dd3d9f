//! The real program.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bootproof::Boot;
use notes::{HEAD, SCHEMA};
use rusqlite::Connection;
use tempfile::TempDir;

struct Sandbox {
    _directory: TempDir,
    database: PathBuf,
}

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Sandbox {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("my notes.db");
        Self { _directory: directory, database }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
        let output = command.arg("--db").arg(&self.database).args(arguments).output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn says(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        run.stdout
    }
}

/// The titles of what was listed.
fn titles(listed: &str) -> Vec<&str> {
    listed.lines().filter_map(|line| line.splitn(3, "  ").last()?.split("  ").last()).collect()
}

fn database_at(path: &Path, version: i64) -> Connection {
    Boot::new(&SCHEMA, path).target(version).run().unwrap();
    Connection::open(path).unwrap()
}

#[test]
fn notes_are_kept_listed_tagged_and_found() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.says(&["add", "Bread", "flour, water AND salt"]), "1\n");
    assert_eq!(sandbox.says(&["add", "Call the plumber"]), "2\n");
    sandbox.says(&["tag", "1", "kitchen"]);
    sandbox.says(&["tag", "1", "kitchen"]);
    assert_eq!(titles(&sandbox.says(&["list"])), ["Call the plumber", "Bread"]);
    assert_eq!(titles(&sandbox.says(&["list", "--tag", "kitchen"])), ["Bread"]);
    assert_eq!(titles(&sandbox.says(&["search", "and \"flour"])), ["Bread"]);
    assert_eq!(sandbox.says(&["tags"]), "    1  kitchen\n");
    sandbox.says(&["archive", "1"]);
    assert_eq!(titles(&sandbox.says(&["list"])), ["Call the plumber"]);
    assert_eq!(titles(&sandbox.says(&["search", "flour"])), ["Bread"]);
    assert_eq!(sandbox.says(&["list", "--since", "9999-01-01"]), "");
    for command in [["tag", "9", "x"].as_slice(), &["archive", "9"]] {
        let run = sandbox.run(command);
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), "error: there is no such note\n"));
    }
    assert_eq!(sandbox.says(&["tags"]), "");
}

#[test]
fn an_older_file_is_upgraded_and_kept_aside() {
    let sandbox = Sandbox::new();
    let connection = database_at(&sandbox.database, 1);
    connection.execute("INSERT INTO note(title) VALUES ('written before there was a search')", []).unwrap();
    drop(connection);
    let run = sandbox.run(&["search", "before"]);
    assert_eq!(titles(&run.stdout), ["written before there was a search"]);
    assert!(run.stderr.contains(&format!("from version 1 to {HEAD}\n")), "{}", run.stderr);
    assert!(run.stderr.contains(".backup-"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    let text = "no database, but a text that somebody would miss\n".repeat(100);
    fs::write(&sandbox.database, &text).unwrap();
    let run = sandbox.run(&["list"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(6), ""), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("\nhint: "), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&sandbox.database).unwrap(), text);
}
