//! The structure of a database as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::shared::Shared;
use crate::token;

/// Everything an application's schema consists of, by name in lower case: SQLite compares names without regard to the
/// case of ASCII letters, and of no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Tables, virtual tables included; shadow tables of virtual tables are not.
    pub tables: BTreeMap<String, Shared<Table>>,
    /// Indexes made by CREATE INDEX.
    pub indexes: BTreeMap<String, Shared<Index>>,
    /// Triggers.
    pub triggers: BTreeMap<String, Shared<Definition>>,
    /// Views.
    pub views: BTreeMap<String, Shared<Definition>>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The name as written.
    pub name: String,
    /// The columns by lower-case name.
    pub columns: BTreeMap<String, Column>,
    /// Whether it is a virtual table: what its module makes of it, its columns included, is not read.
    pub is_virtual: bool,
    /// The primary key, term by term: a column, with `COLLATE` and `DESC` where they are not the default.
    pub primary_key: Vec<String>,
    /// Whether the primary key is another name of the rowid, as `INTEGER PRIMARY KEY` is and `INT PRIMARY KEY` is not
    /// (<https://sqlite.org/lang_createtable.html#rowid>).
    pub is_rowid_alias: bool,
    /// UNIQUE constraints: the terms of each, as in the primary key.
    pub unique: BTreeSet<Vec<String>>,
    /// Foreign keys.
    pub foreign_keys: BTreeSet<ForeignKey>,
    /// CHECK constraints, in canonical text.
    pub checks: BTreeSet<String>,
    /// What applies besides: `strict`, `without rowid`, `autoincrement`, `unique (a) on conflict replace`,
    /// `deferred (a) -> parent`; for a virtual table its whole definition.
    pub options: BTreeSet<String>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The name as written.
    pub name: String,
    /// The declared type as written.
    pub declared_type: String,
    /// What SQLite makes of the declared type.
    pub affinity: Affinity,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The DEFAULT expression in canonical text.
    pub default: Option<String>,
    /// The collation, where one is declared.
    pub collation: Option<String>,
    /// The expression of a generated column in canonical text, and whether it is `virtual` or `stored`.
    pub generated: Option<String>,
}

/// The affinity of a column (<https://sqlite.org/datatype3.html#determination_of_column_affinity>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    /// `INTEGER`.
    Integer,
    /// `TEXT`.
    Text,
    /// `BLOB`, also of a column without a type.
    #[default]
    Blob,
    /// `REAL`.
    Real,
    /// `NUMERIC`.
    Numeric,
}

impl Affinity {
    /// SQLite's five rules, in their order.
    #[must_use]
    pub fn of(declared_type: &str) -> Self {
        let declared = declared_type.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") || declared.is_empty() {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// SQLite's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
            Self::Real => "REAL",
            Self::Numeric => "NUMERIC",
        }
    }
}

/// A foreign key; names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignKey {
    /// The child columns.
    pub columns: Vec<String>,
    /// The parent table.
    pub parent: String,
    /// The parent columns; empty where the parent's primary key is meant.
    pub parent_columns: Vec<String>,
    /// The ON DELETE action.
    pub on_delete: String,
    /// The ON UPDATE action.
    pub on_update: String,
}

/// An index made by CREATE INDEX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The name as written.
    pub name: String,
    /// The table it belongs to, as written.
    pub table: String,
    /// Whether it is UNIQUE.
    pub unique: bool,
    /// The key, term by term.
    pub terms: Vec<Term>,
    /// The WHERE of a partial index in canonical text.
    pub predicate: Option<String>,
    /// The statement that makes it, as SQLite stores it.
    pub sql: String,
}

/// One term of an index key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// A column name in lower case, or an expression in canonical text.
    pub expression: String,
    /// The collation.
    pub collation: String,
    /// Whether it is ordered DESC.
    pub descending: bool,
}

/// A trigger or a view, known by its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name as written.
    pub name: String,
    /// The table a trigger is on; a view's own name.
    pub table: String,
    /// The definition in canonical text.
    pub canonical: String,
    /// The statement that makes it, as SQLite stores it.
    pub sql: String,
}

impl Index {
    /// The index on one line, as a report shows it: `worklogs(company_id, date(started), …)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = if self.unique { "UNIQUE ".to_owned() } else { String::new() };
        text.push_str(&self.table);
        text.push('(');
        for (position, term) in self.terms.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            text.push_str(&key_term(&token::readable(&term.expression), &term.collation, term.descending));
        }
        text.push(')');
        if let Some(predicate) = &self.predicate {
            text.push_str(" WHERE ");
            text.push_str(&token::readable(predicate));
        }
        text
    }

    /// Whether two indexes index the same, however they are spelt.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.table.eq_ignore_ascii_case(&other.table)
            && self.unique == other.unique
            && self.predicate == other.predicate
            && self.terms == other.terms
    }
}

impl Catalog {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.views.is_empty()
    }

    /// The whole catalog as text, one fact a line, in an order that depends on nothing but the facts.
    #[must_use]
    pub fn describe(&self) -> String {
        self.description().collect()
    }

    /// The same text in parts.
    pub(crate) fn description(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.values().map(|table| table.description(Table::describe));
        let indexes = self.indexes.values().map(|index| index.description(Index::describe));
        let triggers = self.triggers.values().flat_map(|found| ["trigger ", found.description(Definition::describe)]);
        let views = self.views.values().flat_map(|found| ["view ", found.description(Definition::describe)]);
        tables.chain(indexes).chain(triggers).chain(views)
    }

    /// The names of the tables that another catalog does not have, or has otherwise, an index of theirs included; in lower
    /// case.
    #[must_use]
    pub fn tables_unlike(&self, other: &Self) -> BTreeSet<String> {
        let tables = unlike(&self.tables, &other.tables).map(|(name, _)| name.clone());
        tables.chain(unlike(&self.indexes, &other.indexes).map(|(_, index)| index.table.to_ascii_lowercase())).collect()
    }
}

/// What one of two maps has and the other has not, or has otherwise: both are walked through once.
pub fn unlike<'m, T: PartialEq>(
    these: &'m BTreeMap<String, Shared<T>>,
    others: &'m BTreeMap<String, Shared<T>>,
) -> impl Iterator<Item = (&'m String, &'m Shared<T>)> {
    let mut others = others.iter().peekable();
    these.iter().filter(move |(name, this)| {
        // What is shared has the same name, so no names need to be compared: most of two versions is.
        if others.next_if(|(_, other)| other.is_identical(this)).is_some() {
            return false;
        }
        while others.next_if(|(other, _)| other < name).is_some() {}
        others.next_if(|(other, _)| other == name).is_none_or(|(_, other)| other != *this)
    })
}

impl Table {
    fn describe(&self) -> String {
        let mut text = String::new();
        let name = self.name.to_ascii_lowercase();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "table {name:?} {:?} key {:?} rowid {}",
            self.options, self.primary_key, self.is_rowid_alias
        );
        for (name, column) in &self.columns {
            let Column { affinity, not_null, default, collation, generated, .. } = column;
            let affinity = affinity.name();
            let _ = writeln!(text, "  column {name:?} {affinity} {not_null} {default:?} {collation:?} {generated:?}");
        }
        let _ = writeln!(text, "  {:?} {:?} {:?}", self.unique, self.foreign_keys, self.checks);
        text
    }
}

impl Index {
    fn describe(&self) -> String {
        let Self { unique, terms, predicate, .. } = self;
        let (name, table) = (self.name.to_ascii_lowercase(), self.table.to_ascii_lowercase());
        format!("index {name:?} {table:?} {unique} {terms:?} {predicate:?}\n")
    }
}

impl Definition {
    /// Behind the word for its kind.
    fn describe(&self) -> String {
        format!("{:?} {:?}\n", self.name.to_ascii_lowercase(), self.canonical)
    }
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) -> {}", names(&self.columns), token::name(&self.parent))?;
        if !self.parent_columns.is_empty() {
            write!(f, "({})", names(&self.parent_columns))?;
        }
        let (on_delete, on_update) = (self.on_delete.to_ascii_lowercase(), self.on_update.to_ascii_lowercase());
        write!(f, " on delete {on_delete} on update {on_update}")
    }
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| token::name(name)).collect::<Vec<_>>().join(", ")
}

/// One term of a key as text, without what is the default.
pub(crate) fn key_term(expression: &str, collation: &str, is_descending: bool) -> String {
    let mut text = expression.to_owned();
    if !collation.eq_ignore_ascii_case("BINARY") {
        text.push_str(" COLLATE ");
        text.push_str(collation);
    }
    if is_descending {
        text.push_str(" DESC");
    }
    text
}
