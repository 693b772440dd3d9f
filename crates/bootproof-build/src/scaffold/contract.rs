//! The text of a query contract, written from an index and proven before anybody sees it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Column, Index, Table, Term};
use bootproof_catalog::quoted;
use bootproof_catalog::token::{self, Kind, Token};

use super::{ScaffoldError, snake_case};
use crate::compile;
use crate::compiler::Settings;
use crate::contract::{expression_type, rust_name};
use crate::diagnostic::{Diagnostics, Severity};
use crate::explain::nearest;
use crate::source::File;
use crate::value::Type;

/// How long a line of columns gets.
const LINE: usize = 100;

/// A term of an index key, as a query says it.
struct Compared {
    /// The column or the expression.
    sql: String,
    /// ` COLLATE …`, where comparing the expression as it is would not use the index.
    collate: String,
    /// The name of the parameter that it is compared with.
    parameter: String,
    /// Whether the type of that has to be said.
    is_untyped: bool,
}

/// What the query returns.
struct Returned {
    /// The list behind SELECT.
    list: String,
    /// The names of those whose type has to be said.
    untyped: Vec<String>,
}

/// The text of a contract that proves in the directory as it stands.
pub(super) fn proven(directory: &Path, file: &str, name: &str) -> Result<String, ScaffoldError> {
    let compilation = compile::compile(directory, directory, &Settings::default())
        .map_err(|diagnostics| ScaffoldError::NotCompiled { directory: directory.to_owned(), diagnostics })?;
    let head = &compilation.head;
    let index = head.indexes.get(&name.to_ascii_lowercase()).ok_or_else(|| unknown(head, name))?;
    let Some(table) = head.tables.get(&index.table.to_ascii_lowercase()) else { return Err(unknown(head, name)) };
    let terms = compared(index, table);
    let returned = returned(table);
    let mut reason = None;
    // An index serves from its first column on; for all of them SQLite may know a shorter way, such as a UNIQUE one.
    for length in (1..=terms.len()).rev() {
        let text = text(index, terms.get(..length).unwrap_or(&terms), &returned);
        let draft = Arc::new(File::new(file, text.clone()));
        match compile::compile(directory, directory, &Settings { draft: Some(draft), ..Settings::default() }) {
            Ok(_) => return Ok(text),
            Err(diagnostics) => reason = reason.or_else(|| first_error(&diagnostics)),
        }
    }
    Err(ScaffoldError::NotSearched { index: index.name.clone(), reason: reason.unwrap_or_default() })
}

fn unknown(head: &Catalog, name: &str) -> ScaffoldError {
    ScaffoldError::UnknownIndex {
        index: name.to_owned(),
        nearest: nearest(name, head.indexes.values().map(|index| index.name.clone())),
        indexes: head.indexes.values().map(|index| format!("{} on {}", index.name, index.signature())).collect(),
    }
}

fn first_error(diagnostics: &Diagnostics) -> Option<String> {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    errors.next().map(|diagnostic| diagnostic.message().to_owned())
}

/// Every column of the table, under a name that a field can have.
fn returned(table: &Table) -> Returned {
    let mut taken = BTreeSet::new();
    let (mut list, mut untyped, mut width) = (String::from("SELECT "), Vec::new(), 0);
    for (position, column) in table.columns.values().enumerate() {
        let is_fit = rust_name(&column.name).is_some() && taken.insert(column.name.clone());
        let (name, sql) = if is_fit {
            (column.name.clone(), quoted(&column.name))
        } else {
            let base = snake_case(&column.name).map_or_else(|| "value".to_owned(), |name| format!("column_{name}"));
            let name = distinct(&base, &mut taken);
            let sql = format!("{} AS {}", quoted(&column.name), quoted(&name));
            (name, sql)
        };
        width += sql.len() + 2;
        let is_full = position > 0 && width > LINE;
        if position > 0 {
            list.push_str(if is_full { ",\n       " } else { ", " });
        }
        width = if is_full { sql.len() + 2 } else { width };
        list.push_str(&sql);
        if Type::of_declared(&column.declared_type).is_none() {
            untyped.push(name);
        }
    }
    Returned { list, untyped }
}

/// A name that is not taken yet.
fn distinct(base: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = base.to_owned();
    let mut count = 1;
    while !taken.insert(name.clone()) {
        count += 1;
        name = format!("{base}_{count}");
    }
    name
}

fn text(index: &Index, terms: &[Compared], returned: &Returned) -> String {
    let (name, table) = (&index.name, quoted(&index.table));
    let predicate = index.predicate.as_ref().map(|predicate| format!("({})", as_written(&index.sql, predicate)));
    let all =
        |conditions: Vec<String>| conditions.into_iter().chain(predicate.clone()).collect::<Vec<_>>().join("\n  AND ");
    let equal = |Compared { sql, collate, parameter, .. }: &Compared| format!("{sql}{collate} = :{parameter}");
    let conditions = all(terms.iter().map(equal).collect());
    let values = terms.iter().map(|term| format!("{} AS {}", term.sql, quoted(&term.parameter)));
    let values = values.collect::<Vec<_>>().join(",\n       ");
    let present = all(terms.iter().map(|term| format!("{} IS NOT NULL", term.sql)).collect());
    let positions = (1..=terms.len()).map(|position| position.to_string()).collect::<Vec<_>>().join(", ");
    let parameters = terms.iter().filter(|term| term.is_untyped).map(|term| ("parameter", &term.parameter));
    let untyped = parameters.chain(returned.untyped.iter().map(|name| ("column", name)));
    let types: Vec<_> = untyped.map(|(kind, name)| format!("-- bootproof: {kind} {name} ANY\n")).collect();
    let types = types.concat();
    let select = &returned.list;
    // On one line: a line break in the name would end the comment.
    let (rows, by) = (index.table.replace(['\n', '\r'], " "), in_words(terms));
    format!(
        "\
-- Rows of {rows} by {by}: say here which page or job waits for them.
-- bootproof: index {name}
-- bootproof: budget 200 ms
{types}{select}
FROM {table}
WHERE {conditions};

-- Make the query the one that the application runs: the columns it needs, the comparisons it makes, its order. The budget
-- is the longest median that is acceptable.
--
-- The sampling query picks parameters from the data to time the query with: here those with the most rows.
-- bootproof: sample
SELECT {values}
FROM {table}
WHERE {present}
GROUP BY {positions}
ORDER BY count(*) DESC, {positions}
LIMIT 5;
"
    )
}

fn in_words(terms: &[Compared]) -> String {
    let names: Vec<_> = terms.iter().map(|term| term.parameter.as_str()).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

fn compared(index: &Index, table: &Table) -> Vec<Compared> {
    let mut taken = BTreeSet::new();
    let terms = index.terms.iter().map(|term| {
        let column = column(table, term);
        let sql = column.map_or_else(|| expression(index, term), |column| quoted(&column.name));
        let own = column.and_then(|column| column.collation.as_deref()).unwrap_or("BINARY");
        let is_own = term.collation.eq_ignore_ascii_case(own);
        let collate = if is_own { String::new() } else { format!(" COLLATE {}", quoted(&term.collation)) };
        let base = snake_case(column.map_or(&sql, |column| &column.name)).unwrap_or_else(|| "value".to_owned());
        let parameter = distinct(&base, &mut taken);
        let value = column.map_or_else(|| expression_type(&sql), |column| Type::of_declared(&column.declared_type));
        Compared { sql, collate, parameter, is_untyped: value.is_none() }
    });
    terms.collect()
}

/// The column that a term is, if it is no expression.
fn column<'a>(table: &'a Table, term: &Term) -> Option<&'a Column> {
    table.columns.iter().find(|(key, _)| token::name(key) == term.expression).map(|(_, column)| column)
}

/// An expression as the index spells it; in parentheses, unless it is a function's value.
fn expression(index: &Index, term: &Term) -> String {
    let sql = as_written(&index.sql, &term.expression);
    let tokens = token::tokens(&sql);
    // Neither `(a) OR (b)` nor `NOT (a)`, which would take the comparison into it.
    let is_last_group = token::parenthesised(&tokens).is_some_and(|(_, after)| after.is_empty());
    let is_function = |first: &Token| first.kind != Kind::Symbol && !first.is_keyword("not");
    let is_enclosed = match tokens.as_slice() {
        [first, ..] if first.is_symbol('(') => is_last_group,
        [first, second, ..] if second.is_symbol('(') => is_last_group && is_function(first),
        _ => false,
    };
    if is_enclosed { sql } else { format!("({sql})") }
}

/// The part of a CREATE INDEX that has this canonical text, which itself is no SQL: it says `| |` for `||`.
fn as_written(sql: &str, canonical: &str) -> String {
    let is_start = |at: &usize| sql.get(..*at).is_some_and(ends_before_expression);
    let boundaries = || sql.char_indices().map(|(at, _)| at).chain([sql.len()]);
    let candidates = boundaries().filter(is_start).filter_map(|start| {
        boundaries().filter(|&end| end > start).filter_map(|end| sql.get(start..end)).find(|part| {
            // With something behind it, so that neither an open quote nor a comment is part of it.
            token::canonical(part) == canonical && token::canonical(&format!("{part} x")) == format!("{canonical} x")
        })
    });
    let part = candidates.map(str::trim).next();
    part.map_or_else(|| token::readable(canonical), str::to_owned)
}

/// Whether an expression can follow a text: a term of a key, or the WHERE of a partial index.
fn ends_before_expression(text: &str) -> bool {
    text.ends_with(['(', ','])
        || text
            .len()
            .checked_sub(5)
            .and_then(|at| text.get(at..))
            .is_some_and(|word| word.eq_ignore_ascii_case("where"))
}
