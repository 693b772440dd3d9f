//! What only the text of a CREATE statement tells, reduced to what SQLite sees of it.
//!
//! Text decides only where SQLite offers nothing better: a column added by `ALTER TABLE` leaves another text than one
//! written at once, and both are the same table.

use crate::catalog::{Index, Table, Term};
use crate::token::{self, Kind, Token};

/// A token outside all parentheses, and what stands in those that follow it.
struct Part<'a> {
    word: &'a Token,
    group: Option<&'a [Token]>,
}

impl Table {
    /// CHECK, COLLATE, AUTOINCREMENT, ON CONFLICT, deferred foreign keys, generated expressions and table options.
    pub(crate) fn read_text(&mut self, sql: &str) {
        let tokens = token::tokens(sql);
        if tokens.get(1).is_some_and(|word| word.is_keyword("virtual")) {
            self.is_virtual = true;
            self.options.insert(canonical(sql));
            return;
        }
        let Some((body, after)) = token::parenthesised(&tokens) else { return };
        // `WITHOUT ROWID` and `STRICT`, in any order (<https://sqlite.org/syntax/table-options.html>).
        for option in token::split_list(after) {
            match option {
                [without, _] if without.is_keyword("without") => self.options.insert("without rowid".to_owned()),
                [strict] => self.options.insert(strict.as_name()),
                _ => false,
            };
        }
        // A reserved word, so never a name; in a `PRIMARY KEY (…)` it stands inside the parentheses.
        if body.iter().any(|word| word.is_keyword("autoincrement")) {
            self.options.insert("autoincrement".to_owned());
        }
        for item in token::split_list(body) {
            let parts = parts(item);
            let Some((first, rest)) = parts.split_first() else { continue };
            if ["constraint", "primary", "unique", "check", "foreign"].iter().any(|word| first.word.is_keyword(word)) {
                self.read_constraints("", &parts);
            } else {
                let column = first.word.as_name();
                self.read_constraints(&column, rest);
                self.read_column(column, rest);
            }
        }
    }

    /// The constraints of a column, or of the table if it is none.
    fn read_constraints(&mut self, column: &str, parts: &[Part<'_>]) {
        let mut constraint = "";
        let mut columns = token::name(column);
        let mut parent = String::new();
        let words: Vec<&str> = parts.iter().map(|part| keyword(part.word)).collect();
        for (position, part) in parts.iter().enumerate() {
            let group = part.group.map(token::join);
            match words.get(position..).unwrap_or_default() {
                ["check", ..] => self.checks.extend(group),
                ["not", "null", ..] => constraint = "not null",
                ["primary", ..] => constraint = "primary key",
                ["unique", ..] => {
                    constraint = "unique";
                    columns = group.unwrap_or(columns);
                }
                ["key", ..] => columns = group.unwrap_or(columns),
                // ABORT is what happens without a clause: <https://sqlite.org/lang_conflict.html>.
                ["on", "conflict", action, ..] if *action != "abort" => {
                    self.options.insert(format!("{constraint} ({columns}) on conflict {action}"));
                }
                ["references", ..] => {
                    parent = parts.get(position + 1).map(|part| token::name(&part.word.as_name())).unwrap_or_default();
                }
                // Every other wording is checked at once: <https://sqlite.org/foreignkeys.html#fk_deferred>.
                ["deferrable", "initially", "deferred", ..] if !words.get(..position).is_some_and(ends_with_not) => {
                    self.options.insert(format!("deferred ({columns}) -> {parent}"));
                }
                _ => {}
            }
        }
    }

    fn read_column(&mut self, name: String, parts: &[Part<'_>]) {
        let column = self.columns.entry(name).or_default();
        for (position, part) in parts.iter().enumerate() {
            match keyword(part.word) {
                "collate" => {
                    let collation = parts.get(position + 1).map(|part| part.word.text.to_ascii_uppercase());
                    column.collation = collation.filter(|collation| collation != "BINARY");
                }
                "as" if column.generated.is_none() => column.generated = part.group.map(token::join),
                _ => {}
            }
        }
    }
}

impl Index {
    /// The terms as text; what SQLite's pragmas know better is filled in afterwards.
    pub(crate) fn from_text(name: String, table: String, sql: String) -> Self {
        let tokens = token::tokens(&sql);
        let mut index = Self { name, table, unique: false, terms: Vec::new(), predicate: None, sql };
        if let Some((body, after)) = token::parenthesised(&tokens) {
            index.terms = token::split_list(body).into_iter().map(Term::from_tokens).collect();
            if after.first().is_some_and(|word| word.is_keyword("where")) {
                index.predicate = Some(token::join(after.get(1..).unwrap_or_default()));
            }
        }
        index
    }
}

impl Term {
    fn from_tokens(tokens: &[Token]) -> Self {
        Self { expression: token::join(expression(tokens)), collation: String::new(), descending: false }
    }
}

/// The terms of a CREATE INDEX as they are written there, without their direction.
///
/// ```
/// let sql = "CREATE INDEX i ON t(a->>'$.b' DESC, \"a b\" COLLATE nocase) WHERE a";
/// assert_eq!(bootproof_catalog::index_terms(sql), ["a->>'$.b'", "\"a b\" COLLATE nocase"]);
/// ```
#[must_use]
pub fn index_terms(sql: &str) -> Vec<&str> {
    let tokens = token::tokens(sql);
    let Some((body, _)) = token::parenthesised(&tokens) else { return Vec::new() };
    let text = |term| match undirected(term) {
        [only] => sql.get(only.span.clone()),
        [first, .., last] => sql.get(first.span.start..last.span.end),
        [] => None,
    };
    token::split_list(body).into_iter().map(|term| text(term).unwrap_or_default()).collect()
}

fn undirected(term: &[Token]) -> &[Token] {
    match term {
        [rest @ .., last] if last.is_keyword("asc") || last.is_keyword("desc") => rest,
        _ => term,
    }
}

/// A term without its collation and its direction.
fn expression(mut term: &[Token]) -> &[Token] {
    term = undirected(term);
    while let [rest @ .., _] = term
        && rest.last().is_some_and(|word| word.is_keyword("collate"))
    {
        term = rest.get(..rest.len() - 1).unwrap_or_default();
    }
    term
}

/// A CREATE statement in canonical text, without `IF NOT EXISTS`, which SQLite keeps in some texts and drops in others.
pub(crate) fn canonical(sql: &str) -> String {
    let mut tokens = token::tokens(sql);
    let clause = tokens
        .windows(3)
        .take(4)
        .position(|words| words.iter().zip(["if", "not", "exists"]).all(|(word, expected)| word.is_keyword(expected)));
    if let Some(start) = clause {
        tokens.drain(start..start + 3);
    }
    token::join_statement(&tokens)
}

/// A DEFAULT in canonical text. A name there is a text: `DEFAULT "x"` and `DEFAULT x` are `DEFAULT 'x'`.
pub(crate) fn canonical_default(text: &str) -> String {
    let text = text.trim();
    let name = match token::tokens(text).as_slice() {
        [Token { kind: Kind::Quoted, .. }] => token::unquoted(text),
        [Token { kind: Kind::Word, text: word, .. }] => {
            let is_name = !token::is_value(word) && !word.starts_with(|c: char| c.is_ascii_digit());
            (is_name && text.eq_ignore_ascii_case(word)).then(|| text.to_owned())
        }
        _ => None,
    };
    name.map_or_else(|| token::canonical(text), |name| format!("'{}'", name.replace('\'', "''")))
}

fn parts(tokens: &[Token]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut rest = tokens;
    while let [word, after @ ..] = rest {
        rest = after;
        let is_group = rest.first().is_some_and(|token| token.is_symbol('('));
        match is_group.then(|| token::parenthesised(rest)).flatten() {
            Some((group, after)) => {
                parts.push(Part { word, group: Some(group) });
                rest = after;
            }
            None => parts.push(Part { word, group: None }),
        }
    }
    parts
}

/// A bare word; nothing for what is quoted, a literal or a sign.
fn keyword(token: &Token) -> &str {
    if token.kind == Kind::Word { &token.text } else { "" }
}

fn ends_with_not(words: &[&str]) -> bool {
    words.last() == Some(&"not")
}
