//! Proves query contracts on the schema at head: one query, its parameters, its index.

mod comparison;
mod compound;
mod infer;
mod presence;
mod sample;
mod select_list;
mod typed;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::QueryPlan;
use bootproof_catalog::catalog::{Catalog, Index};
use bootproof_catalog::token;
use rusqlite::ToSql;

use crate::compilation::Contract;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::{Explainer, Known, nearest};
use crate::lint::{self, Terms};
use crate::parse::ContractSource;
use crate::rehearse::Stage;
use crate::source::File;
use crate::value::Type;

use sample::Sampling;
pub(crate) use sample::Shared;
use typed::Typing;
pub(crate) use typed::rust_name;

/// The schema at head and how it came about.
pub(crate) struct Head<'a> {
    pub(crate) stage: &'a Stage,
    /// The schema after every version, in ascending order; the last is the one at head.
    pub(crate) catalogs: &'a [(i64, Catalog)],
    pub(crate) catalog: &'a Catalog,
    pub(crate) known: Known<'a>,
}

/// One SELECT of a contract file.
struct Query {
    sql: String,
    /// Its first word.
    span: Range<usize>,
    parameters: Vec<String>,
    columns: Vec<String>,
    /// The table and the column that each of its columns comes from, if it comes from one.
    origins: Vec<Option<(String, String)>>,
    /// What it reads: tables and their columns, in lower case.
    reads: BTreeSet<(String, String)>,
}

/// The type of an expression that is the same whatever its columns hold.
pub(crate) fn expression_type(sql: &str) -> Option<Type> {
    infer::type_of(&token::tokens(sql), &|_| None).map(|typed| typed.value)
}

impl Head<'_> {
    /// A contract that holds; else what is wrong with it has been reported.
    pub(crate) fn prove(
        &self,
        source: &ContractSource,
        shared: &[Shared],
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Contract>> {
        let file = &source.file;
        let index = self.catalog.indexes.get(&source.index.to_ascii_lowercase());
        if index.is_none() {
            diagnostics.push(self.unknown_index(source));
        }
        let query = self.query(file, source.query.clone(), "query");
        let sample = source.sample.clone().map(|part| self.query(file, part, "sampling query")).transpose();
        let (query, sample) = match (query, sample) {
            (Ok(query), Ok(sample)) => (query, sample),
            (query, sample) => {
                for diagnostic in [query.err(), sample.err()].into_iter().flatten() {
                    diagnostics.push(*diagnostic);
                }
                return Ok(None);
            }
        };
        let Sampling { shared, problem } = Sampling::of(source, &query, sample.as_ref(), shared);
        let is_sample_sound = problem.is_none();
        diagnostics.extend(problem);
        let Some(index) = index else { return Ok(None) };

        let unbound: &[(&str, &dyn ToSql)] = &[];
        let plan = QueryPlan::explain(self.stage.connection(), &query.sql, unbound)?;
        if !plan.uses(&index.name) {
            diagnostics.push(unused_index(file, &query, index, &plan));
            return Ok(None);
        }
        for finding in lint::plan::check(file, &query.span, &query.sql, &plan, self.catalog) {
            diagnostics.extend(Terms { allows: &source.allows, is_released: false }.settle(finding));
        }
        source.allows.report_unused(|_| true, file, diagnostics);
        let reads = [Some(&query), sample.as_ref(), shared].into_iter().flatten().flat_map(|query| &query.reads);
        let since = self.since(index, &reads.collect::<Vec<_>>());
        let typing = Typing::new(self, source, &query, [sample.as_ref(), shared], &plan)?;
        let Some(signature) = typing.signature(diagnostics) else { return Ok(None) };
        let name = file.name.trim_start_matches("queries/").trim_end_matches(".sql");
        Ok(is_sample_sound.then(|| Contract {
            name: name.to_owned(),
            file: file.name.clone(),
            description: source.description.clone(),
            sql: query.sql,
            parameters: query.parameters,
            index: index.name.clone(),
            budget: source.budget,
            since,
            sample: sample.map(|sample| sample.sql),
            sample_from: shared.map(|shared| shared.sql.clone()),
            signature,
        }))
    }

    /// The version from which on the index has been what it is at head, and there has been everything that is read. A database
    /// may rest below head for long, where a migration waits for permission.
    fn since(&self, index: &Index, reads: &[&(String, String)]) -> i64 {
        let key = index.name.to_ascii_lowercase();
        let is_there =
            |catalog: &Catalog, (table, column): &(String, String)| {
                match (self.catalog.tables.get(table), catalog.tables.get(table)) {
                    (Some(head), Some(then)) => !head.columns.contains_key(column) || then.columns.contains_key(column),
                    (Some(_), None) => false,
                    // What is neither is a function that returns a table.
                    (None, _) => self.catalog.views.get(table).is_none_or(|head| {
                        catalog.views.get(table).is_some_and(|then| then.canonical == head.canonical)
                    }),
                }
            };
        let versions = self.catalogs.iter().rev();
        let unchanged = versions.take_while(|(_, catalog)| {
            let has_index = catalog.indexes.get(&key).is_some_and(|other| other.is_same(index));
            has_index && reads.iter().all(|read| is_there(catalog, read))
        });
        unchanged.last().map_or(i64::MAX, |(version, _)| *version)
    }

    fn unknown_index(&self, source: &ContractSource) -> Diagnostic {
        let diagnostic = Diagnostic::error("contract-index", format!("there is no index `{}`", source.index))
            .at(&source.file, source.index_span.clone());
        let names = self.catalog.indexes.values().map(|index| index.name.clone());
        match nearest(&source.index, names) {
            Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
            None => diagnostic.help("create it in a migration"),
        }
    }

    /// The one read-only SELECT in a part of a file.
    fn query(&self, file: &Arc<File>, part: Range<usize>, what: &str) -> Result<Query, Box<Diagnostic>> {
        let fail = |message: String, span: Range<usize>| Diagnostic::error("contract-query", message).at(file, span);
        let explain = |error: &rusqlite::Error, start: usize| {
            Box::new(Explainer { file, catalog: self.catalog, known: self.known }.explain(error, start))
        };
        let prepared = self.stage.prepare(file, part.clone()).map_err(|error| explain(&error, part.start))?;
        let Some((prepared, end)) = prepared else {
            let diagnostic = fail(format!("there is no {what}"), file.first_word(part));
            return Err(Box::new(diagnostic.help("write one SELECT")));
        };
        let word = file.first_word(prepared.span.clone());
        let statement = &prepared.statement;
        let is_select = prepared.effects.selects && prepared.effects.pragma.is_none();
        if !(is_select && statement.readonly() && statement.is_explain() == 0) {
            let diagnostic = fail(format!("the {what} is not a SELECT"), word);
            return Err(Box::new(diagnostic.help("a query contract reads; it changes nothing")));
        }
        let mut parameters = Vec::new();
        for position in 1..=statement.parameter_count() {
            let Some(name) = statement.parameter_name(position).and_then(|name| name.strip_prefix(':')) else {
                let start = prepared.parameter.unwrap_or(prepared.span.start);
                return Err(Box::new(
                    fail("a parameter without a name".to_owned(), start..start + 1)
                        .help("write every parameter of a query contract as `:name`"),
                ));
            };
            parameters.push(name.to_owned());
        }
        // Whatever stands there, and sound or not, it is too much.
        if !matches!(self.stage.prepare(file, end..part.end), Ok(None)) {
            let diagnostic = fail(format!("something follows the {what}"), file.first_word(end..part.end));
            return Err(Box::new(
                diagnostic.help("keep one SELECT in the file, and one behind `-- bootproof: sample`"),
            ));
        }
        let text = file.text.get(prepared.span.clone()).unwrap_or_default().trim_end();
        Ok(Query {
            sql: text.strip_suffix(';').unwrap_or(text).trim_end().to_owned(),
            columns: statement.column_names().map(str::to_owned).collect(),
            origins: typed::origins(statement),
            reads: prepared.effects.reads,
            span: word,
            parameters,
        })
    }
}

fn unused_index(file: &Arc<File>, query: &Query, index: &Index, plan: &QueryPlan) -> Diagnostic {
    let message = match plan.index_used(&index.name) {
        Some(used) if used.eq_ignore_ascii_case(&index.name) => {
            format!("this query reads the index `{used}` from end to end instead of searching it")
        }
        Some(used) => format!("this query uses the index `{used}` instead of `{}`", index.name),
        None => format!("this query does not use the index `{}`", index.name),
    };
    let mut diagnostic = Diagnostic::error("contract-plan", message).at(file, query.span.clone());
    for step in &plan.steps {
        diagnostic = diagnostic.note(format!("SQLite would {}", step.detail));
    }
    diagnostic.note(format!("the index is {}", index.signature())).help(plan_help(query, index))
}

fn plan_help(query: &Query, index: &Index) -> String {
    // Blanks around both, so that `a` is not found in `date`.
    let text = format!(" {} ", token::canonical(&query.sql));
    if !text.contains(&format!(" {} ", token::canonical(&index.table))) {
        return format!("the query does not read `{}`, the table of the index", index.table);
    }
    let missing = index.terms.iter().find(|term| !text.contains(&format!(" {} ", term.expression)));
    match missing {
        Some(term) if term.expression.contains('(') => format!(
            "the query nowhere says `{}`: an expression must be spelt as it is in the index",
            token::readable(&term.expression)
        ),
        Some(term) => format!(
            "the query nowhere says `{}`: an index serves as far as its columns are restricted, from the first one on",
            term.expression
        ),
        None => {
            "an index serves as far as its columns are compared with `=`, from the first one on, and one more with \
                 `<`, `>` or BETWEEN; an expression must be spelt as it is in the index"
                .to_owned()
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}
