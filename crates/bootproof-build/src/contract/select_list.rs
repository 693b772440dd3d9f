//! The expressions that a query returns, as they are written.
//!
//! SQLite tells the number and the names of the columns; this only finds the text of each, to point at it and to see what it
//! computes. Where the two do not agree, nothing is concluded.

use bootproof_catalog::token::{self, Kind, Token};

/// Words that end the list, where they stand in no parenthesis.
const ENDS: [&str; 10] =
    ["from", "where", "group", "having", "window", "union", "intersect", "except", "order", "limit"];

/// Words that stand behind what they say something of, and are no name of it.
const OPERATORS: [&str; 3] = ["end", "isnull", "notnull"];

/// The items of the first SELECT that stands in no parenthesis, aliases included.
pub(super) fn items(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    let mut start = None;
    let mut end = tokens.len();
    for (position, token) in tokens.iter().enumerate() {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && start.is_none() && token.is_keyword("select") {
            start = Some(position + 1);
        } else if depth == 0 && start.is_some() && token.kind == Kind::Word && ENDS.contains(&token.text.as_str()) {
            end = position;
            break;
        }
    }
    let list = start.and_then(|start| tokens.get(start..end)).unwrap_or_default();
    let list = match list {
        [first, rest @ ..] if first.is_keyword("distinct") || first.is_keyword("all") => rest,
        list => list,
    };
    if list.is_empty() { Vec::new() } else { token::split_list(list) }
}

/// The SELECTs of a compound behind its first, each without what orders and limits the whole; empty where there is one only.
pub(super) fn others(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    let ends_one = |token: &Token| {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && ["union", "intersect", "except", "order", "limit"].iter().any(|word| token.is_keyword(word))
    };
    let mut selects = tokens.split(ends_one);
    selects.next();
    let selects = selects.map(|select| match select {
        [all, select @ ..] if all.is_keyword("all") => select,
        select => select,
    });
    selects
        .filter(|select| {
            select.first().is_some_and(|first| ["select", "values"].iter().any(|word| first.is_keyword(word)))
        })
        .collect()
}

/// Whether rows that are written out come first, and no SELECT.
pub(super) fn is_values(tokens: &[Token]) -> bool {
    let outside = token::outside_parentheses(tokens);
    let mut words = outside.into_iter().filter(|token| token.is_keyword("select") || token.is_keyword("values"));
    words.next().is_some_and(|first| first.is_keyword("values"))
}

/// The item without the name that it gives its column.
pub(super) fn expression(item: &[Token]) -> &[Token] {
    match item {
        [expression @ .., as_word, _] if as_word.is_keyword("as") => expression,
        // Without AS only behind a parenthesis, where nothing else can stand but an operator that is a word.
        [expression @ .., name]
            if matches!(name.kind, Kind::Word | Kind::Quoted)
                && !OPERATORS.iter().any(|operator| name.is_keyword(operator))
                && expression.last().is_some_and(|before| before.is_symbol(')')) =>
        {
            expression
        }
        item => item,
    }
}

/// Where `*` or `t.*` stands for columns, in any SELECT that stands in no parenthesis.
pub(super) fn star(tokens: &[Token]) -> Option<&Token> {
    let outside = token::outside_parentheses(tokens);
    let begins = |before: &[&Token]| match before {
        [.., before, point] if point.is_symbol('.') => !before.text.starts_with(|c: char| c.is_ascii_digit()),
        [.., before] => {
            before.is_symbol(',') || ["select", "distinct", "all"].iter().any(|word| before.is_keyword(word))
        }
        [] => false,
    };
    let stars = outside.iter().enumerate().filter(|(_, token)| token.is_symbol('*'));
    let mut stars = stars.filter(|(position, _)| outside.get(..*position).is_some_and(begins));
    stars.next().map(|(_, star)| *star)
}

#[cfg(test)]
mod tests {
    use bootproof_catalog::token::{join, tokens};

    use super::{expression, items, others, star};

    fn expressions(sql: &str) -> Vec<String> {
        items(&tokens(sql)).into_iter().map(|item| join(expression(item))).collect()
    }

    #[test]
    fn every_item_is_found_without_its_name() {
        assert_eq!(
            expressions(
                "WITH a AS (SELECT x, y FROM t) SELECT DISTINCT a.x, max(y, 1) AS m, (SELECT 2 FROM u) two, 'from' AS f FROM a"
            ),
            ["a . x", "max ( y , 1 )", "( select 2 from u )", "'from'"]
        );
        assert_eq!(expressions("SELECT max(a) ISNULL, (b) notnull FROM t"), ["max ( a ) isnull", "( b ) notnull"]);
        assert_eq!(expressions("SELECT a, b UNION SELECT c, d"), ["a", "b"]);
        assert_eq!(expressions("VALUES (1)"), [""; 0]);
    }

    #[test]
    fn every_select_of_a_compound_is_found() {
        let others = |sql: &str| others(&tokens(sql)).into_iter().map(join).collect::<Vec<_>>();
        assert_eq!(others("SELECT a FROM t WHERE a IN (SELECT 1 UNION SELECT 2) ORDER BY a LIMIT 1"), [""; 0]);
        assert_eq!(
            others(
                "WITH c AS (SELECT 1 UNION SELECT 2) SELECT a FROM t UNION ALL SELECT b FROM c EXCEPT VALUES (3) ORDER BY 1"
            ),
            ["select b from c", "values ( 3 )"]
        );
    }

    #[test]
    fn only_a_star_that_stands_for_columns_is_one() {
        for sql in ["SELECT * FROM t", "SELECT a, t.* FROM t", "SELECT a FROM t UNION ALL SELECT * FROM u"] {
            assert!(star(&tokens(sql)).is_some(), "{sql}");
        }
        for sql in ["SELECT a * b, count(*) FROM t", "SELECT 2. * a FROM t", "SELECT a FROM (SELECT * FROM t)"] {
            assert!(star(&tokens(sql)).is_none(), "{sql}");
        }
    }
}
