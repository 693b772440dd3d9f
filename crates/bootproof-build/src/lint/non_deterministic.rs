//! A schema whose rules change with the clock: a row that was right yesterday is wrong today.

use std::collections::BTreeSet;
use std::ops::Range;

use bootproof_catalog::catalog::{Catalog, unlike};
use bootproof_catalog::token::{self, Kind, Token};

use super::Ran;
use super::ran::is_one_of;
use crate::diagnostic::Diagnostic;

const RULE: &str = "non-deterministic";

/// Functions that read the clock if they are asked for `'now'`, or for nothing.
const OF_DATES: [&str; 7] = ["date", "datetime", "julianday", "strftime", "time", "timediff", "unixepoch"];

/// An expression that SQLite evaluates for rows, and where it stands.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Expression {
    /// `a CHECK of t`, `the index i`, `the generated column t.c`.
    of: String,
    /// In canonical text.
    text: String,
}

/// SQLite itself refuses `random()` and its kind in indexes and generated columns when they are made. Whether a date is
/// asked of the clock it finds when it evaluates one, that is, with the first row.
pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let known = expressions(ran.before, ran.after);
    let mut findings = Vec::new();
    for expression in expressions(ran.after, ran.before).difference(&known) {
        let tokens = token::tokens(&expression.text);
        let Some((culprit, is_refused)) = reads_clock(&tokens) else { continue };
        let Expression { of, .. } = expression;
        let place = place(ran, &tokens, culprit).unwrap_or_else(|| ran.file.first_word(ran.file.part.clone()));
        let finding = if is_refused {
            Diagnostic::error(RULE, format!("{of} asks for the time, which SQLite refuses with the first row"))
                .note("it passes only while there is no row to be judged")
        } else {
            Diagnostic::warning(
                RULE,
                format!("{of} depends on `{culprit}`: a row that it takes now it may refuse later"),
            )
            .note("a rebuild, a restore or an unrelated UPDATE of such a row fails then")
        };
        findings.push(
            finding
                .at(ran.file, place)
                .help("store the time in a column, with DEFAULT CURRENT_TIMESTAMP, and compare it in queries"),
        );
    }
    findings
}

/// The expressions of what another catalog has not, or has otherwise.
fn expressions(catalog: &Catalog, other: &Catalog) -> BTreeSet<Expression> {
    let mut all = BTreeSet::new();
    for (_, table) in unlike(&catalog.tables, &other.tables) {
        let checks = table.checks.iter().map(|check| (format!("a CHECK of `{}`", table.name), check));
        let generated = table.columns.values().filter_map(|column| {
            Some((format!("the generated column `{}.{}`", table.name, column.name), column.generated.as_ref()?))
        });
        all.extend(checks.chain(generated).map(|(of, text)| Expression { of, text: text.clone() }));
    }
    for (_, index) in unlike(&catalog.indexes, &other.indexes) {
        let texts = index.terms.iter().map(|term| &term.expression).chain(&index.predicate);
        all.extend(texts.map(|text| Expression { of: format!("the index `{}`", index.name), text: text.clone() }));
    }
    all
}

/// Where the culprit of an expression stands: in that expression, or else anywhere.
fn place(ran: &Ran<'_>, expression: &[Token], culprit: &str) -> Option<Range<usize>> {
    // The catalog says `virtual` or `stored` behind a generated column.
    let expression = match expression {
        [tokens @ .., kind] if is_one_of(kind, &["virtual", "stored"]) => tokens,
        _ => expression,
    };
    let is_culprit = |token: &&Token| token.text == culprit;
    let whole = ran.statements.iter().find_map(|statement| {
        let is_it = |window: &&[Token]| window.iter().zip(expression).all(|(one, other)| one.text == other.text);
        let tokens = statement.tokens.windows(expression.len().max(1)).find(is_it)?;
        Some(statement.span(tokens.iter().find(is_culprit)?))
    });
    let anywhere =
        || ran.statements.iter().find_map(|statement| Some(statement.span(statement.tokens.iter().find(is_culprit)?)));
    whole.or_else(anywhere)
}

/// The token that makes an expression depend on the moment, and whether SQLite refuses to evaluate it.
fn reads_clock(tokens: &[Token]) -> Option<(&str, bool)> {
    let is_call = |at: usize| tokens.get(at + 1).is_some_and(|next| next.is_symbol('('));
    let is_function = |at: usize, names: &[&str]| {
        let name = tokens.get(at).filter(|token| token.kind != Kind::Literal);
        is_call(at) && name.is_some_and(|token| names.contains(&token.text.as_str()))
    };
    for (at, token) in tokens.iter().enumerate() {
        if is_function(at, &OF_DATES) {
            let Some((arguments, _)) = tokens.get(at..).and_then(token::parenthesised) else { continue };
            let asks_now = |token: &Token| token.kind == Kind::Literal && token.text.eq_ignore_ascii_case("'now'");
            if arguments.is_empty() {
                return Some((&token.text, true));
            }
            if let Some(now) = arguments.iter().find(|token| asks_now(token)) {
                return Some((&now.text, true));
            }
        }
        let is_clock = ["current_date", "current_time", "current_timestamp"].iter().any(|word| token.is_keyword(word));
        if is_clock || is_function(at, &["random", "randomblob", "changes", "total_changes", "last_insert_rowid"]) {
            return Some((&token.text, false));
        }
    }
    None
}
