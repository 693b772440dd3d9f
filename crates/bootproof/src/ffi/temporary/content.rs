//! The content of a temporary file: its beginning in memory, the rest in a file, written in pieces.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::ffi;

/// So much of a file's beginning is in memory. Merging fills and reads files of half the memory that sorting has, again and
/// again: with `SORTING_CACHE` they never get longer than this.
pub(super) const BEGINNING: usize = 1024 * 1024;
/// All beginnings of a process together have so much. An index sorted by two threads has 13 files at most at a time.
const MOST: usize = 16 * BEGINNING;
/// What is written at once behind the beginning.
pub(super) const PIECE: usize = 64 * 1024;

/// What the beginnings of this process take of [`MOST`].
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The file behind the content. Errors are SQLite's.
pub(super) trait Below {
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), c_int>;
    fn write(&self, data: &[u8], offset: u64) -> Result<(), c_int>;
    fn truncate(&self, length: u64) -> Result<(), c_int>;
}

/// What is in the file below at an offset belongs there in the content too; the beginning alone is not there.
#[derive(Debug)]
pub(super) struct Content {
    /// As far as it was written; what is missing is zero.
    beginning: Vec<u8>,
    /// Memory for the beginning; `None` where it has none, and everything is below.
    share: Option<Share>,
    /// What was written last and is not below yet, and where it belongs.
    piece: Vec<u8>,
    at: u64,
    length: u64,
}

impl Content {
    pub(super) fn new() -> Self {
        let mut beginning = Vec::new();
        // The memory is the system's until something is written there.
        let share = Share::take().filter(|_| beginning.try_reserve_exact(BEGINNING).is_ok());
        Self { beginning, share, piece: Vec::new(), at: 0, length: 0 }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Fails where this or what was written before cannot be written. That is kept, and tried again with whatever is asked next.
    pub(super) fn write(&mut self, below: &impl Below, data: &[u8], offset: u64) -> Result<(), c_int> {
        let (first, rest) = data.split_at(self.in_beginning(offset, data.len()));
        if !first.is_empty() {
            let from = usize::try_from(offset).map_err(|_| ffi::SQLITE_IOERR_WRITE)?;
            let to = from.saturating_add(first.len());
            if self.beginning.len() < to {
                self.beginning.resize(to, 0);
            }
            self.beginning.get_mut(from..to).ok_or(ffi::SQLITE_IOERR_WRITE)?.copy_from_slice(first);
        }
        if !rest.is_empty() {
            self.collect(below, rest, offset.saturating_add(wide(first.len())))?;
        }
        self.length = self.length.max(offset.saturating_add(wide(data.len())));
        Ok(())
    }

    /// The buffer is all zero: so it stays behind the end, which is told (<https://sqlite.org/c3ref/io_methods.html>).
    pub(super) fn read(&mut self, below: &impl Below, buffer: &mut [u8], offset: u64) -> Result<(), c_int> {
        let amount = buffer.len();
        let there = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(amount);
        let (wanted, _) = buffer.split_at_mut(there);
        let (first, rest) = wanted.split_at_mut(self.in_beginning(offset, there));
        let held = usize::try_from(offset).ok().and_then(|from| self.beginning.get(from..)).unwrap_or_default();
        let held = held.get(..first.len()).unwrap_or(held);
        first.split_at_mut(held.len()).0.copy_from_slice(held);
        if !rest.is_empty() {
            let behind = offset.saturating_add(wide(there.saturating_sub(rest.len())));
            self.flush(below)?;
            below.read(rest, behind)?;
        }
        if there == amount { Ok(()) } else { Err(ffi::SQLITE_IOERR_SHORT_READ) }
    }

    pub(super) fn truncate(&mut self, below: &impl Below, length: u64) -> Result<(), c_int> {
        self.flush(below)?;
        below.truncate(length)?;
        self.beginning.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        self.length = length;
        Ok(())
    }

    /// Writes what was collected.
    pub(super) fn flush(&mut self, below: &impl Below) -> Result<(), c_int> {
        if !self.piece.is_empty() {
            below.write(&self.piece, self.at)?;
            self.at = self.at.saturating_add(wide(self.piece.len()));
            self.piece.clear();
        }
        Ok(())
    }

    /// How many of the bytes from here on belong to the beginning.
    fn in_beginning(&self, offset: u64, amount: usize) -> usize {
        let most = if self.share.is_some() { wide(BEGINNING) } else { 0 };
        usize::try_from(most.saturating_sub(offset)).unwrap_or(usize::MAX).min(amount)
    }

    fn collect(&mut self, below: &impl Below, data: &[u8], offset: u64) -> Result<(), c_int> {
        if self.at.saturating_add(wide(self.piece.len())) != offset {
            self.flush(below)?;
            self.at = offset;
        }
        if self.piece.capacity() < PIECE && self.piece.try_reserve_exact(PIECE).is_err() {
            self.flush(below)?;
            return below.write(data, offset);
        }
        let mut left = data;
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(PIECE.saturating_sub(self.piece.len())));
            self.piece.extend_from_slice(now);
            left = later;
            if self.piece.len() >= PIECE {
                self.flush(below)?;
            }
        }
        Ok(())
    }
}

/// One file's part of [`MOST`], until it is closed.
#[derive(Debug)]
struct Share;

impl Share {
    fn take() -> Option<Self> {
        let take = |taken: usize| taken.checked_add(BEGINNING).filter(|taken| *taken <= MOST);
        // None is made where it was not taken: dropping it would give it back.
        TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok().then(|| Self)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        TAKEN.fetch_sub(BEGINNING, Ordering::Relaxed);
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
