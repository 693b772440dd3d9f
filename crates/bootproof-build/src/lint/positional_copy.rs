//! Rows copied by the position of their columns, which is not the same in every database: a column added by ALTER TABLE
//! stands last, whatever the order here.

use bootproof_catalog::token::{self, Token};

use super::ran::{Statement, is_one_of};
use super::{Ran, unless_foreign};
use crate::diagnostic::Diagnostic;

pub(super) const RULE: &str = "positional-copy";

pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for statement in &ran.statements {
        // INTO is reserved: it stands only before the target of an INSERT or a REPLACE, be it in a trigger, and in a
        // VACUUM, which fails.
        let inserts = statement.tokens.split(|token| token.is_symbol(';')).filter_map(|part| {
            let into = part.iter().position(|token| token.is_keyword("into"))?;
            part.get(into + 1..)
        });
        findings.extend(inserts.filter_map(|insert| positional_copy(ran, statement, insert)));
    }
    findings
}

/// `insert` is what follows INTO.
fn positional_copy(ran: &Ran<'_>, statement: &Statement<'_>, insert: &[Token]) -> Option<Diagnostic> {
    let starts_source = |token: &Token| token.is_symbol('(') || is_one_of(token, &["select", "values", "with"]);
    let rest = insert.get(insert.iter().position(starts_source)?..)?;
    let has_columns = rest.first()?.is_symbol('(');
    let source = token::outside_parentheses(rest);
    if !source.iter().any(|token| token.is_keyword("select")) {
        return None;
    }
    // A multiplication would go on with an operand.
    let is_wildcard = |pair: &[&Token]| matches!(pair, [star, next] if star.is_symbol('*') && (next.is_symbol(',') || next.is_keyword("from")));
    let target = insert.split(starts_source).next()?.split(|token| token.is_keyword("as")).next()?.last()?.as_name();
    let message = if !has_columns {
        format!("the copy into `{target}` goes by position: it does not name the columns it fills")
    } else if source.windows(2).any(is_wildcard) {
        format!("the copy into `{target}` goes by position: `*` does not name the columns it takes")
    } else {
        return None;
    };
    let (file, span) = (ran.file, &statement.performed.statement.span);
    let into = file.find_word("into", span.clone()).map_or(span.start, |into| into.end);
    let word = file.find_word(&target, into..span.end).unwrap_or_else(|| ran.verb(statement));
    Some(
        Diagnostic::error(RULE, message)
            .with_severity(unless_foreign(ran.file.dialect))
            .at(file, word)
            .note(
                "where the same columns were added in another order, values would end up in the wrong columns, silently",
            )
            .help(format!("name the columns on both sides: `INSERT INTO {target}(a, b) SELECT a, b FROM …`")),
    )
}
