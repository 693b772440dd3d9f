//! Whether the file ends where its last page does.
//!
//! What is missing of the last page SQLite takes for zeros, and its own check does too. But the content of an overflow page goes
//! past its page cache, and there a row that has lost its end is "disk I/O error" to whoever reads it, for ever.

use rusqlite::Connection;

use crate::error::Error;
use crate::ffi;

/// Where the header says which version of the format is needed to write the file, and that of a file in WAL mode, whose last
/// pages may be in the log (<https://sqlite.org/fileformat2.html#file_format_version_numbers>).
const WRITE_VERSION: usize = 18;
const OF_WAL: u8 = 2;

/// Refuses a file that is shorter than its pages. Before anything is written: what is new is in memory first.
pub(super) fn check(connection: &Connection) -> Result<(), Error> {
    let number = |pragma| connection.pragma_query_value(Some("main"), pragma, |row| row.get(0).map(i64::unsigned_abs));
    let measured = number("page_count").and_then(|pages| Ok((pages, number("page_size")?)));
    let (pages, size) = measured.map_err(|error| Error::from_reading("measuring the file", error))?;
    let is_wal = ffi::file_header(connection).is_none_or(|header| header.get(WRITE_VERSION) == Some(&OF_WAL));
    let length = ffi::file_of(connection).and_then(|path| path.metadata().ok()).map(|file| file.len());
    match length {
        Some(length) if !is_wal && length < pages.saturating_mul(size) => {
            let problem =
                format!("the file has {length} bytes: it ends within the last of its {pages} pages of {size}");
            Err(Error::Integrity { problems: vec![problem] })
        }
        _ => Ok(()),
    }
}
