//! Single bits of index entries after which every value reads as before, and the entry is not what its row demands: found are
//! they only by whoever reads an entry from its first byte to its last, and compares texts as SQLite does.

use rusqlite::Connection;

use super::judgement::judge;
use super::shape::{Files, Shape};
use crate::scene;
use crate::tally::Tally;

/// An entry of an index, as it is in the file, and as it is when it was damaged.
struct Damage {
    case: &'static str,
    table: &'static str,
    entry: &'static [u8],
    /// Which of its bytes becomes what.
    becomes: (usize, u8),
}

/// The lengths of the header, the types of the terms and of the number of the row, then what they are of
/// (<https://sqlite.org/fileformat2.html#record_format>).
const DAMAGES: [Damage; 4] = [
    Damage {
        case: "the number of a row is longer, and begins in the zeros of the term before it",
        table: "CREATE TABLE r(id INTEGER PRIMARY KEY, v REAL); CREATE INDEX ri ON r(v);
                INSERT INTO r SELECT n + 300, n % 50 + 0.5 FROM n",
        entry: &[3, 7, 2, 0x40, 0x1e, 0, 0, 0, 0, 0, 0],
        becomes: (2, 3),
    },
    Damage {
        case: "a term of eight bytes is one of none",
        table: "CREATE TABLE r(id INTEGER PRIMARY KEY, v); CREATE INDEX ri ON r(v);
                INSERT INTO r SELECT n + 300, (n % 50) * 1.0 FROM n",
        entry: &[3, 7, 2, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
        becomes: (1, 9),
    },
    Damage {
        case: "of two texts that differ only in the case of their letters one became greater",
        table: "CREATE TABLE r(id INTEGER PRIMARY KEY, v TEXT); CREATE UNIQUE INDEX ri ON r(v COLLATE nocase);
                INSERT INTO r SELECT n + 300, format('k%05d.%05d', n / 2, n) FROM n",
        entry: b"k00100.00200",
        becomes: (6, 0),
    },
    Damage {
        case: "a table is called by another name in the list of tables",
        table: "CREATE TABLE tabel(id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX ri ON tabel(v);
                INSERT INTO tabel SELECT n + 300, 'k' || n FROM n",
        entry: b"tabletabeltabel",
        becomes: (5, b'T'),
    },
];

#[test]
fn that_read_as_before() {
    let mut tally = Tally::new("records".to_owned());
    for damage in DAMAGES {
        let mut files = with_table(damage.table);
        let places = files.database.windows(damage.entry.len()).enumerate();
        let places: Vec<usize> = places.filter(|(_, bytes)| *bytes == damage.entry).map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "{}", damage.case);
        // Of a text, both the row and its entry; of a number, its entry alone.
        for place in places {
            files.database[place + damage.becomes.0] = damage.becomes.1;
        }
        tally.count(damage.case, judge(&files));
    }
    tally.finish();
}

/// A database at head with a further table, as an operator may add one.
fn with_table(sql: &str) -> Files {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    Shape::Current.make().write(&path);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TEMP TABLE n(n INTEGER PRIMARY KEY);
             INSERT INTO n WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 2000) SELECT n FROM n;
             {sql}"
        ))
        .unwrap();
    drop(connection);
    Files::read(&path)
}
