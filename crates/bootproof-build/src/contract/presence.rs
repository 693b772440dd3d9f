//! Whether a column that refuses NULL in its table can be NULL in what a query returns.
//!
//! SQLite tells which column of which table a result comes from, and not what a query does to it on the way: an outer join
//! makes it NULL, an aggregate without GROUP BY over no rows, a subquery in the place of a value that finds none; and in a
//! compound SELECT the others may return anything. Wherever one of these is possible somewhere, every column counts as
//! nullable: whoever knows better says NOT NULL.

use std::collections::BTreeSet;

use bootproof_catalog::token::{self, Token};
use bootproof_catalog::{Catalog, QueryPlan};
use rusqlite::Connection;

/// Words of outer joins and of compounds. As names they cost a NOT NULL in the contract, and nothing else.
const DOUBTFUL: [&str; 6] = ["left", "right", "full", "union", "intersect", "except"];

/// Whether what is NOT NULL in its table is so in every row of the query.
pub(super) fn is_kept(
    connection: &Connection,
    sql: &str,
    plan: &QueryPlan,
    catalog: &Catalog,
) -> rusqlite::Result<bool> {
    let tokens = with_views(sql, catalog);
    if tokens.iter().any(|token| DOUBTFUL.iter().any(|word| token.is_keyword(word))) {
        return Ok(false);
    }
    if plan.steps.iter().any(|step| step.detail.contains("SCALAR SUBQUERY")) {
        return Ok(false);
    }
    Ok(is_grouped(&tokens) || !aggregates(connection, sql)?)
}

/// Whether any SELECT of several is a compound, as far as words tell.
pub(super) fn is_compound(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| ["union", "intersect", "except"].iter().any(|word| token.is_keyword(word)))
}

/// The tokens of a query, and of every view that it may read.
fn with_views(sql: &str, catalog: &Catalog) -> Vec<Token> {
    let mut tokens = token::tokens(sql);
    let mut read = BTreeSet::new();
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        position += 1;
        let name = token.as_name();
        if let Some(view) = catalog.views.get(&name)
            && read.insert(name)
        {
            tokens.extend(token::tokens(&view.sql));
        }
    }
    tokens
}

/// Whether every SELECT has a GROUP BY: there are as many of the one as of the other, and none has two.
fn is_grouped(tokens: &[Token]) -> bool {
    let selects = tokens.iter().filter(|token| token.is_keyword("select")).count();
    // A window's frame can EXCLUDE GROUP.
    let is_group_by =
        |words: &&[Token]| matches!(words, [group, by] if group.is_keyword("group") && by.is_keyword("by"));
    let groups = tokens.windows(2).filter(is_group_by);
    groups.count() == selects
}

/// Whether the program that SQLite makes of a query aggregates anywhere (<https://sqlite.org/opcode.html>).
fn aggregates(connection: &Connection, sql: &str) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare(&format!("EXPLAIN {sql}"))?;
    let mut program = statement.raw_query();
    while let Some(instruction) = program.next()? {
        let opcode: String = instruction.get("opcode")?;
        if opcode.starts_with("Agg") || opcode == "Count" {
            return Ok(true);
        }
    }
    Ok(false)
}
