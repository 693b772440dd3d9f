//! A database file that a disk, a copy or a program has damaged: refused and untouched, or ready and sound.

use std::fs;

use arbitrary::Unstructured;

use crate::edits::{Damage, pick, several};
use crate::samples::{self, Place, SAMPLES};

/// The logs that may lie beside a database.
const LOGS: [&str; 2] = ["-wal", "-journal"];
/// The most damage done to one file.
const MOST: usize = 12;

/// A sample with some damage, and perhaps with a log that belongs to no database.
pub(crate) fn file(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    let mut file = samples::bytes(*pick(&mut bytes, &SAMPLES)).to_vec();
    let log = bytes.ratio(1_u8, 8_u8).unwrap_or(false).then(|| *pick(&mut bytes, &LOGS));
    for damage in several::<Damage>(&mut bytes, MOST) {
        damage.happen(&mut file);
    }
    let place = Place::with(&file);
    if let Some(log) = log {
        fs::write(place.beside(log), bytes.take_rest()).expect("the log");
    }
    samples::look(&place, data.len().is_multiple_of(8));
    if samples::boot(&place) {
        assert!(samples::boot(&place), "ready once, and not again");
    }
}
