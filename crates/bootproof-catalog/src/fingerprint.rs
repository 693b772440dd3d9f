//! A catalog in 128 bits.

use std::fmt;

use siphasher::sip128::SipHasher13;

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
        let hash = SipHasher13::new().hash(catalog.describe().as_bytes());
        Self(hash.as_u128())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
