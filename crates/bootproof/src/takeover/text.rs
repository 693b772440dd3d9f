//! The texts that a migration may have been applied with, and the digests of them that other tools record.
//!
//! What was compiled is normalised; other tools take the bytes as they are, and a checkout on Windows has others. So every
//! form counts that is the same migration to us.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256, Sha384};

use crate::compiled::Migration;
use crate::schema::Schema;

const MARK: &str = "\u{feff}";

/// Whether something holds for some form of a migration's text.
pub(super) fn any(schema: &Schema, migration: &Migration, holds: impl Fn(&[u8]) -> bool) -> bool {
    let embedded = schema.sources().iter().find(|source| source.path == migration.file);
    if embedded.is_some_and(|source| holds(source.bytes)) {
        return true;
    }
    let (unix, windows) = (migration.sql.to_owned(), migration.sql.replace('\n', "\r\n"));
    [&unix, &windows].into_iter().any(|text| holds(text.as_bytes()) || holds((MARK.to_owned() + text).as_bytes()))
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(text: &[u8]) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// SHA-384.
pub(super) fn sha384(text: &[u8]) -> Vec<u8> {
    Sha384::digest(text).to_vec()
}

/// The CRC-32 of zip and Ethernet over the lines of a text, without the ends of the lines and a byte order mark.
pub(super) fn crc32_of_lines(text: &[u8]) -> i32 {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_prefix(MARK).unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let register = text.lines().flat_map(str::bytes).fold(u32::MAX, |register, byte| {
        (0..8).fold(register ^ u32::from(byte), |register, _| {
            let carry = if register & 1 == 1 { 0xedb8_8320 } else { 0 };
            (register >> 1) ^ carry
        })
    });
    (!register).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::{crc32_of_lines, sha256};

    #[test]
    fn digests_are_those_of_the_standards() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // The check value of the algorithm is that of these digits.
        assert_eq!(crc32_of_lines(b"123456789").cast_unsigned(), 0xcbf4_3926);
        assert_eq!(crc32_of_lines(b"\xef\xbb\xbf1234\r\n567\r89\n"), crc32_of_lines(b"123456789"));
    }
}
