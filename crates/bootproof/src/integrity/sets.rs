//! Comparing tables with their indexes as sets, beside SQLite's check of the structure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope as Threads};

use bootproof_catalog::Catalog;
use rusqlite::Connection;

use super::crew::{Companions, Doubt};
use super::entries::{Demanded, Found, Key, Set};
use super::imposter::Imposter;
use super::pragma;
use super::reader::{Reader, Reading};
use super::shape::{Coming, Index, Scope, Shape, Table, Terms};
use crate::connection;
use crate::errands::{Errand, Errands};
use crate::ffi;
use crate::watch::Watch;

/// What the rows of tables demand of indexes that are to be built, found while the file was checked.
///
/// Rows that are not written meanwhile need not be read again then.
#[derive(Debug, Default)]
pub(crate) struct Foreseen {
    key: Key,
    sets: BTreeMap<(String, Terms), Set>,
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
        let work = Work::new(&shape, &doubt, &Foreseen::default());
        let structure = |connection: &Connection| {
            Ok(pragma::says_ok(connection, "quick_check", None)? && left_to_sqlite(connection, &shape)?)
        };
        let is_sound = work.done_with(connection, companions.assemble(connection, watch, &doubt), watch, &structure)?;
        foreseen = work.foreseen();
        Ok(is_sound)
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

/// Whether what a transaction has written is sound beyond doubt.
pub(super) fn is_sound_where_written(connection: &Connection, written: &Written<'_>, watch: &Watch) -> bool {
    let doubt = Doubt::default();
    let check = || -> rusqlite::Result<bool> {
        if connection::is_small(connection)? || !is_utf8(connection)? {
            return Ok(false);
        }
        let shape = Shape::read(connection, written, &Coming::default())?;
        if !shape.is_complete {
            return Ok(false);
        }
        let work = Work::new(&shape, &doubt, written.foreseen);
        let structure = |connection: &Connection| {
            for table in tables(connection)?.iter().filter(|table| written.has_table(table)) {
                if !pragma::says_ok(connection, "quick_check", Some(table))? {
                    return Ok(false);
                }
            }
            left_to_sqlite(connection, &shape)
        };
        work.done_with(connection, Vec::new(), watch, &structure)
    };
    judged(check())
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
    fn of(&self, table: &Table) -> Option<Vec<Set>> {
        let set = |index: &Index| self.sets.get(&(table.name.clone(), index.terms.clone())).copied();
        if table.is_whole { None } else { table.indexes.iter().map(set).collect() }
    }
}

/// One pass over a table or over one of its indexes.
#[derive(Clone, Copy)]
enum Pass<'s> {
    Rows(&'s Table),
    Entries(&'s Index),
}

impl Pass<'_> {
    fn name(&self) -> String {
        match self {
            Self::Rows(table) => format!("the rows of `{}`", table.name),
            Self::Entries(index) => format!("the index at page {}", index.root),
        }
    }
}

/// All passes, and what came of them.
struct Work<'s> {
    shape: &'s Shape,
    doubt: &'s Doubt,
    key: Key,
    /// What takes longest comes first.
    passes: Vec<(u64, Place, Pass<'s>)>,
    next: AtomicUsize,
    results: Mutex<Vec<(Place, Vec<Set>)>>,
}

/// The table, and the index where it is not all of the table's.
type Place = (usize, Option<usize>);

impl<'s> Work<'s> {
    fn new(shape: &'s Shape, doubt: &'s Doubt, foreseen: &Foreseen) -> Self {
        let (mut passes, mut results) = (Vec::new(), Vec::new());
        for (at, table) in shape.tables.iter().enumerate() {
            // Rows are longer than entries.
            let rows = (table.size.saturating_mul(table.columns as u64 + 4), (at, None), Pass::Rows(table));
            match foreseen.of(table) {
                Some(sets) => results.push(((at, None), sets)),
                None => passes.push(rows),
            }
            passes.extend(table.indexes.iter().enumerate().map(|(number, index)| {
                let terms = index.sequence.terms.len() as u64;
                (table.size.saturating_mul(terms), (at, Some(number)), Pass::Entries(index))
            }));
        }
        passes.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
        Self {
            shape,
            doubt,
            key: foreseen.key.clone(),
            passes,
            next: AtomicUsize::default(),
            results: Mutex::new(results),
        }
    }

    /// What the rows demand of the indexes that are coming.
    fn foreseen(&self) -> Foreseen {
        let mut foreseen = Foreseen { key: self.key.clone(), sets: BTreeMap::new() };
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        for ((at, index), sets) in results.iter() {
            let (None, Some(table)) = (index, self.shape.tables.get(*at)) else { continue };
            let of_coming = sets.iter().skip(table.indexes.len());
            foreseen.sets.extend(
                table.coming.iter().zip(of_coming).map(|(terms, set)| ((table.name.clone(), terms.clone()), *set)),
            );
        }
        foreseen
    }

    /// Does all passes and the check of the structure, at the same time where there are companions.
    fn done_with(
        &self,
        connection: &Connection,
        mut companions: Vec<Connection>,
        watch: &Watch,
        structure: &dyn Fn(&Connection) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        // The connection of the boot may have a large page cache, which a single pass would only fill.
        let mut own = companions.pop();
        if let Some(own) = &mut own {
            let doubt = self.doubt.clone();
            watch.attach_leader(own, move || doubt.is_raised())?;
        }
        let is_alone = own.is_none();
        let own = own.as_ref().unwrap_or(connection);
        let errands = Errands::default();
        let is_sound = thread::scope(|threads| {
            for helper in companions {
                self.help(threads, helper, errands.begin());
            }
            let is_sound = structure(own);
            if matches!(is_sound, Ok(true)) {
                self.work(own);
            } else {
                self.doubt.raise();
            }
            while errands.wait() {
                watch.tell();
            }
            is_sound
        });
        if is_alone {
            ffi::forget_imposters(connection);
        }
        Ok(is_sound? && !self.doubt.is_raised() && self.is_equal())
    }

    /// A thread that takes passes too. Where the system gives none, the work is done by those there are.
    fn help<'t>(&'t self, threads: &'t Threads<'t, '_>, connection: Connection, errand: Errand<'t>) {
        let help = move || {
            self.work(&connection);
            drop(errand);
        };
        let spawned = thread::Builder::new().name("integrity".to_owned()).spawn_scoped(threads, help);
        if let Err(error) = spawned {
            log::debug!("checking with one thread less: {error}");
        }
    }

    /// Takes one pass after the other, until there is none or a doubt.
    fn work(&self, connection: &Connection) {
        let reader = match Reader::new(connection) {
            Ok(reader) => reader,
            Err(error) => {
                log::debug!("preparing to read: {error}");
                return self.doubt.raise();
            }
        };
        while !self.doubt.is_raised()
            && let Some((_, place, pass)) = self.passes.get(self.next.fetch_add(1, Ordering::Relaxed))
        {
            match self.pass(connection, &reader, *pass) {
                Ok(sets) => {
                    self.results.lock().unwrap_or_else(PoisonError::into_inner).push((*place, sets));
                }
                Err(error) => {
                    log::debug!("reading {}: {error}", pass.name());
                    self.doubt.raise();
                }
            }
        }
    }

    /// The sets that a pass finds; an error where the entries of an index do not follow each other.
    fn pass(&self, connection: &Connection, reader: &Reader<'_>, pass: Pass<'s>) -> rusqlite::Result<Vec<Set>> {
        let read = match pass {
            Pass::Rows(table) => {
                let demanded = Demanded::new(&self.key, table.columns, &table.demanded);
                reader.read(&table.rows, Reading::Rows(demanded))?
            }
            Pass::Entries(index) => {
                let found = Found::new(&self.key, &index.sequence);
                reader.read(&Imposter::of(connection, index)?.entries, Reading::Entries(found))?
            }
        };
        Ok(match read {
            Reading::Rows(demanded) => demanded.sets,
            Reading::Entries(found) => vec![found.set],
        })
    }

    /// Whether every index holds what its table demands. A pass that nobody made proves nothing.
    fn is_equal(&self) -> bool {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |place| results.iter().find(|(at, _)| *at == place).map(|(_, sets)| sets.as_slice());
        self.shape.tables.iter().enumerate().all(|(at, table)| {
            let Some(demanded) = of((at, None)) else { return false };
            demanded.len() >= table.indexes.len()
                && demanded
                    .iter()
                    .take(table.indexes.len())
                    .enumerate()
                    .all(|(number, set)| of((at, Some(number))) == Some(&[*set]))
        })
    }
}
