//! A journal or a write-ahead log beside the database that is not its own, or damaged.

use std::fs;

use faulty_vfs::Random;
use rusqlite::Connection;
use worklog_fixture::Fixture;

use super::judgement::judge;
use super::shape::{Files, Shape};
use crate::scene;
use crate::tally::Tally;

const SEED: u64 = 3;

/// A transaction that a kill interrupted, with pages of it in the file already.
fn interrupted(seed: u64) -> Files {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    Fixture::new(60).seed(seed).create(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let sql =
        "PRAGMA cache_size = 5; BEGIN; UPDATE worklogs SET issue_summary = hex(randomblob(400)); DELETE FROM logs";
    connection.execute_batch(sql).unwrap();
    let files = Files::read(&path);
    assert!(files.journal.is_some() && files.journal.as_ref().is_some_and(|journal| journal[0] != 0));
    files
}

/// A log with commits in it, of another database.
fn other_wal() -> Vec<u8> {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    Fixture::new(60).seed(9).wal(true).create(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let sql = "PRAGMA wal_autocheckpoint = 0; UPDATE worklogs SET issue_summary = 'of another'; DELETE FROM logs";
    connection.execute_batch(sql).unwrap();
    fs::read(directory.path().join("worklog.db-wal")).unwrap()
}

/// What can become of a log or a journal.
fn damaged(random: &mut Random, log: &[u8]) -> Vec<(String, Vec<u8>)> {
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut log = log.to_vec();
        change(&mut log);
        log
    };
    let mut cases = vec![
        ("whole".to_owned(), log.to_vec()),
        ("half".to_owned(), changed(&|log| log.truncate(log.len() / 2))),
        ("its header alone".to_owned(), changed(&|log| log.truncate(32))),
        ("ten bytes".to_owned(), changed(&|log| log.truncate(10))),
        ("zeros".to_owned(), changed(&|log| log.fill(0))),
        ("without the last byte".to_owned(), changed(&|log| log.truncate(log.len() - 1))),
    ];
    // The magic, page size, counts, salts and checksums of both kinds; a frame or a page; its checksum.
    for offset in [0, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 100, 512, 520, 2_000, log.len() - 2] {
        let flipped = changed(&|log| {
            if let Some(byte) = log.get_mut(offset) {
                *byte ^= 0x55;
            }
        });
        cases.push((format!("byte {offset} flipped"), flipped));
    }
    let mut noise = log.to_vec();
    random.fill(&mut noise);
    cases.push(("noise".to_owned(), noise));
    cases
}

#[test]
fn a_journal() {
    let mut random = Random::new(SEED);
    let mut tally = Tally::new(format!("journals, seed {SEED}"));
    let (own, other) = (interrupted(1), interrupted(9));
    for (whose, journal) in [("its own", &own.journal), ("another's", &other.journal)] {
        for (what, journal) in damaged(&mut random, journal.as_ref().unwrap()) {
            let files = Files { journal: Some(journal), ..own.clone() };
            tally.count(&format!("{whose}, {what}"), judge(&files));
        }
    }
    for shape in [Shape::Unmanaged, Shape::Logged] {
        let files = Files { journal: other.journal.clone(), ..shape.make() };
        tally.count(&format!("another's, whole, beside {shape:?}"), judge(&files));
    }
    tally.finish();
}

#[test]
fn a_write_ahead_log() {
    let mut random = Random::new(SEED);
    let mut tally = Tally::new(format!("write-ahead logs, seed {SEED}"));
    let (own, other) = (Shape::Logged.make(), other_wal());
    for (whose, wal) in [("its own", own.wal.as_ref().unwrap()), ("another's", &other)] {
        for (what, wal) in damaged(&mut random, wal) {
            tally.count(&format!("{whose}, {what}"), judge(&Files { wal: Some(wal), ..own.clone() }));
        }
    }
    for shape in [Shape::Unmanaged, Shape::Current] {
        let files = Files { wal: Some(other.clone()), ..shape.make() };
        tally.count(&format!("another's, whole, beside {shape:?}"), judge(&files));
    }
    tally.finish();
}
