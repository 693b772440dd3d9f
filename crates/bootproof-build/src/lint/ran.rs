//! A migration that ran, as the rules look at it.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::token::{self, Kind, Token};

use crate::rehearse::Performed;
use crate::source::File;

/// A migration, what it did, and the schema on both sides of it.
pub(crate) struct Ran<'a> {
    pub(crate) file: &'a Arc<File>,
    pub(super) statements: Vec<Statement<'a>>,
    pub(super) before: &'a Catalog,
    pub(super) after: &'a Catalog,
}

/// One of its statements.
pub(super) struct Statement<'a> {
    pub(super) performed: &'a Performed,
    /// Without what stands behind its semicolon; spans count from the start of the statement.
    pub(super) tokens: Vec<Token>,
    pub(super) alteration: Option<Alteration>,
}

/// What an ALTER TABLE does; names in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Alteration {
    Rename { table: String, to: String },
    AddColumn { table: String, column: String },
    DropColumn { table: String, column: String },
    RenameColumn { table: String, column: String, to: String },
}

impl<'a> Ran<'a> {
    pub(crate) fn new(file: &'a Arc<File>, script: &'a [Performed], before: &'a Catalog, after: &'a Catalog) -> Self {
        let statements = script.iter().map(|performed| {
            let text = file.text.get(performed.statement.span.clone()).unwrap_or_default();
            let tokens = token::tokens(text);
            Statement { performed, alteration: alteration(&tokens), tokens }
        });
        Self { file, statements: statements.collect(), before, after }
    }

    /// Where the first word of a statement stands.
    pub(super) fn verb(&self, statement: &Statement<'_>) -> Range<usize> {
        self.file.first_word(statement.performed.statement.span.clone())
    }

    /// Where a name stands in a statement, else its first word.
    pub(super) fn name(&self, statement: &Statement<'_>, name: &str) -> Range<usize> {
        let span = statement.performed.statement.span.clone();
        self.file.find_word(name, span).unwrap_or_else(|| self.verb(statement))
    }

    /// Whether a table went down or was renamed, and is there at the end: a rebuild, by whatever procedure.
    pub(super) fn is_rebuilt(&self, table: &str) -> bool {
        let goes = |statement: &Statement<'_>| {
            statement.performed.effects.drops_tables.contains(table)
                || matches!(&statement.alteration, Some(Alteration::Rename { table: old, .. }) if old == table)
        };
        self.after.tables.contains_key(table) && self.statements.iter().any(goes)
    }

    /// Whether rows of a table were copied before it went down, under its name or another that it was given.
    pub(super) fn is_copied(&self, table: &str) -> bool {
        let renamed = self.statements.iter().filter_map(|statement| match &statement.alteration {
            Some(Alteration::Rename { table: old, to }) if old == table => Some(to.as_str()),
            _ => None,
        });
        let names: Vec<_> = renamed.chain([table]).collect();
        self.statements.iter().any(|statement| {
            let effects = &statement.performed.effects;
            let reads = |name: &&str| effects.reads.iter().any(|(table, column)| table == name && !column.is_empty());
            statement.may_copy() && names.iter().any(reads)
        })
    }

    /// The statement with which a rebuilt table went down.
    pub(super) fn drop_of(&self, table: &str) -> Option<&Statement<'a>> {
        // It may have been renamed away before it was dropped.
        let mut name = table;
        let found = self.statements.iter().find(|statement| {
            if let Some(Alteration::Rename { table, to }) = &statement.alteration
                && table == name
            {
                name = to;
            }
            statement.performed.effects.drops_tables.contains(name)
        });
        let drops = |statement: &&Statement<'_>| !statement.performed.effects.drops_tables.is_empty();
        found.or_else(|| self.statements.iter().rev().find(drops))
    }
}

impl Statement<'_> {
    pub(super) fn starts_with(&self, keyword: &str) -> bool {
        self.tokens.first().is_some_and(|token| token.is_keyword(keyword))
    }

    /// Whether it can put rows of one table into another; a CREATE TABLE without SELECT cannot, whatever it reads.
    pub(super) fn may_copy(&self) -> bool {
        ["insert", "replace", "update", "with"].iter().any(|verb| self.starts_with(verb))
            || (self.starts_with("create") && self.says("table") && self.says("select"))
    }

    /// Where a token stands in the file.
    pub(super) fn span(&self, token: &Token) -> Range<usize> {
        let start = self.performed.statement.span.start;
        start + token.span.start..start + token.span.end
    }

    /// Whether a keyword stands in it outside all parentheses.
    pub(super) fn says(&self, keyword: &str) -> bool {
        token::outside_parentheses(&self.tokens).iter().any(|token| token.is_keyword(keyword))
    }
}

pub(super) fn is_one_of(token: &Token, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| token.is_keyword(keyword))
}

/// Whether a token can be a name.
pub(super) fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Literal)
}

/// What stands behind `schema.`, if that is how the tokens begin.
pub(super) fn unqualified(tokens: &[Token]) -> &[Token] {
    match tokens {
        [_, dot, rest @ ..] if dot.is_symbol('.') => rest,
        _ => tokens,
    }
}

/// The column of a term of a key, without its collation and its direction.
pub(super) fn column_of(term: &str) -> &str {
    let term = term.strip_suffix(" DESC").unwrap_or(term);
    term.split_once(" COLLATE ").map_or(term, |(column, _)| column)
}

pub(super) fn alteration(tokens: &[Token]) -> Option<Alteration> {
    let [first, second, rest @ ..] = tokens else { return None };
    if !(first.is_keyword("alter") && second.is_keyword("table")) {
        return None;
    }
    let [table, action, rest @ ..] = unqualified(rest) else { return None };
    let table = table.as_name();
    // COLUMN is optional, and no reserved word: `DROP column` drops a column of that name.
    let rest = match rest {
        [word, named @ ..] if word.is_keyword("column") && named.first().is_some_and(is_new_name) => named,
        _ => rest,
    };
    match (action.text.as_str(), rest) {
        ("rename", [to, new, ..]) if to.is_keyword("to") && !new.is_keyword("to") => {
            Some(Alteration::Rename { table, to: new.as_name() })
        }
        ("rename", [column, to, new, ..]) if to.is_keyword("to") => {
            Some(Alteration::RenameColumn { table, column: column.as_name(), to: new.as_name() })
        }
        ("add", [column, ..]) if !is_one_of(column, &["constraint", "check"]) => {
            Some(Alteration::AddColumn { table, column: column.as_name() })
        }
        ("drop", [column, ..]) if !column.is_keyword("constraint") => {
            Some(Alteration::DropColumn { table, column: column.as_name() })
        }
        _ => None,
    }
}

/// Whether a token names the column that COLUMN announces.
fn is_new_name(token: &Token) -> bool {
    is_name(token) && !token.is_keyword("to")
}

#[cfg(test)]
mod tests {
    use bootproof_catalog::token::tokens;

    use super::{Alteration, alteration};

    #[test]
    fn alterations_are_told_apart() {
        let table = || "t".to_owned();
        let x = || "x".to_owned();
        let y = || "y".to_owned();
        for (sql, expected) in [
            ("ALTER TABLE t RENAME TO x;", Some(Alteration::Rename { table: table(), to: x() })),
            ("alter table main.\"T\" rename to 'X'", Some(Alteration::Rename { table: table(), to: x() })),
            ("ALTER TABLE t RENAME x TO y", Some(Alteration::RenameColumn { table: table(), column: x(), to: y() })),
            (
                "ALTER TABLE t RENAME COLUMN x TO y",
                Some(Alteration::RenameColumn { table: table(), column: x(), to: y() }),
            ),
            ("ALTER TABLE t ADD COLUMN x INT", Some(Alteration::AddColumn { table: table(), column: x() })),
            ("ALTER TABLE t ADD [x]", Some(Alteration::AddColumn { table: table(), column: x() })),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0)", None),
            ("ALTER TABLE t DROP x", Some(Alteration::DropColumn { table: table(), column: x() })),
            ("ALTER TABLE t DROP COLUMN `x`;", Some(Alteration::DropColumn { table: table(), column: x() })),
            ("ALTER TABLE t DROP COLUMN", Some(Alteration::DropColumn { table: table(), column: "column".to_owned() })),
            ("ALTER TABLE t ALTER COLUMN x DROP NOT NULL", None),
            ("DROP TABLE t", None),
        ] {
            assert_eq!(alteration(&tokens(sql)), expected, "{sql}");
        }
    }
}
