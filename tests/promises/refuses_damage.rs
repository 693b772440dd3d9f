use std::fs;
use std::path::Path;

use worklog_fixture::Fixture;

use crate::support::{ROWS, Sandbox, integrity_check, leaf_of, query, rows};

/// Flips one byte of the file.
fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

/// The offset of the root page of an index.
fn root(sandbox: &Sandbox, index: &str) -> usize {
    let page =
        query(&sandbox.open(), &format!("SELECT CAST(rootpage AS TEXT) FROM sqlite_schema WHERE name = '{index}'"));
    (page[0].parse::<usize>().unwrap() - 1) * 4096
}

#[test]
fn one_flipped_byte_is_refused_and_not_made_worse() {
    for (managed, name) in [(false, "unmanaged"), (true, "current")] {
        let sandbox = if managed { Sandbox::current() } else { Sandbox::unmanaged() };
        // The content of an index entry on a leaf: nothing but comparing the index with its table shows it.
        let leaf = leaf_of(&sandbox.database, "idx_users_email");
        flip(&sandbox.database, leaf * 4096 - 20);
        assert_ne!(integrity_check(&sandbox.database), ["ok"]);
        let before = sandbox.bytes();
        let message = sandbox.boot().refused(6, "integrity");
        assert!(message.contains("idx_users_email"), "{name}: {message}");
        assert_eq!(sandbox.bytes(), before);
        assert_eq!(sandbox.files(), ["worklog.db"]);
    }
}

#[test]
fn damage_anywhere_that_sqlite_finds_is_damage_and_nothing_else() {
    let sandbox = Sandbox::current();
    let intact = sandbox.bytes();
    let history = root(&sandbox, "refinery_schema_history");
    // The header's magic, the schema's root page, the history's page, a page in the middle.
    for offset in [3, 47, 100, 103, 4095, history, history + 3, history + 8, 4096 * 20] {
        fs::write(&sandbox.database, &intact).unwrap();
        flip(&sandbox.database, offset);
        let sound = rusqlite::Connection::open(&sandbox.database)
            .and_then(|connection| connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)))
            .is_ok_and(|result| result == "ok");
        assert!(offset != 47 || !sound, "an unknown schema format is damage");
        let before = sandbox.bytes();
        let run = sandbox.boot();
        if !sound {
            run.refused(6, "integrity");
            assert_eq!(sandbox.bytes(), before, "offset {offset}");
        }
    }
}

#[test]
fn damage_that_looks_like_a_newer_history_is_damage() {
    let sandbox = Sandbox::current();
    let bytes = sandbox.bytes();
    let start = root(&sandbox, "refinery_schema_history");
    let name = b"add_company_day_index";
    let position = bytes[start..start + 4096].windows(name.len()).position(|window| window == name).unwrap();
    // The version of a history row stands just before its name.
    assert_eq!(bytes[start + position - 1], 2);
    flip(&sandbox.database, start + position - 1);
    let last = "SELECT version || name FROM refinery_schema_history WHERE +name LIKE '%day_index'";
    assert_eq!(query(&sandbox.open(), last), ["87add_company_day_index"]);
    let message = sandbox.boot().refused(6, "integrity");
    assert!(message.contains("refinery_schema_history"), "{message}");
}

#[test]
fn what_is_no_database_is_refused() {
    let sandbox = Sandbox::empty();
    for content in ["x".repeat(4096), "SQLite format 3\0 and then nothing of the kind".repeat(100)] {
        fs::write(&sandbox.database, &content).unwrap();
        sandbox.boot().refused(6, "integrity");
        assert_eq!(fs::read_to_string(&sandbox.database).unwrap(), content);
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let sandbox = Sandbox::unmanaged();
    let bytes = sandbox.bytes();
    fs::write(&sandbox.database, &bytes[..bytes.len() / 2]).unwrap();
    sandbox.boot().refused(6, "integrity");
}

#[test]
fn rows_without_their_parent_are_named_one_by_one() {
    let sandbox = Sandbox::unmanaged();
    sandbox.execute(
        "UPDATE users SET team_id = 4242 WHERE id = 7;
         INSERT INTO invoice_line_items(id, invoice_id, description) VALUES (9001, 777777, 'x')",
    );
    let before = sandbox.bytes();
    let run = sandbox.boot();
    assert!(run.stderr.contains("--foreign-keys no-new") && run.stderr.contains("BOOTPROOF_FOREIGN_KEYS=no-new"));
    let message = run.refused(6, "foreign_keys");
    assert!(message.contains("2 rows"), "{message}");
    assert!(message.contains("`users` row 7: team_id = 4242 has no parent in `teams`"), "{message}");
    assert!(message.contains("`invoice_line_items` row 9001: invoice_id = 777777"), "{message}");
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn an_operator_can_start_tonight_and_leave_the_orphans() {
    for by_environment in [false, true] {
        let sandbox = Sandbox::with(&Fixture::new(ROWS).orphans(30));
        let message = sandbox.boot().refused(6, "foreign_keys");
        assert_eq!(message.matches("has no parent").count(), 30, "{message}");
        let before = rows(&sandbox.database);
        let mut command = sandbox.command();
        command.arg("boot");
        if by_environment {
            command.env("BOOTPROOF_FOREIGN_KEYS", "no-new");
        } else {
            command.args(["--foreign-keys", "no-new"]);
        }
        let report = crate::support::Run::of(&command.output().unwrap()).ready();
        assert!(report["checks"].to_string().contains("30 rows without their parent, tolerated"), "{report}");
        assert_eq!(rows(&sandbox.database), before);
        sandbox.boot().refused(6, "foreign_keys");
    }
}

/// SQLite's own check takes what is missing for zeros, and finds nothing; who reads the row gets an error of the disk.
#[test]
fn a_file_that_ends_within_its_last_page_is_refused() {
    for level in ["full", "sqlite", "quick"] {
        let sandbox = Sandbox::current();
        let blob = "CREATE TABLE ballast(content); INSERT INTO ballast VALUES (zeroblob(2500000))";
        sandbox.open().execute_batch(blob).unwrap();
        let length = sandbox.database.metadata().unwrap().len();
        let file = std::fs::OpenOptions::new().write(true).open(&sandbox.database).unwrap();
        file.set_len(length - 2048).unwrap();
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
        let message = sandbox.run(["boot", "--integrity", level]).refused(6, "integrity");
        assert!(message.contains("it ends within the last of its"), "{message}");
        assert_eq!(sandbox.database.metadata().unwrap().len(), length - 2048);
    }
}
