//! The notes, and the database that they are kept in.

use std::path::Path;
use std::sync::LazyLock;

use bootproof::{Boot, BootReport, Failure, Schema};
use rusqlite::{Connection, Row, named_params};

pub use compiled::{COMPILED, HEAD, index, query, table};

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/bootproof.rs"));
}

/// What the migrations compiled to.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let build = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    Schema::new("notes", &COMPILED).with_build(build).with_default_database("notes.db")
});

/// A note as it is listed.
#[derive(Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// Its first line.
    pub title: String,
    /// When it was written, in UTC.
    pub created_at: String,
}

/// Every note, in a database that was proven.
#[derive(Debug)]
pub struct Notes(Connection);

impl Notes {
    /// Takes a database file to the newest version, or refuses; a missing file is made.
    ///
    /// # Errors
    ///
    /// Why the database cannot be used, with what to do and the exit code for it.
    pub fn boot(path: &Path) -> Result<BootReport, Failure> {
        Boot::new(&SCHEMA, path).run()
    }

    /// Opens a database after [`Notes::boot`].
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // A boot proves foreign keys; that they stay so is a setting of every connection.
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self(connection))
    }

    /// Writes a note down, and returns its number.
    ///
    /// # Errors
    ///
    /// What SQLite says, as everywhere below.
    pub fn add(&self, title: &str, body: &str) -> rusqlite::Result<i64> {
        self.0.execute("INSERT INTO note(title, body) VALUES (?1, ?2)", [title, body])?;
        Ok(self.0.last_insert_rowid())
    }

    /// Gives a note a tag. Returns whether there is such a note.
    pub fn tag(&mut self, note: i64, tag: &str) -> rusqlite::Result<bool> {
        let transaction = self.0.transaction()?;
        transaction.execute("INSERT INTO tag(name) VALUES (?1) ON CONFLICT DO NOTHING", [tag])?;
        let sql = "INSERT INTO note_tag(note_id, tag_id)
                   SELECT note.id, tag.id FROM note, tag WHERE note.id = ?1 AND tag.name = ?2
                   ON CONFLICT DO NOTHING";
        transaction.execute(sql, (note, tag))?;
        let exists =
            transaction.query_row("SELECT EXISTS (SELECT 1 FROM note WHERE id = ?1)", [note], |row| row.get(0))?;
        if exists {
            transaction.commit()?;
        }
        Ok(exists)
    }

    /// Takes a note off the list; a search still finds it. Returns whether there is such a note.
    pub fn archive(&self, note: i64) -> rusqlite::Result<bool> {
        Ok(self.0.execute("UPDATE note SET archived = 1 WHERE id = ?1", [note])? > 0)
    }

    /// The newest notes since a day.
    pub fn recent(&self, since: &str) -> rusqlite::Result<Vec<Note>> {
        let note = |query::recent::Row { id, title, created_at }| Note { id, title, created_at };
        Ok(query::recent(&self.0, &query::recent::Params { since })?.into_iter().map(note).collect())
    }

    /// The notes with a tag.
    pub fn tagged(&self, tag: &str) -> rusqlite::Result<Vec<Note>> {
        let note = |query::tagged::Row { id, title, created_at }| Note { id, title, created_at };
        Ok(query::tagged(&self.0, &query::tagged::Params { tag })?.into_iter().map(note).collect())
    }

    /// The notes with these words, the best first.
    pub fn search(&self, words: &str) -> rusqlite::Result<Vec<Note>> {
        // In quotes, a word of FTS5's query language is a word like any other.
        let words: Vec<_> = words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
        let sql = "SELECT note.id, note.title, note.created_at FROM note_text
                   JOIN note ON note.id = note_text.rowid
                   WHERE note_text MATCH :words ORDER BY rank";
        let mut statement = self.0.prepare_cached(sql)?;
        let note = |row: &Row<'_>| Ok(Note { id: row.get(0)?, title: row.get(1)?, created_at: row.get(2)? });
        statement.query_map(named_params! { ":words": words.join(" ") }, note)?.collect()
    }

    /// Every tag, and how many notes on the list have it.
    pub fn tags(&self) -> rusqlite::Result<Vec<(String, i64)>> {
        let mut statement = self.0.prepare("SELECT name, notes FROM tag_count ORDER BY notes DESC, name")?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

// The application that the documentation of bootproof builds up compiles as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../../crates/bootproof/README.md")]
struct Readme;
