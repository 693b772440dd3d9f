//! An index is the same, whatever its temporary files are.
#![cfg(unix)]

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::*;

/// So many that their sorted pieces are merged in two steps, and lie behind the beginning of a file too: pieces of such small pages
/// have 128 KB, and sixteen are merged at a time.
const ROWS: i64 = 60_000;

/// Rows in no order that an index has, always the same.
fn make(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = 512;
             CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL);
             WITH RECURSIVE numbers(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
             INSERT INTO rows SELECT n, printf('%08x of a longer name %d', n * 2654435761 % 4294967296, n % 7), n * 7919 % 65537
             FROM numbers;"
        ))
        .unwrap();
}

fn with_layer(path: &Path) -> Connection {
    Connection::open_with_flags_and_vfs(path, OpenFlags::default(), layer().unwrap()).unwrap()
}

/// Makes indexes, and returns the whole file.
fn indexed(connection: Connection, path: &Path, threads: usize) -> Vec<u8> {
    connection
        .execute_batch(&format!(
            "PRAGMA threads = {threads}; PRAGMA cache_size = 10;
             CREATE INDEX by_name ON rows (name, number);
             CREATE UNIQUE INDEX by_number ON rows (number DESC, name, id);"
        ))
        .unwrap();
    connection.close().unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn indexes_are_the_same_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    make(&at("rows.db"));
    for threads in [0, 2] {
        let [plain, layered] = ["plain.db", "layered.db"].map(|name| {
            std::fs::copy(at("rows.db"), at(name)).unwrap();
            at(name)
        });
        let expected = indexed(Connection::open(&plain).unwrap(), &plain, threads);
        assert!(indexed(with_layer(&layered), &layered, threads) == expected, "with {threads} threads");
    }
}

#[test]
fn whatever_else_a_connection_does_works_as_without() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.db");
    make(&path);
    let connection = with_layer(&path);
    let beside = directory.path().join("beside.db");
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             CREATE TEMP TABLE copied AS SELECT * FROM rows;
             BEGIN; DELETE FROM copied WHERE id % 2; SAVEPOINT here; DELETE FROM copied; ROLLBACK TO here; COMMIT;
             DELETE FROM rows WHERE id % 2 = 0;
             VACUUM;
             ATTACH '{}' AS beside; CREATE TABLE beside.numbers AS SELECT DISTINCT number FROM rows; DETACH beside;
             ATTACH '' AS nowhere; CREATE TABLE nowhere.t(a); DETACH nowhere;",
            beside.display()
        ))
        .unwrap();
    let counts = connection.query_row("SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM copied)", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    assert_eq!(counts.unwrap(), (ROWS / 2, ROWS / 2));
    let sorted = "SELECT group_concat(id) FROM (SELECT id FROM rows ORDER BY name)";
    let [with, without] = [connection, Connection::open(&path).unwrap()]
        .map(|connection| connection.query_row(sorted, [], |row| row.get::<_, String>(0)).unwrap());
    assert!(with == without);
}

#[test]
fn the_layer_is_made_once_and_is_never_the_default() {
    // SAFETY: a name ends with a NUL byte; a layer that has one is registered for as long as the process lives.
    let find = |name: &CStr| unsafe { ffi::sqlite3_vfs_find(name.as_ptr()) };
    let name = layer().unwrap();
    let made = find(name);
    assert!(!made.is_null() && layer().is_some() && find(name) == made);
    // SAFETY: there is a default layer, which is never removed here, and its name ends with a NUL byte. That of the tests may be it.
    let default = unsafe { CStr::from_ptr((*ffi::sqlite3_vfs_find(ptr::null())).zName) };
    assert!(LAYERS.into_iter().all(|(_, ours)| ours != default), "{default:?}");
}
