//! What a query does with a parameter: compares it, counts by it, passes it to a function.

use bootproof_catalog::token::{self, Kind, Token};

use super::infer::{self, ColumnType};
use crate::value::Type;

/// Functions whose first argument, and often every other, is a text.
const OF_TEXTS: [&str; 17] = [
    "date",
    "datetime",
    "glob",
    "instr",
    "json_array_length",
    "json_each",
    "json_extract",
    "json_tree",
    "julianday",
    "like",
    "lower",
    "ltrim",
    "rtrim",
    "strftime",
    "time",
    "trim",
    "upper",
];

/// Where the parameters of a query stand, as positions of the colon among its tokens, by name.
pub(super) fn places<'a>(tokens: &'a [Token], name: &'a str, sql: &'a str) -> impl Iterator<Item = usize> + 'a {
    let written = format!(":{name}");
    tokens.windows(2).enumerate().filter_map(move |(position, words)| match words {
        [colon, word] if colon.is_symbol(':') && colon.span.end == word.span.start => {
            (sql.get(colon.span.start..word.span.end) == Some(written.as_str())).then_some(position)
        }
        _ => None,
    })
}

/// The type that the first of these places tells that tells one.
pub(super) fn type_at(
    tokens: &[Token],
    mut places: impl Iterator<Item = usize>,
    column: ColumnType<'_>,
) -> Option<Type> {
    places.find_map(|at| {
        let before = tokens.get(..at)?;
        // A parameter is two tokens: the colon and its name.
        let after = tokens.get(at + 2..)?;
        counted(before).or_else(|| compared(before, after, column)).or_else(|| passed(before))
    })
}

/// `LIMIT :n`, `OFFSET :n`.
fn counted(before: &[Token]) -> Option<Type> {
    let last = before.last()?;
    (last.is_keyword("limit") || last.is_keyword("offset")).then_some(Type::Integer)
}

/// What stands on the other side of the operator.
fn compared(before: &[Token], after: &[Token], column: ColumnType<'_>) -> Option<Type> {
    let left = left_of_operator(before).and_then(last_operand);
    let right = || is_boundary(before.last()).then(|| right_of_operator(after).and_then(first_operand)).flatten();
    let operand = left.or_else(right)?;
    infer::type_of(operand, column).map(|typed| typed.value)
}

/// What stands before the operator in front of a parameter.
fn left_of_operator(before: &[Token]) -> Option<&[Token]> {
    let operators = |token: &Token| token.kind == Kind::Symbol && ["=", "<", ">", "!"].contains(&token.text.as_str());
    let is_word = |token: &Token, words: &[&str]| words.iter().any(|word| token.is_keyword(word));
    match before {
        [operand @ .., low, and] if and.is_keyword("and") => {
            // The upper end of a range, behind a parameter or a single word as the lower.
            let operand = match operand {
                [operand @ .., colon] if colon.is_symbol(':') && low.kind == Kind::Word => operand,
                operand => operand,
            };
            let [operand @ .., between] = operand else { return None };
            between.is_keyword("between").then_some(without_not(operand))
        }
        [.., last] if operators(last) => {
            let end = before.iter().rposition(|token| !operators(token))?;
            before.get(..=end)
        }
        [operand @ .., is, not] if is.is_keyword("is") && not.is_keyword("not") => Some(operand),
        [operand @ .., last] if is_word(last, &["is", "between", "like", "glob"]) => Some(without_not(operand)),
        // A list of parameters.
        [.., last] if last.is_symbol('(') || last.is_symbol(',') => {
            let open = before.iter().rposition(|token| token.is_symbol('('))?;
            let is_listed = |token: &Token| {
                token.is_symbol(',') || token.is_symbol(':') || matches!(token.kind, Kind::Word | Kind::Literal)
            };
            before.get(open + 1..)?.iter().all(is_listed).then_some(())?;
            let [operand @ .., within] = before.get(..open)? else { return None };
            within.is_keyword("in").then_some(without_not(operand))
        }
        _ => None,
    }
}

fn without_not(operand: &[Token]) -> &[Token] {
    match operand {
        [operand @ .., not] if not.is_keyword("not") => operand,
        operand => operand,
    }
}

/// What stands behind the operator that follows a parameter.
fn right_of_operator(after: &[Token]) -> Option<&[Token]> {
    let operators = |token: &Token| token.kind == Kind::Symbol && ["=", "<", ">", "!"].contains(&token.text.as_str());
    let start = after.iter().position(|token| !operators(token))?;
    (start > 0).then(|| after.get(start..)).flatten()
}

/// The name, the literal or the call that a text ends with.
fn last_operand(tokens: &[Token]) -> Option<&[Token]> {
    let tokens = match tokens {
        [tokens @ .., collate, _] if collate.is_keyword("collate") => tokens,
        tokens => tokens,
    };
    let start = match tokens {
        [.., last] if last.is_symbol(')') => {
            let open = opening(tokens)?;
            let is_called = open.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|name| {
                name.kind == Kind::Word && !["and", "or", "not", "where", "on", "in"].contains(&name.text.as_str())
            });
            if is_called { open.saturating_sub(1) } else { open }
        }
        [.., _, point, _] if point.is_symbol('.') => tokens.len().saturating_sub(3),
        [.., _] => tokens.len().saturating_sub(1),
        [] => return None,
    };
    // Behind another operator it is a part of what is compared.
    let before = start.checked_sub(1).and_then(|at| tokens.get(at));
    is_boundary(before).then(|| tokens.get(start..)).flatten()
}

/// Whether an operand can begin behind a token.
fn is_boundary(before: Option<&Token>) -> bool {
    const WORDS: [&str; 9] = ["and", "having", "not", "on", "or", "select", "then", "when", "where"];
    before.is_none_or(|token| {
        token.is_symbol('(') || token.is_symbol(',') || WORDS.iter().any(|word| token.is_keyword(word))
    })
}

/// The name, the literal or the call that a text begins with.
fn first_operand(tokens: &[Token]) -> Option<&[Token]> {
    match tokens {
        [_, open, ..] if open.is_symbol('(') => {
            let (_, after) = token::parenthesised(tokens)?;
            tokens.get(..tokens.len().saturating_sub(after.len()))
        }
        [_, point, _, ..] if point.is_symbol('.') => tokens.get(..3),
        [_, ..] => tokens.get(..1),
        [] => None,
    }
}

/// Where the parenthesis opens that closes at the end.
fn opening(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().rev().find_map(|(position, token)| {
        if token.is_symbol(')') {
            depth += 1;
        } else if token.is_symbol('(') {
            depth = depth.saturating_sub(1);
        }
        (depth == 0).then_some(position)
    })
}

/// The type of an argument of a function.
fn passed(before: &[Token]) -> Option<Type> {
    let [.., function, open] = before else { return None };
    (open.is_symbol('(') && function.kind == Kind::Word && OF_TEXTS.contains(&function.text.as_str()))
        .then_some(Type::Text)
}

#[cfg(test)]
mod tests {
    use bootproof_catalog::token::{Token, tokens};

    use super::{places, type_at};
    use crate::value::{Type, Typed};

    fn found(sql: &str) -> Option<Type> {
        let column = |name: &[Token]| match name.last()?.text.as_str() {
            "n" => Some(Typed::always(Type::Integer)),
            "s" => Some(Typed::nullable(Type::Text)),
            _ => None,
        };
        let tokens = tokens(sql);
        type_at(&tokens, places(&tokens, "p", sql), &column)
    }

    #[test]
    fn a_parameter_has_the_type_of_what_it_meets() {
        for (condition, value) in [
            ("t.n = :p", Type::Integer),
            ("n>=:p", Type::Integer),
            ("n <> :p", Type::Integer),
            (":p < n", Type::Integer),
            (":p = t.s", Type::Text),
            ("s IS NOT :p", Type::Text),
            ("s NOT LIKE :p", Type::Text),
            ("s COLLATE NOCASE = :p", Type::Text),
            ("lower(x) = :p", Type::Text),
            ("(n) = :p", Type::Integer),
            ("x = 1 AND (n) = :p", Type::Integer),
            ("date(x, '-1 day') BETWEEN :p AND :q", Type::Text),
            ("n BETWEEN 1 AND :p", Type::Integer),
            ("n NOT BETWEEN :q AND :p", Type::Integer),
            ("n IN (1, :q, :p)", Type::Integer),
            ("s NOT IN (:p)", Type::Text),
            ("x IN (SELECT value FROM json_each(:p))", Type::Text),
            ("x = lower(:p)", Type::Text),
            (":p > date('now')", Type::Text),
            ("x = :p OR n = :p", Type::Integer),
        ] {
            assert_eq!(found(&format!("SELECT a FROM t WHERE {condition}")), Some(value), "{condition}");
        }
        assert_eq!(found("SELECT a FROM t LIMIT 5 OFFSET :p"), Some(Type::Integer));
    }

    #[test]
    fn what_nothing_tells_is_not_guessed() {
        for condition in
            ["x = :p", "n = 1 AND :p", "n + :p > 3", "s || n = :p", "s = ':p'", "n = :P", "n = :pp", "f(n, :p) = 1"]
        {
            assert_eq!(found(&format!("SELECT a FROM t WHERE {condition}")), None, "{condition}");
        }
    }
}
