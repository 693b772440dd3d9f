//! What became of every table that a migration found: kept, rebuilt, or gone.

use std::collections::BTreeMap;

use bootproof_catalog::token::{self, Token};

use crate::rehearse::Performed;
use crate::source::File;
use crate::writes;

/// A table that another one has replaced under its name.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    /// The statement that dropped the table as it was, by position; none where it is still there under another name.
    pub(super) drop: Option<usize>,
    /// The statement that renamed the new table in.
    pub(super) rename: Option<usize>,
    /// The statements that filled the new table.
    pub(super) copies: Vec<usize>,
}

/// The tables that were rebuilt, by name in lower case.
pub(super) fn rebuilds<'a>(
    file: &File,
    script: &[Performed],
    before: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, Rebuild> {
    let originals: BTreeMap<String, usize> = before.enumerate().map(|(id, name)| (name.clone(), id)).collect();
    let mut next = originals.len();
    let mut alive = originals.clone();
    let mut dropped: BTreeMap<usize, usize> = BTreeMap::new();
    let mut renamed: BTreeMap<usize, usize> = BTreeMap::new();
    let mut copies: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, performed) in script.iter().enumerate() {
        let effects = &performed.effects;
        if let Some([old, new]) = writes::renamed(file, performed) {
            if let Some(id) = alive.remove(&old) {
                renamed.insert(id, position);
                alive.insert(new, id);
            }
            continue;
        }
        for name in &effects.drops_tables {
            dropped.extend(alive.remove(name).map(|id| (id, position)));
        }
        for name in &effects.creates_tables {
            if alive.contains_key(name) {
                continue; // IF NOT EXISTS
            }
            alive.insert(name.clone(), next);
            if effects.selects {
                copies.entry(next).or_default().push(position);
            }
            next += 1;
        }
        for id in effects.inserts.iter().filter_map(|name| alive.get(name)) {
            copies.entry(*id).or_default().push(position);
        }
    }
    let replaced = originals.into_iter().filter_map(|(name, old)| {
        let new = *alive.get(&name).filter(|&&id| id != old)?;
        let rebuild = Rebuild {
            drop: dropped.get(&old).copied(),
            rename: renamed.get(&new).copied(),
            copies: copies.remove(&new).unwrap_or_default(),
        };
        // A table that was only renamed away still has its rows.
        rebuild.drop.is_some().then_some((name, rebuild))
    });
    replaced.collect()
}

/// What the text of a statement tells that copies rows.
#[derive(Debug, Default)]
pub(super) struct Copy {
    /// The columns that it says it fills, in lower case; none where it goes by position.
    pub(super) columns: Option<Vec<String>>,
    /// It says that some rows are left out: WHERE, GROUP BY, LIMIT, OR IGNORE, …
    pub(super) is_filtered: bool,
    /// It joins tables, which leaves out what has no partner.
    pub(super) is_joined: bool,
    /// It does not name the columns on both sides.
    pub(super) is_positional: bool,
}

/// `None` where a statement takes its rows from no table.
pub(super) fn copy(file: &File, performed: &Performed) -> Option<Copy> {
    const FILTERS: [&str; 10] =
        ["conflict", "distinct", "except", "group", "having", "ignore", "intersect", "limit", "replace", "where"];
    let tokens = token::tokens(file.text.get(performed.statement.span.clone())?);
    let from = tokens.get(tokens.iter().position(|token| token.is_keyword("from"))? + 1..)?;
    let ends = |next: &Token| next.is_symbol(',') || next.is_keyword("from");
    let is_wildcard = |pair: &[Token]| matches!(pair, [star, next] if star.is_symbol('*') && ends(next));
    let columns = listed_columns(&tokens);
    // `CREATE TABLE … AS` takes the names along.
    let is_insert = tokens.iter().any(|token| token.is_keyword("into"));
    let joins = |token: &&Token| token.is_keyword("join") || token.is_symbol(',');
    Some(Copy {
        is_positional: is_insert && (columns.is_none() || tokens.windows(2).any(is_wildcard)),
        columns,
        is_filtered: tokens.iter().any(|token| FILTERS.iter().any(|word| token.is_keyword(word))),
        is_joined: token::outside_parentheses(from).iter().any(joins),
    })
}

/// The columns that an INSERT says it fills, in lower case.
pub(super) fn listed_columns(tokens: &[Token]) -> Option<Vec<String>> {
    const SOURCES: [&str; 4] = ["default", "select", "values", "with"];
    let rest = tokens.get(tokens.iter().position(|token| token.is_keyword("into"))? + 1..)?;
    let starts_source = |token: &Token| token.is_symbol('(') || SOURCES.iter().any(|word| token.is_keyword(word));
    let rest = rest.get(rest.iter().position(starts_source)?..)?;
    rest.first().filter(|first| first.is_symbol('('))?;
    let (list, _) = token::parenthesised(rest)?;
    Some(token::split_list(list).iter().filter_map(|item| Some(item.first()?.as_name())).collect())
}
