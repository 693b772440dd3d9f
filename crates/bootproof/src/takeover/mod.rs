//! Taking over a database that another tool has migrated.
//!
//! The other tool's history says which version it is at; the live structure has to prove it. From then on our own history
//! counts. The other table is read, and never written: that tool could go on from where it was.
//!
//! In reading order:
//!
//! - `record`: what a history says, and whether this binary can continue it
//! - `rows`: the rows of somebody else's table, which may hold anything
//! - `text`: the checksums of others
//! - one module for each tool

mod record;
mod rows;
mod text;

mod dbmate;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod prisma;
pub(crate) mod refinery;
mod rusqlite_migration;
mod sqlx;

use std::borrow::Cow;
use std::path::Path;

use bootproof_catalog::{Catalog, Difference, HISTORY_TABLE, Severity, Subject};
use rusqlite::Connection;

use self::record::{History, Reading};
use self::rows::Row;
use crate::adopt;
use crate::compiled::{Migration, ObjectKind};
use crate::connection;
use crate::error::Error;
use crate::figure::short_line;
use crate::files;
use crate::look;
use crate::schema::Schema;

/// A tool that keeps its history in a table.
struct Tool {
    name: &'static str,
    table: &'static str,
    /// The columns that are read.
    columns: &'static [&'static str],
    /// Whether the table has no others: other programs, too, call a table `schema_migrations`.
    is_exact: bool,
    /// The layouts whose files are its own.
    dialects: &'static [&'static str],
    /// What the rows say.
    read: fn(&Reading<'_>, &[Row]) -> History,
}

/// No two of one shape and name.
const TOOLS: [&Tool; 8] = [
    &sqlx::TOOL,
    &diesel::TOOL,
    &prisma::TOOL,
    &goose::TOOL,
    &dbmate::TOOL,
    &golang_migrate::TOOL,
    &drizzle::TOOL,
    &flyway::TOOL,
];

/// The history of another tool that a boot can continue.
#[derive(Clone, Debug)]
pub(crate) struct TakeOver {
    /// The tool.
    pub(crate) tool: &'static str,
    /// The version its history names.
    pub(crate) version: i64,
    /// What a person should know of it.
    pub(crate) notes: Vec<String>,
}

/// Looks for the history of another tool in a database that has none of ours, or one that refinery itself has written.
///
/// `None` where there is none, or none about these migrations.
pub(crate) fn find(schema: &Schema, connection: &Connection, live: &Catalog) -> Result<Option<TakeOver>, Error> {
    let mut present = Vec::new();
    for (tool, table) in tables(schema) {
        if let Some(rows) = rows::read(connection, tool, table)? {
            present.push((tool, table, rows));
        }
    }
    if let Some(table) = schema.history_table().filter(|_| present.is_empty() && !live.is_empty()) {
        let problem = "there is no table of this name with the columns of a tool that is known".to_owned();
        return Err(Error::Malformed { table, problems: vec![problem] });
    }
    // The tool that these files were written for knows best.
    let is_own = |tool: &Tool| tool.dialects.contains(&schema.compiled().dialect);
    present.sort_by_key(|(tool, ..)| !is_own(tool));
    for (tool, table, rows) in present {
        let reading = Reading { schema, is_own: is_own(tool) };
        let history = (tool.read)(&reading, &rows);
        if let Some(version) = history.judge(&reading, tool.name, table)? {
            let mut notes = history.notes;
            notes.push(format!(
                "taken over from {} at version {version}; its table `{table}` is left as it was",
                tool.name
            ));
            return Ok(Some(TakeOver { tool: tool.name, version, notes }));
        }
    }
    rusqlite_migration::find(schema, connection, live)
}

/// The names of the tools whose tables a database file has; none where it cannot be read.
///
/// Where the names of files fit several tools, these tell which it is.
#[must_use]
pub fn tools_of(path: &Path) -> Vec<&'static str> {
    // What is no regular file is not opened at all: SQLite would wait for a pipe.
    let is_file = files::exists(path).is_ok_and(|exists| exists);
    let Some(connection) = is_file.then(|| connection::open_to_look(path).ok()).flatten() else { return Vec::new() };
    let is_there = |tool: &&&Tool| rows::read(&connection, tool, tool.table).is_ok_and(|rows| rows.is_some());
    TOOLS.iter().filter(is_there).map(|tool| tool.name).collect()
}

/// The live schema without the tables of other tools: they are no part of the application's.
pub(crate) fn without_histories<'c>(schema: &Schema, live: &'c Catalog) -> Cow<'c, Catalog> {
    let mut catalog = Cow::Borrowed(live);
    for (tool, table) in tables(schema) {
        let key = table.to_ascii_lowercase();
        let columns = live.tables.get(&key).map(|table| &table.columns);
        if columns.is_some_and(|columns| tool.fits(columns.len(), |column| columns.contains_key(column))) {
            let catalog = catalog.to_mut();
            catalog.tables.remove(&key);
            catalog.indexes.retain(|_, index| !index.table.eq_ignore_ascii_case(table));
        }
    }
    catalog
}

/// The tools with the tables to look for: their own, but for those that the application has, or the one that was named.
fn tables(schema: &Schema) -> impl Iterator<Item = (&'static Tool, &'static str)> + '_ {
    let named = schema.history_table();
    // refinery's own table is ours.
    let refinery = named.filter(|table| !table.eq_ignore_ascii_case(HISTORY_TABLE)).map(|_| &refinery::TOOL);
    let tools = TOOLS.into_iter().chain(refinery).map(move |tool| (tool, named.unwrap_or(tool.table)));
    tools.filter(move |(_, table)| !schema.declares(&table.to_ascii_lowercase()))
}

/// Proves that the structure is that of the version which the other tool's history names, as an adoption proves a baseline;
/// and that nothing of a later version is there already. Returns the differences that are tolerated from then on.
pub(crate) fn prove(
    schema: &Schema,
    tool: &'static str,
    version: i64,
    differences: &[Difference],
) -> Result<Vec<String>, Error> {
    let premature = later(schema, version, differences);
    let missing = differences.iter().filter(|difference| difference.severity == Severity::Missing);
    let refused: Vec<Difference> = missing.chain(premature).cloned().collect();
    if refused.is_empty() {
        return adopt::prove(tool, differences);
    }
    let migration = schema.migration(version).map_or("", Migration::title);
    Err(Error::NotTakenOver { tool, version, migration, differences: refused })
}

/// The additions that a later migration makes.
fn later<'d>(
    schema: &'d Schema,
    version: i64,
    differences: &'d [Difference],
) -> impl Iterator<Item = &'d Difference> + 'd {
    let pending = schema.compiled().migrations.iter().filter(move |migration| migration.version > version);
    let creates = pending.flat_map(|migration| migration.creates);
    let is_made_later = move |difference: &&Difference| {
        creates.clone().any(|object| match (object.kind, difference.subject) {
            (ObjectKind::Table, Subject::Table) => object.name.eq_ignore_ascii_case(&difference.object),
            (ObjectKind::Column, Subject::Column) => difference.message.contains(&format!("`{}`", object.name)),
            _ => false,
        })
    };
    differences.iter().filter(|difference| difference.severity == Severity::Extra).filter(is_made_later)
}

impl Tool {
    /// Whether a table with so many columns, of which it can tell whether it has one, is this tool's.
    fn fits(&self, count: usize, has: impl Fn(&str) -> bool) -> bool {
        self.columns.iter().all(|column| has(column)) && (!self.is_exact || count == self.columns.len())
    }
}

/// How a live schema differs from that of a version, whatever other tools have beside it.
fn differences(schema: &Schema, version: i64, live: &Catalog) -> Result<Vec<Difference>, Error> {
    look::differences(schema, version, live)
}

/// The problem of a text that should be a version.
fn no_version(text: &str) -> String {
    format!("\"{}\" is no version", short_line(text))
}

/// In another layout than the tool's the files had to be changed: a person is told which.
fn note_edited(history: &mut History, reading: &Reading<'_>, tool: &str) {
    let edited: Vec<&str> = if reading.is_own { Vec::new() } else { history.edited(reading.schema).collect() };
    let notes =
        edited.iter().map(|title| format!("{title} is not the file that {tool} applied; the schema is the same"));
    history.notes.extend(notes);
}
