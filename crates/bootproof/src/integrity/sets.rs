//! Comparing tables with their indexes as sets, beside the check of the structure.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use bootproof_catalog::Catalog;
use rusqlite::{Connection, TransactionState};

use super::crew::{Companions, Doubt};
use super::entries::{Key, Set};
use super::hands::Hands;
use super::pragma;
use super::roots::Root;
use super::shape::{Coming, Index, Scope, Shape, Table, Terms};
use super::tree::{Space, Walk};
use super::work::Work;
use crate::connection;
use crate::early;
use crate::error::Error;
use crate::ffi;
use crate::watch::Watch;

/// What the rows of tables demand of indexes that are to be built, found while the file was checked.
///
/// Rows that are not written meanwhile need not be read again then.
#[derive(Debug, Default)]
pub(crate) struct Foreseen {
    pub(super) key: Key,
    pub(super) sets: BTreeMap<(String, Terms), Set>,
}

/// Whether a file is sound beyond doubt, and what its rows demand of what is coming.
pub(super) fn is_sound(
    connection: &Connection,
    companions: Companions<'_>,
    coming: &Coming,
    watch: &Watch,
) -> (bool, Foreseen) {
    let doubt = Doubt::default();
    let mut foreseen = Foreseen::default();
    let mut check = || -> rusqlite::Result<bool> {
        if connection::is_small(connection)? || has_small_indexes(connection)? || !is_utf8(connection)? {
            return Ok(false);
        }
        let shape = Shape::read(connection, &Everything, coming)?;
        if !shape.is_complete {
            return Ok(false);
        }
        let companions = companions.assemble(connection, watch, &doubt);
        let leader = companions.first().unwrap_or(connection);
        // What a connection has written itself need not be in the file.
        let writes = leader.transaction_state(Some("main"))? == TransactionState::Write;
        let space = if !writes && ffi::reads_the_file_alone(leader)? { Space::of(leader)? } else { None };
        let roots = if space.is_some() { Root::of_all_but(leader, &shape)? } else { Vec::new() };
        let work = Work::new(&shape, &roots, space.as_ref(), &doubt, watch, &Foreseen::default());
        let structure = |connection: &Connection| {
            let is_sound = match &space {
                Some(space) => Walk::new(connection, space, &|_| true).free_pages().map(|()| true)?,
                None => pragma::says_ok(connection, "quick_check", None)?,
            };
            Ok(is_sound && left_to_sqlite(connection, &shape)?)
        };
        let is_sound = work.done_by(Hands::of_all(connection, companions), &structure)?;
        foreseen = work.foreseen();
        Ok(is_sound && space.is_none_or(|space| space.is_used_up()))
    };
    let is_sound = judged(check());
    (is_sound, if is_sound { foreseen } else { Foreseen::default() })
}

/// What a transaction has written.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    /// The schema before.
    pub(crate) before: &'a Catalog,
    /// The schema now.
    pub(crate) after: &'a Catalog,
    /// The tables whose rows may differ, in lower case.
    pub(crate) tables: &'a BTreeSet<&'a str>,
    /// Indexes that were built, also where they are defined as before.
    pub(crate) indexes: &'a BTreeSet<String>,
    /// What the rows demand of them, as far as that is known.
    pub(crate) foreseen: &'a Foreseen,
}

/// Whether what a transaction has written is sound beyond doubt: told to `conclude` by what it is given, after `meanwhile`, at which
/// time others have begun to look.
pub(super) fn is_sound_where_written<R>(
    connection: &Connection,
    written: &Written<'_>,
    watch: &Watch,
    boot: &mut R,
    meanwhile: impl FnOnce(&mut R) -> Result<(), Error>,
    conclude: impl FnOnce(&mut R, &mut dyn FnMut() -> bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let prepare = || -> rusqlite::Result<Option<Shape>> {
        if connection::is_small(connection)? || !is_utf8(connection)? {
            return Ok(None);
        }
        let shape = Shape::read(connection, written, &Coming::default())?;
        Ok(shape.is_complete.then_some(shape))
    };
    let Ok(Some(shape)) = prepare() else {
        meanwhile(boot)?;
        return conclude(boot, &mut || judged(Ok(false)));
    };
    let doubt = Doubt::default();
    let files = written_out(connection);
    let space = if files.is_empty() { None } else { Space::of(connection).unwrap_or_default() };
    let work = Work::new(&shape, &[], space.as_ref(), &doubt, watch, written.foreseen);
    let structure = |connection: &Connection| {
        for table in tables(connection)?.iter().filter(|table| written.has_table(table)) {
            if !pragma::says_ok(connection, "quick_check", Some(table))? {
                return Ok(false);
            }
        }
        left_to_sqlite(connection, &shape)
    };
    thread::scope(|threads| {
        let begun = work.begin(threads, Hands::of_writer(connection, files));
        meanwhile(boot).inspect_err(|_| doubt.raise())?;
        conclude(boot, &mut || judged(begun.as_ref().map_or(Ok(false), |begun| work.finish(begun, &structure))))
            .inspect_err(|_| doubt.raise())
    })
}

/// Whether the pages and rows of a file are sound beyond doubt, read on a connection in a transaction: what `PRAGMA quick_check`
/// asks. Stopped, as soon as it is not wanted, with a doubt.
pub(super) fn is_structure_sound(connection: &Connection, watch: &Watch, doubt: &Doubt) -> bool {
    let check = || -> rusqlite::Result<bool> {
        let writes = connection.transaction_state(Some("main"))? == TransactionState::Write;
        if writes || !ffi::reads_the_file_alone(connection)? || !is_utf8(connection)? {
            return Ok(false);
        }
        let Some(space) = Space::of(connection)? else { return Ok(false) };
        let shape = Shape::default();
        let roots = Root::of_all_but(connection, &shape)?;
        let work = Work::new(&shape, &roots, Some(&space), doubt, watch, &Foreseen::default());
        let structure = |connection: &Connection| {
            Walk::new(connection, &space, &|_| true).free_pages()?;
            for table in Root::without(connection)? {
                if !pragma::says_ok(connection, "quick_check", Some(&table))? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let is_sound = work.done_by(Hands::aside(connection), &structure)? && space.is_used_up();
        Ok(is_sound && Root::are_as_many(&roots, connection)?)
    };
    judged(check())
}

/// The file, once for each processor, where what a transaction has written is in it now, but for the first page; none where it is
/// not.
pub(super) fn written_out(connection: &Connection) -> Vec<Connection> {
    let open = || -> Result<Vec<Connection>, String> {
        let Some(file) = early::write_out(connection).map_err(|error| error.to_string())? else {
            return Ok(Vec::new());
        };
        let another = |_| connection::open_companion(&file).map_err(|error| error.to_string());
        (0..Companions::processors()).map(another).collect()
    };
    open().unwrap_or_else(|error| {
        log::debug!("reading what was written on one connection: {error}");
        Vec::new()
    })
}

/// An error is a doubt: SQLite's own check meets it too, and tells what it means.
fn judged(checked: rusqlite::Result<bool>) -> bool {
    match checked {
        Ok(true) => true,
        Ok(false) => {
            log::debug!("leaving the file to SQLite's own check");
            false
        }
        Err(error) => {
            log::debug!("leaving the file to SQLite's own check: {error}");
            false
        }
    }
}

/// Whether there is so little for each index that SQLite has looked it up before the comparison has begun with the index.
fn has_small_indexes(connection: &Connection) -> rusqlite::Result<bool> {
    const LEAST: i64 = 32 << 10;
    let indexes = "SELECT count(*) FROM main.sqlite_schema WHERE type = 'index'";
    let indexes: i64 = connection.query_row(indexes, [], |row| row.get(0))?;
    Ok(connection::bytes(connection)? < indexes.saturating_mul(LEAST))
}

/// In another encoding texts are ordered in another way.
fn is_utf8(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.query_row("PRAGMA main.encoding", [], |row| row.get::<_, String>(0))? == "UTF-8")
}

fn left_to_sqlite(connection: &Connection, shape: &Shape) -> rusqlite::Result<bool> {
    for table in &shape.others {
        if !pragma::with_large_cache(connection, || pragma::says_ok(connection, "integrity_check", Some(table)))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

struct Everything;

impl Scope for Everything {
    fn has_table(&self, _table: &str) -> bool {
        true
    }

    fn has_index(&self, _index: &str) -> bool {
        true
    }
}

impl Written<'_> {
    /// Whether a table may have been written. What the catalogs do not know, as the bookkeeping and the shadows of virtual
    /// tables, may.
    pub(crate) fn has_table(&self, table: &str) -> bool {
        let key = table.to_ascii_lowercase();
        let before = self.before.tables.get(&key);
        before.is_none() || before != self.after.tables.get(&key) || self.tables.contains(key.as_str())
    }

    /// Whether an index made by CREATE INDEX was built. Those of constraints are part of their table.
    pub(crate) fn has_index(&self, index: &str) -> bool {
        let key = index.to_ascii_lowercase();
        self.before.indexes.get(&key) != self.after.indexes.get(&key) || self.indexes.contains(&key)
    }
}

impl Scope for Written<'_> {
    fn has_table(&self, table: &str) -> bool {
        Written::has_table(self, table)
    }

    fn has_index(&self, index: &str) -> bool {
        Written::has_index(self, index)
    }
}

impl Foreseen {
    /// Whether anything is known of a table, given in lower case.
    pub(crate) fn knows(&self, table: &str) -> bool {
        self.sets.keys().any(|(known, _)| known == table)
    }

    /// What a table's rows demand of all of its indexes that are to be looked at, if that is known: a table whose own rows are to be
    /// looked at is read again.
    pub(super) fn of(&self, table: &Table) -> Option<Vec<Set>> {
        let set = |index: &Index| self.sets.get(&(table.name.clone(), index.terms.clone())).copied();
        if table.is_whole { None } else { table.indexes.iter().map(set).collect() }
    }
}
