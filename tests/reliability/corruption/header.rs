//! Every field of the header of the file, one by one.

use super::judgement::judge;
use super::shape::{Files, Shape};
use crate::tally::{Tally, share};

/// The fields, where each begins, and its length (<https://sqlite.org/fileformat2.html#the_database_header>).
const FIELDS: [(&str, usize, usize); 22] = [
    ("magic", 0, 16),
    ("page size", 16, 2),
    ("write version", 18, 1),
    ("read version", 19, 1),
    ("reserved space", 20, 1),
    ("maximum payload fraction", 21, 1),
    ("minimum payload fraction", 22, 1),
    ("leaf payload fraction", 23, 1),
    ("change counter", 24, 4),
    ("page count", 28, 4),
    ("first free page", 32, 4),
    ("number of free pages", 36, 4),
    ("schema cookie", 40, 4),
    ("schema format", 44, 4),
    ("cache size", 48, 4),
    ("largest root page", 52, 4),
    ("text encoding", 56, 4),
    ("user version", 60, 4),
    ("incremental vacuum", 64, 4),
    ("application id", 68, 4),
    ("reserved for expansion", 72, 20),
    ("version valid for", 92, 8),
];

#[test]
fn of_a_database_to_be_adopted() {
    every_field(Shape::Unmanaged);
}

#[test]
fn of_a_database_at_head() {
    every_field(Shape::Current);
}

#[test]
fn of_a_database_with_a_log() {
    every_field(Shape::Logged);
}

#[test]
fn of_a_database_with_pointer_maps() {
    every_field(Shape::Mapped);
}

/// Values that mean something elsewhere, and values that mean nothing.
const VALUES: [u8; 8] = [0, 1, 2, 3, 4, 5, 0x7F, 0xFF];

fn every_field(shape: Shape) {
    let files = shape.make();
    let mut tally = Tally::new(format!("header of {shape:?}"));
    for (position, (name, start, length)) in FIELDS.into_iter().enumerate() {
        let first = (position * 3) % VALUES.len();
        let values = VALUES.iter().cycle().skip(first).take(share(1).min(VALUES.len()));
        // The last byte holds a small number, all of them together a large one.
        for (bytes, value) in
            values.flat_map(|value| [(start + length - 1..start + length, *value), (start..start + length, *value)])
        {
            let mut database = files.database.clone();
            database[bytes.clone()].fill(value);
            if database != files.database {
                tally.count(&format!("{name}: {value} in {bytes:?}"), judge(&Files { database, ..files.clone() }));
            }
        }
    }
    tally.finish();
}
