//! The text of a migration: normalised once, then identified by its checksum.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

/// The text of a file as every machine should see it: without a byte order mark and with `\n` line ends, so that a
/// checkout on Windows has the same checksum as one on Linux.
///
/// # Errors
///
/// The position of the first byte that is not UTF-8.
pub fn normalise(bytes: &[u8]) -> Result<String, std::str::Utf8Error> {
    let text = std::str::from_utf8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n"))
}

/// The checksum that refinery (with 64-bit versions) stores for a migration: SipHash-1-3 with a zero key over name,
/// version and text.
#[must_use]
pub fn checksum(version: i64, name: &str, sql: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    sql.hash(&mut hasher);
    hasher.finish()
}

/// The same as refinery with 32-bit versions, its default, stores it; none for a version that it cannot have.
#[must_use]
pub fn checksum_of_32_bits(version: i64, name: &str, sql: &str) -> Option<u64> {
    let version = i32::try_from(version).ok()?;
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    sql.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn a_windows_checkout_has_the_same_text() {
        assert_eq!(normalise(b"\xef\xbb\xbfSELECT 1;\r\n").unwrap(), "SELECT 1;\n");
        assert!(normalise(b"SELECT '\xff'").is_err());
    }
}
