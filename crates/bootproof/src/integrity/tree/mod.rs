//! The trees of a file, read page by page as the file has them.
//!
//! SQLite's `PRAGMA quick_check` goes through every page of a tree, and then once more through its rows, with a step of its virtual
//! machine or two for every column; an index that is to be compared is read a third time. Here a page is read once: its
//! structure is checked, what its rows hold against what their columns may, and the entries of an index are handed over.
//!
//! - `page`: one page, its cells and whether they fill it, and `taken` which of its bytes belong to something;
//! - `space`: which pages there are, what each is used for, and those that are free;
//! - `record`: the values of a row or of an entry;
//! - `rules`: what a table's columns may hold.
//!
//! It follows SQLite's own check (`checkTreePage` in `btree.c`, and what `PRAGMA quick_check` is compiled to), and the file format
//! (<https://sqlite.org/fileformat2.html>). What is not as it should be is a doubt, no verdict: SQLite is asked then.

mod page;
mod record;
mod rules;
mod space;
mod taken;
#[cfg(test)]
mod tests;

use rusqlite::Connection;

pub(super) use page::Kind;
use page::Page;
pub(super) use record::Record;
pub(super) use rules::{Rules, Verdict};
pub(super) use space::Space;
use taken::Taken;

/// SQLite goes no deeper (`BTCURSOR_MAX_DEPTH`).
const DEEPEST: usize = 20;

/// Something that is not as it should be, or cannot be told here.
#[derive(Debug)]
pub(super) struct Doubtful(String);

impl Doubtful {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

type Result<T> = std::result::Result<T, Doubtful>;

#[cold]
fn doubtful<T>(what: impl Into<String>) -> Result<T> {
    Err(Doubtful::new(what))
}

impl From<Doubtful> for rusqlite::Error {
    fn from(Doubtful(what): Doubtful) -> Self {
        Self::UserFunctionError(what.into())
    }
}

impl From<rusqlite::Error> for Doubtful {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// Reads trees through one connection, which is in a transaction and sees the file alone.
pub(super) struct Walk<'w> {
    connection: &'w Connection,
    space: &'w Space,
    /// Told how many cells were read; false where no more are wanted.
    goes_on: &'w dyn Fn(u64) -> bool,
    /// Used again: pages on the way down and which of their bytes are taken, and long content.
    buffers: Vec<Vec<u8>>,
    taken: Vec<Taken>,
    content: Vec<u8>,
}

/// What is known of a tree on the way through it.
struct Tree<'t> {
    kind: Kind,
    /// Up to what length content that goes on elsewhere is put together.
    whole: usize,
    /// How deep its leaves are, which is the same for all.
    leaves: Option<usize>,
    /// The highest number of a row so far.
    highest: Option<i64>,
    visit: &'t mut dyn FnMut(&Content<'_>) -> Result<()>,
}

/// A row or an entry of an index.
pub(super) struct Content<'c> {
    /// All of it, or of long content what lies on its page.
    pub(super) bytes: &'c [u8],
    /// How long it is.
    pub(super) length: usize,
}

impl<'w> Walk<'w> {
    pub(super) fn new(connection: &'w Connection, space: &'w Space, goes_on: &'w dyn Fn(u64) -> bool) -> Self {
        let (buffers, taken, content) = (Vec::new(), Vec::new(), Vec::new());
        Self { connection, space, goes_on, buffers, taken, content }
    }

    /// Checks a tree, and hands over its rows or entries in their order: of those that are longer than `whole`, and do not fit on their
    /// page, only the beginning.
    pub(super) fn tree(
        &mut self,
        root: u32,
        kind: Kind,
        whole: usize,
        visit: &mut dyn FnMut(&Content<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut tree = Tree { kind, whole, leaves: None, highest: None, visit };
        self.page(&mut tree, root, 1)
    }

    /// Checks the list of free pages (<https://sqlite.org/fileformat2.html#the_freelist>).
    pub(super) fn free_pages(&mut self) -> Result<()> {
        let (mut trunk, mut left) = self.space.free;
        let mut page = Vec::new();
        while trunk != 0 {
            self.space.take(trunk)?;
            self.space.read(self.connection, trunk, &mut page)?;
            let next = page::number(&page, 0)?;
            let count = page::number(&page, 4)?;
            if u64::from(count) + 2 > self.space.usable as u64 / 4 {
                return doubtful(format!("page {trunk} lists {count} free pages"));
            }
            for at in 0..count as usize {
                self.space.take(page::number(&page, 8 + 4 * at)?)?;
            }
            let Some(rest) = left.checked_sub(count + 1) else {
                return doubtful("more pages are free than the header counts");
            };
            (trunk, left) = (next, rest);
        }
        if left == 0 { Ok(()) } else { doubtful(format!("{left} pages fewer are free than the header counts")) }
    }

    fn page(&mut self, tree: &mut Tree<'_>, number: u32, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return doubtful(format!("page {number} is too deep in its tree"));
        }
        self.space.take(number)?;
        let mut bytes = self.buffers.pop().unwrap_or_default();
        let read = self.space.read(self.connection, number, &mut bytes);
        let outcome = read.and_then(|()| self.cells(tree, number, depth, &bytes));
        self.buffers.push(bytes);
        outcome
    }

    fn cells(&mut self, tree: &mut Tree<'_>, number: u32, depth: usize, bytes: &[u8]) -> Result<()> {
        let page = Page::parse(bytes, number, self.space.usable)?;
        if page.kind != tree.kind {
            return doubtful(format!("page {number} is of another kind than its tree"));
        }
        if page.is_leaf && *tree.leaves.get_or_insert(depth) != depth {
            return doubtful(format!("page {number} is not as deep as others in its tree"));
        }
        // Only a tree that is empty has a page without cells; and the first page of a file, which has less room, may have no more than
        // a child. SQLite's check of the pages lets others pass, and its cursors stop at them.
        if page.count == 0 && (depth > 1 || !page.is_leaf && number != 1) {
            return doubtful(format!("page {number} has no cells"));
        }
        if !(self.goes_on)(u64::from(page.count)) {
            return doubtful("no longer wanted");
        }
        let mut taken = self.taken.pop().unwrap_or_default();
        taken.clear(self.space.usable);
        for at in 0..page.count {
            let cell = page.cell(at)?;
            page.take(&mut taken, cell.begin, cell.size)?;
            if let Some(child) = cell.child {
                self.page(tree, child, depth + 1)?;
            }
            if tree.kind == Kind::Table {
                // What separates two pages may be the number of the last row on the first.
                let is_above = |highest| cell.row > highest || cell.row == highest && !page.is_leaf;
                if !tree.highest.is_none_or(is_above) {
                    return doubtful(format!("row {} on page {number} is out of order", cell.row));
                }
                tree.highest = Some(cell.row);
            }
            if page.is_leaf || tree.kind == Kind::Index {
                match cell.overflow {
                    None => (tree.visit)(&Content { bytes: cell.local, length: cell.length })?,
                    Some(first) => self.long(tree, cell.local, cell.length, first)?,
                }
            }
        }
        page.is_filled(&mut taken)?;
        self.taken.push(taken);
        match page.right {
            Some(child) => self.page(tree, child, depth + 1),
            None => Ok(()),
        }
    }

    /// Hands over content that goes on elsewhere.
    fn long(&mut self, tree: &mut Tree<'_>, local: &[u8], length: usize, first: u32) -> Result<()> {
        let mut whole = std::mem::take(&mut self.content);
        whole.clear();
        let is_whole = length <= tree.whole;
        let followed = self.overflow(local, length, first, is_whole.then_some(&mut whole));
        let bytes = if is_whole { whole.as_slice() } else { local };
        let visited = followed.and_then(|()| (tree.visit)(&Content { bytes, length }));
        self.content = whole;
        visited
    }

    /// Follows content that goes on elsewhere, and puts it together where that is wanted.
    fn overflow(&mut self, local: &[u8], length: usize, first: u32, mut whole: Option<&mut Vec<u8>>) -> Result<()> {
        let room = self.space.usable - 4;
        let mut left = length - local.len();
        if let Some(whole) = &mut whole {
            extend(whole, local)?;
        }
        let mut page = self.buffers.pop().unwrap_or_default();
        let mut next = first;
        while left > 0 {
            self.space.take(next)?;
            self.space.read(self.connection, next, &mut page)?;
            let part = left.min(room);
            if let Some(whole) = &mut whole {
                extend(whole, page.get(4..4 + part).unwrap_or_default())?;
            }
            left -= part;
            next = page::number(&page, 0)?;
        }
        self.buffers.push(page);
        if next == 0 { Ok(()) } else { doubtful("content goes on behind its end") }
    }
}

/// As much as was claimed need not be there, and need not fit.
fn extend(bytes: &mut Vec<u8>, more: &[u8]) -> Result<()> {
    if bytes.try_reserve(more.len()).is_err() {
        return doubtful("content does not fit into memory");
    }
    bytes.extend_from_slice(more);
    Ok(())
}
