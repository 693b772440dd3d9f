//! The entries of an index, read as they are.
//!
//! Asked for the columns of an index, SQLite may compute one from another, take the number of a row from the end of an entry
//! without looking at what is before it, or read a number as the column would have it. An imposter is a table that exists in one
//! connection only and has the tree of the index for its own: SQLite reads every entry from its first byte to its last, and finds
//! it corrupt where its parts do not fill it. SQLite's own extension RBU reads and writes indexes in this way
//! (<https://sqlite.org/imposter.html>).

use rusqlite::Connection;

use super::reader::READING;
use super::shape::Index;
use crate::ffi;

/// A table in the place of an index.
pub(super) struct Imposter {
    /// Reads every entry, in the order of the index, and of each the last column first.
    pub(super) entries: String,
}

impl Imposter {
    /// Lasts until the connection reads the schema again.
    pub(super) fn of(connection: &Connection, index: &Index) -> rusqlite::Result<Self> {
        let name = format!("\"bootproof imposter {}\"", index.root);
        // Without a type no value is converted. The number of the row comes last. While an imposter is made, a name of a schema before
        // the table is taken for damage.
        let columns: Vec<String> = (0..=index.terms.len()).map(|number| format!("c{number}")).collect();
        // Asked for the last column, SQLite finds on the way where the others are.
        let backwards: Vec<&str> = columns.iter().rev().map(String::as_str).collect();
        let (columns, backwards) = (columns.join(", "), backwards.join(", "));
        let sql = format!("CREATE TABLE {name}({columns}, PRIMARY KEY({columns})) WITHOUT ROWID");
        ffi::create_imposter(connection, index.root, &sql)?;
        Ok(Self { entries: format!("SELECT {READING}({backwards}) FROM main.{name}") })
    }
}
