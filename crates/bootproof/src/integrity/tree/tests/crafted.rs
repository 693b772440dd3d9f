//! What no random damage is likely to make, and tables of other shapes.

use super::super::{Space, Verdict, Walk};
use super::*;
use crate::integrity::roots::{Holds, Root};
use crate::integrity::shape::Shape;
use crate::integrity::work::WHOLE;

/// Rows and entries of many columns, whose headers take two bytes to say how long they are, or lie on two pages; rows that are all
/// judged here, without SQLite, and have indexes.
const WIDE: &str = "
    PRAGMA page_size = 512;
    CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(9) NOT NULL, day DATETIME, real REAL NOT NULL, text TEXT);
    CREATE INDEX by_day ON counted(day, real);
    CREATE UNIQUE INDEX by_name ON counted(name);
    CREATE INDEX of_some ON counted(text) WHERE real > 2;
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200)
    INSERT INTO counted(name, day, real, text) SELECT 'name ' || i, date('2025-01-01', i || ' days'), i / 4.0, printf('%.*c', i % 90, 'x') FROM n;
    ALTER TABLE counted ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE counted ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE counted ADD COLUMN flag BOOLEAN NOT NULL DEFAULT FALSE;
    ALTER TABLE counted ADD COLUMN share REAL NOT NULL DEFAULT -1.5;
    ALTER TABLE counted ADD COLUMN label TEXT NOT NULL DEFAULT 7;
    ALTER TABLE counted ADD COLUMN number INTEGER DEFAULT '7';
    ALTER TABLE counted ADD COLUMN later DATE;
    INSERT INTO counted(name, real) SELECT 'more ' || id, id FROM counted;
    CREATE TABLE long(body TEXT, made DATETIME NOT NULL, n REAL NOT NULL);
    INSERT INTO long SELECT printf('%.*c', id * 9, 'x'), '2025-01-01', id / 3.0 FROM counted WHERE id < 100;
    DELETE FROM counted WHERE id % 7 = 0;
";

fn wide() -> String {
    let columns = |name: &str, count: usize| -> String {
        let column = |number: usize| format!(", {name}{number} {}", ["INTEGER", "TEXT", "REAL", ""][number % 4]);
        (0..count).map(column).collect::<Vec<_>>().concat()
    };
    let values = |value: &str, count: usize| format!(", {value}").repeat(count);
    format!(
        "{WIDE}
         CREATE TABLE many(id INTEGER PRIMARY KEY{}); CREATE INDEX of_many ON many(a0, a1, a140);
         INSERT INTO many SELECT id{} FROM counted WHERE id < 90;
         CREATE TABLE most(id INTEGER PRIMARY KEY{}); INSERT INTO most SELECT id{} FROM counted WHERE id < 9",
        columns("a", 150),
        values("id", 150),
        columns("b", 600),
        values("name", 600)
    )
}

#[test]
fn every_damage_of_wide_tables_that_sqlite_finds_is_a_doubt() {
    let file = File::made_by(&wide());
    assert_eq!(file.judged(&file.bytes), (true, true));
    survives(&file, 300);
}

/// Rows from before a column, rows that go on elsewhere: what takes its time with SQLite is told without it.
#[test]
fn rows_of_every_day_are_told_here() {
    let file = File::made_by(&wide());
    let connection = open(&file.path);
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").unwrap();
    let space = Space::of(&connection).unwrap().unwrap();
    let mut tables = 0;
    for root in Root::of_all_but(&connection, &Shape::default()).unwrap() {
        let Holds::Rows(rules) = &root.holds else { continue };
        let rules = rules.as_ref().unwrap();
        Walk::new(&connection, &space, &|_| true)
            .tree(root.page, root.kind, WHOLE, &mut |row| {
                assert_eq!(rules.judge(row)?, Verdict::Kept, "{root:?}");
                Ok(())
            })
            .unwrap();
        tables += 1;
    }
    assert_eq!(tables, 6);
}

/// Gives a table other columns, whose rules its rows were not written by.
fn declare(connection: &Connection, table: &str, columns: &str) {
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    let sql = format!("CREATE TABLE {table}({columns})");
    connection.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2", [&sql, table]).unwrap();
    connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
}

/// A value in a column that had no type when it was written.
fn judged_as(columns: &str, text: &str) -> (bool, bool) {
    let file = File::made_by("CREATE TABLE t(a)");
    let connection = Connection::open(&file.path).unwrap();
    connection.execute("INSERT INTO t VALUES (?1)", [text]).unwrap();
    declare(&connection, "t", columns);
    drop(connection);
    (is_sound_here(&file.path), is_sound_there(&file.path))
}

/// SQLite takes a text for what comes before the first NUL.
#[test]
fn a_number_goes_to_the_first_nul() {
    for text in ["12\0 abc", "1.5 \0", "-7e2\0e"] {
        assert_eq!(judged_as("a INTEGER", text), (false, false), "{text:?}");
    }
    assert_eq!(judged_as("a INTEGER", "x\0 12"), (true, true));
}

/// A type may be in quotes and have no name: then SQLite takes it for one of numbers, and calls it nothing.
#[test]
fn a_type_without_a_name_is_one_of_numbers() {
    for name in ["\"\"", "''", "``", "[]", "\"\" CHAR"] {
        assert_eq!(judged_as(&format!("a {name}"), "12"), (false, false), "{name}");
        assert_eq!(judged_as(&format!("a {name}"), "twelve"), (true, true), "{name}");
    }
    assert_eq!(judged_as("a DEFAULT ''", "12"), (true, true));
}

/// Whatever SQLite makes a number of is one here.
#[test]
fn texts_that_become_numbers_are_numbers() {
    const CHARACTERS: &[char] = &[
        '0', '1', '9', '9', ' ', ' ', '+', '-', '-', '.', '.', 'e', 'E', '\t', '\n', '\u{b}', '\u{c}', '\r', '\0', 'x',
        '_', '\u{a0}',
    ];
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t(a NUMERIC)").unwrap();
    let mut insert = connection.prepare("INSERT INTO t VALUES (?1) RETURNING typeof(a) <> 'text'").unwrap();
    let mut random = Damages(Random::new(3));
    let (mut numbers, mut others) = (0, 0);
    for _ in 0..10_000 {
        let text: String = (0..random.next(8)).map(|_| CHARACTERS[random.next(CHARACTERS.len())]).collect();
        let becomes_one: bool = insert.query_row([&text], |row| row.get(0)).unwrap();
        let is_number = is_number_in_words(text.as_bytes());
        assert!(is_number || !becomes_one, "{text:?}");
        numbers += u32::from(becomes_one);
        others += u32::from(!is_number);
    }
    assert!(numbers > 500 && others > 5_000, "{numbers} numbers, {others} others");
}

/// Lays cells out on a page as SQLite does, one before the other from the end on.
fn lay_out(page: &mut [u8], head: &[u8], cells: &[&[u8]]) {
    page.fill(0);
    page[..head.len()].copy_from_slice(head);
    let mut content = page.len();
    for (number, cell) in cells.iter().enumerate() {
        content -= cell.len();
        page[content..content + cell.len()].copy_from_slice(cell);
        let pointer = head.len() + 2 * number;
        page[pointer..pointer + 2].copy_from_slice(&u16::try_from(content).unwrap().to_be_bytes());
    }
    page[4] = u8::try_from(cells.len()).unwrap();
    page[5..7].copy_from_slice(&u16::try_from(content).unwrap().to_be_bytes());
}

const LEAF: [u8; 8] = [0x0d, 0, 0, 0, 0, 0, 0, 0];

/// A table of one column, of which the only row is this cell.
fn judged_with(cell: &[u8]) -> (bool, bool) {
    let file = File::made_by("PRAGMA page_size = 512; CREATE TABLE t(a)");
    let mut bytes = file.bytes.clone();
    lay_out(&mut bytes[PAGE..], &LEAF, &[cell]);
    file.judged(&bytes)
}

/// A number may be written with zeros before it, which SQLite never does: of the length of a cell it takes seven bits of the ninth byte
/// where eight are meant, and of a header without values it reads one.
#[test]
fn numbers_with_zeros_before_them_are_doubts() {
    // A blob of 200 bytes.
    let cell = |length: &[u8]| [length, &[1, 3, 0x83, 0x1c], &[0; 200]].concat();
    assert_eq!(judged_with(&cell(&[0x81, 0x4b])), (true, true));
    assert_eq!(judged_with(&cell(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xcb])), (false, false));
    // The number one, and nothing.
    assert_eq!(judged_with(&[2, 1, 2, 9]), (true, true));
    assert_eq!(judged_with(&[2, 1, 0x80, 2]), (false, false));
}

/// The number of a row is read in one way only, and the largest take nine bytes.
#[test]
fn rows_are_numbered_from_the_lowest_number_to_the_highest() {
    let file = File::made_by("CREATE TABLE t(a)");
    let connection = Connection::open(&file.path).unwrap();
    for number in [i64::MIN, -1, 0, 1 << 56, i64::MAX] {
        connection.execute("INSERT INTO t(rowid) VALUES (?1)", [number]).unwrap();
    }
    drop(connection);
    assert_eq!((is_sound_here(&file.path), is_sound_there(&file.path)), (true, true));
}

/// No cursor of SQLite's goes on to a page without cells, or from one to its only child.
#[test]
fn pages_without_cells_are_doubts() {
    let file = File::made_by("PRAGMA page_size = 512; CREATE TABLE t(a); CREATE TABLE u(a)");
    let connection = Connection::open(&file.path).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'u'").unwrap();
    drop(connection);
    let mut bytes = fs::read(&file.path).unwrap();
    let row: &[u8] = &[2, 1, 2, 9];
    // The second page of the file is the root, and the third its last child.
    let root = [0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
    lay_out(&mut bytes[PAGE..2 * PAGE], &root, &[]);
    lay_out(&mut bytes[2 * PAGE..], &LEAF, &[row]);
    assert_eq!(file.judged(&bytes), (false, false), "the root has none");
    // One page more, which is the first child; all that it has is below what separates the two.
    let more = [bytes.as_slice(), &[0; PAGE]].concat();
    for (first, second, is_sound) in
        [(&[row][..], &[&[2, 2, 2, 9][..]][..], true), (&[row], &[], false), (&[], &[&[2, 2, 2, 9]], false)]
    {
        let mut bytes = more.clone();
        bytes[28..32].copy_from_slice(&4_u32.to_be_bytes());
        lay_out(&mut bytes[PAGE..2 * PAGE], &root, &[&[0, 0, 0, 4, 1]]);
        lay_out(&mut bytes[2 * PAGE..3 * PAGE], &LEAF, second);
        lay_out(&mut bytes[3 * PAGE..], &LEAF, first);
        assert_eq!(file.judged(&bytes), (is_sound, is_sound), "{first:?}, {second:?}");
    }
}

/// An entry more or less than there are rows is what SQLite finds without comparing them.
#[test]
fn indexes_have_as_many_entries_as_their_tables_have_rows() {
    let file =
        File::made_by("CREATE TABLE t(a, b); CREATE INDEX i ON t(a); INSERT INTO t VALUES (1, 2), (3, 4), (5, 6)");
    let connection = Connection::open(&file.path).unwrap();
    // For a moment the index is one of some rows.
    let index = |sql: &str| {
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
        connection.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'i'", [sql]).unwrap();
        connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
    };
    index("CREATE INDEX i ON t(a) WHERE b > 4");
    assert_eq!((is_sound_here(&file.path), is_sound_there(&file.path)), (true, true));
    connection.execute_batch("DELETE FROM t WHERE a = 1").unwrap();
    index("CREATE INDEX i ON t(a)");
    assert_eq!((is_sound_here(&file.path), is_sound_there(&file.path)), (false, false));
}

/// A virtual table has no tree, and a module that SQLite asks.
#[test]
fn what_a_module_finds_is_a_doubt() {
    let file =
        File::made_by("CREATE VIRTUAL TABLE words USING fts5(a); INSERT INTO words VALUES ('one two'), ('three')");
    assert_eq!(file.judged(&file.bytes), (true, true));
    let connection = Connection::open(&file.path).unwrap();
    connection.execute_batch("UPDATE words_content SET c0 = 'four' WHERE id = 1").unwrap();
    drop(connection);
    assert_eq!((is_sound_here(&file.path), is_sound_there(&file.path)), (false, false));
}

#[test]
fn a_table_without_a_tree_is_a_doubt() {
    let file = File::made_by("CREATE TABLE t(a)");
    let connection = Connection::open(&file.path).unwrap();
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'u', 'u', 0, 'CREATE TABLE u(a)')",
        )
        .unwrap();
    drop(connection);
    assert_eq!((is_sound_here(&file.path), is_sound_there(&file.path)), (false, false));
}

/// Every page is used for something, and one for two things.
#[test]
fn a_page_in_use_that_is_also_free_is_a_doubt() {
    let file = File::new("");
    let number = |at: usize| u32::from_be_bytes(file.bytes[at..at + 4].try_into().unwrap());
    let trunk = (number(32) as usize - 1) * PAGE;
    let listed = number(trunk + 4);
    let mut bytes = file.bytes.clone();
    let mut put = |at: usize, number: u32| bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    // The second page is of a table.
    put(trunk + 8 + 4 * listed as usize, 2);
    put(trunk + 4, listed + 1);
    put(36, number(36) + 1);
    assert_eq!(file.judged(&bytes), (false, false));
}
