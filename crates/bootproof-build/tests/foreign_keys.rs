//! Foreign keys in the layouts of other tools: what a file switches, where its tool runs it, and what that does to keys and rows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

mod support;

use bootproof_build::{Compiler, Dialect};
use bootproof_catalog::Catalog;
use rusqlite::Connection;

use support::{compile, complaints, directory};

#[test]
fn a_renaming_of_the_old_kind_ends_with_its_file() {
    let files = [
        ("1_a.up.sql", "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a(id));"),
        (
            "2_b.up.sql",
            "PRAGMA legacy_alter_table = ON; ALTER TABLE a RENAME TO old; CREATE TABLE a(id INTEGER PRIMARY KEY, x);
             INSERT INTO a(id) SELECT id FROM old; DROP TABLE old;",
        ),
        ("3_c.up.sql", "ALTER TABLE a RENAME TO c;"),
    ];
    let compilation = compile(Dialect::GolangMigrate, &files);
    assert!(compilation.schema()[0].contains("REFERENCES \"c\"(id)"), "{:?}", compilation.schema());
}

/// What a rebuild that turns foreign keys off around itself is told to do to rows: the severity, or nothing.
fn cascade(dialect: Dialect, names: [&str; 2], wrap: impl Fn(&str) -> String) -> Option<&'static str> {
    let tables = "CREATE TABLE owners(id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE pets(id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owners(id) ON DELETE CASCADE);";
    let rebuild = "CREATE TABLE owners_new(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
        INSERT INTO owners_new(id, name) SELECT id, coalesce(name, '') FROM owners;
        DROP TABLE owners;
        ALTER TABLE owners_new RENAME TO owners;";
    let up = |text: &str| match dialect {
        Dialect::Goose => format!("-- +goose Up\n{text}"),
        Dialect::Dbmate => format!("-- migrate:up\n{text}"),
        _ => text.to_owned(),
    };
    let directory = directory(&[(names[0], &up(tables)), (names[1], &up(&wrap(rebuild)))]);
    let diagnostics = match Compiler::new(directory.path()).dialect(dialect).check() {
        Ok(compilation) => compilation.warnings().clone(),
        Err(diagnostics) => diagnostics,
    };
    let found = diagnostics.iter().find(|finding| finding.rule() == "cascade-deletes");
    found.map(|finding| finding.severity().name())
}

#[test]
fn a_cascade_is_told_where_a_tool_makes_the_switch_of_foreign_keys_do_nothing() {
    let off = |sql: &str| format!("PRAGMA foreign_keys=OFF;\n{sql}\nPRAGMA foreign_keys=ON;\n");
    let around = |sql: &str| format!("PRAGMA foreign_keys=OFF;\nBEGIN;\n{sql}\nCOMMIT;\nPRAGMA foreign_keys=ON;\n");
    let inside = |sql: &str| format!("BEGIN;\nPRAGMA foreign_keys=OFF;\n{sql}\nPRAGMA foreign_keys=ON;\nCOMMIT;\n");
    let numbered = ["1_a.sql", "2_b.sql"];
    let paired = ["1_a.up.sql", "2_b.up.sql"];
    let versioned = ["V1__a.sql", "V2__b.sql"];
    let told = Some("error");

    for (dialect, names) in [
        (Dialect::Sqlx, numbered),
        (Dialect::Goose, numbered),
        (Dialect::Dbmate, numbered),
        (Dialect::GolangMigrate, paired),
        (Dialect::Refinery, versioned),
    ] {
        // The tool's own transaction has begun before the file can say anything; one that has a BEGIN fits into none.
        assert_eq!(cascade(dialect, names, off), told, "{dialect}");
        assert_eq!(cascade(dialect, names, around), None, "{dialect}");
        assert_eq!(cascade(dialect, names, inside), told, "{dialect}");
    }
    let folders = ["20250101000000_a/migration.sql", "20250102000000_b/migration.sql"];
    assert_eq!(cascade(Dialect::Prisma, folders, off), None);
    assert_eq!(cascade(Dialect::Prisma, folders, inside), told);
    assert_eq!(cascade(Dialect::Flyway, versioned, off), None);
    assert_eq!(cascade(Dialect::Flyway, versioned, str::to_owned), told);
    // The semicolons of a trigger are not those of the file, and its END ends no transaction.
    let behind_trigger = |sql: &str| {
        format!(
            "BEGIN;\nCREATE TRIGGER t AFTER INSERT ON pets BEGIN SELECT 1; END;\nPRAGMA foreign_keys=OFF;\n{sql}\nCOMMIT;\n"
        )
    };
    assert_eq!(cascade(Dialect::Sqlx, numbered, behind_trigger), told);
    let trigger = |sql: &str| {
        format!("PRAGMA foreign_keys=OFF;\nCREATE TRIGGER t AFTER INSERT ON pets BEGIN SELECT 1; END;\n{sql}\n")
    };
    assert_eq!(cascade(Dialect::Goose, numbered, trigger), told);
}

#[test]
fn golang_migrate_runs_all_files_alike() {
    let own = "BEGIN;\nCREATE TABLE owners(id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE pets(id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owners(id) ON DELETE CASCADE);\nCOMMIT;";
    let rebuild = "PRAGMA foreign_keys=OFF;
        CREATE TABLE owners_new(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
        INSERT INTO owners_new(id, name) SELECT id, coalesce(name, '') FROM owners;
        DROP TABLE owners;
        ALTER TABLE owners_new RENAME TO owners;
        PRAGMA foreign_keys=ON;";
    let found = complaints(Some(Dialect::GolangMigrate), &[("1_a.up.sql", own), ("2_b.up.sql", rebuild)]);
    assert!(found.iter().all(|finding| !finding.contains("cascade")), "{found:?}");
}

#[test]
fn a_foreign_key_to_nothing_is_told_whatever_else_is_wrong() {
    let base = "CREATE TABLE a(x INTEGER PRIMARY KEY, y); CREATE INDEX a_y ON a(y); CREATE TABLE gone(id INTEGER PRIMARY KEY);";
    let loses = "CREATE TABLE b(x INTEGER PRIMARY KEY, y); INSERT INTO b SELECT x, y FROM a; DROP TABLE a;
        ALTER TABLE b RENAME TO a;\nDROP TABLE gone;";
    let files = [
        ("1_a.sql", base),
        ("2_b.sql", loses),
        ("3_c.sql", "CREATE TABLE c(\n  p INTEGER REFERENCES nobody(id)\n);"),
        ("4_d.sql", "CREATE TABLE d(\n  p INTEGER,\n  q INTEGER REFERENCES gone(id)\n);"),
    ];
    let found = complaints(Some(Dialect::Sqlx), &files);
    let told = |file: &str, rule: &str| found.iter().any(|line| line.contains(file) && line.contains(rule));
    assert!(told("2_b.sql", "lost-object"), "{found:?}");
    assert!(told("3_c.sql:2", "dangling-foreign-key"), "{found:?}");
    assert!(told("4_d.sql:3", "dangling-foreign-key"), "{found:?}");
    // What breaks a key is told once.
    let breaks = [
        ("1_a.sql", "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p INTEGER REFERENCES p(id));"),
        ("2_b.sql", "DROP TABLE p;"),
    ];
    let found = complaints(Some(Dialect::Sqlx), &breaks);
    assert_eq!(found.iter().filter(|line| line.contains("dangling-foreign-key")).count(), 1, "{found:?}");
}

#[test]
fn a_foreign_key_to_nothing_can_be_allowed_where_it_stands() {
    let allowed =
        "-- bootproof: allow dangling-foreign-key \"the application makes it\"\nCREATE TABLE a(p REFERENCES b(id));";
    assert_eq!(complaints(Some(Dialect::Sqlx), &[("1_a.sql", allowed)]).len(), 1, "no index, which is another matter");
    let made = [("1_a.sql", allowed), ("2_b.sql", "CREATE TABLE b(id INTEGER PRIMARY KEY);")];
    let found = complaints(Some(Dialect::Sqlx), &made);
    assert!(found.iter().any(|line| line.contains("unused-allow")), "{found:?}");
}

#[test]
fn a_renaming_of_the_old_kind_takes_keys_along_where_the_file_has_them_on() {
    let tables = "-- +goose Up\nCREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p INTEGER REFERENCES p(id));\n";
    let renamed = |pragmas: &str| {
        let rename = format!("-- +goose NO TRANSACTION\n-- +goose Up\n{pragmas}\nALTER TABLE p RENAME TO q;\n");
        complaints(Some(Dialect::Goose), &[("1_a.sql", tables), ("2_b.sql", &rename)])
    };
    let dangles = |found: &[String]| found.iter().any(|line| line.ends_with("[dangling-foreign-key]"));
    let on = renamed("PRAGMA foreign_keys=ON;\nPRAGMA legacy_alter_table=ON;");
    assert!(!dangles(&on), "{on:?}");
    let off = renamed("PRAGMA foreign_keys=OFF;\nPRAGMA legacy_alter_table=ON;");
    assert!(dangles(&off), "{off:?}");
    // What SQLite alone does, in a file that is run statement by statement.
    for (keys, parent) in [("ON", "q"), ("OFF", "p")] {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(tables).unwrap();
        let pragmas = format!("PRAGMA foreign_keys={keys}; PRAGMA legacy_alter_table=ON; ALTER TABLE p RENAME TO q;");
        connection.execute_batch(&pragmas).unwrap();
        let catalog = Catalog::read(&connection).unwrap();
        assert!(catalog.tables["c"].foreign_keys.iter().all(|key| key.parent == parent), "{keys}");
    }
}

#[test]
fn keys_that_a_file_turns_on_inside_a_transaction_are_not_on() {
    let tables = "-- +goose Up\nCREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p INTEGER REFERENCES p(id));\n";
    let dangles = |marker: &str, pragmas: &str| {
        let rename = format!("{marker}-- +goose Up\n{pragmas}\n");
        let found = complaints(Some(Dialect::Goose), &[("1_a.sql", tables), ("2_b.sql", &rename)]);
        found.iter().any(|line| line.ends_with("[dangling-foreign-key]"))
    };
    let switches = "PRAGMA foreign_keys=ON; PRAGMA legacy_alter_table=ON;";
    let outside = "-- +goose NO TRANSACTION\n";
    for (marker, begin, commit, parent) in [
        ("", "", "", "p"),
        (outside, "", "", "q"),
        (outside, "BEGIN;", "COMMIT;", "p"),
        (outside, "SAVEPOINT s;", "RELEASE s;", "p"),
        (outside, "BEGIN; COMMIT;", "", "q"),
    ] {
        let file = format!("{begin} {switches} ALTER TABLE p RENAME TO q; {commit}");
        assert_eq!(dangles(marker, &file), parent == "p", "{marker}{file}");
        // What SQLite does where the tool runs it, with the transaction that it begins.
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys=OFF; {tables}")).unwrap();
        let (before, after) = if marker.is_empty() { ("BEGIN;", "COMMIT;") } else { ("", "") };
        connection.execute_batch(&format!("{before} {file} {after}")).unwrap();
        let catalog = Catalog::read(&connection).unwrap();
        assert!(catalog.tables["c"].foreign_keys.iter().all(|key| key.parent == parent), "{marker}{file}");
    }
    // Turned off inside, they stay on.
    let kept = "PRAGMA foreign_keys=ON; BEGIN; PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON;\n\
                ALTER TABLE p RENAME TO q; COMMIT;";
    assert!(!dangles(outside, kept));
}

#[test]
fn a_renaming_of_the_old_kind_stays_one_where_a_view_or_a_trigger_names_the_table() {
    let found = |base: &str, file: &str| {
        let base = format!("-- +goose Up\nCREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE other(x);\n{base}\n");
        let marked = format!(
            "-- +goose NO TRANSACTION\n-- +goose Up\nPRAGMA foreign_keys=ON;\nPRAGMA legacy_alter_table=ON;\n{file}\n"
        );
        let directory = directory(&[("1_a.sql", &base), ("2_b.sql", &marked)]);
        Compiler::new(directory.path()).dialect(Dialect::Goose).check()
    };
    let rebuild = "CREATE TABLE n(id INTEGER PRIMARY KEY, x TEXT); INSERT INTO n(id) SELECT id FROM p; DROP TABLE p;\n\
                   ALTER TABLE n RENAME TO p;";
    let view = "CREATE VIEW v AS SELECT id FROM p;";
    let chained = "CREATE VIEW v AS SELECT id FROM p; CREATE VIEW w AS SELECT id FROM v;";
    let trigger = "CREATE TRIGGER t AFTER INSERT ON other BEGIN INSERT INTO p(id) VALUES (NULL); END;";
    let beside = "CREATE VIEW v AS SELECT x FROM other;";
    for base in ["", view, chained, trigger, beside] {
        assert!(found(base, rebuild).is_ok(), "{base}: {:?}", found(base, rebuild).err());
    }
    // What the file itself makes there is looked at as well, and what was broken before.
    let made = format!("{view}\n{rebuild}");
    assert!(found("", &made).is_ok(), "{:?}", found("", &made).err());
    let broken = "CREATE VIEW v AS SELECT gone.x FROM gone;";
    let told = found(broken, "ALTER TABLE p RENAME TO q;").map_or_else(|told| told.to_string(), |_| String::new());
    assert!(!told.contains("error in view"), "{told}");
    // The old name stays in it, as with the tool.
    let away = "ALTER TABLE p RENAME TO q; CREATE TABLE p(id INTEGER PRIMARY KEY);";
    let schema = found(view, away).unwrap().schema().join("\n");
    assert!(schema.contains("SELECT id FROM p"), "{schema}");
}
