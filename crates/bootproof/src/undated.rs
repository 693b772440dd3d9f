//! Rows that no query by date can see.
//!
//! An index on `date(started)` holds NULL for a text that SQLite takes for no date, such as `2025-01-31T09:15:00.000+0100`,
//! without a colon in the offset (<https://sqlite.org/lang_datefunc.html>). Such a row matches no range of days, and
//! nobody is told. This tells.

use std::collections::BTreeSet;
use std::fmt;

use bootproof_catalog::{Catalog, quoted, token};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;

use crate::error::Error;
use crate::figure::{one_line, rows as row_count, short_line};

/// Rows of one table that no query by this date function of this column finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undated {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The function, such as `date`.
    pub function: &'static str,
    /// How many rows.
    pub rows: u64,
    /// What the column of one of them holds.
    pub example: String,
}

impl fmt::Display for Undated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, function, rows, example } = self;
        let (table, column, example) = (one_line(table), one_line(column), short_line(example));
        write!(
            f,
            "{} of `{table}` {} no date: `{function}({column})` is NULL, as for '{example}', and no query by date finds {}",
            row_count(*rows),
            if *rows == 1 { "has" } else { "have" },
            if *rows == 1 { "it" } else { "them" },
        )
    }
}

/// Counts, for every date function of a column in some index, the rows for which it is NULL although the column is not.
pub(crate) fn find(connection: &Connection, catalog: &Catalog) -> Result<Vec<Undated>, Error> {
    let failed = |error| Error::from_sqlite("looking for rows without a date", error);
    let mut dates = BTreeSet::new();
    for index in catalog.indexes.values() {
        dates.extend(index.terms.iter().filter_map(|term| Some((&index.table, date_of(&term.expression)?))));
    }
    let mut undated = Vec::new();
    for (table, (function, column)) in dates {
        let (table_name, column_name) = (quoted(table), quoted(&column));
        let sql = format!(
            "SELECT count(*), {column_name} FROM main.{table_name}
             WHERE {function}({column_name}) IS NULL AND {column_name} IS NOT NULL"
        );
        let found: Option<(i64, Option<Vec<u8>>)> = connection
            .query_row(&sql, [], |row| {
                Ok((row.get(0)?, row.get_ref(1)?.as_bytes_or_null().unwrap_or_default().map(<[u8]>::to_vec)))
            })
            .optional()
            .map_err(failed)?;
        if let Some((rows, example)) = found
            && rows > 0
        {
            let example = String::from_utf8_lossy(&example.unwrap_or_default()).into_owned();
            let (table, rows) = (table.clone(), rows.unsigned_abs());
            undated.push(Undated { table, column, function, rows, example });
        }
    }
    Ok(undated)
}

/// The function and the column of an expression such as `date ( started )`.
fn date_of(expression: &str) -> Option<(&'static str, String)> {
    const FUNCTIONS: [&str; 5] = ["date", "datetime", "julianday", "time", "unixepoch"];
    match token::tokens(expression).as_slice() {
        [function, open, column, close] if open.is_symbol('(') && close.is_symbol(')') => {
            let function = FUNCTIONS.iter().find(|name| function.is_keyword(name))?;
            Some((function, column.text.clone()))
        }
        _ => None,
    }
}
