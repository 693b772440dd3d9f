//! What a hot query does besides searching its index, as SQLite plans it: work that grows with the data.

use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::query_plan::Step;
use bootproof_catalog::token::{self, Token};
use bootproof_catalog::{QueryPlan, Shared};

use crate::diagnostic::Diagnostic;
use crate::source::File;

/// A query may need each of these: its rows are few, or the table is small. Then the contract says so.
pub(crate) fn check(
    file: &Arc<File>,
    place: &Range<usize>,
    sql: &str,
    plan: &QueryPlan,
    catalog: &Catalog,
) -> Vec<Diagnostic> {
    let tokens = token::tokens(sql);
    let details = || plan.steps.iter().map(|step| step.detail.as_str());
    let sorts: Vec<_> = details().filter(|detail| detail.starts_with("USE TEMP B-TREE")).collect();
    let automatic: Vec<_> = details().filter(|detail| detail.contains(" AUTOMATIC ")).collect();
    let scans: Vec<_> =
        details().filter_map(|detail| Some((detail, scanned(detail, plan, &tokens, catalog)?.name.as_str()))).collect();
    let scanned = scans.iter().map(|(_, table)| format!("`{table}`")).collect::<Vec<_>>().join(", ");
    let found = [
        (
            "contract-sorts",
            "this query sorts its rows each time".to_owned(),
            sorts,
            "let the index end with the columns that are ordered or grouped by, in that order",
        ),
        (
            "contract-automatic-index",
            "SQLite would build an index for this query each time it runs".to_owned(),
            automatic,
            "create an index of these columns in a migration",
        ),
        (
            "contract-scans",
            format!("this query reads all of {scanned}"),
            scans.iter().map(|(detail, _)| *detail).collect(),
            "create an index of the columns by which these rows are picked or joined",
        ),
    ];
    let findings = found.into_iter().filter(|(_, _, details, _)| !details.is_empty());
    let finding = |(rule, message, details, help): (&'static str, String, Vec<&str>, &str)| {
        let finding = Diagnostic::warning(rule, message).at(file, place.clone());
        let finding = details.iter().fold(finding, |finding, detail| finding.note(format!("SQLite would {detail}")));
        finding.help(help).help(format!("if these rows are always few, say `-- bootproof: allow {rule} \"why\"`"))
    };
    findings.map(finding).collect()
}

/// The table that a step reads from end to end; a step calls it by its alias.
fn scanned<'a>(detail: &str, plan: &QueryPlan, tokens: &[Token], catalog: &'a Catalog) -> Option<&'a Shared<Table>> {
    let name = detail.strip_prefix("SCAN ")?;
    if name.contains(" VIRTUAL TABLE ") {
        return None;
    }
    let name = name.strip_suffix(" LEFT-JOIN").unwrap_or(name);
    let name = name.split_once(" USING ").map_or(name, |(name, _)| name);
    let name = name.strip_suffix(" EXISTS").unwrap_or(name);
    // A common table expression may have the name of a table, and hides it.
    let is_made =
        |step: &Step| ["MATERIALIZE ", "CO-ROUTINE "].iter().any(|verb| step.detail.strip_prefix(verb) == Some(name));
    if plan.steps.iter().any(is_made) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let aliased = || {
        tokens.windows(3).find_map(|words| match words {
            [table, as_word, alias] if as_word.is_keyword("as") && alias.as_name() == name => {
                catalog.tables.get(&table.as_name())
            }
            [table, alias, _] if alias.as_name() == name => catalog.tables.get(&table.as_name()),
            _ => None,
        })
    };
    let named = catalog.tables.get(&name);
    named.or_else(aliased).filter(|table| !table.is_virtual)
}
