//! What a compiler takes of the process, it gives back.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use rusqlite::Connection;

fn limits() -> (i64, i64) {
    let connection = Connection::open_in_memory().unwrap();
    let limit = |name| connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    (limit("hard_heap_limit"), limit("soft_heap_limit"))
}

#[test]
fn the_limit_on_memory_ends_with_the_rehearsal() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("1_a.sql"), "CREATE TABLE a(x);\n").unwrap();
    assert_eq!(limits(), (0, 0));
    bootproof_build::check(directory.path()).unwrap();
    assert_eq!(limits(), (0, 0));
    std::fs::write(directory.path().join("2_b.sql"), "CREATE TABLE b(x;\n").unwrap();
    bootproof_build::check(directory.path()).unwrap_err();
    assert_eq!(limits(), (0, 0));
}
