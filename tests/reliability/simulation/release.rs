//! Binaries of earlier releases: those that knew the first of today's migrations only.

use std::sync::OnceLock;

use worklog_schema::bootproof::Schema;
use worklog_schema::{COMPILED, HEAD};

use crate::support::schema_of;

/// The release whose head is this version.
pub(super) fn release(head: i64) -> &'static Schema {
    static RELEASES: OnceLock<Vec<Schema>> = OnceLock::new();
    let position = usize::try_from(head).unwrap();
    let newest = usize::try_from(HEAD).unwrap();
    let releases = || (0..=newest).map(|newest| schema_of(&COMPILED.migrations[..=newest])).collect();
    &RELEASES.get_or_init(releases)[position]
}
