//! The type of an expression, where it is the same whatever the rows hold.
//!
//! SQLite has types of values, not of expressions (<https://sqlite.org/datatype3.html>): what is not known here has to be said
//! in the contract. What is known is what the documentation of a function promises.

use bootproof_catalog::token::{self, Kind, Token};

use super::select_list;
use crate::value::{Type, Typed};

/// Tells the type of a column by the tokens of its name.
pub(super) type ColumnType<'a> = &'a dyn Fn(&[Token]) -> Option<Typed>;

/// Functions of SQLite that return one type, or NULL.
const NULLABLE: &[(&str, Type)] = &[
    ("avg", Type::Real),
    ("concat_ws", Type::Text),
    ("date", Type::Text),
    ("datetime", Type::Text),
    ("format", Type::Text),
    ("group_concat", Type::Text),
    ("instr", Type::Integer),
    ("json", Type::Text),
    ("json_array_length", Type::Integer),
    ("json_type", Type::Text),
    ("julianday", Type::Real),
    ("length", Type::Integer),
    ("lower", Type::Text),
    ("ltrim", Type::Text),
    ("octet_length", Type::Integer),
    ("printf", Type::Text),
    ("rtrim", Type::Text),
    ("strftime", Type::Text),
    ("string_agg", Type::Text),
    ("time", Type::Text),
    ("trim", Type::Text),
    ("unicode", Type::Integer),
    ("upper", Type::Text),
];

/// Functions of SQLite that return one type, and never NULL.
const ALWAYS: &[(&str, Type)] = &[
    ("changes", Type::Integer),
    ("char", Type::Text),
    ("concat", Type::Text),
    ("count", Type::Integer),
    ("cume_dist", Type::Real),
    ("dense_rank", Type::Integer),
    ("exists", Type::Boolean),
    ("hex", Type::Text),
    ("json_array", Type::Text),
    ("json_group_array", Type::Text),
    ("json_group_object", Type::Text),
    ("json_object", Type::Text),
    ("json_quote", Type::Text),
    ("ntile", Type::Integer),
    ("percent_rank", Type::Real),
    ("quote", Type::Text),
    ("random", Type::Integer),
    ("rank", Type::Integer),
    ("row_number", Type::Integer),
    ("total", Type::Real),
    ("typeof", Type::Text),
];

/// Words that make something else of the texts around them.
const OPERATORS: [&str; 17] = [
    "and", "between", "case", "collate", "end", "escape", "from", "glob", "in", "is", "isnull", "like", "match", "not",
    "notnull", "or", "regexp",
];

/// Aggregates that are never NULL.
const ONE_ROW: [&str; 4] = ["count", "json_group_array", "json_group_object", "total"];

/// What can make no row of an aggregate, or several.
const MAYBE_NONE: [&str; 8] = ["except", "group", "having", "intersect", "limit", "offset", "over", "union"];

/// Deeper than anybody writes, and far from the end of the stack.
const DEEPEST: usize = 32;

/// The type of an expression; of a column in it, as `column` tells.
pub(super) fn type_of(expression: &[Token], column: ColumnType<'_>) -> Option<Typed> {
    type_at(expression, column, 0)
}

fn type_at(expression: &[Token], column: ColumnType<'_>, depth: usize) -> Option<Typed> {
    if depth > DEEPEST {
        return None;
    }
    let type_of = |expression: &[Token]| type_at(expression, column, depth + 1);
    match expression {
        [open, inner @ .., close] if open.is_symbol('(') && close.is_symbol(')') && is_select(inner) => {
            found(inner, depth)
        }
        [open, inner @ .., close] if open.is_symbol('(') && close.is_symbol(')') && is_whole(expression) => {
            type_of(inner)
        }
        [sign, rest @ ..] if sign.is_symbol('+') => type_of(rest),
        // NOT binds less than any operator that could follow.
        [not, exists, rest @ ..] if not.is_keyword("not") && exists.is_keyword("exists") && is_whole(rest) => {
            type_of(expression.get(1..)?)
        }
        [literal] if literal.kind == Kind::Literal => Some(Typed::always(Type::Text)),
        // One that does not fit into 64 bits is REAL.
        [number] if number.kind == Kind::Word && number.text.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.text.parse::<i64>().ok().map(|_| Typed::always(Type::Integer))
        }
        [function, rest @ ..] if function.kind == Kind::Word => {
            let call = call(rest).and_then(|arguments| result(&function.text, arguments, &type_of));
            call.or_else(|| joined(expression)).or_else(|| named(expression, column))
        }
        _ => joined(expression).or_else(|| named(expression, column)),
    }
}

fn is_select(inner: &[Token]) -> bool {
    inner.first().is_some_and(|first| first.is_keyword("select"))
}

/// The type of what a subquery finds in the place of a value: NULL where it finds nothing.
fn found(select: &[Token], depth: usize) -> Option<Typed> {
    let items = select_list::items(select);
    let [item] = items.as_slice() else { return None };
    if !select_list::others(select).is_empty() {
        return None;
    }
    // Columns of its own tables: what SQLite tells of the query around it is not about them.
    let typed = type_at(select_list::expression(item), &|_| None, depth + 1)?;
    // Without any of these an aggregate is one row, whatever there is.
    let outside = token::outside_parentheses(select);
    let is_one = item.first().is_some_and(|function| ONE_ROW.contains(&function.text.as_str()))
        && !outside.iter().any(|token| MAYBE_NONE.iter().any(|word| token.is_keyword(word)));
    Some(Typed { is_nullable: typed.is_nullable || !is_one, ..typed })
}

/// Whether an expression is the name of a column, with that of its table or without.
pub(super) fn is_name(expression: &[Token]) -> bool {
    let is_word = |token: &Token| match token.kind {
        Kind::Quoted => true,
        Kind::Word => !token.text.starts_with(|c: char| c.is_ascii_digit()) && token.text != "null",
        Kind::Literal | Kind::Symbol => false,
    };
    match expression {
        [name] => is_word(name),
        [table, point, name] => is_word(table) && point.is_symbol('.') && is_word(name),
        _ => false,
    }
}

fn named(expression: &[Token], column: ColumnType<'_>) -> Option<Typed> {
    is_name(expression).then(|| column(expression)).flatten()
}

/// Whether the parenthesis that a text begins with is closed at its end.
fn is_whole(expression: &[Token]) -> bool {
    token::parenthesised(expression).is_some_and(|(_, after)| after.is_empty())
}

/// The arguments, where what stands behind a function's name is a call and nothing else.
fn call(rest: &[Token]) -> Option<&[Token]> {
    if !rest.first()?.is_symbol('(') {
        return None;
    }
    let (arguments, after) = token::parenthesised(rest)?;
    let after = match after {
        [filter, rest @ ..] if filter.is_keyword("filter") => token::parenthesised(rest)?.1,
        after => after,
    };
    match after {
        [] => Some(arguments),
        [over, _] if over.is_keyword("over") => Some(arguments),
        [over, rest @ ..] if over.is_keyword("over") && is_whole(rest) => Some(arguments),
        _ => None,
    }
}

fn result(function: &str, arguments: &[Token], type_of: ColumnType<'_>) -> Option<Typed> {
    let known =
        |functions: &[(&str, Type)]| functions.iter().find(|(name, _)| *name == function).map(|(_, value)| *value);
    if let Some(value) = known(NULLABLE) {
        return Some(Typed::nullable(value));
    }
    if let Some(value) = known(ALWAYS) {
        return Some(Typed::always(value));
    }
    match (function, token::split_list(arguments).as_slice()) {
        ("cast", [argument]) => {
            let at = argument.iter().rposition(|token| token.is_keyword("as"))?;
            let declared: Vec<_> = argument.get(at + 1..)?.iter().map(|token| token.text.as_str()).collect();
            // CAST goes by the affinity: what is called BOOLEAN or DATE becomes a number.
            let value = Type::of_declared(&declared.concat())?;
            let is_sure = matches!(value, Type::Integer | Type::Real | Type::Text | Type::Blob);
            is_sure.then(|| Typed::nullable(value))
        }
        ("min" | "max", values @ [_, ..]) => Some(Typed::nullable(common(values, type_of)?.value)),
        // With `subsec` it is a fraction, which a modifier that is no literal may say as well.
        ("unixepoch", [_, modifiers @ ..])
            if modifiers.iter().all(|modifier| matches!(modifier, [one] if one.kind == Kind::Literal))
                && arguments.iter().all(|token| !token.text.to_ascii_lowercase().contains("subsec")) =>
        {
            Some(Typed::nullable(Type::Integer))
        }
        ("unixepoch", []) => Some(Typed::nullable(Type::Integer)),
        // Where it is to replace an empty text it returns what it was given, a number as a number.
        ("replace", [given, pattern, _]) => {
            let is_something = matches!(pattern, [one] if one.kind == Kind::Literal && one.text != "''");
            let is_text = || type_of(given).is_some_and(|typed| typed.value == Type::Text);
            (is_something || is_text()).then_some(Typed::nullable(Type::Text))
        }
        ("sum", [summed]) => match type_of(summed)?.value {
            value @ (Type::Integer | Type::Real) => Some(Typed::nullable(value)),
            _ => None,
        },
        ("coalesce" | "ifnull", values @ [_, _, ..]) => common(values, type_of),
        _ => None,
    }
}

/// The type that several values share, of which it may be any; NULL only where each may be.
fn common(values: &[&[Token]], type_of: ColumnType<'_>) -> Option<Typed> {
    let types = values.iter().map(|value| type_of(value)).collect::<Option<Vec<_>>>()?;
    let first = types.first()?;
    let is_nullable = types.iter().all(|typed| typed.is_nullable);
    types.iter().all(|typed| typed.value == first.value).then_some(Typed { value: first.value, is_nullable })
}

/// Texts joined with `||`, and nothing else.
fn joined(expression: &[Token]) -> Option<Typed> {
    let outside = token::outside_parentheses(expression);
    let is_operator = |token: &&Token| match token.kind {
        Kind::Symbol => !(token.is_symbol('|') || token.is_symbol('.')),
        Kind::Word => OPERATORS.contains(&token.text.as_str()),
        Kind::Literal | Kind::Quoted => false,
    };
    if outside.iter().any(is_operator) {
        return None;
    }
    // `a | b` is a number: the bars come in pairs, one behind the other.
    let mut runs = outside.split(|token| !token.is_symbol('|')).map(<[_]>::len).filter(|&bars| bars > 0).peekable();
    runs.peek().is_some().then_some(()).filter(|()| runs.all(|bars| bars == 2)).map(|()| Typed::nullable(Type::Text))
}

#[cfg(test)]
mod tests {
    use bootproof_catalog::token::tokens;

    use super::{ALWAYS, NULLABLE, Type, Typed, type_of};

    fn inferred(sql: &str) -> Option<Typed> {
        let column = |name: &[bootproof_catalog::token::Token]| match name.last()?.text.as_str() {
            "n" => Some(Typed::always(Type::Integer)),
            "r" => Some(Typed::nullable(Type::Real)),
            "s" => Some(Typed::nullable(Type::Text)),
            _ => None,
        };
        type_of(&tokens(sql), &column)
    }

    #[test]
    fn what_a_function_promises_is_known() {
        for (sql, value) in [
            ("count(*)", Type::Integer),
            ("count(DISTINCT s) FILTER (WHERE n > 1)", Type::Integer),
            ("row_number() OVER (PARTITION BY n ORDER BY s)", Type::Integer),
            ("rank() OVER w", Type::Integer),
            ("total(n)", Type::Real),
            ("json_group_array(s)", Type::Text),
            ("NOT EXISTS (SELECT 1)", Type::Boolean),
            ("coalesce(sum(n), 0)", Type::Integer),
            ("ifnull(s, '')", Type::Text),
            ("'a'", Type::Text),
            ("(n)", Type::Integer),
            ("(SELECT count(*) FROM t WHERE n = 1)", Type::Integer),
        ] {
            assert_eq!(inferred(sql), Some(Typed::always(value)), "{sql}");
        }
        for (sql, value) in [
            ("sum(n)", Type::Integer),
            ("max(t.r)", Type::Real),
            ("min(s)", Type::Text),
            ("avg(n)", Type::Real),
            ("unixepoch(s)", Type::Integer),
            ("date(s, '+1 day')", Type::Text),
            ("s || ' ' || upper(s)", Type::Text),
            ("(s || n)", Type::Text),
            ("CAST(s AS INTEGER)", Type::Integer),
            ("CAST(s AS NUMERIC)", Type::Real),
            ("CAST(s AS VARCHAR(10))", Type::Text),
            ("+s", Type::Text),
            ("replace(n, '1', 'x')", Type::Text),
            ("replace(s, '', 'x')", Type::Text),
            ("EXISTS (SELECT 1) || 'x'", Type::Text),
            ("unixepoch(s, '+1 day', 'utc')", Type::Integer),
            ("(SELECT count(*) FROM t GROUP BY n)", Type::Integer),
            ("(SELECT lower(x) FROM t)", Type::Text),
            ("coalesce(s, s)", Type::Text),
        ] {
            assert_eq!(inferred(sql), Some(Typed::nullable(value)), "{sql}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_given_up() {
        let nested = |depth: usize| format!("{}n{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(inferred(&nested(20)), Some(Typed::always(Type::Integer)));
        assert_eq!(inferred(&nested(20_000)), None);
    }

    #[test]
    fn what_depends_on_values_is_not() {
        for sql in [
            "n / 3600.0",
            "n + 1",
            "count(*) > 1",
            "date(s) = 'x'",
            "s || n > 1",
            "s || CASE n WHEN 1 THEN 2 END",
            "n | n",
            "sum(s)",
            "coalesce(n, '')",
            "CAST(s AS BOOLEAN)",
            "json_extract(s, '$')",
            "CASE WHEN n THEN 1 END",
            "null",
            "my_own(n)",
            "(SELECT n FROM t)",
            "coalesce(n, s, 0)",
            "ifnull(n, r)",
            "max(n, r)",
            "min(n, s)",
            "(SELECT max(n) FROM t)",
            "(1) + (2)",
            "abs(n)",
            "unixepoch(s, 'subsec')",
            "unixepoch(s, s)",
            "replace(n, '', 'x')",
            "replace(n, s, 'x')",
            "NOT EXISTS (SELECT 1) || 'x'",
            "(SELECT count(*) FROM t UNION SELECT 'x')",
            "9223372036854775808",
            "x'41'",
        ] {
            assert_eq!(inferred(sql), None, "{sql}");
        }
    }

    /// Every value that SQLite has a kind of.
    const VALUES: [&str; 12] = [
        "NULL",
        "0",
        "-7",
        "1.5",
        "9e999",
        "''",
        "'a'",
        "'12'",
        "'2025-01-31 12:00:00'",
        "'[1, \"a\"]'",
        "x''",
        "x'6162'",
    ];

    /// What is promised of an expression, asked of SQLite with every value in the place of every name. Where a function does not
    /// take one, it returns nothing at all.
    #[test]
    fn sqlite_keeps_every_promise() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let untyped = |_: &[bootproof_catalog::token::Token]| None;
        let functions = NULLABLE.iter().chain(ALWAYS).map(|(name, _)| *name);
        let mut expressions = Vec::new();
        for name in functions.chain(["replace", "unixepoch", "min", "max", "coalesce", "ifnull"]) {
            let over = if ["cume_dist", "dense_rank", "ntile", "percent_rank", "rank", "row_number"].contains(&name) {
                " OVER ()"
            } else {
                ""
            };
            for arguments in
                ["", "a", "a, b", "a, b, 'x'", "a, '', b", "a, '1', b", "*", "DISTINCT a", "SELECT a", "a, '+1 day'"]
            {
                expressions.push(format!("{name}({arguments}){over}"));
            }
        }
        for more in [
            "a || b",
            "a || b || 'x'",
            "+a || b",
            "NOT EXISTS (SELECT a)",
            "NOT EXISTS (SELECT a) || b",
            "EXISTS (SELECT a) || b",
            "CAST(a AS INTEGER)",
            "CAST(a AS REAL)",
            "CAST(a AS NUMERIC)",
            "CAST(a AS DECIMAL(10, 2))",
            "CAST(a AS TEXT)",
            "CAST(a AS BLOB)",
            "(SELECT count(*) FROM (SELECT 1) WHERE a)",
            "(SELECT count(*) UNION SELECT a)",
            "(SELECT hex(a) WHERE b)",
            "(SELECT total(a) FROM (SELECT 1) LIMIT 0)",
            "coalesce(hex(a), 'x')",
            "coalesce(lower(a), upper(b))",
            "ifnull(length(a), 0)",
            "max(length(a), unicode(b))",
            "sum(length(a))",
            "9223372036854775807",
            "9223372036854775808",
            "x'41'",
        ] {
            expressions.push(more.to_owned());
        }
        let (mut promised, mut asked) = (0, 0);
        for expression in &expressions {
            let Some(typed) = type_of(&tokens(expression), &untyped) else { continue };
            promised += 1;
            let kinds: &[&str] = match typed.value {
                Type::Integer | Type::Boolean => &["integer"],
                // An f64 is read from an integer as well.
                Type::Real => &["real", "integer"],
                Type::Text => &["text"],
                Type::Blob => &["blob"],
                Type::Any => continue,
            };
            for a in VALUES {
                for b in VALUES {
                    // Several rows and none, for aggregates and windows; a row for what is none of them.
                    for rows in [
                        format!("SELECT {a} AS a, {b} AS b"),
                        format!("SELECT {b}, {a} WHERE 0 UNION ALL SELECT {a}, {b}"),
                    ] {
                        let sql = format!("WITH given(a, b) AS ({rows}) SELECT typeof({expression}) FROM given");
                        let Ok(mut statement) = connection.prepare(&sql) else { continue };
                        let mut rows = statement.query([]).unwrap();
                        while let Ok(Some(row)) = rows.next() {
                            let kind: String = row.get(0).unwrap();
                            asked += 1;
                            let is_kept = kinds.contains(&kind.as_str()) || (kind == "null" && typed.is_nullable);
                            assert!(is_kept, "{expression} with {a} and {b} is {kind}, not {typed:?}");
                        }
                    }
                }
            }
        }
        assert!(promised > 100 && asked > 5_000, "{promised} promises, asked {asked} times");
    }
}
