//! A set of index entries in a few numbers, and whether the entries came in order.

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;
use rusqlite::functions::Context;
use rusqlite::types::ValueRef;

use super::order::{self, Collation};

/// The entries of an index, in whatever order they came: how many, and the sum of their hashes.
///
/// Two different sets have the same sum with a probability of one in 2^64: nobody knows the key of the hash, which is another
/// in every check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    count: u64,
    sum: u64,
}

impl Set {
    fn add(&mut self, entry: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(entry);
    }
}

/// What one check hashes with.
#[derive(Clone, Debug, Default)]
pub(super) struct Key(RandomState);

impl Key {
    /// A number that is an integer counts as one however it is stored: SQLite takes both for the same key.
    fn value(&self, value: ValueRef<'_>) -> u64 {
        let number = |kind: u64, bits: u64| {
            let mut hasher = self.0.build_hasher();
            hasher.write_u64(kind);
            hasher.write_u64(bits);
            hasher.finish()
        };
        let bytes = |kind: u64, bytes: &[u8]| {
            let mut hasher = self.0.build_hasher();
            hasher.write_u64(kind << 32 | bytes.len() as u64);
            hasher.write(bytes);
            hasher.finish()
        };
        match value {
            ValueRef::Null => number(0, 0),
            ValueRef::Integer(integer) => number(1, integer.cast_unsigned()),
            #[expect(clippy::cast_possible_truncation, reason = "a number too large becomes another, and is not equal")]
            ValueRef::Real(real) => match real as i64 {
                integer if order::compare(ValueRef::Integer(integer), value, Collation::Binary).is_eq() => {
                    number(1, integer.cast_unsigned())
                }
                _ => number(2, real.to_bits()),
            },
            ValueRef::Text(text) => bytes(3, text),
            ValueRef::Blob(blob) => bytes(4, blob),
        }
    }

    fn entry(&self, values: impl Iterator<Item = u64>) -> u64 {
        let mut hasher = self.0.build_hasher();
        values.for_each(|value| hasher.write_u64(value));
        hasher.finish()
    }
}

/// The sets of entries that the rows of a table demand, one for each of its indexes.
#[derive(Debug)]
pub(super) struct Demanded {
    key: Key,
    /// For each index, which columns of the query make an entry.
    indexes: Vec<Vec<usize>>,
    hashes: Vec<u64>,
    pub(super) sets: Vec<Set>,
}

impl Demanded {
    pub(super) fn new(key: &Key, columns: usize, indexes: &[Vec<usize>]) -> Self {
        Self {
            key: key.clone(),
            indexes: indexes.to_vec(),
            hashes: vec![0; columns],
            sets: vec![Set::default(); indexes.len()],
        }
    }

    pub(super) fn add(&mut self, row: &Context<'_>) {
        for (column, hash) in self.hashes.iter_mut().enumerate() {
            *hash = self.key.value(row.get_raw(column));
        }
        for (columns, set) in self.indexes.iter().zip(&mut self.sets) {
            let values = columns.iter().filter_map(|column| self.hashes.get(*column)).copied();
            set.add(self.key.entry(values));
        }
    }
}

/// How the entries of an index follow each other.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    /// Every term of the key: how its texts are compared, and whether it descends. The number of the row follows.
    pub(super) terms: Vec<(Collation, bool)>,
    /// Whether two entries may not have the same key, unless a part of it is NULL.
    pub(super) is_unique: bool,
}

/// The entries that an index has, in the order in which it has them.
#[derive(Debug)]
pub(super) struct Found {
    key: Key,
    /// Those of the key, then the number of the row.
    columns: Vec<Column>,
    /// How many are of the key.
    terms: usize,
    is_unique: bool,
    pub(super) set: Set,
}

impl Found {
    pub(super) fn new(key: &Key, sequence: &Sequence) -> Self {
        let columns = sequence.terms.iter().copied().chain([(Collation::Binary, false)]).map(Column::new).collect();
        Self {
            key: key.clone(),
            columns,
            terms: sequence.terms.len(),
            is_unique: sequence.is_unique,
            set: Set::default(),
        }
    }

    /// How many columns an entry has: those of the key, then the number of the row.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Adds the next entry, given by its columns; false where it should not follow the one before.
    pub(super) fn add<'v>(&mut self, entry: impl Fn(usize) -> ValueRef<'v>) -> bool {
        let (mut order, mut key_order, mut has_null) = (Ordering::Equal, Ordering::Equal, false);
        let mut hasher = self.key.0.build_hasher();
        let terms = self.terms;
        for (number, column) in self.columns.iter_mut().enumerate() {
            let value = entry(number);
            if number == terms {
                key_order = order;
            } else {
                has_null |= matches!(value, ValueRef::Null);
            }
            // A value that did not change, as most in an index do not, is neither compared nor hashed again.
            if !column.previous.is(value) {
                if order.is_eq() {
                    order = column.compare(value);
                }
                column.hash = self.key.value(value);
                column.previous.hold(value);
            }
            hasher.write_u64(column.hash);
        }
        self.set.add(hasher.finish());
        if self.is_unique && !has_null { key_order.is_lt() } else { order.is_lt() }
    }
}

/// A column of the entries, and what it held in the one before.
#[derive(Debug)]
struct Column {
    collation: Collation,
    descends: bool,
    previous: Held,
    hash: u64,
}

impl Column {
    fn new((collation, descends): (Collation, bool)) -> Self {
        Self { collation, descends, previous: Held::default(), hash: 0 }
    }

    /// How the value of the entry before and this one follow each other. The first of all follows everything.
    fn compare(&self, value: ValueRef<'_>) -> Ordering {
        let order = self.previous.value().map(|previous| order::compare(previous, value, self.collation));
        match order {
            None => Ordering::Less,
            Some(order) if self.descends => order.reverse(),
            Some(order) => order,
        }
    }
}

/// A value of the entry before; its memory is used again for the next.
#[derive(Debug, Default)]
struct Held {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Kind {
    /// There was none.
    #[default]
    Nothing,
    Null,
    Integer(i64),
    Real(f64),
    Text,
    Blob,
}

impl Held {
    fn value(&self) -> Option<ValueRef<'_>> {
        Some(match self.kind {
            Kind::Nothing => return None,
            Kind::Null => ValueRef::Null,
            Kind::Integer(integer) => ValueRef::Integer(integer),
            Kind::Real(real) => ValueRef::Real(real),
            Kind::Text => ValueRef::Text(&self.bytes),
            Kind::Blob => ValueRef::Blob(&self.bytes),
        })
    }

    fn is(&self, value: ValueRef<'_>) -> bool {
        self.value() == Some(value)
    }

    fn hold(&mut self, value: ValueRef<'_>) {
        let (kind, bytes) = match value {
            ValueRef::Null => (Kind::Null, None),
            ValueRef::Integer(integer) => (Kind::Integer(integer), None),
            ValueRef::Real(real) => (Kind::Real(real), None),
            ValueRef::Text(text) => (Kind::Text, Some(text)),
            ValueRef::Blob(blob) => (Kind::Blob, Some(blob)),
        };
        self.kind = kind;
        if let Some(bytes) = bytes {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
        }
    }
}
