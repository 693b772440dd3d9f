//! Directories as real projects have them, in every dialect: what is clean raises no error, boots fresh and from every version to
//! the schema that SQLite alone makes of the files; and every defect is told where it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, too, fail by panicking"
)]

mod project;

use std::fs;
use std::path::Path;

use bootproof_catalog::{Catalog, difference};
use bootproof_cli::Answer;
use bootproof_cli::tool::answer;
use rusqlite::Connection;
use serde_json::Value;

use project::{Migration, Project, line_of};

/// What the command answers, in this process.
fn bootproof(arguments: &[&str]) -> Answer {
    answer(["bootproof"].iter().chain(arguments).map(Into::into))
}

fn said(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.data()).into_owned() + answer.message()
}

fn check(project: &Project) -> (Vec<Value>, u8) {
    let directory = project.directory();
    let answer = bootproof(&["check", directory.to_str().unwrap(), "--dialect", project.dialect, "--format", "json"]);
    let findings: Vec<Value> = serde_json::from_str(&said(&answer)).unwrap();
    (findings, answer.code())
}

fn boot(project: &Project, db: &Path, more: &[&str]) {
    let (directory, db) = (project.directory(), db.to_str().unwrap());
    let mut arguments =
        vec!["boot", "--migrations", directory.to_str().unwrap(), "--db", db, "--dialect", project.dialect];
    arguments.extend(["--no-backup", "-q"]);
    arguments.extend(more);
    let answer = bootproof(&arguments);
    assert_eq!(answer.code(), 0, "{} {more:?}: {}", project.dialect, said(&answer));
}

fn catalog(db: &Path) -> Catalog {
    Catalog::read(&Connection::open(db).unwrap()).unwrap()
}

/// What SQLite alone makes of the statements.
fn by_sqlite(project: &Project) -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    for sql in project.migrations.iter().flat_map(|(_, migration)| &migration.statements) {
        connection.execute_batch(sql).unwrap();
    }
    Catalog::read(&connection).unwrap()
}

fn is_clean_and_boots(dialect: &'static str) {
    let project = Project::new(dialect);
    let (findings, code) = check(&project);
    let errors: Vec<_> = findings.iter().filter(|finding| finding["severity"] == "error").collect();
    assert!(code == 0 && errors.is_empty(), "{dialect}: {errors:#?}");
    // What another tool's habits deserve, and nothing else.
    let rules: Vec<_> = findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    let expected = ["double-quoted-string", "left-empty", "mixed-widths", "redundant-wrapper", "wrong-revert"];
    assert!(rules.iter().all(|rule| expected.contains(rule)), "{dialect}: {findings:#?}");
    assert!(dialect != "bootproof" || rules.is_empty(), "{findings:#?}");

    let expected = by_sqlite(&project);
    let fresh = project.beside("fresh.db");
    boot(&project, &fresh, &[]);
    assert_eq!(difference::between(&expected, &catalog(&fresh)), [], "{dialect}");
    let grown = project.beside("grown.db");
    // An empty file that is a database is migrated, not replaced by the image.
    Connection::open(&grown).unwrap().execute_batch("VACUUM").unwrap();
    for (version, migration) in &project.migrations {
        boot(&project, &grown, &["--to", &version.to_string(), "--integrity", "off"]);
        let path = project.beside("from.db");
        fs::copy(&grown, &path).unwrap();
        boot(&project, &path, &["--integrity", "off"]);
        assert_eq!(difference::between(&expected, &catalog(&path)), [], "{dialect} from {}", migration.name);
    }
}

/// A migration with a defect: its statements, of which one has the marker where it is, and the rule.
const MARK: &str = "/*!*/";

const DEFECTS: [(&str, &[&str]); 5] = [
    ("sqlite", &["CREATE TABLE sound (x)", "CREATE TABEL /*!*/ unsound (x)"]),
    (
        "lost-object",
        &[
            "CREATE TABLE new_events (\n    id INTEGER PRIMARY KEY,\n    body TEXT NOT NULL DEFAULT '{}',\n    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,\n    size INTEGER AS (length(body)) STORED,\n    source TEXT\n) STRICT",
            "INSERT INTO new_events (id, body) SELECT id, body FROM events",
            "DROP TABLE /*!*/ events",
            "ALTER TABLE new_events RENAME TO events",
        ],
    ),
    (
        "dangling-foreign-key",
        &[
            "PRAGMA legacy_alter_table = ON",
            "CREATE TABLE a (id INTEGER PRIMARY KEY)",
            "CREATE TABLE b (a_id INTEGER REFERENCES gone(id)) /*!*/",
        ],
    ),
    (
        "cascade-deletes",
        &[
            "CREATE TABLE new_projects (\n    id INTEGER PRIMARY KEY,\n    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,\n    title TEXT NOT NULL,\n    state TEXT NOT NULL DEFAULT 'active',\n    note TEXT\n)",
            "INSERT INTO new_projects (id, account_id, title, state) SELECT id, account_id, title, state FROM projects",
            "DROP TABLE /*!*/ projects",
            "ALTER TABLE new_projects RENAME TO projects",
            "CREATE INDEX projects_by_account ON projects(account_id)",
            "CREATE UNIQUE INDEX projects_titled ON projects(lower(title), account_id)",
        ],
    ),
    ("broken-trigger", &["DROP TABLE /*!*/ audit"]),
];

fn tells_every_defect(dialect: &'static str) {
    for (rule, statements) in DEFECTS {
        let mut project = Project::new(dialect);
        let mut statements = statements.to_vec();
        if dialect == "bootproof" {
            statements.retain(|sql| !sql.starts_with("PRAGMA"));
        }
        if rule == "cascade-deletes" {
            // SQLite would refuse to rename a table that a view lacks.
            statements.insert(0, "DROP VIEW open_tasks");
            statements.push("CREATE VIEW open_tasks AS\n    SELECT t.id, t.title, p.title AS project FROM tasks t JOIN projects p ON p.id = t.project_id WHERE t.done = 0");
        }
        let file = project.add(Migration { name: "defect", statements });
        let line = line_of(&project.directory().join(&file), MARK);
        let (findings, code) = check(&project);
        let found = findings.iter().find(|finding| finding["rule"] == rule);
        let found = found.unwrap_or_else(|| panic!("{dialect} {rule}: {findings:#?}"));
        assert!(found["file"].as_str().unwrap().ends_with(&file), "{dialect} {rule}: {found}");
        assert_eq!(found["line"], line, "{dialect} {rule}: {found}");
        // With our own boot no foreign key is on.
        let is_judged = rule == "cascade-deletes" && dialect == "bootproof";
        assert_eq!(found["severity"], if is_judged { "warning" } else { "error" }, "{dialect} {rule}: {found}");
        assert_eq!(code, u8::from(!is_judged), "{dialect} {rule}: {findings:#?}");
    }
    // A file that its tool skips.
    let project = Project::new(dialect);
    let file = project.misname();
    let (findings, code) = check(&project);
    let is_it = |finding: &Value| {
        finding["severity"] == "error"
            && file.starts_with(finding["file"].as_str().unwrap().rsplit("migrations/").next().unwrap())
    };
    assert!(code == 1 && findings.iter().any(is_it), "{dialect} {file}: {findings:#?}");
    // A file that was edited after its release.
    let mut project = Project::new(dialect);
    let directory = project.directory();
    let locked = bootproof(&["lock", directory.to_str().unwrap(), "--dialect", dialect]);
    assert_eq!(locked.code(), 0, "{dialect}: {}", said(&locked));
    let file = project.add(Migration { name: "released", statements: vec!["CREATE TABLE released (x)"] });
    assert_eq!(check(&project).1, 0, "{dialect}: what is new is not released");
    bootproof(&["lock", directory.to_str().unwrap(), "--dialect", dialect]);
    let path = directory.join(&file);
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("released (x)", "released (x, y)")).unwrap();
    let (findings, code) = check(&project);
    let found = findings.iter().find(|finding| finding["rule"] == "released-changed").unwrap();
    assert!(code == 1 && found["file"].as_str().unwrap().ends_with(&file), "{dialect}: {findings:#?}");
}

macro_rules! dialects {
    ($($name:ident $dialect:literal),*) => {
        $(mod $name {
            #[test]
            fn a_clean_directory_boots_from_everywhere() {
                super::is_clean_and_boots($dialect);
            }

            #[test]
            fn every_defect_is_told_at_its_place() {
                super::tells_every_defect($dialect);
            }
        })*
    };
}

dialects!(
    bootproof "bootproof", refinery "refinery", sqlx "sqlx", diesel "diesel", prisma "prisma", goose "goose",
    dbmate "dbmate", golang_migrate "golang-migrate", drizzle "drizzle", flyway "flyway"
);
