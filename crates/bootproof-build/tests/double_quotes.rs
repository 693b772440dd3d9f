//! A text in double quotes is an error in our own layout, a warning in another tool's files, and an error there too where it
//! stands in the place of a column.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;

use bootproof_build::{Compiler, Diagnostics, Dialect};

/// Whether a directory compiles, and what is said of it, one a line.
fn judged(dialect: Dialect, files: &[&str]) -> (bool, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    for (position, text) in files.iter().enumerate() {
        fs::write(directory.path().join(format!("{}_m.sql", position + 1)), text).unwrap();
    }
    let root = format!("{}/", directory.path().display());
    let shown = |found: &Diagnostics| {
        found.one_liners().map(|line| line.replace(&root, "").replace(" [double-quoted-string]", "")).collect()
    };
    match Compiler::new(directory.path()).dialect(dialect).check() {
        Ok(compilation) => (true, shown(compilation.warnings())),
        Err(diagnostics) => (false, shown(&diagnostics)),
    }
}

const TABLE: &str = "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, state TEXT CHECK (state IN (\"on\", \"off\")));\n\
                     INSERT INTO users(email, state) VALUES (\"a@b.c\", \"on\");";

#[test]
fn what_another_tool_takes_for_a_text_is_one_warning_a_file() {
    let (compiles, said) = judged(
        Dialect::Sqlx,
        &[TABLE, "UPDATE users SET email = 'x', state = \"off\" WHERE \"id\" = 1", "SELECT \"email\" FROM users"],
    );
    assert!(compiles, "{said:?}");
    assert_eq!(
        said,
        [
            "1_m.sql:1:84: `\"on\"` is no column, and is taken for a text",
            "2_m.sql:1:39: `\"off\"` is no column, and is taken for a text",
        ]
    );
    let (compiles, said) = judged(Dialect::Bootproof, &[TABLE]);
    assert!(!compiles && said[0].contains("\"on\""), "{said:?}");
}

#[test]
fn a_text_in_the_place_of_a_column_is_an_error_everywhere() {
    let rebuild = |select: &str| {
        format!(
            "CREATE TABLE users_new(id INTEGER PRIMARY KEY, email TEXT, state TEXT, address TEXT);\n\
             INSERT INTO users_new(\"id\", \"email\", \"state\", \"address\") SELECT {select} FROM users;\n\
             DROP TABLE users; ALTER TABLE users_new RENAME TO users;"
        )
    };
    for (select, column) in [
        // Misspelt; a column that the old table never had; one of its columns, misspelt, in another's place.
        ("\"id\", \"emial\", \"state\", ''", 71),
        ("\"id\", \"email\", \"state\", \"address\"", 89),
        ("\"id\", \"email\", \"state\", \"emails\" AS address", 89),
    ] {
        let (compiles, said) = judged(
            Dialect::Sqlx,
            &["CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, state TEXT);", &rebuild(select)],
        );
        assert!(!compiles, "{select}: {said:?}");
        assert_eq!(said.len(), 1, "{select}: {said:?}");
        assert!(said[0].starts_with(&format!("2_m.sql:2:{column}: every `")), "{select}: {said:?}");
    }
    let (compiles, said) = judged(
        Dialect::Sqlx,
        &[
            "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, state TEXT);",
            &rebuild("id, email, \"new\", \"nowhere\""),
        ],
    );
    assert!(compiles && said.len() == 1, "what is meant as a text is none: {said:?}");
}

#[test]
fn triggers_and_views_are_sound_with_their_texts_and_broken_without_a_column() {
    let view = "CREATE VIEW active AS SELECT \"email\" FROM users WHERE state = \"active\";\n\
                CREATE TRIGGER t AFTER INSERT ON users BEGIN UPDATE users SET state = \"new\" WHERE id = new.id; END;";
    let table = "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, state TEXT);";
    let touch = "ALTER TABLE users ADD COLUMN note TEXT; INSERT INTO users(email) VALUES ('a');";
    let (compiles, said) = judged(Dialect::Sqlx, &[table, view, touch]);
    assert!(compiles, "{said:?}");
    assert_eq!(
        said,
        [
            "2_m.sql:1:63: `\"active\"` is no column, and is taken for a text in this view",
            "2_m.sql:2:71: `\"new\"` is no column, and is taken for a text in this trigger",
        ]
    );
    // A view whose column goes would show its name in every row.
    let rebuild = "CREATE TABLE n(id INTEGER PRIMARY KEY, state TEXT); INSERT INTO n(id, state) SELECT id, state FROM users;\n\
                   PRAGMA legacy_alter_table = ON; DROP TABLE users; ALTER TABLE n RENAME TO users;";
    let (compiles, said) =
        judged(Dialect::Sqlx, &[table, "CREATE VIEW mails AS SELECT \"email\" FROM users;", rebuild]);
    assert!(!compiles && said.iter().any(|line| line.contains("this breaks the view `mails`")), "{said:?}");
    let (compiles, said) = judged(Dialect::Bootproof, &[table, view]);
    assert!(!compiles && said.len() == 2, "{said:?}");
}

#[test]
fn a_file_of_ours_can_say_that_it_means_it() {
    let allowed = format!("-- bootproof: allow double-quoted-string \"written for another tool\"\n{TABLE}");
    let (compiles, said) = judged(Dialect::Bootproof, &[&allowed]);
    assert!(compiles && said.is_empty(), "{said:?}");
}
