//! The rows of somebody else's table: anything may stand in them, and nothing is taken for granted.

use bootproof_catalog::quoted;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _};

use super::Tool;
use crate::error::Error;
use crate::figure::short_line;

/// One row, by the columns of its tool.
pub(super) struct Row {
    columns: &'static [&'static str],
    values: Vec<Value>,
}

/// The rows of a tool's table, in the order in which they were written; `None` where there is no such table.
pub(super) fn read(connection: &Connection, tool: &Tool, table: &str) -> Result<Option<Vec<Row>>, Error> {
    let failed = |error| Error::from_sqlite("reading the history of another tool", error);
    let Some(table) = exists(connection, tool, table).map_err(failed)? else { return Ok(None) };
    let columns: Vec<String> = tool.columns.iter().map(|column| format!("t.\"{column}\"")).collect();
    let sql = format!("SELECT {} FROM main.{} AS t", columns.join(", "), quoted(&table));
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut read = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let value = |column| owned(row.get_ref(column).unwrap_or(ValueRef::Null));
        read.push(Row { columns: tool.columns, values: (0..tool.columns.len()).map(value).collect() });
    }
    Ok(Some(read))
}

/// The name of the ordinary table of that name with those columns, as the schema has it.
fn exists(connection: &Connection, tool: &Tool, table: &str) -> rusqlite::Result<Option<String>> {
    // Only an ordinary table has pages.
    let sql = "SELECT name FROM main.sqlite_schema
               WHERE type = 'table' AND rootpage > 0 AND name = ?1 COLLATE NOCASE";
    let name: Option<String> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
    let Some(name) = name else { return Ok(None) };
    let mut statement = connection.prepare("SELECT lower(name) FROM pragma_table_info(?1, 'main')")?;
    let columns = statement.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let fits = tool.fits(columns.len(), |column| columns.iter().any(|name| name == column));
    Ok(fits.then_some(name))
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl Row {
    fn value(&self, column: &str) -> &Value {
        let position = self.columns.iter().position(|name| *name == column);
        position.and_then(|position| self.values.get(position)).unwrap_or(&Value::Null)
    }

    fn not(&self, column: &str, expected: &str) -> String {
        let value = match self.value(column) {
            Value::Null => "NULL".to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Text(text) => format!("\"{}\"", short_line(text)),
            Value::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
        };
        format!("{column} is {value}, not {expected}")
    }

    pub(super) fn is_null(&self, column: &str) -> bool {
        *self.value(column) == Value::Null
    }

    /// A whole number, also where it is written as text.
    pub(super) fn integer(&self, column: &str) -> Result<i64, String> {
        match self.value(column) {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.not(column, "a whole number"))
    }

    pub(super) fn text(&self, column: &str) -> Result<String, String> {
        match self.value(column) {
            Value::Text(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            _ => Err(self.not(column, "text")),
        }
    }

    pub(super) fn truth(&self, column: &str) -> Result<bool, String> {
        match self.value(column) {
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
        .ok_or_else(|| self.not(column, "true or false"))
    }

    pub(super) fn bytes(&self, column: &str) -> Result<&[u8], String> {
        match self.value(column) {
            Value::Blob(bytes) => Ok(bytes),
            Value::Text(text) => Ok(text.as_bytes()),
            _ => Err(self.not(column, "a blob")),
        }
    }
}
