//! One page of a tree (<https://sqlite.org/fileformat2.html#b_tree_pages>).

use super::taken::Taken;
use super::{Result, doubtful};

/// What a tree holds: rows by their number, or entries by their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Table,
    Index,
}

/// Before the first page of a file comes its header.
const FILE_HEADER: usize = 100;
/// The smallest free block, and the least that a cell takes.
const LEAST: usize = 4;

pub(super) struct Page<'p> {
    bytes: &'p [u8],
    number: u32,
    usable: usize,
    pub(super) kind: Kind,
    pub(super) is_leaf: bool,
    /// How many cells there are.
    pub(super) count: u16,
    /// The last child.
    pub(super) right: Option<u32>,
    /// Where the pointers to the cells begin, where cells may begin, and how many bytes between them belong to nobody.
    pointers: usize,
    content: usize,
    fragments: usize,
    first_free: usize,
}

/// A row, an entry, or what separates two pages.
pub(super) struct Cell<'p> {
    /// The page with what comes before it.
    pub(super) child: Option<u32>,
    /// In a table.
    pub(super) row: i64,
    pub(super) length: usize,
    /// As much of the content as lies here.
    pub(super) local: &'p [u8],
    /// Where the rest begins.
    pub(super) overflow: Option<u32>,
    /// What it takes of the page.
    pub(super) begin: usize,
    pub(super) size: usize,
}

impl<'p> Page<'p> {
    pub(super) fn parse(bytes: &'p [u8], number: u32, usable: usize) -> Result<Self> {
        let start = if number == 1 { FILE_HEADER } else { 0 };
        let (kind, is_leaf) = match bytes.get(start) {
            Some(0x02) => (Kind::Index, false),
            Some(0x05) => (Kind::Table, false),
            Some(0x0a) => (Kind::Index, true),
            Some(0x0d) => (Kind::Table, true),
            _ => return doubtful(format!("page {number} is not of a tree")),
        };
        let (first_free, count) = (short(bytes, start + 1)?, short(bytes, start + 3)?);
        // 65,536 does not fit into two bytes.
        let content = match short(bytes, start + 5)? {
            0 => 1 << 16,
            content => content,
        };
        let fragments = bytes.get(start + 7).copied().unwrap_or_default().into();
        let right = if is_leaf { None } else { Some(super::page::number(bytes, start + 8)?) };
        let pointers = start + if is_leaf { 8 } else { 12 };
        if count > (bytes.len() - 8) / 6 {
            return doubtful(format!("page {number} has too many cells"));
        }
        let count = u16::try_from(count).unwrap_or_default();
        Ok(Self { bytes, number, usable, kind, is_leaf, count, right, pointers, content, fragments, first_free })
    }

    /// Whether the cells, which have taken their bytes, and the free blocks fill the page without lying on each other, but for as many
    /// bytes as are said to be left over.
    pub(super) fn is_filled(&self, taken: &mut Taken) -> Result<()> {
        let mut free = self.fragments + self.content;
        let (mut block, mut end) = (self.first_free, self.content);
        while block != 0 {
            // They come in order, and not next to each other.
            if block < end || block + LEAST > self.usable {
                return self.doubtful("free space is out of order");
            }
            let (next, size) = (short(self.bytes, block)?, short(self.bytes, block + 2)?);
            if size < LEAST {
                return self.doubtful("free space has a wrong size");
            }
            self.take(taken, block, size)?;
            free += size;
            (block, end) = (next, block + size + LEAST);
        }
        if free > self.usable || free < self.pointers + 2 * usize::from(self.count) {
            return self.doubtful("free space does not add up");
        }
        // Nothing begins before the content does.
        let left = self.usable.checked_sub(self.content + taken.count());
        if left == Some(self.fragments) { Ok(()) } else { self.doubtful("some bytes are lost") }
    }

    /// Takes note of what a cell or a free block takes of the page.
    #[inline]
    pub(super) fn take(&self, taken: &mut Taken, begin: usize, size: usize) -> Result<()> {
        if taken.take(begin, size) { Ok(()) } else { self.doubtful("a byte is used twice, or is past the end") }
    }

    #[inline]
    pub(super) fn cell(&self, at: u16) -> Result<Cell<'p>> {
        self.cell_at(self.begin(at)?)
    }

    #[inline]
    fn begin(&self, at: u16) -> Result<usize> {
        let begin = short(self.bytes, self.pointers + 2 * usize::from(at))?;
        if begin < self.content || begin + LEAST > self.usable {
            return self.doubtful("a cell begins outside");
        }
        Ok(begin)
    }

    #[inline]
    fn cell_at(&self, begin: usize) -> Result<Cell<'p>> {
        let mut at = begin;
        let child = if self.is_leaf { None } else { Some(number(self.bytes, at)?) };
        at += if self.is_leaf { 0 } else { 4 };
        let mut next = |read: fn(&[u8]) -> Option<(u64, usize)>| -> Result<u64> {
            let Some((value, size)) = read(self.bytes.get(at..).unwrap_or_default()) else {
                return self.doubtful(NO_NUMBER);
            };
            at += size;
            Ok(value)
        };
        let has_content = self.is_leaf || self.kind == Kind::Index;
        let length = if has_content { next(short_varint)? } else { 0 };
        let row = if self.kind == Kind::Table { next(varint)?.cast_signed() } else { 0 };
        if !has_content {
            return Ok(Cell { child, row, length: 0, local: &[], overflow: None, begin, size: at - begin });
        }
        let Ok(length) = i32::try_from(length).map(|length| length.unsigned_abs() as usize) else {
            return self.doubtful("a cell is too long");
        };
        let here = self.local(length);
        // The first byte is how long the record's header is, and counts itself.
        let Some(local) = self.bytes.get(at..at + here).filter(|content| content.first().is_some_and(|it| *it > 1))
        else {
            return self.doubtful("a cell goes past the end, or has no content");
        };
        at += here;
        let overflow = if here < length { Some(number(self.bytes, at)?) } else { None };
        at += if overflow.is_some() { 4 } else { 0 };
        Ok(Cell { child, row, length, local, overflow, begin, size: (at - begin).max(LEAST) })
    }

    #[cold]
    fn doubtful<T>(&self, what: &str) -> Result<T> {
        doubtful(format!("page {}: {what}", self.number))
    }

    /// How much of a content of this length lies on the page itself
    /// (<https://sqlite.org/fileformat2.html#cell_payload_overflow_pages>).
    fn local(&self, length: usize) -> usize {
        let most = match self.kind {
            Kind::Table => self.usable - 35,
            Kind::Index => (self.usable - 12) * 64 / 255 - 23,
        };
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (self.usable - 4);
        if fitting <= most { fitting } else { least }
    }
}

#[inline]
fn short(bytes: &[u8], at: usize) -> Result<usize> {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low]).into()),
        _ => doubtful("a page ends too early"),
    }
}

/// The number of a page, or a count of pages.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize) -> Result<u32> {
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => Ok(u32::from_be_bytes([a, b, c, d])),
        _ => doubtful("a page ends too early"),
    }
}

/// What is doubtful where a number cannot be read.
pub(super) const NO_NUMBER: &str = "a number goes past the end, or has zeros before it";

/// A length, or how a value is stored: of these SQLite writes none with more bytes than it takes, and one that has more it reads now in
/// one way, now in another. None, too, where there is such a one.
#[inline]
pub(super) fn short_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    match *bytes {
        [one, ..] if one < 0x80 => Some((one.into(), 1)),
        [0x80, ..] => None,
        _ => varint(bytes),
    }
}

/// A number of one to nine bytes, and how many those are (<https://sqlite.org/fileformat2.html#varint>); none where it goes past the
/// end.
#[inline]
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    // Nearly all are of one byte or two.
    match *bytes {
        [one, ..] if one < 0x80 => Some((one.into(), 1)),
        [one, two, ..] if two < 0x80 => Some((u64::from(one & 0x7f) << 7 | u64::from(two), 2)),
        _ => long_varint(bytes),
    }
}

fn long_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if at == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}
