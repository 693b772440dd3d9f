//! A backup that is not what it was, with any digest and any mark beside it: put in place whole, or the database stays.

use std::fs;

use arbitrary::Unstructured;

use crate::edits::{Damage, pick, several};
use crate::samples::{self, Place, SAMPLES, Sample};

/// The name under which the backup lies.
pub(crate) const BACKUP: &str = ".backup-20250131_091500";

/// The first byte says what there is beside the backup, its rest is text; what follows is the damage.
pub(crate) fn backup(data: &[u8]) {
    let (beside, damage) = split(data);
    let mut bytes = Unstructured::new(damage);
    let mut file = samples::bytes(*pick(&mut bytes, &SAMPLES)).to_vec();
    for damage in several::<Damage>(&mut bytes, 2) {
        damage.happen(&mut file);
    }
    let place = Place::with(samples::bytes(Sample::Current));
    let backup = place.beside(BACKUP);
    fs::write(&backup, &file).expect("the backup");
    let is_marked = match beside.split_first() {
        Some((kind, text)) if kind % 3 == 1 => {
            fs::write(place.beside(&format!("{BACKUP}.b3")), text).expect("the digest");
            false
        }
        Some((kind, text)) if kind % 3 == 2 => {
            fs::write(place.beside(".restoring"), text).expect("the mark");
            let refused = place.boot().run().expect_err("a boot under a mark");
            assert_eq!(refused.exit_code(), 7, "{refused}");
            true
        }
        _ => false,
    };
    if let Err(failure) = place.boot().backups(true) {
        samples::is_foreseen("backups", failure);
    }
    let before = place.bytes();
    match place.boot().restore(&backup) {
        Ok(_) => {
            assert!(place.bytes() == file, "restored, and not the backup");
            samples::boot(&place);
        }
        Err(failure) => {
            assert!(place.bytes() == before, "refused, and the database is another: {failure}");
            samples::is_foreseen("restore", failure);
            if !is_marked {
                assert!(samples::boot(&place), "a refused restore left no bootable database");
            }
        }
    }
}

/// Text up to the first NUL byte, and the rest.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (text, rest) = data.split_at(end);
    (text, rest.get(1..).unwrap_or_default())
}
