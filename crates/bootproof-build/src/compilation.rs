//! What a directory of migrations compiles to: plain data, the owned twin of what `bootproof::compiled` holds.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bootproof_catalog::catalog::unlike;
use bootproof_catalog::{Catalog, Fingerprint};

use crate::compiler::Stub;
use crate::diagnostic::Diagnostics;
use crate::dialect::Dialect;
use crate::source::File;
use crate::value::Typed;

/// A directory of migrations that passed every check.
#[derive(Debug)]
pub struct Compilation {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) contracts: Vec<Contract>,
    /// The schema at head.
    pub(crate) head: Catalog,
    pub(crate) schema: Vec<String>,
    /// An empty database at head: the bytes of a SQLite file.
    pub(crate) image: Vec<u8>,
    /// The functions of the application whose stand-ins were called while it was made.
    pub(crate) stand_ins: Vec<String>,
    pub(crate) warnings: Diagnostics,
    pub(crate) left_empty: Vec<LeftEmpty>,
    /// What the first migration stands for, if it was made by `squash`.
    pub(crate) replaces: Vec<Replaced>,
    /// What rows for tests are made from, if somebody asks for them.
    pub(crate) seedbed: Seedbed,
}

/// A migration that a squashed baseline stands for, as databases have recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its number.
    pub version: i64,
    /// The checksum that the history table records.
    pub checksum: u64,
    /// Its name without number and extension.
    pub name: String,
}

/// The schema after every version, and what its functions are stood in for by.
#[derive(Debug)]
pub(crate) struct Seedbed {
    pub(crate) catalogs: Vec<(i64, Catalog)>,
    pub(crate) stubs: Vec<Stub>,
}

/// Rows for tests: what to insert where a migration has just run.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) version: i64,
    pub(crate) sql: String,
}

/// A table without a row in the rehearsal of a migration: what that migration does to rows there was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftEmpty {
    pub(crate) table: String,
    pub(crate) file: String,
    pub(crate) reason: String,
}

impl LeftEmpty {
    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The file of the migration, relative to the directory.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What SQLite said of the last row that was tried.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// ``003_split.sql was rehearsed without a row in `orders`: CHECK constraint failed: total > 0``
impl fmt::Display for LeftEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was rehearsed without a row in `{}`: {}", self.file, self.table, self.reason)
    }
}

impl Compilation {
    /// How many migrations ran.
    #[must_use]
    pub fn migrations(&self) -> usize {
        self.migrations.len()
    }

    /// How many query contracts hold.
    #[must_use]
    pub fn contracts(&self) -> usize {
        self.contracts.len()
    }

    /// The newest version.
    #[must_use]
    pub fn head_version(&self) -> i64 {
        self.migrations.last().map_or(0, |migration| migration.version)
    }

    /// The migrations that the first one stands for, since `squash` made it of them.
    #[must_use]
    pub fn replaces(&self) -> &[Replaced] {
        &self.replaces
    }

    /// The tool for which the directory was written.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.warnings.dialect()
    }

    /// What deserves a look and does not fail the build.
    #[must_use]
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// The schema at head as SQL, one statement each without its semicolon: tables, views, indexes, triggers, each kind in
    /// alphabetical order. Run in this order they make it.
    #[must_use]
    pub fn schema(&self) -> &[String] {
        &self.schema
    }

    /// Everything of which the generated code is made.
    #[doc(hidden)] // For `bootproof-cli`.
    #[must_use]
    pub fn parts(&self) -> (&[Migration], &[Contract]) {
        (&self.migrations, &self.contracts)
    }

    /// The image as a zlib stream.
    #[doc(hidden)] // For `bootproof-cli`.
    #[must_use]
    pub fn compressed_image(&self) -> Vec<u8> {
        // Beyond level 6 an unoptimised build script takes twice as long for a dozen bytes.
        miniz_oxide::deflate::compress_to_vec_zlib(&self.image, 6)
    }

    /// The SQLite that rehearsed the migrations.
    #[must_use]
    pub fn sqlite_version(&self) -> &'static str {
        rusqlite::version()
    }

    /// The versions, in ascending order.
    pub fn versions(&self) -> impl Iterator<Item = i64> {
        self.migrations.iter().map(|migration| migration.version)
    }

    /// The tables that some migration was rehearsed without a row in, since none satisfied their constraints, or the
    /// migration did not accept the values that were made up.
    #[must_use]
    pub fn left_empty(&self) -> &[LeftEmpty] {
        &self.left_empty
    }

    /// An empty database at head: the bytes of a SQLite file.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// The functions of the application that the migrations called while the image was made: their stand-ins gave NULL instead
    /// of what they give ([`Compiler::stub_function`](crate::Compiler::stub_function)), so no database is made from it.
    #[must_use]
    pub fn stand_ins(&self) -> &[String] {
        &self.stand_ins
    }
}

/// `3 migrations and 9 query contracts, head 2`
impl fmt::Display for Compilation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (migrations, contracts) = (self.migrations(), self.contracts());
        write!(f, "{migrations} migration{} and {contracts} query contract{}", plural(migrations), plural(contracts))?;
        write!(f, ", head {}", self.head_version())
    }
}

/// One migration.
#[derive(Debug)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// Its name without number and extension.
    pub name: String,
    pub(crate) file: Arc<File>,
    /// The checksum that the history table records.
    pub checksum: u64,
    /// Its statements, as SQLite itself split them.
    pub statements: Vec<Statement>,
    /// What it adds to the schema.
    pub creates: Vec<Object>,
    /// The tables whose rows may be more or fewer afterwards: those written or dropped, and the old and the new name of
    /// those renamed. In lower case.
    pub writes: BTreeSet<String>,
    /// The fingerprint of the schema that results.
    pub fingerprint: Fingerprint,
    /// How to take it back, if that is known.
    pub revert: Option<Revert>,
    /// Why boot waits for an operator's permission, if it does.
    pub maintenance: Option<String>,
    /// Whether programs of the version before can go on with the schema after it.
    pub is_compatible: bool,
    /// The function of the application that runs behind its statements, if one does.
    pub step: Option<Step>,
    /// Why it runs outside the transaction, if it does.
    pub no_transaction: Option<String>,
}

/// A function of the application, as a migration calls it.
#[derive(Debug)]
pub struct Step {
    /// The name that it is registered by.
    pub name: String,
    /// The line that calls it.
    pub line: usize,
    /// The tables that it may write, those that triggers on them write included. In lower case.
    pub writes: BTreeSet<String>,
}

/// One statement of a migration or of a way back.
#[derive(Clone, Debug)]
pub struct Statement {
    /// From its first word to its end, in bytes.
    pub span: Range<usize>,
    /// The line of its first word.
    pub line: usize,
}

/// A named part of a schema; names as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A table.
    Table(String),
    /// A column added to an existing table.
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// An index.
    Index(String),
    /// A trigger.
    Trigger(String),
    /// A view.
    View(String),
}

impl Object {
    /// Its name; of a column, that of its table.
    pub(crate) fn name(&self) -> &str {
        let (Self::Table(name)
        | Self::Column { table: name, .. }
        | Self::Index(name)
        | Self::Trigger(name)
        | Self::View(name)) = self;
        name
    }
}

/// The way back from a migration.
#[derive(Debug)]
pub struct Revert {
    /// The script.
    pub sql: String,
    /// The `.down.sql`; none where the script is derived.
    pub file: Option<String>,
    /// Its statements.
    pub statements: Vec<Statement>,
    /// The tables whose rows may be more or fewer afterwards, as for a migration, and those that it makes.
    pub writes: BTreeSet<String>,
}

/// A query contract.
#[derive(Debug)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its path relative to the migrations directory.
    pub file: String,
    /// What it is for.
    pub description: String,
    /// The query.
    pub sql: String,
    /// The names of its parameters in order, without the colon.
    pub parameters: Vec<String>,
    /// The index it must use.
    pub index: String,
    /// The longest acceptable median.
    pub budget: Duration,
    /// The version from which on there are the index and everything that the query reads.
    pub since: i64,
    /// A query that returns sets of parameters taken from the data.
    pub sample: Option<String>,
    /// A query whose first row has the values of parameters of `sample`, and of those of the contract that `sample` leaves out.
    pub sample_from: Option<String>,
    pub(crate) signature: Signature,
}

/// The types of a query contract.
#[derive(Debug)]
pub(crate) struct Signature {
    /// In the order in which SQLite numbers them.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) columns: Vec<Column>,
}

/// A parameter of a query contract.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Without the colon.
    pub(crate) name: String,
    pub(crate) typed: Typed,
}

/// A column of what a query contract returns.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) typed: Typed,
    /// The table and the column that it comes from, `worklogs.started`, if it comes from one.
    pub(crate) origin: Option<String>,
}

impl Migration {
    /// Its path relative to the migrations directory.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.file.name
    }

    /// Its normalised text; without the way back, where another tool has both in one file.
    #[must_use]
    pub fn sql(&self) -> &str {
        self.file.sql()
    }
}

/// What one schema has and an earlier one had not: tables, columns of tables that were there, indexes, triggers, views,
/// each kind in alphabetical order.
pub(crate) fn added(before: &Catalog, after: &Catalog) -> Vec<Object> {
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    for (key, table) in unlike(&after.tables, &before.tables) {
        let Some(earlier) = before.tables.get(key) else {
            tables.push(Object::Table(table.name.clone()));
            continue;
        };
        let new = table.columns.iter().filter(|(column, _)| !earlier.columns.contains_key(*column));
        columns
            .extend(new.map(|(_, column)| Object::Column { table: table.name.clone(), column: column.name.clone() }));
    }
    let indexes = unlike(&after.indexes, &before.indexes).filter(|(key, _)| !before.indexes.contains_key(*key));
    let triggers = unlike(&after.triggers, &before.triggers).filter(|(key, _)| !before.triggers.contains_key(*key));
    let views = unlike(&after.views, &before.views).filter(|(key, _)| !before.views.contains_key(*key));
    let mut objects = tables;
    objects.extend(columns);
    objects.extend(indexes.map(|(_, index)| Object::Index(index.name.clone())));
    objects.extend(triggers.map(|(_, trigger)| Object::Trigger(trigger.name.clone())));
    objects.extend(views.map(|(_, view)| Object::View(view.name.clone())));
    objects
}
