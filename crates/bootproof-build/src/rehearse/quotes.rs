//! Texts in double quotes: where SQLite takes what could be the name of a column for a text, because there is no such column
//! (<https://sqlite.org/quirks.html#dblquote>).
//!
//! Which ones these are SQLite tells, one after the other: told not to do it, it names the first.

use std::ops::Range;

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection};

/// A list of values may have thousands, and each is found by preparing the statement once more.
const MOST: usize = 64;

/// Whether a name in double quotes that nothing has is a text.
///
/// What is in the schema already, SQLite reads either way.
pub(crate) fn are_texts(connection: &Connection, yes: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, yes)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, yes).map(|_| ())
}

/// Whether SQLite refuses a statement because it must not take a name for a text.
pub(crate) fn is_about(message: &str) -> bool {
    message.contains("should this be a string literal")
}

/// The same of an error.
pub(super) fn are_to_blame(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => is_about(msg),
        rusqlite::Error::SqliteFailure(_, Some(message)) => is_about(message),
        _ => false,
    }
}

/// Whether the name that is to blame stands in a text: otherwise it is in a trigger or a view that the statement comes across.
pub(super) fn are_in(sql: &str, error: &rusqlite::Error) -> bool {
    let message = error.to_string();
    let name = message.split_once("no such column: ").and_then(|(_, rest)| rest.split_once(" - should"));
    name.is_none_or(|(name, _)| sql.contains(name))
}

/// Where the first statement of a text has such texts: those of its own, not of the triggers that it fires.
pub(super) fn of_first_statement(connection: &Connection, sql: &str) -> Vec<Range<usize>> {
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    while found.len() < MOST {
        let edited = edited(sql, &found);
        let Err(rusqlite::Error::SqlInputError { msg, offset, .. }) = Batch::new(connection, &edited).next() else {
            break;
        };
        let Some(at) = usize::try_from(offset).ok().filter(|_| is_about(&msg)) else { break };
        let at = original(at, &found);
        let Some(literal) = sql.get(at..).and_then(literal) else { break };
        let (length, literal) = literal;
        found.push((at..at + length, literal));
        found.sort_by_key(|(span, _)| span.start);
        if found.windows(2).any(|pair| matches!(pair, [one, next] if one.0 == next.0)) {
            break;
        }
    }
    found.dedup_by(|one, next| one.0 == next.0);
    found.into_iter().map(|(span, _)| span).collect()
}

/// The text with single quotes in the place of what was found.
fn edited(sql: &str, found: &[(Range<usize>, String)]) -> String {
    let mut edited = String::with_capacity(sql.len());
    let mut from = 0;
    for (span, literal) in found {
        edited.push_str(sql.get(from..span.start).unwrap_or_default());
        edited.push_str(literal);
        from = span.end;
    }
    edited.push_str(sql.get(from..).unwrap_or_default());
    edited
}

/// A place in the edited text, in the text as it was.
fn original(at: usize, found: &[(Range<usize>, String)]) -> usize {
    let mut at = at;
    for (span, literal) in found {
        if at < span.start + literal.len() {
            break;
        }
        at = (at + span.len()).saturating_sub(literal.len());
    }
    at
}

/// The name in double quotes at the beginning of a text: its length, and the text that SQLite takes it for.
fn literal(sql: &str) -> Option<(usize, String)> {
    let rest = sql.strip_prefix('"')?;
    let mut end = 0;
    loop {
        end += rest.get(end..)?.find('"')?;
        if !rest.get(end + 1..)?.starts_with('"') {
            break;
        }
        end += 2;
    }
    let name = rest.get(..end)?.replace("\"\"", "\"");
    Some((end + 2, format!("'{}'", name.replace('\'', "''"))))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{are_texts, of_first_statement};

    #[test]
    fn every_text_is_found_where_it_stands() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(\"a\", b)").unwrap();
        are_texts(&connection, false).unwrap();
        let found = |sql: &'static str| -> Vec<&'static str> {
            of_first_statement(&connection, sql).into_iter().map(|span| &sql[span]).collect()
        };
        assert_eq!(
            found("INSERT INTO t VALUES (\"x\", \"y\"\"'z\"), (\"x\", 1); SELECT \"u\""),
            ["\"x\"", "\"y\"\"'z\"", "\"x\""]
        );
        assert_eq!(found("SELECT \"a\", \"c\" FROM t WHERE \"b\" IN (\"\", \"ä'\")"), ["\"c\"", "\"\"", "\"ä'\""]);
        assert_eq!(
            found("CREATE TABLE u(x CHECK (x IN (\"on\", \"off\")), \"y\" DEFAULT \"z\")"),
            ["\"on\"", "\"off\""]
        );
        assert!(found("SELECT \"a\" FROM t").is_empty());
    }
}
