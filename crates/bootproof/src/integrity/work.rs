//! Reading all there is to read of a file, on as many connections as there are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope as Threads};

use rusqlite::Connection;

use super::crew::Doubt;
use super::entries::{Demanded, Found, Key, Set};
use super::hands::{Hand, Hands, Helper, Leader};
use super::imposter::Imposter;
use super::reader::{Reader, Reading};
use super::roots::{Holds, Root};
use super::sets::Foreseen;
use super::shape::{Index, Shape, Table};
use super::tree::{Doubtful, Kind, Record, Space, Verdict, Walk};
use crate::errands::Errands;
use crate::ffi;
use crate::watch::Watch;

/// So much of a row is put together for what its columns may hold: a longer one is left to SQLite where a part is asked for that lies
/// behind.
pub(super) const WHOLE: usize = 1 << 20;

/// One pass over a table or a tree.
#[derive(Clone, Copy)]
enum Pass<'s> {
    /// SQLite reads the rows of a table.
    Rows(&'s Table),
    /// The entries of an index, and where the file is read itself its structure too.
    Entries(&'s Index),
    /// The structure of a tree, and what its rows hold.
    Tree(&'s Root),
}

impl Pass<'_> {
    fn name(&self) -> String {
        match self {
            Self::Rows(table) => format!("the rows of `{}`", table.name),
            Self::Entries(index) => format!("the index at page {}", index.root),
            Self::Tree(root) => format!("the tree at page {}", root.page),
        }
    }
}

/// All passes, and what came of them.
pub(super) struct Work<'s> {
    shape: &'s Shape,
    space: Option<&'s Space>,
    doubt: &'s Doubt,
    watch: &'s Watch,
    key: Key,
    /// What takes longest comes first.
    passes: Mutex<Vec<(Place, Pass<'s>)>>,
    /// How many are not done.
    left: AtomicUsize,
    /// Who helps.
    errands: Errands,
    results: Mutex<Vec<(Place, Vec<Set>)>>,
}

/// The table, and the index where it is not all of the table's; none for what is not compared.
type Place = Option<(usize, Option<usize>)>;

impl<'s> Work<'s> {
    /// With `space`, trees are read from the file; without, by SQLite.
    pub(super) fn new(
        shape: &'s Shape,
        roots: &'s [Root],
        space: Option<&'s Space>,
        doubt: &'s Doubt,
        watch: &'s Watch,
        foreseen: &Foreseen,
    ) -> Self {
        let (mut passes, mut results): (Vec<(u64, Place, Pass<'s>)>, _) = (Vec::new(), Vec::new());
        for (at, table) in shape.tables.iter().enumerate() {
            // Rows are longer than entries.
            let rows = (table.size.saturating_mul(table.columns as u64 + 4), Some((at, None)), Pass::Rows(table));
            match foreseen.of(table) {
                Some(sets) => results.push((Some((at, None)), sets)),
                None => passes.push(rows),
            }
            passes.extend(table.indexes.iter().enumerate().map(|(number, index)| {
                let terms = index.sequence.terms.len() as u64;
                (table.size.saturating_mul(terms), Some((at, Some(number))), Pass::Entries(index))
            }));
        }
        passes.extend(roots.iter().map(|root| {
            let table = shape.tables.iter().find(|table| root.is_of(&table.name));
            let size = table.map_or(0, |table| table.size.saturating_mul(4));
            (size, None, Pass::Tree(root))
        }));
        passes.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
        let passes: Vec<_> = passes.into_iter().map(|(_, place, pass)| (place, pass)).collect();
        Self {
            shape,
            space,
            doubt,
            watch,
            key: foreseen.key.clone(),
            left: AtomicUsize::new(passes.len()),
            errands: Errands::default(),
            passes: Mutex::new(passes),
            results: Mutex::new(results),
        }
    }

    /// What the rows demand of the indexes that are coming.
    pub(super) fn foreseen(&self) -> Foreseen {
        let mut foreseen = Foreseen { key: self.key.clone(), sets: BTreeMap::new() };
        for (place, sets) in self.results().iter() {
            let Some((at, None)) = place else { continue };
            let Some(table) = self.shape.tables.get(*at) else { continue };
            let of_coming = sets.iter().skip(table.indexes.len());
            foreseen.sets.extend(
                table.coming.iter().zip(of_coming).map(|(terms, set)| ((table.name.clone(), terms.clone()), *set)),
            );
        }
        foreseen
    }

    /// Does all passes and the check of the structure, at the same time where there are others to help.
    pub(super) fn done_by(
        &self,
        hands: Hands<'_>,
        structure: &dyn Fn(&Connection) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        thread::scope(|threads| self.finish(&self.begin(threads, hands)?, structure))
    }

    /// Lets the others begin.
    pub(super) fn begin<'t, 'c>(
        &'t self,
        threads: &'t Threads<'t, '_>,
        Hands { mut leader, helpers }: Hands<'c>,
    ) -> rusqlite::Result<Leader<'c>> {
        if let Leader::Companion(own) = &mut leader {
            let doubt = self.doubt.clone();
            self.watch.attach_leader(own, move || doubt.is_raised())?;
        }
        for helper in helpers {
            self.help(threads, helper);
        }
        Ok(leader)
    }

    /// Checks the structure, does what is left of the passes, and waits for the others.
    pub(super) fn finish(
        &self,
        leader: &Leader<'_>,
        structure: &dyn Fn(&Connection) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        let hand = leader.hand();
        let is_sound = hand.sql.map_or(Ok(false), structure);
        if matches!(is_sound, Ok(true)) {
            self.work(hand);
        } else {
            self.doubt.raise();
        }
        while self.errands.wait() {
            self.watch.tell();
        }
        if let Leader::Boot(connection) | Leader::Writer(connection, _) | Leader::Aside(connection) = leader {
            ffi::forget_imposters(connection);
        }
        let is_done = self.left.load(Ordering::Relaxed) == 0;
        Ok(is_sound? && is_done && !self.doubt.is_raised() && self.is_equal())
    }

    /// A thread that takes passes too. Where the system gives none, the work is done by those there are.
    fn help<'t>(&'t self, threads: &'t Threads<'t, '_>, helper: Helper) {
        let errand = self.errands.begin();
        let help = move || {
            self.work(helper.hand());
            drop(errand);
        };
        let spawned = thread::Builder::new().name("integrity".to_owned()).spawn_scoped(threads, help);
        if let Err(error) = spawned {
            log::debug!("checking with one thread less: {error}");
        }
    }

    /// Takes one pass after the other, until there is none that it can do, or a doubt.
    fn work(&self, hand: Hand<'_>) {
        let reader = match hand.sql.map(Reader::new).transpose() {
            Ok(reader) => reader,
            Err(error) => {
                log::debug!("preparing to read: {error}");
                return self.doubt.raise();
            }
        };
        while !self.doubt.is_raised()
            && let Some((place, pass)) = self.next(reader.is_some())
        {
            match self.pass(hand, reader.as_ref(), pass) {
                Ok(sets) => {
                    self.left.fetch_sub(1, Ordering::Relaxed);
                    if place.is_some() {
                        self.results().push((place, sets));
                    }
                }
                Err(error) => {
                    log::debug!("reading {}: {error}", pass.name());
                    self.doubt.raise();
                }
            }
        }
    }

    /// The first pass that is left; the first that needs no SQLite where there is none.
    fn next(&self, has_sql: bool) -> Option<(Place, Pass<'s>)> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fit = |pass: &Pass<'_>| has_sql || matches!(pass, Pass::Entries(_)) && self.space.is_some();
        let at = passes.iter().position(|(_, pass)| is_fit(pass))?;
        Some(passes.remove(at))
    }

    /// The sets that a pass finds; an error where something is not as it should be.
    fn pass(&self, hand: Hand<'_>, reader: Option<&Reader<'_>>, pass: Pass<'s>) -> rusqlite::Result<Vec<Set>> {
        let read = |sql: &str, reading| match reader {
            Some(reader) => reader.read(sql, reading),
            None => Err(rusqlite::Error::InvalidQuery),
        };
        let goes_on =
            |factor: u64| move |cells: u64| self.watch.count(1 + cells * factor, hand.tells) && !self.doubt.is_raised();
        match (pass, self.space) {
            (Pass::Rows(table), _) => {
                let demanded = Demanded::new(&self.key, table.columns, &table.demanded);
                match read(&table.rows, Reading::Rows(demanded))? {
                    Reading::Rows(demanded) => Ok(demanded.sets),
                    Reading::Entries(_) => Err(rusqlite::Error::InvalidQuery),
                }
            }
            (Pass::Entries(index), None) => {
                let Some(connection) = hand.sql else { return Err(rusqlite::Error::InvalidQuery) };
                let found = Found::new(&self.key, &index.sequence);
                match read(&Imposter::of(connection, index)?.entries, Reading::Entries(found))? {
                    Reading::Entries(found) => Ok(vec![found.set]),
                    Reading::Rows(_) => Err(rusqlite::Error::InvalidQuery),
                }
            }
            (Pass::Entries(index), Some(space)) => {
                let found = Found::new(&self.key, &index.sequence);
                let goes_on = goes_on(6);
                Ok(vec![entries(&mut Walk::new(hand.file, space, &goes_on), index, found)?])
            }
            (Pass::Tree(root), Some(space)) => {
                let goes_on = goes_on(root.weight());
                let is_known = tree(&mut Walk::new(hand.file, space, &goes_on), root)?;
                let is_sound = is_known || hand.sql.map_or(Ok(false), |connection| root.by_sqlite(connection))?;
                if is_sound { Ok(Vec::new()) } else { Err(rusqlite::Error::InvalidQuery) }
            }
            (Pass::Tree(_), None) => Err(rusqlite::Error::InvalidQuery),
        }
    }

    fn results(&self) -> MutexGuard<'_, Vec<(Place, Vec<Set>)>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every index holds what its table demands. A pass that nobody made proves nothing.
    fn is_equal(&self) -> bool {
        let results = self.results();
        let of = |place| results.iter().find(|(at, _)| *at == Some(place)).map(|(_, sets)| sets.as_slice());
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

/// The set of an index's entries, where its structure is sound, and each follows the one before.
fn entries(walk: &mut Walk<'_>, index: &Index, mut found: Found) -> Result<Set, Doubtful> {
    let Ok(root) = u32::try_from(index.root) else { return Err(Doubtful::new("a root is no page")) };
    let mut record = Record::default();
    walk.tree(root, Kind::Index, usize::MAX, &mut |entry| {
        let is_whole = record.parse(entry)? && record.len() == found.columns();
        if is_whole && found.add(|column| record.value(entry, column)) {
            Ok(())
        } else {
            Err(Doubtful::new("an entry does not follow the one before"))
        }
    })?;
    Ok(found.set)
}

/// Whether a tree is sound, and its rows keep the rules, where that can be told here.
fn tree(walk: &mut Walk<'_>, root: &Root) -> Result<bool, Doubtful> {
    let (mut is_known, mut count) = (true, 0);
    match &root.holds {
        Holds::Rows(Some(rules)) => {
            walk.tree(root.page, root.kind, WHOLE, &mut |row| {
                count += 1;
                is_known &= rules.judge(row)? == Verdict::Kept;
                Ok(())
            })?;
        }
        holds => {
            walk.tree(root.page, root.kind, 0, &mut |_| {
                count += 1;
                Ok(())
            })?;
            is_known = matches!(holds, Holds::Others);
        }
    }
    root.count.store(count, Ordering::Relaxed);
    Ok(is_known)
}
