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
        Self::of_bytes([catalog.describe().as_bytes()])
    }

    /// The fingerprint of parts that follow each other; where one ends and the next begins makes no difference.
    pub fn of_bytes<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let mut hasher = SipHasher13::new();
        parts.into_iter().for_each(|part| hasher.write(part));
        Self(hasher.finish128().as_u128())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
