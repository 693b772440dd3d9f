//! Gathering the statistics that SQLite plans by (<https://sqlite.org/lang_analyze.html>).

use bootproof_catalog::{Catalog, quoted};
use rusqlite::Connection;

use crate::error::{Error, is_refused_sql};

/// How much of an index is read for its statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Some hundred entries of each: with a million rows that takes 40 ms in the place of 2 s, and SQLite itself recommends
    /// it (<https://sqlite.org/lang_analyze.html#approx>).
    Sampled,
    /// All of it, with samples of how the values are distributed.
    Whole,
}

/// Within what SQLite recommends, 100 to 1,000.
const ENTRIES: i64 = 400;

/// Analyses the whole database; returns what had to be left out, in words.
///
/// An index of somebody's with a collation that only their program has cannot be analysed, nor can its table; that is no
/// reason to go without statistics for all others.
pub(crate) fn gather(connection: &Connection, depth: Depth) -> Result<Vec<String>, Error> {
    let failed = |error| Error::from_sqlite("gathering statistics", error);
    let limit: i64 = connection.pragma_query_value(None, "analysis_limit", |row| row.get(0)).map_err(failed)?;
    let entries = if depth == Depth::Sampled { ENTRIES } else { 0 };
    connection.pragma_update(None, "analysis_limit", entries).map_err(failed)?;
    let gathered = analyse(connection);
    connection.pragma_update(None, "analysis_limit", limit).map_err(failed)?;
    gathered
}

fn analyse(connection: &Connection) -> Result<Vec<String>, Error> {
    let failed = |error| Error::from_sqlite("gathering statistics", error);
    log::info!("gathering statistics");
    let mut notes = Vec::new();
    match connection.execute_batch("ANALYZE main") {
        Err(error) if is_refused_sql(&error) => {
            let catalog = Catalog::read(connection).map_err(failed)?;
            for table in catalog.tables.values().filter(|table| !table.is_virtual) {
                if let Err(error) = connection.execute_batch(&format!("ANALYZE main.{}", quoted(&table.name))) {
                    notes.push(format!("no statistics for `{}`: {error}", table.name));
                }
            }
        }
        analysed => analysed.map_err(failed)?,
    }
    reload(connection)?;
    Ok(notes)
}

/// Has SQLite read the statistics again. They come with the schema; but where the system would not read them then, SQLite goes
/// without and says nothing, and plans otherwise.
pub(crate) fn reload(connection: &Connection) -> Result<(), Error> {
    let reload = || {
        let sql = "SELECT count(*) > 0 FROM main.sqlite_schema WHERE name = 'sqlite_stat1'";
        // Asked for statistics that nobody has gathered, SQLite makes empty tables for them.
        if connection.query_row(sql, [], |row| row.get(0))? {
            connection.execute_batch("ANALYZE main.sqlite_schema")?;
        }
        Ok(())
    };
    reload().map_err(|error| Error::from_sqlite("reading the statistics", error))
}
