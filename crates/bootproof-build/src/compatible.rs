//! Whether programs of the version before can go on with the schema after a migration, as a rolling deploy needs it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Index, unlike};
use bootproof_catalog::token::{self, Kind, Token};
use bootproof_catalog::{Severity, Shared, difference};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::File;

/// Judges a migration, which may claim to be compatible.
///
/// Without a claim, only new indexes that refuse no row are: no query of an older program reads or writes anything else than
/// before. A claim is believed of everything that was added, since whether an older `INSERT` or `SELECT *` minds it only the
/// author knows; it is an error where an older program would not even start on the schema.
pub(crate) fn judge(
    file: &Arc<File>,
    claim: Option<Range<usize>>,
    before: &Catalog,
    after: &Catalog,
    writes: &BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> bool {
    // Most migrations say nothing and do more: of those there is no need to know every difference.
    if claim.is_none() && !(writes.is_empty() && adds_only_indexes(before, after)) {
        return false;
    }
    let differences = difference::between(before, after);
    let lost = differences.iter().find(|difference| difference.severity != Severity::Extra);
    match (claim, lost) {
        (Some(span), Some(lost)) => {
            let message = "programs of the version before cannot go on after this migration";
            diagnostics.push(
                Diagnostic::error("not-compatible", message)
                    .at(file, span)
                    .note(format!("they would find: {lost}"))
                    .help("remove the line; or only add in this migration, and take away in a later one"),
            );
            false
        }
        (_, lost) => lost.is_none(),
    }
}

/// Functions that give a result for whatever an older program may write. Others refuse some rows: `json_extract` what is no
/// JSON, `abs` the smallest integer.
const TOTAL: [&str; 22] = [
    "cast",
    "coalesce",
    "date",
    "datetime",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "julianday",
    "length",
    "lower",
    "ltrim",
    "nullif",
    "quote",
    "rtrim",
    "strftime",
    "substr",
    "substring",
    "time",
    "trim",
    "typeof",
    "upper",
];

/// Whether an index takes every row: it is not UNIQUE, and whatever it computes has a result.
fn refuses_no_row(index: &Index) -> bool {
    let expressions = index.terms.iter().map(|term| &term.expression).chain(&index.predicate);
    let has_result = |expression: &String| {
        let tokens = token::tokens(expression);
        let is_total = |pair: &[Token]| {
            let is_call = pair.last().is_some_and(|next| next.is_symbol('(')) && pair.first().is_some_and(is_name);
            !is_call || pair.first().is_some_and(|name| TOTAL.contains(&name.text.as_str()) || is_operator(name))
        };
        let is_arrow = |pair: &[Token]| matches!(pair, [dash, more] if dash.is_symbol('-') && more.is_symbol('>'));
        tokens.windows(2).all(|pair| is_total(pair) && !is_arrow(pair))
    };
    !index.unique && expressions.into_iter().all(has_result)
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted)
}

/// Words that stand before a parenthesis without calling anything.
fn is_operator(token: &Token) -> bool {
    ["and", "or", "not", "in", "is", "like", "glob", "between", "case", "when", "then", "else"]
        .iter()
        .any(|word| token.is_keyword(word))
}

/// Indexes, and none that refuses a row.
fn adds_only_indexes(before: &Catalog, after: &Catalog) -> bool {
    let is_new = |(key, _): &(&String, &Shared<Index>)| !before.indexes.contains_key(*key);
    let mut new = unlike(&after.indexes, &before.indexes).filter(is_new).peekable();
    new.peek().is_some()
        && new.all(|(_, index)| refuses_no_row(index))
        && (&before.tables, &before.triggers, &before.views) == (&after.tables, &after.triggers, &after.views)
}
