//! Indexes that do not say what their tables say, although every page is sound: entries that are lost, doubled, stale, of
//! another row, or in another order.
//!
//! While an index is taken out of the schema, SQLite does not keep it up to date; and what stands in the schema of an index
//! is believed, whatever the index holds.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, params};

use super::judgement::judge;
use super::shape::{Files, Shape};
use crate::scene;
use crate::tally::{Tally, share, spread};

/// What is done to an index.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A row that the index has no entry of.
    Lost,
    /// An entry without a row.
    Orphaned,
    /// As many entries as rows, and one is of a row that is gone.
    Exchanged,
    /// The entry of a row is what the row was before.
    Stale,
    /// Two rows have exchanged their numbers: each entry is of the other.
    Crossed,
    /// The order is that of a descending first term.
    Reversed,
    /// The order is that of the other collation.
    Collated,
    /// Its pages are those of another index of the table.
    Swapped,
    /// The entries are of every row but one, and of one twice.
    Doubled,
}

const FAULTS: [Fault; 9] = [
    Fault::Lost,
    Fault::Orphaned,
    Fault::Exchanged,
    Fault::Stale,
    Fault::Crossed,
    Fault::Reversed,
    Fault::Collated,
    Fault::Swapped,
    Fault::Doubled,
];

/// An index with the SQL of its terms.
struct Index {
    name: String,
    table: String,
    terms: Vec<String>,
}

impl Index {
    /// The statement that makes one like it.
    fn another(&self, name: &str) -> String {
        format!("CREATE INDEX {name} ON \"{}\"({})", self.table, self.terms.join(", "))
    }
}

#[test]
fn of_a_database_at_head() {
    every_index(Shape::Current);
}

#[test]
fn of_a_database_to_be_adopted() {
    every_index(Shape::Unmanaged);
}

fn every_index(shape: Shape) {
    let files = shape.make();
    let mut tally = Tally::new(format!("indexes of {shape:?}"));
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    files.write(&path);
    let indexes = indexes(&Connection::open(&path).unwrap());
    assert!(indexes.len() > 20, "{} indexes of tables with rows", indexes.len());
    for fault in FAULTS {
        for index in spread(&indexes.iter().collect::<Vec<_>>(), share(2)) {
            let case = format!("{fault:?}, {} of {}", index.name, index.table);
            match damaged(&files, index, fault) {
                // Such as a row exchanged in a table whose every row must differ.
                Err(impossible) => tally.count(&case, Ok(format!("not possible ({})", kind(&impossible)))),
                Ok(files) => tally.count(&case, judge(&files)),
            }
        }
    }
    tally.finish();
}

fn kind(error: &rusqlite::Error) -> String {
    error.sqlite_error_code().map_or_else(|| error.to_string(), |code| format!("{code:?}"))
}

/// The indexes of tables that have two rows or more.
fn indexes(connection: &Connection) -> Vec<Index> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name NOT LIKE 'bootproof%'";
    let mut statement = connection.prepare(sql).unwrap();
    let read = |row: &Row<'_>| {
        let name: String = row.get(0)?;
        let terms = terms(connection, &name, row.get::<_, Option<String>>(2)?.as_deref());
        Ok(Index { name, table: row.get(1)?, terms })
    };
    let all = statement.query_map([], read).unwrap().map(Result::unwrap);
    let has_rows = |index: &Index| {
        let sql = format!("SELECT count(*) > 1 FROM \"{}\"", index.table);
        connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).unwrap()
    };
    all.filter(has_rows).collect()
}

fn terms(connection: &Connection, index: &str, sql: Option<&str>) -> Vec<String> {
    let written = sql.map(bootproof_catalog::index_terms).unwrap_or_default();
    let mut statement = connection.prepare("SELECT seqno, name FROM pragma_index_info(?1) ORDER BY seqno").unwrap();
    let term = |row: &Row<'_>| {
        let column = row.get::<_, Option<String>>(1)?.map(|name| format!("\"{name}\""));
        let position = usize::try_from(row.get::<_, i64>(0)?).unwrap();
        Ok(column.unwrap_or_else(|| written[position].to_owned()))
    };
    statement.query_map([index], term).unwrap().map(Result::unwrap).collect()
}

/// The database with one fault in one index, and otherwise sound and of the same schema.
fn damaged(files: &Files, index: &Index, fault: Fault) -> rusqlite::Result<Files> {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    files.write(&path);
    let table = format!("\"{}\"", index.table);
    let (first, last) = (format!("(SELECT min(rowid) FROM {table})"), format!("(SELECT max(rowid) FROM {table})"));
    match fault {
        Fault::Lost => {
            // The index hears of the row's end, and not of its return.
            connect(&path)?.execute_batch(&format!(
                "CREATE TABLE away AS SELECT * FROM {table} WHERE rowid = {last};
                 DELETE FROM {table} WHERE rowid = {last}"
            ))?;
            behind_its_back(&path, index, &format!("INSERT INTO {table} SELECT * FROM away"))?;
            connect(&path)?.execute_batch("DROP TABLE away")?;
        }
        Fault::Orphaned => behind_its_back(&path, index, &format!("DELETE FROM {table} WHERE rowid = {last}"))?,
        Fault::Exchanged => {
            behind_its_back(&path, index, &format!("UPDATE {table} SET rowid = {last} + 7 WHERE rowid = {last}"))?;
        }
        Fault::Stale => {
            let column = column(&path, index)?;
            let other = format!("(SELECT \"{column}\" || 'x' FROM {table} WHERE rowid = {last})");
            behind_its_back(&path, index, &format!("UPDATE {table} SET \"{column}\" = {other} WHERE rowid = {first}"))?;
        }
        Fault::Crossed => {
            let exchange = format!(
                "UPDATE {table} SET rowid = -1 WHERE rowid = {last};
                 UPDATE {table} SET rowid = {last} + 1 WHERE rowid = (SELECT min(rowid) FROM {table} WHERE rowid > 0);
                 UPDATE {table} SET rowid = {last} + 1 WHERE rowid = -1"
            );
            behind_its_back(&path, index, &exchange)?;
        }
        Fault::Reversed => replaced(&path, index, &with_first(index, " DESC"), Rows::Same)?,
        Fault::Collated => replaced(&path, index, &with_first(index, " COLLATE nocase"), Rows::Same)?,
        Fault::Swapped => {
            let other = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND name <> ?2 LIMIT 1";
            let connection = connect(&path)?;
            let other: String = connection.query_row(other, [&index.table, &index.name], |row| row.get(0))?;
            exchange_pages(&connection, &index.name, &other)?;
        }
        Fault::Doubled => replaced(&path, index, &index.terms, Rows::LastLikeFirst)?,
    }
    Ok(Files::read(&path))
}

/// The terms, with something added to the first.
fn with_first(index: &Index, addition: &str) -> Vec<String> {
    let mut terms = index.terms.clone();
    terms[0].push_str(addition);
    terms
}

/// A column of the table that the index depends on.
fn column(path: &Path, index: &Index) -> rusqlite::Result<String> {
    let connection = connect(path)?;
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let columns: Vec<String> = statement.query_map([&index.table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let is_used = |column: &String| index.terms.iter().any(|term| term.contains(column.as_str()));
    columns.into_iter().rfind(is_used).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Runs SQL of which another index of the same terms hears in the place of this one, whose pages meanwhile are in no schema.
fn behind_its_back(path: &Path, index: &Index, sql: &str) -> rusqlite::Result<()> {
    let connection = connect(path)?;
    connection.execute_batch(&index.another("stand_in"))?;
    exchange_pages(&connection, &index.name, "stand_in")?;
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'stand_in'";
    let root: i64 = connection.query_row(root, [], |row| row.get(0))?;
    rewrite(&connection, |schema| schema.execute("DELETE FROM sqlite_schema WHERE name = 'stand_in'", []))?;
    connect(path)?.execute_batch(sql)?;
    let connection = connect(path)?;
    let again = "INSERT INTO sqlite_schema VALUES ('index', 'stand_in', ?1, ?2, ?3)";
    rewrite(&connection, |schema| schema.execute(again, params![index.table, root, index.another("stand_in")]))?;
    exchange_pages(&connection, &index.name, "stand_in")?;
    connect(path)?.execute_batch("DROP INDEX stand_in")
}

/// What rows an index is made of that is to take the place of another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Same,
    LastLikeFirst,
}

/// Puts the pages of an index of other terms, or of other rows, in the place of those of the index.
fn replaced(path: &Path, index: &Index, terms: &[String], rows: Rows) -> rusqlite::Result<()> {
    let connection = connect(path)?;
    let like = format!("CREATE TABLE other AS SELECT * FROM \"{}\"", index.table);
    connection.execute_batch(&like)?;
    if rows == Rows::LastLikeFirst {
        connection.execute_batch(
            "DELETE FROM other WHERE rowid = (SELECT max(rowid) FROM other);
             INSERT INTO other SELECT * FROM other ORDER BY rowid LIMIT 1",
        )?;
    }
    let of = if rows == Rows::Same { index.table.as_str() } else { "other" };
    connection.execute_batch(&format!("CREATE INDEX stand_in ON \"{of}\"({})", terms.join(", ")))?;
    exchange_pages(&connection, &index.name, "stand_in")?;
    connect(path)?.execute_batch("DROP INDEX stand_in; DROP TABLE other")
}

fn exchange_pages(connection: &Connection, one: &str, other: &str) -> rusqlite::Result<()> {
    let exchange = "UPDATE sqlite_schema
                    SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN (?1, ?2)) - rootpage
                    WHERE name IN (?1, ?2)";
    rewrite(connection, |schema| schema.execute(exchange, [one, other]))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    Ok(connection)
}

/// Writes into the schema, which is read anew by whoever opens the file next.
fn rewrite(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    write(connection)?;
    let version: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
    connection.execute_batch(&format!("PRAGMA schema_version = {}; PRAGMA writable_schema = OFF", version + 1))
}
