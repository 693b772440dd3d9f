//! Texts in double quotes, in files that were written for a tool with which they are texts.
//!
//! In our own layout such a text is an error, as is a column that does not exist. Elsewhere the files run as they are, which is
//! a matter of style until the text stands where a column was meant.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::token::{self, Kind, Token};

use super::ran::{is_one_of, unqualified};
use super::{Terms, unless_foreign};
use crate::diagnostic::Diagnostic;
use crate::explain::nearest;
use crate::source::File;

pub(crate) const RULE: &str = "double-quoted-string";

/// Follows the statements of a file.
pub(crate) struct Texts<'a> {
    file: &'a Arc<File>,
    terms: Terms<'a>,
    first: Option<Diagnostic>,
    others: usize,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(file: &'a Arc<File>, terms: Terms<'a>) -> Self {
        Self { file, terms, first: None, others: 0 }
    }

    /// Whether SQLite may take a name that nothing has for a text.
    pub(crate) fn are_tolerated(&self) -> bool {
        self.file.dialect.is_foreign() || self.terms.allows.permit(RULE)
    }

    /// What is wrong with the texts of the statement that starts at a byte of the file; what is not, is told at the end.
    pub(crate) fn found(&mut self, start: usize, texts: &[Range<usize>], catalog: &Catalog) -> Vec<Diagnostic> {
        let sql = self.file.text.get(start..self.file.part.end).unwrap_or_default();
        let mut tokens = token::tokens(sql);
        tokens.truncate(tokens.iter().position(|token| token.is_symbol(';')).unwrap_or(tokens.len()));
        let mut errors = Vec::new();
        for text in texts {
            let Some(at) = tokens.iter().position(|token| token.span == *text) else { continue };
            let span = start + text.start..start + text.end;
            let written = self.file.text.get(span.clone()).unwrap_or_default();
            let content = written.trim_matches('"').replace("\"\"", "\"");
            let literal = format!("'{}'", content.replace('\'', "''"));
            let tables = mentioned(&tokens, catalog);
            match meant(&tokens, at, &tables, catalog) {
                Some(Meant { column, source }) => {
                    let message = match &column {
                        Some(column) => format!("every `{column}` becomes the text {literal}: no such column"),
                        None => format!("every row has the text {literal} here: no such column"),
                    };
                    let help = match source {
                        Some(source) => format!("did you mean `{source}`?"),
                        None => {
                            format!("if it is to be the text, write {literal}; if not, copy a column that there is")
                        }
                    };
                    let diagnostic = Diagnostic::error("column-as-text", message)
                        .at(self.file, span)
                        .label("SQLite takes what is no column for a text")
                        .help(help);
                    errors.extend(self.terms.settle(diagnostic));
                }
                None if self.first.is_some() => self.others += 1,
                None => {
                    let severity = unless_foreign(self.file.dialect);
                    let diagnostic =
                        Diagnostic::error(RULE, format!("`{written}` is no column, and is taken for a text"))
                            .with_severity(severity)
                            .at(self.file, span)
                            .help(format!("write {literal}: where the table has a column of this name, that is taken"));
                    self.first = Some(match near(&content, &tables) {
                        Some(column) => diagnostic.help(format!("or, if a column was meant, `{column}`")),
                        None => diagnostic,
                    });
                }
            }
        }
        errors
    }

    /// What is a matter of style, once for a file.
    pub(crate) fn finish(self) -> Option<Diagnostic> {
        let diagnostic = self.first?;
        self.terms.settle(match self.others {
            0 => diagnostic,
            1 => diagnostic.note("so is one more of this file"),
            others => diagnostic.note(format!("so are {others} more of this file")),
        })
    }
}

/// A text that stands where a column was meant.
struct Meant {
    /// The column that is filled with it.
    column: Option<String>,
    /// The column that it resembles.
    source: Option<String>,
}

/// Whether a text, the token at a position, was meant as a column: a copy of rows selects it as it stands, and it is called what
/// it fills, or nearly what there is.
fn meant(tokens: &[Token], at: usize, tables: &[String], catalog: &Catalog) -> Option<Meant> {
    let text = &tokens.get(at)?.text;
    let select = tokens.iter().position(|token| token.is_keyword("select"))?;
    let behind = tokens.get(select + 1..)?;
    let mut depth = 0_usize;
    let from = behind.iter().position(|token| {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_keyword("from")
    })?;
    let start = tokens.get(at)?.span.start;
    let is_it = |item: &&[Token]| {
        let item = item.iter().filter(|token| !is_one_of(token, &["all", "distinct"])).collect::<Vec<_>>();
        matches!(item.as_slice(), [only] if only.span.start == start)
            || matches!(item.as_slice(), [first, word, ..] if first.span.start == start && (word.is_keyword("as") || word.kind != Kind::Symbol))
    };
    let items = token::split_list(behind.get(..from)?);
    let position = items.iter().position(is_it)?;
    let source = near(text, tables);
    let Some(into) = tokens.get(..select)?.iter().position(|token| token.is_keyword("into")) else {
        let creates =
            tokens.first()?.is_keyword("create") && tokens.get(..select)?.iter().any(|token| token.is_keyword("table"));
        return source.filter(|_| creates).map(|source| Meant { column: None, source: Some(source) });
    };
    let target = unqualified(tokens.get(into + 1..select)?);
    let columns = match token::parenthesised(target) {
        Some((listed, _)) => {
            token::split_list(listed).iter().filter_map(|item| Some(item.first()?.as_name())).collect()
        }
        None => catalog
            .tables
            .get(&target.first()?.as_name())
            .map(|table| table.columns.keys().cloned().collect::<Vec<_>>())?,
    };
    let column = columns.get(position)?;
    let is_meant = source.is_some() || column == text || is_near(text, column);
    is_meant.then(|| Meant { column: Some(column.clone()), source })
}

/// The columns of every table that a statement names.
fn mentioned(tokens: &[Token], catalog: &Catalog) -> Vec<String> {
    let tables = tokens.iter().filter_map(|token| catalog.tables.get(&token.as_name()));
    tables.flat_map(|table| table.columns.values().map(|column| column.name.clone())).collect()
}

/// The column of which a text is a slip of the finger.
fn near(text: &str, columns: &[String]) -> Option<String> {
    nearest(text, columns.iter().cloned()).filter(|column| is_near(text, column))
}

/// One letter, or two of a long name: short words resemble one another by chance.
fn is_near(text: &str, column: &str) -> bool {
    let most = match text.chars().count() {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    strsim::damerau_levenshtein(&text.to_ascii_lowercase(), &column.to_ascii_lowercase()) <= most
}
