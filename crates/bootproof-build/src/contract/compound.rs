//! UNION, INTERSECT and EXCEPT inside a query, and VALUES of several rows: in a subquery, a common table expression or a view.
//!
//! Of a column that comes out of one SQLite tells what one of its SELECTs returns, and nothing of the others. So each of them is
//! put in the place of the whole, and SQLite is asked again, until nothing in the query is a compound any more.

use std::collections::BTreeSet;

use bootproof_catalog::token::{self, Kind, Token};
use bootproof_catalog::{Catalog, quoted};

use super::{infer, presence, select_list};

/// A compound SELECT in parentheses, in whole queries.
pub(super) struct Compound {
    /// Each of its SELECTs alone in its place.
    pub(super) alone: Vec<String>,
    /// Values that come from no table in its place; none where nobody can tell how many.
    pub(super) severed: Option<String>,
}

/// The query with every view in it written out, if there is a compound in one; an error where that cannot be done.
pub(super) fn without_views(sql: &str, catalog: &Catalog) -> Result<Option<String>, ()> {
    let tokens = token::tokens(sql);
    let (mut bodies, mut seen) = (Vec::new(), BTreeSet::new());
    let (mut has_compound, mut is_beyond_reach) = (false, false);
    // A view that is written out would see the query's own tables of these names instead of those of the database.
    let outside = token::outside_parentheses(&tokens);
    let with = outside.iter().take_while(|token| !token.is_keyword("select")).map(|token| token.as_name());
    let own: BTreeSet<String> =
        with.filter(|name| !["with", "recursive", "as", ","].contains(&name.as_str())).collect();
    let mut waiting = vec![tokens.clone()];
    while let Some(tokens) = waiting.pop() {
        for (position, token) in tokens.iter().enumerate() {
            let name = token.as_name();
            let Some(view) = catalog.views.get(&name) else { continue };
            is_beyond_reach |= is_in_schema(&tokens, position);
            if seen.insert(name) {
                let (names, body) = parts(&view.sql).ok_or(())?;
                bodies.push(format!("{}{names} AS ({body})", quoted(&view.name)));
                let tokens = token::tokens(body);
                has_compound |= presence::is_compound(&tokens) || tokens.iter().any(|token| token.is_keyword("values"));
                is_beyond_reach |= tokens.iter().any(|token| own.contains(&token.as_name()));
                waiting.push(tokens);
            }
        }
    }
    if !has_compound {
        return Ok(None);
    }
    if is_beyond_reach {
        return Err(());
    }
    let rest = match tokens.as_slice() {
        [with, recursive, first, ..] if with.is_keyword("with") && recursive.is_keyword("recursive") => {
            format!(", {}", sql.get(first.span.start..).unwrap_or_default())
        }
        [with, first, ..] if with.is_keyword("with") => {
            format!(", {}", sql.get(first.span.start..).unwrap_or_default())
        }
        _ => format!(" {sql}"),
    };
    // What a view reads stands before it.
    bodies.reverse();
    Ok(Some(format!("WITH RECURSIVE {}{rest}", bodies.join(", "))))
}

/// Whether a name has that of the schema before it: no common table expression takes its place.
fn is_in_schema(tokens: &[Token], position: usize) -> bool {
    let before = tokens.get(..position).unwrap_or_default();
    matches!(before, [.., main, point] if point.is_symbol('.') && main.as_name() == "main")
}

/// The names that a view gives its columns, in parentheses, if it does; and its SELECT.
fn parts(view: &str) -> Option<(&str, &str)> {
    let tokens = token::tokens(view);
    let mut depth = 0_usize;
    let at = tokens.iter().position(|token| {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_keyword("as")
    })?;
    let head = tokens.get(..at)?;
    let open = head.iter().find(|token| token.is_symbol('('));
    let names = open.and_then(|open| view.get(open.span.start..head.last()?.span.end)).unwrap_or_default();
    let body = view.get(tokens.get(at + 1)?.span.start..)?;
    Some((names, body.trim_end().trim_end_matches(';')))
}

/// The last compound in parentheses, and of those around one another the outermost: what it rests on mostly stands before it or
/// inside, and goes with the SELECT that reads it.
pub(super) fn last(sql: &str) -> Option<Compound> {
    let tokens = token::tokens(sql);
    let (mut open, mut pairs) = (Vec::new(), Vec::new());
    for (position, token) in tokens.iter().enumerate() {
        if token.is_symbol('(') {
            open.push(position);
        } else if token.is_symbol(')')
            && let Some(start) = open.pop()
        {
            pairs.push(start + 1..position);
        }
    }
    pairs.into_iter().rev().find_map(|pair| compound(sql, tokens.get(pair)?))
}

fn compound(sql: &str, inner: &[Token]) -> Option<Compound> {
    let selects = selects(inner)?;
    let (start, end) = (inner.first()?.span.start, inner.last()?.span.end);
    let (before, after) = (sql.get(..start)?, sql.get(end..)?);
    // A WITH of its own goes along with each.
    let with = sql.get(start..selects.first()?.first()?.span.start)?;
    let names = names(sql, inner, selects.first()?);
    let put = |select: &str| match &names {
        Some(names) => {
            let names = names.join(", ");
            format!("{before}WITH one_of_several({names}) AS ({select}) SELECT * FROM one_of_several{after}")
        }
        None => format!("{before}{select}{after}"),
    };
    let mut alone = Vec::new();
    for select in selects {
        let rows = rows(select);
        if rows.is_empty() {
            alone.push(put(&format!("{with}{}", sql.get(select.first()?.span.start..select.last()?.span.end)?)));
        }
        for row in rows {
            alone.push(put(&format!("{with}VALUES {}", sql.get(row.first()?.span.start..row.last()?.span.end)?)));
        }
    }
    let severed = names.as_ref().map(|names| put(&format!("SELECT {}", vec!["NULL"; names.len()].join(", "))));
    (alone.len() > 1).then_some(Compound { alone, severed })
}

/// Every SELECT or VALUES of what stands in parentheses; none where no such thing does.
fn selects(inner: &[Token]) -> Option<Vec<&[Token]>> {
    let outside = token::outside_parentheses(inner);
    let place = |words: &[&str]| {
        let found = outside.iter().find(|token| words.iter().any(|word| token.is_keyword(word)))?;
        inner.iter().position(|token| token.span.start == found.span.start)
    };
    let first =
        inner.get(place(&["select", "values"])?..place(&["union", "intersect", "except"]).unwrap_or(inner.len()));
    Some(std::iter::once(first?).chain(select_list::others(inner)).collect())
}

/// The rows of VALUES: of several, too, SQLite tells what one returns. None of a SELECT.
fn rows(select: &[Token]) -> Vec<&[Token]> {
    match select {
        [values, rows @ ..] if values.is_keyword("values") => token::split_list(rows),
        _ => Vec::new(),
    }
}

/// The names of the columns, which its first SELECT gives a compound; none where it has `*`.
fn names(sql: &str, inner: &[Token], first: &[Token]) -> Option<Vec<String>> {
    if let Some(row) = rows(first).first() {
        let (values, _) = token::parenthesised(row)?;
        return Some((1..=token::split_list(values).len()).map(|position| format!("column{position}")).collect());
    }
    let items = select_list::items(inner);
    if items.is_empty() || select_list::star(inner).is_some() {
        return None;
    }
    let name = |(position, item): (usize, &&[Token])| {
        let given = match item {
            [.., before, last] if is_alias(before, last) => Some(last),
            item if infer::is_name(item) => item.last(),
            _ => None,
        };
        let text = given.and_then(|given| sql.get(given.span.clone()));
        // What has no name nobody names.
        text.map_or_else(|| format!("unnamed_{position}"), ToOwned::to_owned)
    };
    Some(items.iter().enumerate().map(name).collect())
}

/// Whether a word behind another is the name of the column.
fn is_alias(before: &Token, last: &Token) -> bool {
    const OPERATORS: [&str; 8] = ["and", "collate", "escape", "from", "is", "like", "not", "or"];
    let is_word = matches!(last.kind, Kind::Word | Kind::Quoted | Kind::Literal);
    let is_ended = before.kind != Kind::Symbol || before.is_symbol(')');
    let is_end = ["end", "isnull", "notnull", "null"].iter().any(|word| last.is_keyword(word));
    is_word && is_ended && !is_end && !OPERATORS.iter().any(|word| before.is_keyword(word))
}
