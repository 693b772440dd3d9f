//! What the compiler emits: plain data about migrations and query contracts.
//!
//! Generated code fills these structs in `static` items; nothing here acts. [`Schema`](crate::Schema) joins them with
//! what else a binary knows of itself.

use std::time::Duration;

/// A directory of migrations as `bootproof-build` compiled it.
#[derive(Debug)]
pub struct Compiled {
    /// Every migration, in ascending order of version.
    pub migrations: &'static [Migration],
    /// Every query contract, in alphabetical order.
    pub contracts: &'static [Contract],
    /// An empty database at head.
    pub image: Image,
    /// The SQLite that rehearsed the migrations, such as `3.54.0`.
    pub sqlite_version: &'static str,
    /// The tool for which the directory was written, such as `sqlx`; `bootproof` for our own layout.
    pub dialect: &'static str,
    /// The migrations that the first one stands for, since `squash` made it of them: what databases have recorded of these is
    /// as good as the first one.
    pub replaces: &'static [Replaced],
}

/// A migration that is no longer there one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its number.
    pub version: i64,
    /// The checksum that the history table records.
    pub checksum: u64,
    /// Its name without number and extension.
    pub name: &'static str,
}

/// One numbered SQL file.
#[derive(Debug)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// Its name without number and extension.
    pub name: &'static str,
    /// Its path relative to the migrations directory.
    pub file: &'static str,
    /// Its normalised text; without the way back, where another tool has both in one file.
    pub sql: &'static str,
    /// The checksum that the history table records.
    pub checksum: u64,
    /// Its statements, as SQLite itself split them.
    pub statements: &'static [Statement],
    /// What it adds to the schema.
    pub creates: &'static [Object],
    /// The tables whose rows it writes, and both names of a renamed one; their row counts may change.
    pub writes: &'static [&'static str],
    /// The fingerprint of the schema that results.
    pub fingerprint: u128,
    /// How to take it back, if that is known.
    pub revert: Option<Revert>,
    /// Why boot waits for an operator's permission before this migration, if it does.
    pub maintenance: Option<&'static str>,
    /// Whether a program of the version before can go on with the schema after this migration: it only adds indexes that
    /// refuse no row, or only adds, and says that it is compatible.
    pub compatible: bool,
    /// The function of the application that runs behind its statements, in the same transaction.
    pub step: Option<RustStep>,
    /// Why it runs outside the one transaction, on a copy that takes the database's place; `None` for all but what SQLite does
    /// nowhere else, such as `VACUUM`.
    pub no_transaction: Option<&'static str>,
}

/// A function of the application, as a migration calls it; [`Schema::with_step`](crate::Schema::with_step) registers it.
#[derive(Clone, Copy, Debug)]
pub struct RustStep {
    /// Its name.
    pub name: &'static str,
    /// The line of the file that calls it, counted from 1.
    pub line: u32,
    /// The tables that it may write, those that their triggers write included; in lower case. They are among
    /// [`Migration::writes`].
    pub writes: &'static [&'static str],
}

/// One statement of a migration or of a way back: a range of bytes of its text.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The line of its first word, counted from 1.
    pub line: u32,
}

/// A named part of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name; for a column `table.column`.
    pub name: &'static str,
}

/// The kinds of things that a migration creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A column added to an existing table.
    Column,
    /// An index.
    Index,
    /// A trigger.
    Trigger,
    /// A view.
    View,
}

impl ObjectKind {
    /// The SQL word for it, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::View => "view",
        }
    }
}

/// The way back from a migration, rehearsed to return exactly the schema before it.
#[derive(Clone, Copy, Debug)]
pub struct Revert {
    /// The script.
    pub sql: &'static str,
    /// The path of the file it stands in relative to the migrations directory; none where the compiler derived the script.
    pub file: Option<&'static str>,
    /// Its statements, as SQLite itself split them.
    pub statements: &'static [Statement],
    /// The tables whose rows it writes, those it drops or makes, and both names of a renamed one; in lower case.
    pub writes: &'static [&'static str],
}

/// An empty database at head: the bytes of a SQLite file.
#[derive(Debug)]
pub struct Image {
    /// The file's bytes, as a zlib stream.
    pub compressed: &'static [u8],
    /// The length of the file in bytes.
    pub size: usize,
    /// The functions of the application that migrations called while it was made, when something stood in for them that gives
    /// NULL: a new database is made by the migrations then, on a connection that has these functions.
    pub stand_ins: &'static [&'static str],
}

/// A hot query of the application, the index it must use and its budget.
///
/// The compiler proved on the rehearsed schema that the query uses the index; boot proves it again on the real data. The
/// application executes it through the generated function of its name ([`query`](crate::query)), or [`Contract::sql`] itself: the
/// query that runs is the query that was proven.
#[derive(Debug)]
pub struct Contract {
    /// Its name: the file name without extension.
    pub name: &'static str,
    /// Its path relative to the migrations directory.
    pub file: &'static str,
    /// What it is for: the comment at the head of the file.
    pub description: &'static str,
    /// The query.
    pub sql: &'static str,
    /// The names of its parameters in order, without the colon.
    pub parameters: &'static [&'static str],
    /// The index it must use.
    pub index: &'static str,
    /// The longest acceptable median.
    pub budget: Duration,
    /// The version from which on there are the index and everything that the query reads; below it the contract does not apply.
    pub since: i64,
    /// A query that returns sets of parameters taken from the data, one a row, its columns named as the parameters.
    pub sample: Option<&'static str>,
    /// A query whose first row has what several contracts are sampled from: values for the parameters of [`Contract::sample`], and
    /// for those of the contract that it leaves out.
    pub sample_from: Option<&'static str>,
}
