//! What an author begins with, on real directories.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

#[path = "support/directory.rs"]
mod directory;

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use bootproof_build::scaffold::{new_contract, new_migration, new_migration_at};
use bootproof_build::{Diagnostic, check};
use directory::directory;
use tempfile::TempDir;

/// A copy of the migrations that the workspace ships.
fn worklog() -> TempDir {
    let source = Path::new("../../migrations");
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir_all(copy.path().join("queries/samples")).unwrap();
    for sub in ["", "queries", "queries/samples"] {
        for entry in fs::read_dir(source.join(sub)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                fs::copy(entry.path(), copy.path().join(sub).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

fn relative(directory: &TempDir, path: &Path) -> String {
    path.strip_prefix(directory.path()).unwrap().display().to_string()
}

/// The path of a new migration in a directory of such files, or the error without the name of the directory.
fn named(files: &[(&str, &str)], name: &str) -> Result<String, String> {
    let directory = directory(files);
    let root = format!("{}/", directory.path().display());
    match new_migration(directory.path(), name) {
        Ok(scaffolded) => Ok(relative(&directory, &scaffolded.path)),
        Err(error) => Err(error.to_string().replace(&root, "")),
    }
}

#[test]
fn a_migration_takes_the_number_after_the_highest() {
    let next = |files: &[&str]| {
        let files: Vec<_> = files.iter().map(|&name| (name, "-- …")).collect();
        named(&files, "Add Billing Index").unwrap()
    };
    assert_eq!(next(&[]), "001_add_billing_index.sql");
    assert_eq!(next(&["000_baseline.sql", "001_a.sql", "001_a.down.sql", "notes.txt"]), "002_add_billing_index.sql");
    assert_eq!(next(&["9_a.sql", "010_b.sql"]), "011_add_billing_index.sql");
    assert_eq!(next(&["0001_a.sql"]), "0002_add_billing_index.sql");
    assert_eq!(next(&["999_a.sql"]), "1000_add_billing_index.sql");
    assert_eq!(next(&["007_a.down.sql", "v8.sql", ".9_hidden.sql"]), "008_add_billing_index.sql");
    // Fourteen digits with leading zeros are a number like any other.
    assert_eq!(next(&["00000000000041_a.sql"]), "00000000000042_add_billing_index.sql");
}

#[test]
fn among_timestamps_a_migration_takes_the_time() {
    let february = UNIX_EPOCH + Duration::from_secs(1_709_251_199);
    let next = |existing: &str| {
        let directory = directory(&[(existing, "-- …")]);
        let scaffolded = new_migration_at(directory.path(), "next", february).unwrap();
        relative(&directory, &scaffolded.path)
    };
    assert_eq!(next("20240131120000_a.sql"), "20240229235959_next.sql");
    // Behind a clock that was ahead, and within one second, it still comes last.
    assert_eq!(next("20240229235959_a.sql"), "20240229235960_next.sql");
    assert_eq!(next("20300101000000_a.sql"), "20300101000001_next.sql");
    let directory = directory(&[("20240131120000_a.sql", "-- …")]);
    let scaffolded = new_migration(directory.path(), "next").unwrap();
    assert!(relative(&directory, &scaffolded.path).starts_with("20"), "{scaffolded}");
}

#[test]
fn a_new_migration_does_not_compile_until_there_is_something_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let migrations = parent.path().join("db/migrations");
    let scaffolded = new_migration(&migrations, "create_orders").unwrap();
    assert_eq!(scaffolded.to_string(), migrations.join("001_create_orders.sql").display().to_string());
    let rules = |directory: &Path| check(directory).unwrap_err().iter().map(Diagnostic::rule).collect::<Vec<_>>();
    assert_eq!(rules(&migrations), ["no-statements"]);
    let text = fs::read_to_string(&scaffolded.path).unwrap();
    insta::assert_snapshot!(text);
    fs::write(&scaffolded.path, text + "CREATE TABLE orders(id INTEGER PRIMARY KEY);\n").unwrap();
    check(&migrations).unwrap();
    // What the comments show is sound as well.
    let scaffolded = new_migration(&migrations, "add_notes").unwrap();
    let text = fs::read_to_string(&scaffolded.path).unwrap();
    let example: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("--     ")).collect();
    assert_eq!(example.len(), 2);
    fs::write(&scaffolded.path, example.join("\n")).unwrap();
    assert_eq!(check(&migrations).unwrap().to_string(), "2 migrations and 0 query contracts, head 2");
}

#[test]
fn a_name_is_taken_once() {
    let taken = [("003_Add_Note.sql", "-- …"), ("004_b.sql", "-- …")];
    assert_eq!(named(&taken, "add note").unwrap_err(), "the name `add_note` is taken by `003_Add_Note.sql`");
    assert_eq!(named(&taken, "add_notes.sql").unwrap(), "005_add_notes.sql");
    assert_eq!(named(&taken, " … ").unwrap_err(), "nothing remains of the name ` … `");
    assert!(named(&[("9223372036854775807_a.sql", "-- …")], "b").unwrap_err().starts_with("there is no version after"));
}

#[test]
fn nothing_is_written_where_nothing_can_be() {
    let directory = directory(&[("migrations", "a file")]);
    let error = new_migration(directory.path().join("migrations"), "a").unwrap_err();
    assert_eq!((error.kind(), error.exit_code()), ("storage", 8), "{error}");
    let error = new_migration(directory.path().join("migrations/below"), "a").unwrap_err();
    assert_eq!(error.kind(), "storage", "{error}");
    assert_eq!(fs::read(directory.path().join("migrations")).unwrap(), b"a file");
}

/// Scaffolds a contract, requires that it proves, and returns its text.
fn contract(directory: &TempDir, name: &str, index: &str) -> String {
    let before = check(directory.path()).unwrap().contracts();
    let scaffolded = new_contract(directory.path(), name, index).unwrap_or_else(|error| panic!("{index}: {error}"));
    let compilation = check(directory.path()).unwrap_or_else(|diagnostics| panic!("{index}: {diagnostics}"));
    assert_eq!(compilation.contracts(), before + 1);
    fs::read_to_string(scaffolded.path).unwrap()
}

#[test]
fn a_new_contract_proves_as_it_stands() {
    let directory = worklog();
    assert_eq!(check(directory.path()).unwrap().to_string(), "4 migrations and 9 query contracts, head 3");
    insta::assert_snapshot!(contract(&directory, "Worklogs of a User", "idx_worklogs_user_range"));
    let text = contract(&directory, "leaves", "IDX_factorial_leaves_company_status");
    assert!(text.contains("-- bootproof: index idx_factorial_leaves_company_status\n"), "{text}");
    contract(&directory, "company_day", "idx_worklogs_company_day");
    assert!(directory.path().join("queries/worklogs_of_a_user.sql").exists());
}

#[test]
fn an_index_that_no_query_would_search_is_told_and_not_written() {
    // The column is UNIQUE: SQLite searches the index of that constraint.
    let directory = worklog();
    let error = new_contract(directory.path(), "by_token", "idx_auth_sessions_token").unwrap_err();
    assert_eq!((error.kind(), error.exit_code()), ("not_searched", 2));
    assert!(error.to_string().contains("uses the index `sqlite_autoindex_auth_sessions_1` instead"), "{error}");
    assert!(!directory.path().join("queries/by_token.sql").exists());
}

#[test]
fn names_and_expressions_of_any_kind_are_compared() {
    let sql = r#"
        CREATE TABLE "the ""table"""(id INTEGER PRIMARY KEY, "group", issueKey, "größe ( cm )", data, day TEXT,
            e TEXT COLLATE NOCASE);
        CREATE INDEX plain ON "the ""table"""("group", issueKey DESC, "größe ( cm )");
        CREATE INDEX concatenated ON "the ""table"""(day || ' ( ' || e -- the label, mostly
            , json_extract(data, '$.a,b'), data ->> 'kind', id + 1.5 >= 2);
        CREATE INDEX collated ON "the ""table"""("group" COLLATE NOCASE, e COLLATE BINARY, day COLLATE RTRIM DESC);
        CREATE INDEX partial ON "the ""table"""(date(day), lower(e) COLLATE NOCASE)
            WHERE day = 'x -- y' OR [day] > '2' -- open
            ;
        CREATE INDEX cased ON "the ""table"""(CASE WHEN data IS NULL THEN 'never' ELSE 'ever' END, [day]);
        CREATE INDEX twice ON "the ""table"""(issueKey, lower(data), lower("data" || ''));
        CREATE INDEX enclosed ON "the ""table"""(id + "größe ( cm )", (id) OR (data), NOT (e), (id + 1), (data) IN ('['));
    "#;
    let directory = directory(&[("1_a.sql", sql)]);
    for index in ["plain", "concatenated", "collated", "partial", "cased", "twice", "enclosed"] {
        insta::assert_snapshot!(index, contract(&directory, index, index));
    }
}

#[test]
fn where_sqlite_prefers_another_index_fewer_columns_are_compared() {
    let directory = directory(&[(
        "1_a.sql",
        "CREATE TABLE a(x, y UNIQUE, z); CREATE INDEX i ON a(x, y); CREATE INDEX redundant ON a(y);",
    )]);
    let text = contract(&directory, "q", "i");
    assert!(text.contains("WHERE \"x\" = :x;\n"), "{text}");
    let error = new_contract(directory.path(), "r", "redundant").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no query by the columns of `redundant` would search it\n  by all of them: this query uses the index `sqlite_autoindex_a_1` \
         instead of `redundant`"
    );
    assert!(!directory.path().join("queries/r.sql").exists());
}

#[test]
fn a_contract_is_refused_with_what_to_do() {
    let directory =
        directory(&[("1_a.sql", "CREATE TABLE a(x, y); CREATE INDEX i_x ON a(x); CREATE INDEX i_y ON a(date(y));")]);
    let refused = |name: &str, index: &str| {
        let error = new_contract(directory.path(), name, index).unwrap_err();
        let message = error.to_string().replace(&directory.path().display().to_string(), "migrations");
        format!("{message}\nhint: {}", error.hint())
    };
    insta::assert_snapshot!("unknown_index", refused("q", "ix"));
    assert!(refused("q", "else").ends_with("hint: name one of these, or create the index in a migration first"));
    assert!(refused("2 days", "i_x").starts_with("a query contract cannot be named `2_days`\n"));
    contract(&directory, "q", "i_x");
    let text = fs::read_to_string(directory.path().join("queries/q.sql")).unwrap();
    assert!(refused("Q", "i_y").starts_with("`migrations/queries/q.sql` exists already\n"));
    assert_eq!(fs::read_to_string(directory.path().join("queries/q.sql")).unwrap(), text);
    fs::write(directory.path().join("2_b.sql"), "DROP TABLE b").unwrap();
    let error = new_contract(directory.path(), "r", "i_x").unwrap_err();
    assert_eq!((error.kind(), error.exit_code()), ("not_compiled", 5));
    insta::assert_snapshot!("not_compiled", refused("r", "i_x"));
}

#[test]
fn diagnostics_can_be_told_to_programs() {
    let directory = directory(&[("1_a.sql", "-- ä\nCREATE TABLE a(x);\n/* ä */ SELECT y FROM a;")]);
    let diagnostics = check(directory.path()).unwrap_err();
    assert_eq!((diagnostics.directory(), diagnostics.errors()), (directory.path().to_str().unwrap(), 1));
    let one = diagnostics.iter().next().unwrap();
    assert_eq!((one.rule(), one.severity().name(), one.message()), ("sqlite", "error", "no such column: y"));
    assert_eq!((one.file(), one.line(), one.column()), (Some("1_a.sql"), Some(3), Some(16)));
    assert_eq!((one.notes().len(), one.helps()), (0, ["did you mean `x`?".to_owned()].as_slice()));
}
