//! The pages of a file, and that each is used for one thing.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::{Result, doubtful};
use crate::ffi;

/// The header of a file (<https://sqlite.org/fileformat2.html#the_database_header>): what it begins with, and where it says what.
const MAGIC: &[u8] = b"SQLite format 3\0";
const RESERVED: usize = 20;
const FIRST_FREE: usize = 32;
const FREE: usize = 36;
const LARGEST_ROOT: usize = 52;
const IS_INCREMENTAL: usize = 64;

/// Where the bytes lie that SQLite locks, on a page that is never used.
const PENDING_BYTE: u64 = 1 << 30;

/// The pages of a file, and which of them were met.
pub(in super::super) struct Space {
    size: usize,
    pub(super) usable: usize,
    count: u32,
    /// The first page that lists free ones, and how many pages are free.
    pub(super) free: (u32, u32),
    met: Vec<AtomicU64>,
}

impl Space {
    /// Of a connection in a transaction; none where the file is not laid out as it is here. A file that can move its pages has further
    /// ones that say what each is used for (<https://sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages>).
    pub(in super::super) fn of(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let Some(header) = ffi::file_header(connection) else { return Ok(None) };
        let number = |at| super::page::number(&header, at).unwrap_or(u32::MAX);
        let reserved = header.get(RESERVED).copied().unwrap_or_default();
        let pragma = |name| connection.pragma_query_value(Some("main"), name, |row| row.get::<_, u32>(0));
        let (size, count) = (pragma("page_size")? as usize, pragma("page_count")?);
        let moves_pages = number(LARGEST_ROOT) != 0 || number(IS_INCREMENTAL) != 0;
        if !header.starts_with(MAGIC) || moves_pages || !(512..=1 << 16).contains(&size) {
            return Ok(None);
        }
        let words = count as usize / 64 + 1;
        let mut met = Vec::new();
        if met.try_reserve_exact(words).is_err() {
            return Ok(None);
        }
        met.resize_with(words, AtomicU64::default);
        let free = (number(FIRST_FREE), number(FREE));
        let space = Self { size, usable: size - usize::from(reserved), count, free, met };
        let pending = u32::try_from(PENDING_BYTE / size as u64 + 1).unwrap_or(u32::MAX);
        if pending <= count && space.take(pending).is_err() {
            return Ok(None);
        }
        Ok(Some(space))
    }

    /// Takes note of what a page is used for; a doubt where it is not there, or used already.
    pub(super) fn take(&self, page: u32) -> Result<()> {
        if page == 0 || page > self.count {
            return doubtful(format!("page {page} is not there"));
        }
        let bit = 1 << (page % 64);
        let before = self.met.get(page as usize / 64).map(|word| word.fetch_or(bit, Ordering::Relaxed));
        match before {
            Some(before) if before & bit == 0 => Ok(()),
            _ => doubtful(format!("page {page} is used twice")),
        }
    }

    /// Whether every page is used for something.
    pub(in super::super) fn is_used_up(&self) -> bool {
        let met: u32 = self.met.iter().map(|word| word.load(Ordering::Relaxed).count_ones()).sum();
        met == self.count
    }

    /// Reads a page as the file has it.
    pub(super) fn read(&self, connection: &Connection, page: u32, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.resize(self.size, 0);
        let offset = i64::from(page - 1) * i64::try_from(self.size).unwrap_or(i64::MAX);
        Ok(ffi::read_file(connection, bytes, offset)?)
    }
}
