//! The command `bootproof`, as a pull request's gate calls it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const DIALECTS: &str = "../bootproof-build/tests/dialects";

fn bootproof(directory: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof")).args(arguments).current_dir(directory).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A directory with an error and a warning.
fn mixed(format: &str) -> Output {
    let output = bootproof("tests/bootproof", &["check", "mixed/", "--format", format]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    output
}

#[test]
fn text_is_what_the_compiler_prints_and_a_line_that_adds_up() {
    insta::assert_snapshot!("text", stdout(&mixed("text")));
}

#[test]
fn json_is_a_list_of_findings() {
    let output = mixed("json");
    assert_eq!(stdout(&output).lines().count(), 1);
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&json(&output)).unwrap());
}

#[test]
fn github_shows_annotations() {
    insta::assert_snapshot!("github", stdout(&mixed("github")));
}

#[test]
fn sarif_has_a_rule_for_every_result() {
    let log = json(&mixed("sarif"));
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let text = serde_json::to_string_pretty(&log).unwrap().replace(&version, "\"version\": \"…\"");
    insta::assert_snapshot!("sarif", text);
}

#[test]
fn every_dialect_is_gated() {
    let mut cases: Vec<_> =
        fs::read_dir(DIALECTS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    cases.sort();
    for case in cases {
        let reviewed = fs::read_to_string(format!("{DIALECTS}/{case}/diagnostics.snap")).unwrap();
        let expected = i32::from(reviewed.contains("could not compile"));
        let dialect = case.split('_').next().unwrap();
        let arguments = ["check", &case, "--format", "json", "--dialect", dialect];
        let arguments = if dialect == "bootproof" { &arguments[..4] } else { &arguments };
        let output = bootproof(DIALECTS, arguments);
        assert_eq!(output.status.code(), Some(expected), "{case}: {output:?}");
        let findings = json(&output);
        let errors = findings.as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
        assert_eq!(errors.count() > 0, expected == 1, "{case}: {findings}");
        for finding in findings.as_array().unwrap() {
            let file = finding["file"].as_str().unwrap();
            assert!(Path::new(DIALECTS).join(file).exists(), "{case}: {file}");
        }
    }
}

#[test]
fn a_warning_does_not_fail() {
    let output = bootproof(DIALECTS, &["check", "prisma_crm"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.ends_with("4 files, read as prisma: 0 errors, 2 warnings\n"), "{text}");
    assert!(text.contains("proven: 4 migrations"), "{text}");
}

#[test]
fn where_plain_names_may_be_of_another_tool_it_says_so() {
    let text = stdout(&bootproof(DIALECTS, &["check", "sqlx_notes"]));
    assert!(text.contains("hint: if another tool runs these files, name it: `--dialect sqlx`"), "{text}");
    let text = stdout(&bootproof(DIALECTS, &["check", "sqlx_notes", "--dialect", "bootproof"]));
    assert!(!text.contains("hint: if another tool"), "{text}");
    let text = stdout(&bootproof(DIALECTS, &["check", "sqlx_pairs", "--dialect", "sqlx"]));
    assert!(!text.contains("hint: if another tool"), "{text}");
}

#[test]
fn a_mistake_in_the_command_is_told_from_one_in_the_migrations() {
    for arguments in [
        ["check"].as_slice(),
        &["check", ".", "--dialect", "rails"],
        &["check", ".", "--format", "xml"],
        &["check", ".", "--stub-function", "uuid"],
        &["check", ".", "--stub-function", "uuid/many"],
        &["schema", "goose_shop", "--at", "9"],
        &["squash", "goose_shop"],
        &["squash", "goose_shop", "--to", "9"],
    ] {
        let output = bootproof(DIALECTS, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
    assert_eq!(bootproof(DIALECTS, &["check", "no_such_directory"]).status.code(), Some(1));
}

#[test]
fn the_next_file_is_begun_where_it_would_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| bootproof(directory.path().to_str().unwrap(), arguments);
    assert_eq!(stdout(&run(&["new", "Create notes"])), "migrations/001_create_notes.sql\n");
    let file = directory.path().join("migrations/001_create_notes.sql");
    fs::write(file, "CREATE TABLE notes(id INTEGER PRIMARY KEY, day TEXT);\nCREATE INDEX by_day ON notes(day);\n")
        .unwrap();
    assert_eq!(stdout(&run(&["new", "of_day", "--contract", "by_day"])), "migrations/queries/of_day.sql\n");
    assert_eq!(run(&["check", "migrations"]).status.code(), Some(0));

    let goose = directory.path().join("goose");
    fs::create_dir(&goose).unwrap();
    fs::write(goose.join("00001_a.sql"), "-- +goose Up\nCREATE TABLE a(x);\n-- +goose Down\nDROP TABLE a;\n").unwrap();
    let refused = run(&["new", "b", "--migrations", "goose"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("written for goose"), "{refused:?}");
    assert_eq!(fs::read_dir(&goose).unwrap().count(), 1);
}

#[test]
fn a_function_of_the_application_is_stood_in_for() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("1_a.sql"), "CREATE TABLE a(x DEFAULT (uuid()), y AS (f(x, 1)));").unwrap();
    let path = directory.path().to_str().unwrap();
    let output = bootproof(".", &["check", path]);
    assert!(stdout(&output).contains("`--stub-function uuid/0`") || stdout(&output).contains("--stub-function f/2"));
    let stubs = ["check", path, "--stub-function", "uuid/0", "--stub-function", "f/*"];
    assert_eq!(bootproof(".", &stubs).status.code(), Some(0));
}

#[test]
fn a_schema_is_printed_in_the_order_in_which_it_can_be_made() {
    let output = bootproof(DIALECTS, &["schema", "goose_shop"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    insta::assert_snapshot!("schema", stdout(&output));
    let at = bootproof(DIALECTS, &["schema", "goose_shop", "--at", "1"]);
    assert!(stdout(&at).contains("idx_products_name") && !stdout(&at).contains("TRIGGER"), "{at:?}");
    let broken = bootproof(DIALECTS, &["schema", "golang-migrate_vacuum"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(broken.stdout.is_empty() && !broken.stderr.is_empty(), "{broken:?}");
}

#[test]
fn what_is_released_stays_as_it_is_in_any_dialect() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let file = directory.path().join("1_a.sql");
    fs::write(&file, "BEGIN; CREATE TABLE a(x); COMMIT;\n").unwrap();
    assert_eq!(bootproof(".", &["lock", path]).status.code(), Some(1), "our own layout has no wrappers");
    let locked = bootproof(".", &["lock", path, "--dialect", "sqlx"]);
    assert_eq!(locked.status.code(), Some(0), "{locked:?}");
    let list = directory.path().join("migrations.lock");
    assert_eq!(stdout(&locked), format!("{}: 1 released migration\n  added      1_a.sql\n", list.display()));
    // Nothing can be done any more about what only deserved a look.
    let check = ["check", path, "--dialect", "sqlx", "--format", "json"];
    assert_eq!(stdout(&bootproof(".", &check)), "[]\n");
    fs::write(&file, "BEGIN; CREATE TABLE a(x, y); COMMIT;\n").unwrap();
    let found = json(&bootproof(".", &check));
    assert_eq!(found[0]["rule"], "released-changed", "{found}");
    assert_eq!(bootproof(".", &["lock", path, "--dialect", "sqlx"]).status.code(), Some(1));
}

#[test]
fn a_squashed_file_is_one_of_its_dialect() {
    let directory = tempfile::tempdir().unwrap();
    let baseline = directory.path().join("00011_baseline.sql");
    let arguments = ["squash", "goose_shop", "--to", "11", "--out", baseline.to_str().unwrap()];
    let output = bootproof(DIALECTS, &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let schema = stdout(&bootproof(DIALECTS, &["schema", "goose_shop"]));
    let path = directory.path().to_str().unwrap();
    assert_eq!(stdout(&bootproof(".", &["schema", path])), schema);
    let text = fs::read_to_string(&baseline).unwrap();
    assert!(text.contains("-- +goose Up\n") && text.contains("-- +goose StatementBegin\nCREATE TRIGGER"), "{text}");
    assert_eq!(bootproof(DIALECTS, &arguments).status.code(), Some(2), "nothing is overwritten");
}

#[test]
fn the_help_teaches() {
    for arguments in
        [["--help"].as_slice(), &["check", "--help"], &["schema", "--help"], &["lock", "--help"], &["squash", "--help"]]
    {
        let output = bootproof(".", arguments);
        assert_eq!(output.status.code(), Some(0));
        insta::assert_snapshot!(format!("help-{}", arguments.first().unwrap().trim_matches('-')), stdout(&output));
    }
}

#[test]
fn what_the_rehearsal_could_not_see_is_told_and_fails_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    // No row that is made up satisfies it.
    let sql = "CREATE TABLE a(x TEXT NOT NULL CHECK (x = hex(zeroblob(40)) || 'cafe'));\n";
    fs::write(directory.path().join("001_a.sql"), sql).unwrap();
    fs::write(directory.path().join("002_b.sql"), "UPDATE a SET x = x WHERE x <> '';\n").unwrap();
    let output = bootproof(".", &["check", path]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("note: 002_b.sql was rehearsed without a row in `a`: CHECK constraint failed"), "{text}");
    let findings = json(&bootproof(".", &["check", path, "--format", "json"]));
    let found = &findings.as_array().unwrap()[0];
    assert_eq!((&found["rule"], &found["severity"]), (&Value::from("left-empty"), &Value::from("note")), "{findings}");
    assert!(found["file"].as_str().unwrap().ends_with("002_b.sql"), "{findings}");
    let sarif = json(&bootproof(".", &["check", path, "--format", "sarif"]));
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "note", "{sarif}");
    assert!(
        stdout(&bootproof(".", &["check", path, "--format", "github"])).is_empty(),
        "no annotation of what is not wrong"
    );
}

#[test]
fn the_directory_of_the_migrations_is_found_for_who_names_another() {
    let project = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| bootproof(project.path().to_str().unwrap(), arguments);
    let said = |output: &Output| stdout(output) + &String::from_utf8_lossy(&output.stderr);
    let nothing = said(&run(&["check", "."]));
    assert!(nothing.contains("write a first migration") && !nothing.contains("build.rs"), "{nothing}");
    let missing = said(&run(&["check", "migrations"]));
    assert!(missing.contains("name another") && !missing.contains("build.rs"), "{missing}");

    let folder = project.path().join("prisma/migrations/20250101120000_a");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("migration.sql"), "CREATE TABLE a(id INTEGER PRIMARY KEY);\n").unwrap();
    for arguments in [["check", "."].as_slice(), &["check", "migrations"], &["boot", "--db", "a.db"]] {
        let output = run(arguments);
        assert_ne!(output.status.code(), Some(0), "{output:?}");
        assert!(said(&output).contains("they are in `prisma/migrations`: name that directory"), "{output:?}");
        assert!(said(&output).contains("1 error") && !said(&output).contains("misplaced"), "{output:?}");
    }
    assert_eq!(run(&["check", "prisma/migrations"]).status.code(), Some(0));
    let above = bootproof(project.path().join("prisma").to_str().unwrap(), &["check", ".."]);
    assert!(said(&above).contains("they are in `../prisma/migrations`"), "{above:?}");

    for (name, text) in [("1_a.sql", "CREATE TABLE a(x);\n"), ("2_b.sql", "UPDATE a SET x = tax(x, 1);\n")] {
        fs::create_dir_all(project.path().join("db/migrations")).unwrap();
        fs::write(project.path().join("db/migrations").join(name), text).unwrap();
    }
    let several = said(&run(&["check", "."]));
    assert!(several.contains("there are some in `db/migrations`, `prisma/migrations`: name the one"), "{several}");
    let unknown = said(&run(&["check", "db/migrations"]));
    assert!(unknown.contains("`--stub-function tax/2` stands in for it"), "{unknown}");
    assert!(!unknown.contains("Compiler::"), "{unknown}");
}

#[test]
fn a_version_that_is_none_is_told_those_there_are() {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join("migrations")).unwrap();
    for version in [1, 2, 8] {
        let text = format!("CREATE TABLE t{version}(x);\n");
        fs::write(project.path().join(format!("migrations/00{version}_t.sql")), text).unwrap();
    }
    let run = |arguments: &[&str]| bootproof(project.path().to_str().unwrap(), arguments);
    assert_eq!(run(&["boot", "--db", "a.db"]).status.code(), Some(0));
    // One that does not compile is there all the same.
    fs::write(project.path().join("migrations/009_u.sql"), "CREATE TABEL u(x);\n").unwrap();
    for arguments in [["schema", "migrations", "--at", "7"], ["schema", "migrations", "--at", "0"]] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("no migration {}; there are 1, 2, 8, 9\n", arguments[3])), "{told}");
    }
    fs::remove_file(project.path().join("migrations/009_u.sql")).unwrap();
    for arguments in
        [["squash", "migrations", "--to", "7"].as_slice(), &["diff", "migrations", "--db", "a.db", "--at", "7"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("; there are 1, 2, 8\n"), "{output:?}");
    }
}

#[test]
fn json_is_asked_for_in_the_same_ways_of_every_command() {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join("migrations")).unwrap();
    fs::write(project.path().join("migrations/001_a.sql"), "CREATE TABLE a(id INTEGER PRIMARY KEY);\n").unwrap();
    let run = |arguments: &[&str]| bootproof(project.path().to_str().unwrap(), arguments);
    for command in [
        ["check", "migrations"].as_slice(),
        &["lock", "migrations"],
        &["boot", "--db", "a.db"],
        &["status", "--db", "a.db"],
        &["plan", "--db", "a.db"],
        &["verify", "--db", "a.db"],
        &["diff", "migrations", "--db", "a.db"],
        &["fleet", "."],
    ] {
        for ways in [["--json"].as_slice(), &["--format", "json"]] {
            let output = run(&[command, ways].concat());
            assert_eq!(output.status.code(), Some(0), "{command:?}: {output:?}");
            assert!(!json(&output).is_null() && stdout(&output).lines().count() == 1, "{command:?}: {output:?}");
        }
        let text = run(&[command, &["--format", "text"]].concat());
        assert!(serde_json::from_slice::<Value>(&text.stdout).is_err(), "{command:?}: {text:?}");
        assert_eq!(run(&[command, &["--json", "--format", "json"]].concat()).status.code(), Some(2));
    }
    // What does not compile is told in the same way.
    fs::write(project.path().join("migrations/002_b.sql"), "CREATE TABEL b(x);\n").unwrap();
    let output = run(&["lock", "migrations", "--format", "json"]);
    assert_eq!((output.status.code(), json(&output)[0]["rule"].as_str()), (Some(1), Some("sqlite")), "{output:?}");
}
