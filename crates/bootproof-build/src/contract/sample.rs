//! Where a contract's parameters come from: its sampling query, and what several of them take values from.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Head, Query, listed};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::nearest;
use crate::parse::ContractSource;
use crate::source::File;

const RULE: &str = "contract-sample";

/// A query that sampling queries take values from: `queries/samples/NAME.sql`.
pub(crate) struct Shared {
    name: String,
    file: Arc<File>,
    /// None where it is none, which has been reported.
    query: Option<Query>,
    is_used: Cell<bool>,
}

impl Shared {
    pub(crate) fn prepare(head: &Head<'_>, file: &Arc<File>, diagnostics: &mut Diagnostics) -> Self {
        let query = match head.query(file, 0..file.text.len(), "query") {
            Ok(query) if query.parameters.is_empty() => Some(query),
            Ok(query) => {
                let message = "what contracts are sampled from has parameters itself";
                diagnostics.push(Diagnostic::error(RULE, message).at(file, query.span).help("write values"));
                None
            }
            Err(problem) => {
                diagnostics.push(*problem);
                None
            }
        };
        let name = file.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".sql").to_owned();
        Self { name, file: Arc::clone(file), query, is_used: Cell::default() }
    }

    /// A file that nothing reads was meant for something.
    pub(crate) fn report_unused(&self) -> Option<Diagnostic> {
        let problem = |query: &Query| {
            Diagnostic::error(RULE, "no contract is sampled from this")
                .at(&self.file, query.span.clone())
                .help(format!("say `-- bootproof: sample from {}` in a contract, or remove the file", self.name))
        };
        self.query.as_ref().filter(|_| !self.is_used.get()).map(problem)
    }
}

/// What gives a contract's parameters their values.
#[derive(Default)]
pub(super) struct Sampling<'s> {
    pub(super) shared: Option<&'s Query>,
    pub(super) problem: Option<Diagnostic>,
}

impl<'s> Sampling<'s> {
    pub(super) fn of(source: &ContractSource, query: &Query, sample: Option<&Query>, all: &'s [Shared]) -> Self {
        let Some(sample) = sample else { return Self::default() };
        let Some((name, span)) = &source.sample_from else {
            return Self { shared: None, problem: unfit(&source.file, query, sample, None) };
        };
        let Some(shared) = all.iter().find(|shared| shared.name == *name) else {
            let message = format!("there is no `queries/samples/{name}.sql`");
            let problem = Diagnostic::error(RULE, message).at(&source.file, span.clone());
            let problem = match nearest(name, all.iter().map(|shared| shared.name.clone())) {
                Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
                None => problem.help("write it: one SELECT, whose first row has the values"),
            };
            return Self { shared: None, problem: Some(problem) };
        };
        shared.is_used.set(true);
        let Some(shared) = &shared.query else { return Self::default() };
        Self { shared: Some(shared), problem: unfit(&source.file, query, sample, Some(shared)) }
    }
}

/// What is wrong with a sampling query, if anything is.
fn unfit(file: &Arc<File>, query: &Query, sample: &Query, shared: Option<&Query>) -> Option<Diagnostic> {
    let problem = |message: &str| Diagnostic::error(RULE, message).at(file, sample.span.clone());
    let given = shared.map(|shared| shared.columns.as_slice()).unwrap_or_default();
    match (sample.parameters.iter().find(|name| !given.contains(name)), shared) {
        (Some(_), None) => return Some(problem("the sampling query has parameters itself").help("write values")),
        (Some(name), Some(_)) => {
            let message = format!("nothing gives the parameter `:{name}` of the sampling query a value");
            return Some(problem(&message).note(format!("what it is sampled from returns {}", listed(given))));
        }
        (None, _) => {}
    }
    let (wanted, returned) = (names(&query.parameters), names(&sample.columns));
    let is_whole = wanted.iter().all(|name| returned.contains(name) || given.contains(name));
    if is_whole && returned.is_subset(&wanted) && returned.len() == sample.columns.len() {
        return None;
    }
    let problem = problem("the sampling query does not return the parameters of the query")
        .note(format!("the parameters are {}", listed(&query.parameters)))
        .note(format!("the columns are {}", listed(&sample.columns)));
    let problem = if given.is_empty() {
        problem
    } else {
        problem.note(format!("what it is sampled from returns {}", listed(given)))
    };
    Some(problem.help("return one column for every parameter, named as it is, with `AS`"))
}

fn names(names: &[String]) -> BTreeSet<&String> {
    names.iter().collect()
}
