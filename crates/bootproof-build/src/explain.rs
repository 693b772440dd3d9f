//! What SQLite says is wrong, put at the place in the file, with what to do about it.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::{Shared, token};

use crate::budget;
use crate::compilation::{Migration, Object};
use crate::diagnostic::Diagnostic;
use crate::rehearse::quotes;
use crate::source::{File, Source};

/// The migrations around the one that fails.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) earlier: &'a [Migration],
    pub(crate) later: &'a [Source],
}

/// Everything that helps to understand an error.
pub(crate) struct Explainer<'a> {
    pub(crate) file: &'a Arc<File>,
    /// The schema as the failing statement found it.
    pub(crate) catalog: &'a Catalog,
    pub(crate) known: Known<'a>,
}

impl Explainer<'_> {
    /// A diagnostic for an error of the statement that starts at a byte of the file.
    pub(crate) fn explain(&self, error: &rusqlite::Error, start: usize) -> Diagnostic {
        let rest = start..self.file.part.end;
        if let Some((rule, message, help)) = budget::explain(error) {
            return Diagnostic::error(rule, message).at(self.file, self.file.first_word(rest)).help(help);
        }
        let (message, offset) = match error {
            rusqlite::Error::SqlInputError { msg, offset, .. } => (msg.clone(), usize::try_from(*offset).ok()),
            rusqlite::Error::SqliteFailure(code, None) => (code.to_string(), None),
            rusqlite::Error::SqliteFailure(_, Some(message)) => (message.clone(), None),
            other => (other.to_string(), None),
        };
        let span = match offset {
            Some(offset) => self.token_at(start + offset),
            None => subject(&message)
                .and_then(|name| self.file.find_word(name, rest.clone()))
                .unwrap_or_else(|| self.file.first_word(rest.clone())),
        };
        // The rest of the file may be part of the message, if a quote is never closed.
        let summary = message.lines().next().unwrap_or_default();
        if quotes::is_about(&message) {
            let name = subject(&message).unwrap_or_default();
            return Diagnostic::error(
                "double-quoted-string",
                format!("`\"{name}\"` is a name in double quotes: no such column"),
            )
            .at(self.file, span)
            .help(format!("a text stands in single quotes: '{name}'"));
        }
        let mut diagnostic = Diagnostic::error("sqlite", summary).at(self.file, span);
        if message.contains("no such function") {
            return self.with_stub(diagnostic, subject(&message).unwrap_or_default(), rest);
        }
        if let Some(help) = self.help(&message, rest) {
            diagnostic = diagnostic.help(help);
        }
        diagnostic
    }

    /// The word, the quoted text or the sign at a byte.
    fn token_at(&self, start: usize) -> Range<usize> {
        let rest = self.file.text.get(start..).unwrap_or_default();
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'' | '`')) => {
                rest.get(1..).and_then(|inner| inner.find(quote)).map_or(1, |at| at + 2)
            }
            Some(first) => {
                let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                word.max(first.len_utf8())
            }
            None => 0,
        };
        start..start + length
    }

    fn help(&self, message: &str, rest: Range<usize>) -> Option<String> {
        let name = subject(message).unwrap_or_default();
        // `error in view v: …`, `error in trigger t after drop column: …`
        if let Some((object, _)) = message.strip_prefix("error in ").and_then(|rest| rest.split_once(": ")) {
            let object = object.split(" after ").next().unwrap_or(object);
            return Some(format!("drop the {object} before the tables it names change, and make it again behind that"));
        }
        if message.contains("no such column") || message.contains("has no column named") {
            return self.column_help(name, rest);
        }
        if message.contains("no such table") {
            return self.table_help(name);
        }
        if message.contains("already exists") || message.contains("there is already") {
            return Some(self.existing_help(name));
        }
        let help = if message.contains("duplicate column name") {
            "the table has this column already: remove it here, or give it another name"
        } else if message.contains("syntax error") {
            return Some(syntax_help(name));
        } else if message == "incomplete input" {
            "the file ends inside this statement: a `)`, the `END;` of a trigger or the rest of it is missing"
        } else if ["{", "$", "#"].iter().any(|sign| message == format!("unrecognized token: \"{sign}\"")) {
            "if a program is to put something in this place, write here what it would put"
        } else if message.contains("unrecognized token") {
            "if a quote opens here, it is never closed"
        } else if ["module", "collation", "tokenizer"].iter().any(|what| message.contains(&format!("no such {what}"))) {
            "only what SQLite itself brings is known at build time, nothing that the application registers"
        } else if message.contains("VACUUM") {
            "remove it, or say in a file of its own why it is needed: `-- bootproof: no-transaction \"why\"`"
        } else if message.contains("non-deterministic") {
            "an index can only hold what never changes by itself"
        } else {
            return None;
        };
        Some(help.to_owned())
    }

    /// A function of the application can be stood in for.
    fn with_stub(&self, diagnostic: Diagnostic, name: &str, rest: Range<usize>) -> Diagnostic {
        let tokens = token::tokens(self.file.text.get(rest).unwrap_or_default());
        let name_at = tokens.iter().position(|token| token.text.eq_ignore_ascii_case(name)).unwrap_or(tokens.len());
        let arguments = token::parenthesised(tokens.get(name_at..).unwrap_or_default()).map(|(inside, _)| inside);
        let count = arguments.filter(|inside| !inside.is_empty()).map_or(0, |inside| token::split_list(inside).len());
        let with = |way: &str| {
            format!(
                "only what SQLite itself brings is known here; if the application registers it, {way} stands in for it"
            )
        };
        diagnostic.help_to(
            &with(&format!("`Compiler::stub_function(\"{name}\", {count})` in build.rs")),
            &with(&format!("`--stub-function {name}/{count}`")),
        )
    }

    fn column_help(&self, name: &str, rest: Range<usize>) -> Option<String> {
        let text = self.file.text.get(rest)?;
        let mentioned = token::tokens(text).into_iter().take_while(|token| !token.is_symbol(';'));
        let mut tables: Vec<_> = mentioned.filter_map(|token| self.catalog.tables.get(&token.text)).collect();
        tables.sort_by_key(|table| &table.name);
        tables.dedup_by_key(|table| &table.name);
        let columns = |table: &&Shared<Table>| -> Vec<String> {
            table.columns.values().map(|column| column.name.clone()).collect()
        };
        if let Some(nearest) = nearest(name, tables.iter().flat_map(columns)) {
            return Some(format!("did you mean `{nearest}`?"));
        }
        let listed =
            tables.iter().map(|table| format!("`{}` has the columns {}", table.name, columns(table).join(", ")));
        Some(listed.collect::<Vec<_>>().join("; ")).filter(|help| !help.is_empty())
    }

    fn table_help(&self, name: &str) -> Option<String> {
        if let Some(later) = self.known.later.iter().find(|source| creates_table(source.up.sql(), name)) {
            return Some(format!("`{}` creates it, which runs later: move this statement behind it", later.up.name));
        }
        let names = self.catalog.tables.values().map(|table| &table.name);
        let names = names.chain(self.catalog.views.values().map(|view| &view.name)).cloned();
        nearest(name, names).map(|nearest| format!("did you mean `{nearest}`?"))
    }

    fn existing_help(&self, name: &str) -> String {
        let is_it = |object: &Object| match object {
            Object::Table(created) | Object::Index(created) | Object::Trigger(created) | Object::View(created) => {
                created.eq_ignore_ascii_case(name)
            }
            Object::Column { .. } => false,
        };
        match self.known.earlier.iter().find(|migration| migration.creates.iter().any(is_it)) {
            Some(migration) => format!("`{}` creates it: drop it first, or choose another name", migration.file.name),
            None => "this file creates it already: remove one of the two, or choose another name".to_owned(),
        }
    }
}

/// What a message of SQLite's is about, without qualifier and quotes.
fn subject(message: &str) -> Option<&str> {
    const BEFORE: [&str; 14] = [
        "no such column: ",
        "no such table: ",
        "no such index: ",
        "no such view: ",
        "no such trigger: ",
        "no such function: ",
        "no such module: ",
        "no such collation sequence: ",
        "has no column named ",
        "duplicate column name: ",
        "there is already a table named ",
        "there is already an index named ",
        "unable to identify the object to be reindexed: ",
        "near ",
    ];
    let rest = match BEFORE.iter().find_map(|before| message.split_once(before)) {
        Some((_, rest)) => rest,
        // `table t already exists`, `trigger t already exists`
        None => message.strip_suffix(" already exists")?.split_once(' ')?.1,
    };
    let rest = rest.split(" - ").next()?.split(": ").next()?;
    let name = rest.trim_matches(['"', '\'', '`', '[', ']']);
    let name = name.rsplit_once('.').map_or(name, |(_, last)| if last.is_empty() { name } else { last });
    (!name.is_empty()).then_some(name)
}

fn syntax_help(near: &str) -> String {
    const STARTS: [&str; 11] =
        ["ALTER", "CREATE", "DELETE", "DROP", "INSERT", "PRAGMA", "REINDEX", "REPLACE", "SELECT", "UPDATE", "WITH"];
    const OTHERS: [&str; 8] = ["COLUMN", "FROM", "INDEX", "REFERENCES", "TABLE", "TRIGGER", "VALUES", "WHERE"];
    let keywords = || STARTS.iter().chain(&OTHERS).map(|&keyword| keyword.to_owned());
    if STARTS.iter().any(|keyword| keyword.eq_ignore_ascii_case(near)) {
        format!("if `{near}` begins a new statement, end the one before it with `;`")
    } else if near == ")" {
        "look before the `)`: a comma too many, or something missing".to_owned()
    } else if let Some(keyword) = nearest(near, keywords()).filter(|keyword| !keyword.eq_ignore_ascii_case(near)) {
        format!("did you mean `{keyword}`?")
    } else if near.chars().all(char::is_alphabetic) {
        format!("look before `{near}`; if it is meant as a name, write it in double quotes: \"{near}\"")
    } else {
        format!("look before `{near}`")
    }
}

/// Whether a text seems to create a table: good enough for advice, never for a decision.
fn creates_table(text: &str, name: &str) -> bool {
    let tokens = token::tokens(text);
    tokens.iter().enumerate().filter(|(_, token)| token.is_keyword("table")).any(|(position, _)| {
        let mut after = tokens
            .iter()
            .skip(position + 1)
            .skip_while(|token| token.is_keyword("if") || token.is_keyword("not") || token.is_keyword("exists"));
        let is_create = position
            .checked_sub(1)
            .and_then(|before| tokens.get(before))
            .is_some_and(|token| token.is_keyword("create") || token.is_keyword("temp") || token.is_keyword("virtual"));
        is_create && after.next().is_some_and(|token| token.text.eq_ignore_ascii_case(name))
    })
}

/// The most similar of some names, if it is similar enough to be a slip of the finger.
pub(crate) fn nearest(name: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let scored = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_ascii_lowercase()), candidate));
    let (distance, candidate) = scored.min()?;
    (distance <= name.chars().count().div_ceil(3)).then_some(candidate)
}
