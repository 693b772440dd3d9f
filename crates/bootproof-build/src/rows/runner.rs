//! Who runs the migrations where they are in use, and whether foreign keys are on then.

use bootproof_catalog::token::{self, Token};

use crate::dialect::Dialect;
use crate::source::Source;

/// Who runs the migrations where they are in use: whether foreign keys are on then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Our boot turns them off before it begins.
    Ours,
    /// Another tool, inside a transaction: a `PRAGMA foreign_keys` of the file does nothing.
    Wrapping,
    /// Another tool, statement by statement: a `PRAGMA foreign_keys` of the file does what it says.
    Plain,
}

impl Runner {
    /// Whose files these are. Of the tools, only prisma begins no transaction; golang-migrate can be told so, for all files at
    /// once (`x-no-tx-wrap`), and has to be where one has a transaction of its own.
    pub(crate) fn of(dialect: Dialect, sources: &[Source]) -> Self {
        match dialect {
            Dialect::Bootproof => Self::Ours,
            Dialect::Prisma => Self::Plain,
            Dialect::GolangMigrate if sources.iter().any(|source| begins(&source.up.text)) => Self::Plain,
            _ => Self::Wrapping,
        }
    }

    /// For one file: it may ask its tool for no transaction, or be one that no transaction can hold, since SQLite begins none
    /// inside another. flyway begins none around a file that switches foreign keys.
    pub(crate) fn of_file(self, source: &Source) -> Self {
        let is_plain = || {
            let text = &source.up.text;
            source.no_transaction || begins(text) || (source.up.dialect == Dialect::Flyway && switches(text))
        };
        if self == Self::Wrapping && is_plain() { Self::Plain } else { self }
    }
}

/// What the beginning or the end of a file does with transactions and foreign keys.
enum Act {
    Begins,
    Ends,
    Switches { off: bool },
}

/// Whether a file turns foreign keys off in its text, and not on again, where it is not inside a transaction of its own: there
/// the switch does nothing.
pub(super) fn turns_off(text: &str) -> bool {
    let mut is_off = false;
    let mut is_inside = false;
    for act in acts(&token::tokens(text)) {
        match act {
            Act::Begins => is_inside = true,
            Act::Ends => is_inside = false,
            Act::Switches { off } if !is_inside => is_off = off,
            Act::Switches { .. } => {}
        }
    }
    is_off
}

fn begins(text: &str) -> bool {
    has_word(text, "begin") && acts(&token::tokens(text)).iter().any(|act| matches!(act, Act::Begins))
}

fn switches(text: &str) -> bool {
    has_word(text, "foreign_keys") && acts(&token::tokens(text)).iter().any(|act| matches!(act, Act::Switches { .. }))
}

/// Looking for a word is much faster than looking at every token, and most files have neither.
fn has_word(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
}

fn acts(tokens: &[Token]) -> Vec<Act> {
    let mut is_trigger = false;
    let mut found = Vec::new();
    for statement in tokens.split(|token| token.is_symbol(';')) {
        // The semicolons in the body of a trigger end no statement of the file.
        if is_trigger {
            is_trigger = !matches!(statement, [end] if end.is_keyword("end"));
            continue;
        }
        is_trigger = statement.first().is_some_and(|token| token.is_keyword("create"))
            && statement.iter().take(3).any(|token| token.is_keyword("trigger"));
        found.extend(act(statement));
    }
    found
}

fn act(statement: &[Token]) -> Option<Act> {
    match statement {
        [first, ..] if first.is_keyword("begin") => Some(Act::Begins),
        [first, ..] if first.is_keyword("commit") || first.is_keyword("end") => Some(Act::Ends),
        [pragma, name, .., value] if pragma.is_keyword("pragma") && name.is_keyword("foreign_keys") => {
            let value = if value.is_symbol(')') { statement.iter().rev().nth(1)? } else { value };
            Some(Act::Switches { off: ["off", "0", "false", "no"].iter().any(|off| value.text == *off) })
        }
        _ => None,
    }
}
