//! What a pool promises, in a database that was booted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bootproof::testing;
use pools::with_deadpool::{Error, with};
use pools::{with_deadpool, with_r2d2};
use tasks::{SCHEMA, SOME_DAY, connect};

#[test]
fn threads_read_while_one_writes() {
    let database = testing::file(&SCHEMA).unwrap();
    let writer = with_r2d2::pool(database.path(), connect::writer, 1).unwrap();
    let readers = with_r2d2::pool(database.path(), connect::reader, 4).unwrap();
    let mut writing = writer.get().unwrap();
    let transaction = writing.transaction().unwrap();
    tasks::add(&transaction, "Read", SOME_DAY).unwrap();
    let held: Vec<_> = (0..4).map(|_| readers.get().unwrap()).collect();
    for reader in &held {
        assert_eq!(tasks::open(reader, SOME_DAY).unwrap(), []);
    }
    transaction.commit().unwrap();
    assert_eq!(tasks::open(&held[0], SOME_DAY).unwrap().len(), 1);
}

#[test]
fn a_reader_cannot_write() {
    let database = testing::file(&SCHEMA).unwrap();
    let readers = with_r2d2::pool(database.path(), connect::reader, 1).unwrap();
    let refused = tasks::add(&readers.get().unwrap(), "Read", SOME_DAY).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
}

#[test]
fn nobody_inherits_a_transaction_from_r2d2() {
    let database = testing::file(&SCHEMA).unwrap();
    let writer = with_r2d2::pool(database.path(), connect::writer, 1).unwrap();
    writer.get().unwrap().execute_batch("BEGIN; INSERT INTO task(title) VALUES ('Forgotten')").unwrap();
    let next = writer.get().unwrap();
    assert!(next.is_autocommit());
    assert_eq!(tasks::open(&next, SOME_DAY).unwrap(), []);
}

#[tokio::test]
async fn nobody_inherits_a_transaction_from_deadpool() {
    let database = testing::file(&SCHEMA).unwrap();
    let writer = with_deadpool::pool(database.path(), connect::writer, 1).unwrap();
    with(&writer, |connection| connection.execute_batch("BEGIN; INSERT INTO task(title) VALUES ('Forgotten')"))
        .await
        .unwrap();
    let open = with(&writer, |connection| tasks::open(connection, SOME_DAY)).await.unwrap();
    assert_eq!(open, []);
    assert!(with(&writer, |connection| Ok(connection.is_autocommit())).await.unwrap());
}

#[tokio::test]
async fn work_that_panics_costs_nobody_the_pool() {
    let database = testing::file(&SCHEMA).unwrap();
    let writer = with_deadpool::pool(database.path(), connect::writer, 1).unwrap();
    let ended = with(&writer, |connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        tasks::add(&transaction, "Forgotten", SOME_DAY)?;
        panic!("on purpose");
    });
    assert!(matches!(ended.await, Err(Error::Ended(_))));
    assert_eq!(with(&writer, |connection| tasks::open(connection, SOME_DAY)).await.unwrap(), []);
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_made_anew() {
    let database = testing::file(&SCHEMA).unwrap();
    let gone = database.path().with_file_name("gone.db");
    let readers = with_deadpool::pool(&gone, connect::reader, 1).unwrap();
    assert!(matches!(with(&readers, |_| Ok(())).await, Err(Error::Sqlite(_))));
    let writer = with_deadpool::pool(&gone, connect::writer, 1).unwrap();
    assert!(matches!(with(&writer, |_| Ok(())).await, Err(Error::Sqlite(_))));
    assert!(!gone.exists());
}
