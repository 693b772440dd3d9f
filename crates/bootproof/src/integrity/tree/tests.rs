//! Whatever SQLite's `PRAGMA quick_check` finds, reading the trees finds doubtful; and in a file that is as SQLite has written it there
//! is no doubt.

mod crafted;

use std::fs;
use std::path::{Path, PathBuf};

use faulty_vfs::Random;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::super::crew::Doubt;
use super::super::{pragma, sets};
use super::rules::is_number_in_words;
use crate::options::Options;
use crate::watch::Watch;

const PAGE: usize = 512;

/// Tables of every kind, of several levels, with content that goes on elsewhere, free pages, rows from before a column was added.
const FILE: &str = "
    PRAGMA page_size = 512;
    CREATE TABLE entries(id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount REAL NOT NULL, day DATE, data BLOB, n INTEGER);
    CREATE INDEX by_name ON entries(name, amount DESC);
    CREATE UNIQUE INDEX by_day ON entries(date(day), id);
    CREATE TABLE keyed(name TEXT PRIMARY KEY, note TEXT COLLATE NOCASE, UNIQUE(note, name));
    CREATE TABLE without(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID;
    CREATE TABLE checked(a INTEGER CHECK(a > 0), b AS (a + 1));
    CREATE TABLE strict(a INTEGER, b TEXT) STRICT;
    CREATE TABLE gone(a);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO entries(name, amount, day, data, n)
    SELECT printf('name %d', i * 7919 % 300), i / 4.0, date('2025-01-01', i || ' days'),
           iif(i % 40, zeroblob(i % 50), zeroblob(1500)), i FROM n;
    INSERT INTO keyed SELECT name, iif(id % 50, name || name, printf('%.*c', 700, 'x') || id) FROM entries WHERE id < 120;
    INSERT INTO without SELECT name, id FROM entries;
    INSERT INTO checked SELECT id FROM entries;
    INSERT INTO strict SELECT id, name FROM entries;
    INSERT INTO gone SELECT zeroblob(400) FROM entries;
    DELETE FROM entries WHERE id % 3 = 0;
    ALTER TABLE entries ADD COLUMN late TEXT;
    ALTER TABLE keyed ADD COLUMN late INTEGER NOT NULL DEFAULT 7;
    UPDATE entries SET name = name || ' changed' WHERE id % 5 = 0;
    DROP TABLE gone;
    ANALYZE;
";

struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    _directory: TempDir,
}

impl File {
    fn new(more: &str) -> Self {
        Self::made_by(&[FILE, more].concat())
    }

    fn made_by(sql: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(sql).unwrap();
        drop(made);
        Self { bytes: fs::read(&path).unwrap(), path, _directory: directory }
    }

    /// What reading the trees says of these bytes, and what SQLite does.
    fn judged(&self, bytes: &[u8]) -> (bool, bool) {
        fs::write(&self.path, bytes).unwrap();
        (is_sound_here(&self.path), is_sound_there(&self.path))
    }
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn is_sound_here(path: &Path) -> bool {
    let connection = open(path);
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").is_ok()
        && sets::is_structure_sound(&connection, &Watch::new(&Options::default()), &Doubt::default())
}

fn found_there(path: &Path) -> rusqlite::Result<String> {
    open(path).query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

fn is_sound_there(path: &Path) -> bool {
    pragma::says_ok(&open(path), "quick_check", None).unwrap_or(false)
}

/// Where and how a file is damaged: the same in every run.
struct Damages(Random);

impl Damages {
    fn next(&mut self, below: usize) -> usize {
        usize::try_from(self.0.below(below as u64)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.0.below(256)).unwrap()
    }

    /// Damages a file in one of the ways in which files are damaged, or in which only malice does it.
    fn damage(&mut self, bytes: &mut [u8]) -> String {
        let pages = bytes.len() / PAGE;
        let (page, other) = (self.next(pages), self.next(pages));
        let start = page * PAGE + if page == 0 { 100 } else { 0 };
        let cells = usize::from(u16::from_be_bytes([bytes[start + 3], bytes[start + 4]])).clamp(1, 100);
        let pointers = start + if bytes[start] < 8 { 12 } else { 8 };
        let pointer = |cell: usize| (pointers + 2 * cell).min(bytes.len() - 2);
        let (one, two) = (pointer(self.next(cells)), pointer(self.next(cells)));
        let cell = (page * PAGE + usize::from(u16::from_be_bytes([bytes[one], bytes[one + 1]]))).min(bytes.len() - 8);
        match self.next(10) {
            0 => {
                let (at, bit) = (self.next(bytes.len()), self.next(8));
                bytes[at] ^= 1 << bit;
                format!("bit {bit} of byte {at}")
            }
            1 => {
                let (at, byte) = (start + self.next(12), self.byte());
                bytes[at] = byte;
                format!("byte {at}, of the head of a page, is {byte}")
            }
            2 => {
                for at in 0..2 {
                    bytes.swap(one + at, two + at);
                }
                format!("the cells at {one} and {two} change places")
            }
            3 => {
                let (at, byte) = (cell + self.next(8), self.byte());
                bytes[at] = byte;
                format!("byte {at}, of the head of a cell, is {byte}")
            }
            4 => {
                bytes.copy_within(page * PAGE..(page + 1) * PAGE, other * PAGE);
                format!("page {page} instead of {other}")
            }
            5 => {
                bytes[page * PAGE..(page + 1) * PAGE].fill(0);
                format!("page {page} of zeros")
            }
            6 => {
                let at = 28 + 4 * self.next(3) + 3;
                bytes[at] = bytes[at].wrapping_add(1);
                format!("byte {at}, of the head of the file")
            }
            7 => {
                bytes[one + 1] = bytes[one + 1].wrapping_add(1 + self.byte() % 3);
                format!("the cell at {one} begins later")
            }
            8 => {
                bytes.copy_within(one..one + 2, two);
                format!("the cell at {one} also at {two}")
            }
            _ => {
                let (from, to) = (self.next(PAGE - 4), self.next(PAGE - 4));
                bytes.copy_within(page * PAGE + from..page * PAGE + from + 4, page * PAGE + to);
                format!("four bytes of page {page}, from {from} to {to}")
            }
        }
    }
}

#[test]
fn no_doubt_about_what_sqlite_has_written() {
    for more in
        ["", "VACUUM", "PRAGMA journal_mode = WAL", "DELETE FROM entries; DELETE FROM keyed", "DROP TABLE entries"]
    {
        let file = File::new(more);
        assert_eq!(file.judged(&file.bytes), (true, true), "after `{more}`");
    }
    for size in [1024, 4096, 65536] {
        let file = File::new(&format!("PRAGMA page_size = {size}; VACUUM"));
        assert_eq!(file.judged(&file.bytes), (true, true), "with pages of {size}");
    }
}

#[test]
fn every_damage_that_sqlite_finds_is_a_doubt() {
    survives(&File::new(""), 1_000);
}

/// Damages a file again and again.
fn survives(file: &File, times: u32) {
    let rounds: u32 = std::env::var("RELIABILITY").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let mut damages = Damages(Random::new(5));
    let (mut found, mut left) = (0, 0);
    for _ in 0..times * rounds {
        let mut bytes = file.bytes.clone();
        let damage = damages.damage(&mut bytes);
        let (here, there) = file.judged(&bytes);
        assert!(there || !here, "SQLite finds what is overlooked here: {damage}: {:?}", found_there(&file.path));
        if there {
            left += 1;
        } else {
            found += 1;
        }
    }
    // Otherwise it would have shown nothing.
    assert!(found > times * rounds / 4 && left > times * rounds / 20, "{found} found, {left} not");
}

/// What a column may not hold, which no damage is likely to make.
#[test]
fn values_against_the_rules_are_doubts() {
    let file = File::new("");
    for change in [
        "INSERT INTO entries(name, amount) VALUES (NULL, 1)",
        "INSERT INTO entries(name, amount) VALUES ('a', NULL)",
        "INSERT INTO entries(name, amount) VALUES (1, 1)",
        "INSERT INTO entries(name, amount) VALUES (1.5, 1)",
        "INSERT INTO entries(name, amount, day) VALUES ('a', 1, ' 12.5e3 ')",
        "INSERT INTO entries(name, amount, n) VALUES ('a', 1, '-7')",
    ] {
        fs::write(&file.path, &file.bytes).unwrap();
        let connection = Connection::open(&file.path).unwrap();
        // For a moment the columns have no rules.
        let rules = "(id INTEGER PRIMARY KEY, name, amount, day, data, n, late)";
        let sql: String =
            connection.query_row("SELECT sql FROM sqlite_schema WHERE name = 'entries'", [], |row| row.get(0)).unwrap();
        let swap = |sql: &str| {
            connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
            connection.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'entries'", [sql]).unwrap();
            connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
        };
        swap(&format!("CREATE TABLE entries{rules}"));
        connection.execute_batch(change).unwrap();
        swap(&sql);
        drop(connection);
        assert!(!is_sound_there(&file.path), "{change}");
        assert!(!is_sound_here(&file.path), "{change}");
    }
    // What looks like a number to nobody but us is none, as days are not.
    for kept in ["2025-01-01", "1 2", "0x10", "1e", "-", ".", "", "1..2", "five", "1 2\u{a0}"] {
        fs::write(&file.path, &file.bytes).unwrap();
        let connection = Connection::open(&file.path).unwrap();
        connection.execute("INSERT INTO entries(name, amount, day) VALUES ('a', 1, ?1)", [kept]).unwrap();
        drop(connection);
        assert!(is_sound_there(&file.path), "{kept:?}");
        assert_eq!(is_sound_here(&file.path), kept != "1e", "{kept:?}");
    }
}

/// Each level of a tree takes a page of memory and no more: a tree that goes round in a circle ends.
#[test]
fn a_tree_that_goes_round_in_a_circle_ends() {
    let file = File::new("");
    let pages = file.bytes.len() / PAGE;
    let mut circles = 0;
    for page in (1..pages).filter(|page| matches!(file.bytes[page * PAGE], 0x02 | 0x05)) {
        let mut bytes = file.bytes.clone();
        let itself = u32::try_from(page + 1).unwrap().to_be_bytes();
        bytes[page * PAGE + 8..page * PAGE + 12].copy_from_slice(&itself);
        let (here, there) = file.judged(&bytes);
        // What stands on a free page nobody reads.
        assert_eq!(here, there, "page {}", page + 1);
        circles += usize::from(!here);
    }
    assert!(circles > 3, "{circles}");
}
