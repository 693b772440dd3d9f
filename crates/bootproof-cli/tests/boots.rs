//! The command `bootproof` on databases: fresh, from every version that another tool has left, drifted, dirty.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootproof_build::{Compiler, Dialect};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

const DIALECTS: &str = "../bootproof-build/tests/dialects";

/// A directory, its tool, and that tool's history of these versions.
type Peer = (&'static str, &'static str, fn(&[i64]) -> String);

/// A database beside nothing, and the directory it is migrated by.
struct Scene {
    directory: PathBuf,
    dialect: &'static str,
    place: TempDir,
}

impl Scene {
    fn new(case: &str, dialect: &'static str) -> Self {
        Self { directory: Path::new(DIALECTS).join(case), dialect, place: tempfile::tempdir().unwrap() }
    }

    /// Our own layout, with three migrations.
    fn own() -> Self {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("migrations");
        fs::create_dir(&directory).unwrap();
        for (name, sql) in [
            ("001_a.sql", "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT);\n"),
            ("002_b.sql", "CREATE TABLE b(a_id INTEGER NOT NULL REFERENCES a(id));\nCREATE INDEX b_a ON b(a_id);\n"),
            ("003_y.sql", "ALTER TABLE a ADD COLUMN y TEXT;\n"),
        ] {
            fs::write(directory.join(name), sql).unwrap();
        }
        Self { directory, dialect: "bootproof", place }
    }

    fn db(&self) -> PathBuf {
        self.place.path().join("app.db")
    }

    fn execute(&self, sql: &str) {
        Connection::open(self.db()).unwrap().execute_batch(sql).unwrap();
    }

    /// A new database, in which another tool has run the first migrations and says so.
    fn left_by(&self, migrations: usize, history: &str) {
        let _ = fs::remove_file(self.db());
        let compilation = self.compiler().check().unwrap();
        let (compiled, _) = compilation.parts();
        let connection = Connection::open(self.db()).unwrap();
        connection.execute_batch(history).unwrap();
        for migration in compiled.iter().take(migrations) {
            for statement in &migration.statements {
                connection.execute_batch(&migration.sql()[statement.span.clone()]).unwrap();
            }
        }
    }

    fn compiler(&self) -> Compiler {
        Compiler::new(&self.directory).dialect(self.dialect.parse::<Dialect>().unwrap())
    }

    fn versions(&self) -> Vec<i64> {
        self.compiler().check().unwrap().versions().collect()
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        match command {
            "diff" => process.arg(command).arg(&self.directory),
            _ => process.arg(command).arg("--migrations").arg(&self.directory),
        };
        process.arg("--db").arg(self.db()).args(more).env_remove("RUST_LOG");
        process.output().unwrap()
    }

    /// The answer in JSON, and the exit code.
    fn ask(&self, command: &str, more: &[&str]) -> (Value, i32) {
        let arguments: Vec<&str> = more.iter().copied().chain(["--json", "-q"]).collect();
        let output = self.run(command, &arguments);
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (answer, output.status.code().unwrap())
    }

    fn boots_to(&self, version: i64) -> Value {
        let (report, code) = self.ask("boot", &["--no-backup"]);
        assert_eq!((code, &report["to_version"]), (0, &Value::from(version)), "{report}");
        report
    }

    fn has_no_drift(&self) {
        let (drift, code) = self.ask("diff", &[]);
        assert_eq!(code, 0, "{drift}");
    }
}

#[test]
fn a_new_database_is_made_and_left_alone_afterwards() {
    for (case, dialect) in [
        ("goose_shop", "goose"),
        ("refinery_library", "refinery"),
        ("diesel_blog", "diesel"),
        ("drizzle_todo", "drizzle"),
        ("flyway_warehouse", "flyway"),
    ] {
        let scene = Scene::new(case, dialect);
        let head = *scene.versions().last().unwrap();
        assert_eq!(scene.boots_to(head)["created"], true);
        let before = fs::read(scene.db()).unwrap();
        assert_eq!(scene.boots_to(head)["applied"], Value::Array(Vec::new()));
        scene.has_no_drift();
        assert_eq!(scene.run("verify", &[]).status.code(), Some(0));
        assert_eq!(before, fs::read(scene.db()).unwrap());
    }
}

#[test]
fn a_boot_goes_as_far_as_it_is_told() {
    let scene = Scene::own();
    let (report, code) = scene.ask("boot", &["--to", "2"]);
    assert_eq!((code, &report["to_version"]), (0, &Value::from(2)), "{report}");
    scene.has_no_drift();
    let text = String::from_utf8(scene.run("boot", &[]).stdout).unwrap();
    assert!(text.starts_with("ready at version 3 (was 2)") && text.contains("backup"), "{text}");
}

#[test]
fn every_version_of_another_tool_is_taken_over() {
    let peers: [Peer; 3] = [
        ("goose_shop", "goose", |versions| {
            let ddl =
                "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
                is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
                INSERT INTO goose_db_version(version_id, is_applied) VALUES (0, 1)";
            versions.iter().fold(ddl.to_owned(), |sql, version| sql + &format!(", ({version}, 1)"))
        }),
        ("dbmate_tickets", "dbmate", |versions| {
            let ddl = "CREATE TABLE schema_migrations (version varchar(128) primary key)";
            versions.iter().fold(ddl.to_owned(), |sql, version| {
                sql + &format!("; INSERT INTO schema_migrations VALUES ('{version}')")
            })
        }),
        ("golang-migrate_identity", "golang-migrate", |versions| {
            let last = versions.last().unwrap();
            format!(
                "CREATE TABLE schema_migrations (version uint64, dirty bool);
                 CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
                 INSERT INTO schema_migrations VALUES ({last}, 0)"
            )
        }),
    ];
    for (case, tool, history) in peers {
        let scene = Scene::new(case, tool);
        let versions = scene.versions();
        for count in 1..=versions.len() {
            let (applied, pending) = versions.split_at(count);
            scene.left_by(count, &history(applied));
            let status = String::from_utf8(scene.run("status", &[]).stdout).unwrap();
            let version = applied.last().unwrap();
            let sentence = format!("managed by {tool} at version {version}: would be taken over");
            assert!(status.contains(&sentence), "{status}");
            // The structure is compared with the version that the other tool names.
            scene.has_no_drift();
            let report = scene.boots_to(*versions.last().unwrap());
            assert_eq!((&report["adopted"], &report["from_version"]), (&Value::Bool(true), &Value::from(*version)));
            assert_eq!(report["applied"].as_array().unwrap().len(), pending.len());
            scene.has_no_drift();
        }
    }
}

#[test]
fn what_sqlx_has_migrated_tells_that_the_files_are_its_own() {
    let scene = Scene::new("sqlx_notes", "sqlx");
    scene.execute(&fs::read_to_string("../layouts/tests/histories/sqlx.sql").unwrap());
    let report = scene.boots_to(20_210_402_000_000);
    assert_eq!(report["from_version"], Value::from(20_210_301_000_000_i64));
    // Once taken over it does not need sqlx's table, but for the same reading of the files.
    scene.has_no_drift();
}

#[test]
fn files_that_were_renamed_are_still_those_that_were_applied() {
    // Whoever brings files into our own layout comes from anywhere.
    let flyway = "CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version VARCHAR(50), description,
        type VARCHAR(20), script, checksum INT, installed_by, installed_on, execution_time INT, success BOOLEAN);
        INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 7, '', '', 1, 1),
                                                 (2, '2', 'b', 'SQL', 'V2__b.sql', 7, '', '', 1, 1)";
    let diesel = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
        run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
        INSERT INTO __diesel_schema_migrations(version) VALUES ('00001'), ('00002')";
    // The first number in the header is all that rusqlite_migration writes.
    let rusqlite_migration = "PRAGMA user_version = 2";
    for (tool, history) in [("flyway", flyway), ("diesel", diesel), ("rusqlite_migration", rusqlite_migration)] {
        let scene = Scene::own();
        scene.left_by(2, history);
        let (status, _) = scene.ask("status", &[]);
        assert_eq!(status["managed_by"]["tool"], tool, "{status}");
        let report = scene.boots_to(3);
        assert_eq!((&report["from_version"], &report["adopted"]), (&Value::from(2), &Value::Bool(true)));
        // With another text than was recorded, a person is told.
        assert_eq!(report["notes"].to_string().contains("001_a is not the file that flyway applied"), tool == "flyway");
        if tool == "rusqlite_migration" {
            let connection = Connection::open(scene.db()).unwrap();
            let count: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(count, 2);
        }
    }
}

#[test]
fn a_number_in_the_header_that_is_the_applications_own_is_no_history() {
    // Only the baseline is there, whatever the number says.
    for number in [3, 1000, -5] {
        let scene = Scene::own();
        scene.left_by(1, &format!("PRAGMA user_version = {number}"));
        let report = scene.boots_to(3);
        assert_eq!((&report["from_version"], &report["adopted"]), (&Value::Null, &Value::Bool(true)), "{report}");
    }
    // More than the baseline, and not what the number says.
    for (number, kind) in [(3, "not_taken_over"), (7, "missing")] {
        let scene = Scene::own();
        scene.left_by(2, &format!("PRAGMA user_version = {number}"));
        let (report, code) = scene.ask("boot", &[]);
        assert_eq!((code, &report["error"]["kind"]), (4, &Value::from(kind)), "{report}");
    }
}

#[test]
fn another_numbering_is_another_affair() {
    // The migrations of another tool were made one baseline, which is what the database has.
    let scene = Scene::own();
    let history = "CREATE TABLE schema_migrations (version varchar(128) primary key);
        INSERT INTO schema_migrations VALUES ('20200101000000'), ('20210101000000')";
    scene.left_by(1, history);
    let report = scene.boots_to(3);
    assert_eq!(report["from_version"], Value::Null);
}

#[test]
fn drift_is_shown_and_an_exit_code() {
    let scene = Scene::own();
    scene.boots_to(3);
    scene.execute("ALTER TABLE a DROP COLUMN y; DROP INDEX b_a; CREATE TABLE theirs(x)");
    let (drift, code) = scene.ask("diff", &[]);
    let found: Vec<_> = drift["differences"].as_array().unwrap().iter().map(|it| it["severity"].clone()).collect();
    assert_eq!((code, found), (4, vec!["missing".into(), "repairable".into(), "extra".into()]), "{drift}");
    let output = scene.run("diff", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("3 differences from version 3"), "{text}");
    assert!(text.contains("  missing    column `a.y` is missing"), "{text}");
    assert_eq!(scene.ask("diff", &["--at", "2"]).0["version"], 2);
    assert_eq!(scene.run("diff", &["--at", "9"]).status.code(), Some(2));
    let (report, code) = scene.ask("boot", &[]);
    assert_eq!((code, &report["error"]["kind"]), (4, &Value::from("drifted")), "{report}");
}

#[test]
fn what_another_tool_has_not_finished_is_refused_and_told() {
    let scene = Scene::new("golang-migrate_identity", "golang-migrate");
    let history = "CREATE TABLE schema_migrations (version uint64, dirty bool);
        INSERT INTO schema_migrations VALUES (2, 1)";
    scene.left_by(2, history);
    let before = fs::read(scene.db()).unwrap();
    let (report, code) = scene.ask("boot", &[]);
    assert_eq!((code, &report["error"]["kind"]), (4, &Value::from("half_migrated")), "{report}");
    let output = scene.run("boot", &["-q"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("golang-migrate has left the database half migrated"), "{message}");
    assert!(message.contains("unchanged") && message.contains("hint: finish or take back"), "{message}");
    assert_eq!(before, fs::read(scene.db()).unwrap());
    let (status, code) = scene.ask("status", &[]);
    assert_eq!((code, &status["error"]["kind"]), (0, &Value::from("half_migrated")));
}

#[test]
fn what_does_not_compile_does_not_touch_the_database() {
    let scene = Scene::new("goose_markers", "goose");
    let (report, code) = scene.ask("boot", &[]);
    assert_eq!((code, &report["error"]["kind"]), (5, &Value::from("not_compiled")), "{report}");
    assert!(!scene.db().exists());
    assert_eq!(scene.run("diff", &[]).status.code(), Some(5));
    let scene = Scene::own();
    assert_eq!(scene.run("diff", &[]).status.code(), Some(8));
    assert_eq!(scene.run("boot", &["--integrity", "ful"]).status.code(), Some(2));
}

#[test]
fn a_function_of_the_application_can_be_stood_in_for() {
    let scene = Scene::own();
    let defaults = "CREATE TABLE c(id TEXT DEFAULT (uuid()));\n";
    fs::write(scene.directory.join("004_c.sql"), defaults).unwrap();
    let (report, code) = scene.ask("boot", &["--stub-function", "uuid/0"]);
    assert_eq!(code, 0, "{report}");
}

/// A database may rest below a migration that waits for permission for months: a contract that reads what comes with it waits as
/// well, and nobody is kept from starting.
#[test]
fn a_contract_that_reads_what_waits_behind_a_gate_waits_with_it() {
    let project = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = project.path().join("migrations").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let run = |arguments: &[&str]| {
        let command =
            Command::new(env!("CARGO_BIN_EXE_bootproof")).args(arguments).current_dir(project.path()).output();
        let output = command.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    let tables = "CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER NOT NULL);\nCREATE INDEX by_n ON a(n);\n\
                  CREATE TABLE b(m INTEGER NOT NULL);\n";
    write("001_a.sql", tables);
    let boot = ["boot", "--db", "a.db", "--json"];
    assert_eq!(run(&boot).0, Some(0));
    Connection::open(project.path().join("a.db")).unwrap().execute_batch("INSERT INTO a VALUES (1, 2)").unwrap();

    let gated = "-- bootproof: maintenance \"the application has to know\"\nALTER TABLE a ADD COLUMN s TEXT;\n\
                 CREATE VIEW v AS SELECT id, n FROM a;\nCREATE INDEX by_m ON b(m);\n";
    write("002_b.sql", gated);
    let contract = |query: &str| format!("-- bootproof: index by_n\n-- bootproof: budget 10 ms\n{query};\n");
    write("queries/early.sql", &contract("SELECT id FROM a WHERE n = :n"));
    write("queries/late.sql", &contract("SELECT id, s FROM a WHERE n = :n"));
    write("queries/seen.sql", &contract("SELECT id FROM v WHERE n = :n"));
    let sampled = "-- bootproof: sample\nSELECT n FROM a WHERE s IS NULL LIMIT 1;\n";
    write("queries/sampled.sql", &(contract("SELECT id FROM a WHERE n = :n") + sampled));
    // It runs without its index.
    write("queries/slow.sql", &contract("SELECT m FROM b WHERE m = :m").replace("by_n", "by_m"));
    for command in ["boot", "verify"] {
        let (code, report) = run(&[command, "--db", "a.db", "--json"]);
        assert_eq!((code, report["to_version"].as_i64()), (Some(0), Some(1)), "{report}");
        let proven: Vec<_> = report["queries"].as_array().unwrap().iter().map(|query| query["name"].clone()).collect();
        assert_eq!(proven, ["early"], "{report}");
        let notes = report["notes"].to_string();
        for waiting in ["late", "seen", "sampled", "slow"] {
            let note = format!("`{waiting}` waits for version 2, which has its index or something that it reads");
            assert!(notes.contains(&note) && !notes.contains("its query fails"), "{notes}");
        }
    }
    let (code, report) = run(&["boot", "--db", "a.db", "--maintenance", "--json"]);
    assert_eq!((code, report["queries"].as_array().unwrap().len()), (Some(0), 5), "{report}");
    assert!(!report["notes"].to_string().contains("waits"), "{report}");
}

#[test]
fn no_stand_in_decides_what_a_new_database_holds() {
    let scene = Scene::own();
    let directory = scene.directory.clone();
    let insert = "INSERT INTO a(id, x) VALUES (1, uuid());\n";
    fs::write(directory.join("004_seed.sql"), insert).unwrap();
    let (report, code) = scene.ask("boot", &["--stub-function", "uuid/0"]);
    assert_ne!(code, 0, "{report}");
    let said = report.to_string();
    assert!(said.contains("no such function: uuid") && said.contains("registers that function"), "{said}");
    let rows =
        |sql: &str| Connection::open(scene.db()).unwrap().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows("SELECT count(*) FROM sqlite_schema"), 0, "nothing half made");
    // What is only named, and not called, leaves nothing behind.
    fs::write(directory.join("004_seed.sql"), "CREATE VIEW v AS SELECT uuid() AS id;\n").unwrap();
    let (report, code) = scene.ask("boot", &["--stub-function", "uuid/0"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(rows("SELECT count(*) FROM sqlite_schema WHERE name = 'v'"), 1);
}

/// A database that is to be taken over as it is, beside migrations and queries.
fn timed(made: &str, files: &[(&str, &str)]) -> (Value, Scene) {
    let scene = Scene { directory: PathBuf::new(), dialect: "bootproof", place: tempfile::tempdir().unwrap() };
    let scene = Scene { directory: scene.place.path().join("migrations"), ..scene };
    for (name, sql) in files {
        let path = scene.directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, sql).unwrap();
    }
    scene.execute(made);
    let (report, code) = scene.ask("boot", &["--benchmark"]);
    assert_eq!(code, 0, "{report}");
    (report, scene)
}

const CONTRACT: &str = "-- bootproof: index by_n\n-- bootproof: budget 100 ms\n\
                        SELECT id FROM a WHERE n = :n AND project = :project;\n";

#[test]
fn a_parameter_is_found_however_the_database_spells_its_column() {
    let made = "CREATE TABLE a(id INTEGER PRIMARY KEY, N INTEGER, PROJECT TEXT);CREATE INDEX by_n ON a(n, project);
                INSERT INTO a(n, project) VALUES (1, 'x'), (2, 'y'), (2, 'y')";
    let (report, _scene) = timed(
        made,
        &[
            (
                "001_a.sql",
                "CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER, project TEXT);\nCREATE INDEX by_n ON a(n, project);\n",
            ),
            ("queries/samples/busiest.sql", "SELECT project FROM a GROUP BY project ORDER BY count(*) DESC LIMIT 1;\n"),
            (
                "queries/of_project.sql",
                &format!(
                    "{CONTRACT}-- bootproof: sample from busiest\nSELECT n FROM a WHERE project = :project LIMIT 1;\n"
                ),
            ),
        ],
    );
    assert_eq!(report["queries"][0]["after"]["rows_returned"], 2, "{report}");
}

#[test]
fn what_was_sampled_as_nothing_before_a_migration_is_sampled_again_after_it() {
    let table = "CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER, project TEXT);\nCREATE INDEX by_n ON a(n, project);\n\
                 CREATE TABLE newest(project TEXT);\nCREATE TABLE largest(project TEXT);\n";
    let sampled = |from: &str| {
        format!("{CONTRACT}-- bootproof: sample from {from}\nSELECT n FROM a WHERE project = :project LIMIT 1;\n")
    };
    let (report, _scene) = timed(
        &format!("{table}INSERT INTO newest VALUES ('gone');"),
        &[
            ("001_a.sql", table),
            (
                "002_rows.sql",
                "INSERT INTO a(n, project) VALUES (1, 'x'), (1, 'x');\nINSERT INTO largest VALUES ('x');\n\
                 UPDATE newest SET project = 'x' WHERE project = 'gone';\n",
            ),
            ("queries/samples/newest.sql", "SELECT project FROM newest LIMIT 1;\n"),
            ("queries/samples/largest.sql", "SELECT project FROM largest LIMIT 1;\n"),
            ("queries/alone.sql", &format!("{CONTRACT}-- bootproof: sample\nSELECT n, project FROM a LIMIT 1;\n")),
            ("queries/of_largest.sql", &sampled("largest")),
            ("queries/of_newest.sql", &sampled("newest")),
        ],
    );
    let queries = report["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 3, "{report}");
    for query in queries {
        let rows = ["before", "after"].map(|when| query[when]["rows_returned"].as_i64());
        assert_eq!(rows, [Some(0), Some(2)], "{query}");
    }
}
