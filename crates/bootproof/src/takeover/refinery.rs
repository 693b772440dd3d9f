//! refinery: its table is our own history, but what plain refinery wrote has its own checksums.
//!
//! It hashes the name, the version, of 32 bits unless it was built with `int8-versions`, and the text as the file has it.

use bootproof_catalog::source;

use super::{TakeOver, text};
use crate::compiled::Migration;
use crate::schema::Schema;

const NAME: &str = "refinery";

/// Whether refinery would have recorded this checksum for a migration.
pub(crate) fn is_checksum_of(schema: &Schema, migration: &Migration, checksum: u64) -> bool {
    let Migration { version, name, .. } = *migration;
    text::any(schema, migration, |text| {
        let Ok(text) = std::str::from_utf8(text) else { return false };
        let of_32_bits = source::checksum_of_32_bits(version, name, text);
        of_32_bits == Some(checksum) || source::checksum(version, name, text) == checksum
    })
}

/// That a history which no boot has written is continued.
pub(crate) fn taken_over(version: i64) -> TakeOver {
    let note = format!("taken over from {NAME} at version {version}; its rows in the history are left as they were");
    TakeOver { tool: NAME, version, notes: vec![note] }
}
