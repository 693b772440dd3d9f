//! A catalog in 128 bits.

use std::fmt;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::catalog::Catalog;

/// Identifies a schema: two databases with the same fingerprint have the same structure, however their CREATE
/// statements are spelt and in whatever order their columns were added.
///
/// SipHash-1-3 over the catalog's description: a guard against accidents, not against an adversary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The fingerprint of a catalog.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        Self::of_bytes(catalog.description().map(str::as_bytes))
    }

    /// The fingerprint of parts that follow each other; where one ends and the next begins makes no difference.
    pub fn of_bytes<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let mut hasher = SipHasher13::new();
        parts.into_iter().for_each(|part| hasher.write(part));
        Self(hasher.finish128().as_u128())
    }
}

/// Makes the fingerprints of one catalog after another: the same as [`Fingerprint::of`], which begins at the beginning each
/// time.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    /// The description of the last catalog.
    text: String,
    /// The state of the hash behind each whole block of it.
    states: Vec<SipHasher13>,
}

/// Bytes that are hashed or left out together.
const BLOCK: usize = 1024;

impl Fingerprinter {
    /// The fingerprint of a catalog: of its description only what follows the first difference to the last is hashed.
    pub fn of(&mut self, catalog: &Catalog) -> Fingerprint {
        let text = catalog.describe();
        let blocks = || text.as_bytes().chunks(BLOCK);
        let same = blocks().zip(self.text.as_bytes().chunks(BLOCK)).take_while(|(now, last)| now == last).count();
        self.states.truncate(same);
        let mut hasher = self.states.last().copied().unwrap_or_default();
        for block in blocks().skip(self.states.len()) {
            hasher.write(block);
            if block.len() == BLOCK {
                self.states.push(hasher);
            }
        }
        self.text = text;
        Fingerprint(hasher.finish128().as_u128())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
