//! A squashed baseline takes the place of many migrations: in new databases, and in those that have applied every one of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

const FILES: [(&str, &str); 4] = [
    ("000_people.sql", "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"),
    (
        "001_groups.sql",
        "CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT);\nINSERT INTO groups(name) VALUES ('all');\n",
    ),
    ("002_notes.sql", "ALTER TABLE people ADD COLUMN note TEXT;\nCREATE INDEX people_by_name ON people(name);\n"),
    ("003_mail.sql", "ALTER TABLE people ADD COLUMN mail TEXT;\n"),
];

/// A directory before it is squashed and after, and a database.
struct Scene {
    place: TempDir,
}

impl Scene {
    /// Squashes the first three files.
    fn new() -> Self {
        let scene = Self { place: tempfile::tempdir().unwrap() };
        for (name, sql) in FILES {
            for directory in ["before", "after"] {
                fs::create_dir_all(scene.path(directory)).unwrap();
                fs::write(scene.path(directory).join(name), sql).unwrap();
            }
        }
        scene.command("lock", &["after"]);
        let out = scene.path("baseline.sql");
        let (_, code) = scene.command("squash", &["after", "--to", "2", "--out", out.to_str().unwrap()]);
        assert_eq!(code, 0);
        for (name, _) in &FILES[..3] {
            fs::remove_file(scene.path("after").join(name)).unwrap();
        }
        fs::rename(out, scene.path("after/002_baseline.sql")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn command(&self, command: &str, arguments: &[&str]) -> (String, i32) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        let output =
            process.arg(command).args(arguments).current_dir(self.place.path()).env_remove("RUST_LOG").output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (said, output.status.code().unwrap())
    }

    fn boot(&self, directory: &str, more: &[&str]) -> (Value, i32) {
        let db = self.path("app.db");
        let mut arguments =
            vec!["--migrations", directory, "--db", db.to_str().unwrap(), "--no-backup", "--json", "-q"];
        arguments.extend(more);
        let (said, code) = self.command("boot", &arguments);
        let said = said.lines().next().unwrap();
        (serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}")), code)
    }

    fn execute(&self, sql: &str) {
        Connection::open(self.path("app.db")).unwrap().execute_batch(sql).unwrap();
    }

    fn history(&self) -> Vec<(i64, String)> {
        let connection = Connection::open(self.path("app.db")).unwrap();
        let mut rows =
            connection.prepare("SELECT version, name FROM refinery_schema_history ORDER BY version").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }
}

fn edit(path: &Path, edit: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, edit(text)).unwrap();
}

#[test]
fn a_database_with_all_that_was_squashed_goes_on_from_there() {
    for applied in ["2", "3"] {
        let scene = Scene::new();
        assert_eq!(scene.boot("before", &["--to", applied]).1, 0);
        scene.execute("INSERT INTO people(name) VALUES ('Ada')");
        let (report, code) = scene.boot("after", &[]);
        assert_eq!((code, &report["to_version"]), (0, &Value::from(3)), "{report}");
        let names = ["people", "groups", "notes", "mail"];
        let expected: Vec<_> = (0..).zip(names.map(str::to_owned)).collect();
        assert_eq!(scene.history(), expected, "what was recorded stays as it was");
        // And again, with nothing to do; `status` and `verify` agree.
        assert_eq!(scene.boot("after", &[]).0["applied"], Value::Array(Vec::new()));
        for command in ["status", "verify"] {
            let (said, code) = scene.command(command, &["--migrations", "after", "--db", "app.db"]);
            assert_eq!(code, 0, "{command}: {said}");
        }
    }
}

#[test]
fn a_new_database_has_the_baseline_alone() {
    let scene = Scene::new();
    assert_eq!(scene.boot("after", &[]).1, 0);
    assert_eq!(scene.history(), [(2, "baseline".to_owned()), (3, "mail".to_owned())]);
}

#[test]
fn a_database_on_the_way_is_told_which_build_to_run_first() {
    let scene = Scene::new();
    assert_eq!(scene.boot("before", &["--to", "1"]).1, 0);
    let before = fs::read(scene.path("app.db")).unwrap();
    let (report, code) = scene.boot("after", &[]);
    assert_eq!((code, &report["error"]["kind"]), (4, &Value::from("below_baseline")), "{report}");
    let message = report["error"]["message"].as_str().unwrap();
    assert!(message.contains("version 1") && message.contains("`002_notes`"), "{message}");
    assert_eq!(fs::read(scene.path("app.db")).unwrap(), before);
    // What it asks for.
    assert_eq!(scene.boot("before", &[]).1, 0);
    assert_eq!(scene.boot("after", &[]).1, 0);
}

#[test]
fn what_is_recorded_has_to_be_what_was_squashed() {
    for (sql, kind) in [
        ("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", "divergent"),
        ("UPDATE refinery_schema_history SET name = 'other' WHERE version = 2", "divergent"),
        ("DELETE FROM refinery_schema_history WHERE version = 1", "missing"),
        ("INSERT INTO refinery_schema_history VALUES (-1, 'x', '2026-01-01T00:00:00Z', '1')", "missing"),
        ("DROP INDEX people_by_name; ALTER TABLE people DROP COLUMN note", "drifted"),
    ] {
        let scene = Scene::new();
        assert_eq!(scene.boot("before", &["--to", "2"]).1, 0);
        scene.execute(sql);
        let (report, code) = scene.boot("after", &[]);
        assert_eq!((code, &report["error"]["kind"]), (4, &Value::from(kind)), "{sql}: {report}");
    }
}

#[test]
fn what_another_tool_applied_is_taken_over_at_the_baseline() {
    let up_to = |scene: &Scene, files: usize| {
        FILES[..files].iter().for_each(|(_, sql)| scene.execute(sql));
        scene.execute(&format!(
            "CREATE TABLE schema_migrations (version uint64, dirty bool);
             INSERT INTO schema_migrations VALUES ({}, 0)",
            files - 1
        ));
    };
    let scene = Scene::new();
    up_to(&scene, 3);
    let (report, code) = scene.boot("after", &[]);
    assert_eq!(
        (code, &report["from_version"], &report["to_version"]),
        (0, &Value::from(2), &Value::from(3)),
        "{report}"
    );
    let scene = Scene::new();
    up_to(&scene, 2);
    assert_eq!(scene.boot("after", &[]).0["error"]["kind"], "below_baseline");
    // `rusqlite_migration` counts what is no longer there one by one.
    for (count, kind) in [(2, Some("below_baseline")), (3, None), (4, None)] {
        let scene = Scene::new();
        FILES[..count].iter().for_each(|(_, sql)| scene.execute(sql));
        scene.execute(&format!("PRAGMA user_version = {count}"));
        let (report, _) = scene.boot("after", &[]);
        assert_eq!(report["error"]["kind"].as_str(), kind, "{count}: {report}");
    }
}

#[test]
fn the_lock_takes_the_baseline_for_what_was_released() {
    let scene = Scene::new();
    let (said, code) = scene.command("check", &["after"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(scene.command("lock", &["after"]).1, 0);
    let lock = fs::read_to_string(scene.path("after/migrations.lock")).unwrap();
    let listed: Vec<&str> = lock.lines().filter(|line| !line.starts_with('#')).map(|line| &line[19..]).collect();
    assert_eq!(listed, ["002_baseline.sql", "003_mail.sql"]);
    // From here on the baseline is a released file like any other.
    edit(&scene.path("after/002_baseline.sql"), |text| text.replace("'all'", "'everybody'"));
    assert!(scene.command("check", &["after"]).0.contains("released-changed"));
}

#[test]
fn a_baseline_stands_where_it_was_made_for() {
    let scene = Scene::new();
    fs::rename(scene.path("after/002_baseline.sql"), scene.path("after/001_baseline.sql")).unwrap();
    let (said, code) = scene.command("check", &["after"]);
    assert!(code == 1 && said.contains("up to version 2, and has version 1"), "{said}");
    let scene = Scene::new();
    fs::remove_file(scene.path("after/migrations.lock")).unwrap();
    fs::write(scene.path("after/001_groups.sql"), FILES[1].1).unwrap();
    let (said, code) = scene.command("check", &["after"]);
    assert!(code == 1 && said.contains("there are such"), "{said}");
    let scene = Scene::new();
    fs::remove_file(scene.path("after/migrations.lock")).unwrap();
    edit(&scene.path("after/002_baseline.sql"), |text| text.replacen("replaces 0 ", "replaces none ", 1));
    let (said, code) = scene.command("check", &["after"]);
    assert!(code == 1 && said.contains("which migration is replaced"), "{said}");
}

#[test]
fn a_baseline_can_be_squashed_again() {
    let scene = Scene::new();
    let (text, code) = scene.command("squash", &["after", "--to", "3"]);
    assert_eq!(code, 0, "{text}");
    fs::create_dir(scene.path("twice")).unwrap();
    fs::write(scene.path("twice/003_all.sql"), text).unwrap();
    for directory in ["before", "after"] {
        let _ = fs::remove_file(scene.path("app.db"));
        assert_eq!(scene.boot(directory, &[]).1, 0);
        let (report, code) = scene.boot("twice", &[]);
        assert_eq!((code, &report["to_version"]), (0, &Value::from(3)), "{directory}: {report}");
    }
}
