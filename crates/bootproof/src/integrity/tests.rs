//! That the comparison itself finds a sound file sound: a doubt would refuse nobody, and cost five times as long.

use std::collections::BTreeSet;
use std::path::Path;

use bootproof_catalog::Catalog;
use faulty_vfs::{Fault, Injection, Operation};
use rusqlite::Connection;
use tempfile::TempDir;

use super::crew::Companions;
use super::sets::{self, Foreseen, Written};
use super::shape::Coming;
use crate::connection;
use crate::options::Options;
use crate::watch::Watch;

/// Every shape that the comparison knows, in a file that is not too small for it.
const SHAPES: &str = "
    CREATE TABLE entries(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, note TEXT COLLATE NOCASE, amount REAL, day TEXT, UNIQUE(id, name));
    CREATE INDEX plain ON entries(name, amount DESC);
    CREATE INDEX folded ON entries(note, day COLLATE RTRIM);
    CREATE INDEX by_day ON entries(date(day), amount);
    CREATE UNIQUE INDEX single ON entries(day, id);
    CREATE TABLE settings(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE INDEX partial ON entries(amount) WHERE amount > 10;
    INSERT INTO settings VALUES ('a', 1), ('b', NULL);
    WITH RECURSIVE numbers(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
    INSERT INTO entries(name, note, amount, day)
    SELECT 'name ' || (n % 97), iif(n % 5, printf('%.*c', n % 90, 'x'), NULL), iif(n % 3, n / 4.0, n), date('2025-01-01', (n % 700) || ' days')
    FROM numbers;
";

fn with_shapes(more: &str) -> (TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let made = Connection::open(directory.path().join("shapes.db")).unwrap();
    made.execute_batch(SHAPES).unwrap();
    made.execute_batch(more).unwrap();
    (directory, made)
}

fn is_sound(directory: &TempDir, connection: &Connection, coming: &Coming) -> [bool; 2] {
    let path = directory.path().join("shapes.db");
    let watch = Watch::new(&Options::default());
    let open = || connection::open_companion(&path);
    [Companions::Nobody, Companions::Opened(&open)]
        .map(|companions| sets::is_sound(connection, companions, coming, &watch).0)
}

#[test]
fn a_sound_file_leaves_no_doubt() {
    // Statistics are read again where imposters have been, and need not be there.
    for more in ["", "ANALYZE", "PRAGMA journal_mode = WAL; DELETE FROM entries WHERE id % 7 = 0"] {
        let (directory, connection) = with_shapes(more);
        assert!(!connection::is_small(&connection).unwrap());
        assert_eq!(is_sound(&directory, &connection, &Coming::default()), [true, true], "after `{more}`");
    }
}

/// What it takes to begin with an index would be more than SQLite takes for all of it.
#[test]
fn many_small_indexes_are_left_to_sqlite() {
    let indexes = |count| -> String {
        (0..count).map(|number| format!("CREATE TABLE small{number}(a UNIQUE);")).collect::<Vec<_>>().concat()
    };
    for (count, is_compared) in [(10, true), (500, false)] {
        let (directory, connection) = with_shapes(&format!("BEGIN; {} COMMIT", indexes(count)));
        assert_eq!(is_sound(&directory, &connection, &Coming::default()), [is_compared; 2], "with {count}");
    }
}

/// The connection may be the application's. An index without entries calls the function never.
#[test]
fn what_is_read_leaves_nothing_behind() {
    let (directory, connection) = with_shapes("CREATE TABLE empty(a UNIQUE, b); CREATE INDEX of_empty ON empty(b, a)");
    assert_eq!(is_sound(&directory, &connection, &Coming::default()), [true, true]);
    let called = connection.prepare("SELECT bootproof_reading(1)");
    assert!(called.unwrap_err().to_string().contains("no such function"));
}

#[test]
fn a_lost_entry_is_a_doubt() {
    let (directory, connection) = with_shapes("");
    // Through an index that claims to be partial for a moment, a row is deleted that the index then keeps.
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = sql || ' WHERE id <> 77' WHERE name = 'plain';
             PRAGMA writable_schema = RESET;
             DELETE FROM entries WHERE id = 77;
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id <> 77', '') WHERE name = 'plain';
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
    assert_eq!(is_sound(&directory, &connection, &Coming::default()), [false, false]);
}

/// SQLite takes the first byte of an entry for the length of its header where it looks one up, and does not find this one.
#[test]
fn an_entry_with_zeros_before_a_number_is_a_doubt() {
    let (directory, connection) =
        with_shapes("CREATE TABLE few(a); CREATE INDEX of_few ON few(a); INSERT INTO few VALUES ('one')");
    assert_eq!(is_sound(&directory, &connection, &Coming::default()), [true, true]);
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'of_few'";
    let number = usize::try_from(connection.query_row(root, [], |row| row.get::<_, i64>(0)).unwrap()).unwrap();
    drop(connection);
    let path = directory.path().join("shapes.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let page = &mut bytes[(number - 1) * 4096..number * 4096];
    // The only entry becomes longer by a byte.
    let entry = [6, 3, 19, 9, b'o', b'n', b'e'];
    assert_eq!(page[4089..], entry);
    page[4088..].copy_from_slice(&[7, 0x80, 4, 19, 9, b'o', b'n', b'e']);
    (page[6], page[9]) = (page[6] - 1, page[9] - 1);
    std::fs::write(&path, &bytes).unwrap();
    let connection = Connection::open(&path).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "row 1 missing from index of_few");
    assert_eq!(is_sound(&directory, &connection, &Coming::default()), [false, false]);
}

/// A connection that must not write early writes nothing early: the file is not what it sees.
#[test]
fn the_file_is_read_only_where_all_is_written() {
    for (spills, is_written) in [("ON", true), ("OFF", false)] {
        let (_directory, connection) = with_shapes("");
        // As soon as it has written, it keeps the file for itself.
        connection
            .execute_batch(&format!(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_spill = {spills}; UPDATE settings SET value = 2;
                 BEGIN IMMEDIATE; REINDEX plain"
            ))
            .unwrap();
        assert_eq!(!sets::written_out(&connection).is_empty(), is_written, "{spills}");
    }
}

/// Builds an index and writes rows, checks that, and commits. Returns whether it was found sound, and whether it is committed.
fn write(path: &Path) -> rusqlite::Result<(bool, bool)> {
    let connection = Connection::open(path)?;
    let before = Catalog::read(&connection)?;
    // Some pages are written at once, since the page cache is too small; the rest fits.
    connection.execute_batch(
        "PRAGMA synchronous = EXTRA; PRAGMA cache_size = 50; BEGIN IMMEDIATE; CREATE INDEX new ON entries(note, name);
         PRAGMA cache_size = 5000; UPDATE entries SET amount = 1 WHERE id % 5 = 0",
    )?;
    let after = Catalog::read(&connection)?;
    let (tables, indexes) = (BTreeSet::from(["entries"]), BTreeSet::from(["new".to_owned()]));
    let foreseen = Foreseen::default();
    let written = Written { before: &before, after: &after, tables: &tables, indexes: &indexes, foreseen: &foreseen };
    let (mut is_sound, watch) = (false, Watch::new(&Options::default()));
    let conclude = |is_sound: &mut bool, check: &mut dyn FnMut() -> bool| {
        *is_sound = check();
        Ok(())
    };
    let checked = sets::is_sound_where_written(&connection, &written, &watch, &mut is_sound, |_| Ok(()), conclude);
    Ok((is_sound, checked.is_ok() && connection.execute_batch("COMMIT").is_ok()))
}

/// Whether the index is there, in a file that is sound.
fn is_written(path: &Path) -> bool {
    let connection = Connection::open(path).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
    connection.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'new'", [], |row| row.get(0)).unwrap()
}

/// Where the disk is full as the rest of the pages are written out, the connection has failed, and nothing is committed.
#[test]
fn what_cannot_be_written_out_is_not_committed() {
    faulty_vfs::install().unwrap();
    let (directory, connection) = with_shapes("");
    let path = directory.path().join("shapes.db");
    let content = std::fs::read(&path).unwrap();
    drop(connection);
    let (written, steps) = faulty_vfs::observe(|| write(&path));
    assert_eq!((written.unwrap(), is_written(&path)), ((true, true), true));
    let writes = steps.iter().filter(|step| step.operation == Operation::Write).count() as u64;
    for nth in [writes / 4, writes / 2, writes * 3 / 4, writes - 10] {
        std::fs::write(&path, &content).unwrap();
        let full = Injection { fault: Fault::Full, operation: Some(Operation::Write), nth, lasting: true };
        let (written, struck) = faulty_vfs::with_fault(full, || write(&path));
        let is_committed = written.is_ok_and(|(_, is_committed)| is_committed);
        assert_eq!((struck.is_some(), is_committed, is_written(&path)), (true, false, false), "{nth} of {writes}");
    }
}

/// Pages that are written before the commit are taken back by the journal, which is on the disk before them.
#[test]
fn what_is_written_out_early_is_taken_back_after_a_power_cut() {
    faulty_vfs::install().unwrap();
    let (directory, connection) = with_shapes("");
    let path = directory.path().join("shapes.db");
    let content = std::fs::read(&path).unwrap();
    drop(connection);
    let steps = faulty_vfs::observe(|| write(&path)).1.len();
    for cut in [steps / 2, steps * 3 / 4, steps * 7 / 8, steps - 8, steps - 1, steps + 1] {
        std::fs::write(&path, &content).unwrap();
        let (written, power) = faulty_vfs::with_power_cut(directory.path(), cut as u64, || write(&path)).unwrap();
        for seed in 0..2 {
            power.restore_power(seed).unwrap();
            let is_committed = matches!(written, Ok((_, true)));
            assert!(is_written(&path) >= is_committed, "cut {cut} of {steps}, seed {seed}");
        }
    }
}
