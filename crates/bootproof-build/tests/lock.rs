//! What has been released stays as it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::Path;

use bootproof_build::{Compiler, Dialect, LockError, Severity, check, lock};
use tempfile::TempDir;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn rules(directory: &Path) -> Vec<(Severity, &'static str)> {
    let diagnostics = match check(directory) {
        Ok(compilation) => compilation.warnings().clone(),
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(|found| (found.severity(), found.rule())).collect()
}

const CREATE: (&str, &str) = ("001_a.sql", "CREATE TABLE a(x);\n");

#[test]
fn without_a_lock_file_nothing_is_released() {
    let directory = directory(&[CREATE]);
    assert_eq!(rules(directory.path()), []);
    fs::write(directory.path().join("001_a.sql"), "CREATE TABLE a(x, y);\n").unwrap();
    assert_eq!(rules(directory.path()), []);
    assert!(!directory.path().join("migrations.lock").exists(), "compiling releases nothing");
}

#[test]
fn only_new_migrations_are_added() {
    let directory = directory(&[CREATE]);
    let locked = lock(directory.path()).unwrap();
    assert_eq!((locked.added, locked.released), (vec!["001_a.sql".to_owned()], 1));
    let first = fs::read_to_string(&locked.path).unwrap();
    assert!(first.starts_with("# "), "it says what it is: {first}");

    let again = lock(directory.path()).unwrap();
    assert_eq!((again.added, again.released), (Vec::new(), 1));
    assert_eq!(fs::read_to_string(&locked.path).unwrap(), first);

    fs::write(directory.path().join("010_b.sql"), "CREATE TABLE b(x);\n").unwrap();
    fs::write(directory.path().join("009_c.sql"), "CREATE TABLE c(x);\n").unwrap();
    let locked = lock(directory.path()).unwrap();
    assert_eq!(locked.added, ["009_c.sql", "010_b.sql"]);
    let second = fs::read_to_string(&locked.path).unwrap();
    assert!(second.starts_with(&first), "what was there stays:\n{second}");
    assert_eq!(rules(directory.path()), []);
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 4, "nothing is left over: {files:?}");
}

#[test]
fn a_released_file_is_never_released_again() {
    let directory = directory(&[CREATE]);
    let path = lock(directory.path()).unwrap().path;
    let before = fs::read_to_string(&path).unwrap();
    fs::write(directory.path().join("001_a.sql"), "CREATE TABLE a(x, y);\n").unwrap();
    fs::write(directory.path().join("002_b.sql"), "CREATE TABLE b(x);\n").unwrap();
    assert_eq!(rules(directory.path()), [(Severity::Error, "released-changed")]);
    let Err(LockError::NotCompiled(diagnostics)) = lock(directory.path()) else { panic!("it was locked") };
    assert_eq!(diagnostics.iter().map(bootproof_build::Diagnostic::rule).collect::<Vec<_>>(), ["released-changed"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_checkout_on_windows_is_what_was_released() {
    let directory = directory(&[CREATE]);
    let path = lock(directory.path()).unwrap().path;
    let windows = |text: String| text.replace('\n', "\r\n");
    fs::write(&path, windows(fs::read_to_string(&path).unwrap())).unwrap();
    fs::write(directory.path().join("001_a.sql"), format!("\u{feff}{}", windows(CREATE.1.to_owned()))).unwrap();
    assert_eq!(rules(directory.path()), []);
}

#[test]
fn what_does_not_compile_is_not_released() {
    let directory = directory(&[("001_a.sql", "CREATE TABEL a(x);\n")]);
    assert!(matches!(lock(directory.path()), Err(LockError::NotCompiled(_))));
    assert!(!directory.path().join("migrations.lock").exists());
}

/// A directory from before these rules can be taken in as it is: nobody may edit its files any more.
#[test]
fn what_has_been_released_is_settled() {
    let files = [
        ("001_a.sql", "CREATE TABLE a(x, y REFERENCES a(x)); CREATE UNIQUE INDEX i ON a(x); CREATE INDEX k ON a(y);"),
        ("002_b.sql", "-- bootproof: allow pragma \"an old version of the compiler asked for it\"\nDELETE FROM a;"),
        ("003_c.sql", "CREATE TABLE b(x); INSERT INTO b(x) SELECT x FROM a; DROP TABLE a; ALTER TABLE b RENAME TO a;"),
        ("004_d.sql", "UPDATE a SET x = 1;"),
    ];
    let directory = directory(&files);
    assert_eq!(
        rules(directory.path()),
        [
            (Severity::Error, "unused-allow"),
            (Severity::Error, "destroys-data"),
            // Of the index of the column that is gone nothing needs to be said.
            (Severity::Error, "lost-object"),
            (Severity::Error, "destroys-data"),
            (Severity::Error, "destroys-data"),
        ]
    );
    lock(directory.path()).unwrap();
    assert_eq!(rules(directory.path()), [(Severity::Warning, "lost-object")]);
    // What comes now is held to the rules.
    fs::write(directory.path().join("005_e.sql"), "DELETE FROM a;").unwrap();
    assert_eq!(rules(directory.path()), [(Severity::Warning, "lost-object"), (Severity::Error, "destroys-data")]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What is listed is the part of a file that is run, by its path.
#[test]
fn every_dialect_can_be_locked() {
    for (dialect, case, file) in [
        (Dialect::Refinery, "refinery_library", "V1__create_books.sql"),
        (Dialect::Sqlx, "sqlx_notes", "20210101120000_create_users.sql"),
        (Dialect::Diesel, "diesel_blog", "2022-03-14-093000_create_posts/up.sql"),
        (Dialect::Prisma, "prisma_crm", "20230105101500_init/migration.sql"),
        (Dialect::Goose, "goose_shop", "00001_init.sql"),
        (Dialect::Dbmate, "dbmate_tickets", "20190501120000_create_tickets.sql"),
        (Dialect::GolangMigrate, "golang-migrate_identity", "000001_init.up.sql"),
        (Dialect::Drizzle, "drizzle_todo", "0000_gray_falcon.sql"),
        (Dialect::Flyway, "flyway_warehouse", "V1__create_stock.sql"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        copy(&Path::new("tests/dialects").join(case), path);
        let compiler = Compiler::new(path).dialect(dialect);
        let locked = compiler.lock().unwrap();
        assert!(locked.added.contains(&file.to_owned()), "{case}: {locked:?}");
        assert_eq!(compiler.lock().unwrap().added, Vec::<String>::new(), "{case}");
        let found = || match compiler.check() {
            Ok(compilation) => compilation.warnings().clone(),
            Err(diagnostics) => diagnostics,
        };
        assert_eq!(found().errors(), 0, "{case}: {}", found());
        let text = fs::read_to_string(path.join(file)).unwrap();
        // The way back is not what has been released.
        let is_both = matches!(dialect, Dialect::Goose | Dialect::Dbmate);
        if is_both {
            fs::write(path.join(file), format!("{text}-- mended\n")).unwrap();
            assert_eq!(found().errors(), 0, "{case}: {}", found());
        }
        let text = text.replacen("CREATE TABLE", "CREATE  TABLE", 1);
        fs::write(path.join(file), text).unwrap();
        let errors: Vec<_> = found().iter().map(|one| (one.rule(), one.file().map(str::to_owned))).collect();
        assert!(errors.contains(&("released-changed", Some(file.to_owned()))), "{case}: {errors:?}");
    }
}
