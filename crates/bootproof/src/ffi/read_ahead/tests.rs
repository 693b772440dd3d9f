//! What is read ahead is what would have been read.

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

const ROWS: i64 = 2_000;

/// Rows of about half a page, in a file of four hundred pages and more, all with the value 0.
fn made(journal_mode: &str) -> (TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let plain = Connection::open(directory.path().join("rows.db")).unwrap();
    plain
        .execute_batch(&format!(
            "PRAGMA journal_mode = {journal_mode};
             CREATE TABLE rows(id INTEGER PRIMARY KEY, value INTEGER NOT NULL, body BLOB NOT NULL);
             WITH RECURSIVE numbers(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
             INSERT INTO rows SELECT n, 0, zeroblob(1800) FROM numbers;"
        ))
        .unwrap();
    (directory, plain)
}

/// A connection that reads ahead, and keeps so few pages that it reads them again and again.
fn ahead(directory: &TempDir) -> Connection {
    let connection = Connection::open(directory.path().join("rows.db")).unwrap();
    install(&connection);
    connection.execute_batch("PRAGMA cache_size = 10").unwrap();
    connection
}

/// The smallest value of a row, the largest, and how many rows there are.
fn values(connection: &Connection) -> (i64, i64, i64) {
    let sql = "SELECT min(value), max(value), count(*) FROM rows";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
}

/// The value of one row. After the whole table was read, the last of its pieces is what is held.
fn value(connection: &Connection, id: i64) -> i64 {
    connection.query_row("SELECT value FROM rows WHERE id = ?1", [id], |row| row.get(0)).unwrap()
}

fn set(connection: &Connection, value: i64) {
    connection.execute("UPDATE rows SET value = ?1", [value]).unwrap();
}

fn held_ahead(connection: &Connection) -> usize {
    let file = file_pointer(connection, ffi::SQLITE_FCNTL_FILE_POINTER).unwrap();
    // SAFETY: `install` was called for this connection, which nobody else uses.
    unsafe { reader(file) }.length
}

#[test]
fn pieces_are_read_where_a_file_is_read_from_one_end_to_the_other() {
    let (directory, _plain) = made("delete");
    let connection = ahead(&directory);
    connection.execute_batch("BEGIN").unwrap();
    assert_eq!(values(&connection), (0, 0, ROWS));
    assert!(held_ahead(&connection) > 0);
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(held_ahead(&connection), 0, "nothing is held without a lock");
}

#[test]
fn rows_far_from_each_other_are_read_one_by_one() {
    let (directory, _plain) = made("delete");
    let connection = ahead(&directory);
    connection.execute_batch("BEGIN").unwrap();
    for id in [1_800, 100, 1_500, 400, 1_200, 700] {
        assert_eq!(value(&connection, id), 0);
        assert_eq!(held_ahead(&connection), 0, "row {id}");
    }
}

#[test]
fn what_others_commit_is_read() {
    for journal_mode in ["delete", "truncate", "persist", "wal"] {
        let (directory, plain) = made(journal_mode);
        let connection = ahead(&directory);
        for new in 1..4 {
            set(&plain, new);
            assert_eq!(value(&connection, ROWS), new, "of the last row in mode {journal_mode}");
            assert_eq!(values(&connection), (new, new, ROWS), "in mode {journal_mode}");
            set(&plain, -new);
            plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            assert_eq!(value(&connection, ROWS), -new, "of the last row after a checkpoint");
            assert_eq!(values(&connection), (-new, -new, ROWS), "after a checkpoint");
        }
        plain.execute("DELETE FROM rows WHERE id > 100", []).unwrap();
        plain.execute_batch("VACUUM").unwrap();
        assert_eq!(values(&connection), (-3, -3, 100), "of a shorter file in mode {journal_mode}");
    }
}

#[test]
fn one_moment_is_read_while_others_commit_and_fold_their_log_in() {
    let (directory, plain) = made("wal");
    set(&plain, 1);
    let connection = ahead(&directory);
    connection.execute_batch("BEGIN").unwrap();
    assert_eq!(values(&connection), (1, 1, ROWS));
    for value in 2..5 {
        set(&plain, value);
        plain.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        assert_eq!(values(&connection), (1, 1, ROWS));
    }
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(values(&connection), (4, 4, ROWS));
}

#[test]
fn what_the_connection_itself_writes_and_takes_back_is_read() {
    for journal_mode in ["delete", "wal"] {
        let (directory, plain) = made(journal_mode);
        let connection = ahead(&directory);
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(values(&connection), (0, 0, ROWS));
        for new in 1..5 {
            // Each far before the one before it; and more pages than are kept, so that the first ones are written.
            for id in (1..=50).rev().map(|number| number * ROWS / 50) {
                connection.execute("UPDATE rows SET value = ?1 WHERE id = ?2", [new, id]).unwrap();
            }
            assert_eq!(value(&connection, ROWS), new, "of the last row in mode {journal_mode}");
            assert_eq!(values(&connection), (0, new, ROWS));
        }
        set(&connection, 6);
        assert_eq!(values(&connection), (6, 6, ROWS), "in mode {journal_mode}");
        connection.execute_batch("SAVEPOINT here; UPDATE rows SET value = 7; ROLLBACK TO here").unwrap();
        assert_eq!(values(&connection), (6, 6, ROWS), "after a savepoint in mode {journal_mode}");
        connection.execute_batch("ROLLBACK").unwrap();
        assert_eq!(values(&connection), (0, 0, ROWS), "after a rollback in mode {journal_mode}");
        set(&connection, 8);
        assert_eq!(values(&plain), (8, 8, ROWS));
    }
}

#[test]
fn databases_in_memory_are_left_alone() {
    let connection = Connection::open_in_memory().unwrap();
    install(&connection);
    connection.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
}
