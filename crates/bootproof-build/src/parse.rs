//! Reads what is ours in an SQL file: the directives `-- bootproof: …`. Everything else is SQLite's to read.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::annotation::Annotation;
use crate::compilation::Replaced;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::nearest;
use crate::lint::rule::{self, Allowed};
use crate::source::File;
use crate::step::{self, StepSource};

/// The keywords of the directives of a migration.
const OF_MIGRATIONS: [&str; 7] = ["allow", "compatible", "maintenance", "no-transaction", "replaces", "rust", "writes"];

/// The keywords of the directives of a query contract.
const OF_CONTRACTS: [&str; 6] = ["allow", "budget", "column", "index", "parameter", "sample"];

const MAINTENANCE_ELSEWHERE: &str = "write it in the migration before which boot must wait";

/// A comment line `-- bootproof: KEYWORD ARGUMENT`.
struct Directive<'a> {
    keyword: &'a str,
    argument: &'a str,
    /// From the keyword to the end of the argument.
    span: Range<usize>,
    /// The whole line.
    line: Range<usize>,
}

/// The rules that a migration says it breaks on purpose: `-- bootproof: allow RULE "reason"`.
#[derive(Debug, Default)]
pub(crate) struct Allows(Vec<Allow>);

#[derive(Debug)]
struct Allow {
    rule: &'static str,
    span: Range<usize>,
    is_used: Cell<bool>,
}

impl Allows {
    /// Whether a rule may be broken; an allowance that was asked for counts as used.
    pub(crate) fn permit(&self, rule: &str) -> bool {
        let allow = self.0.iter().find(|allow| allow.rule == rule);
        allow.inspect(|allow| allow.is_used.set(true)).is_some()
    }

    /// Reports the allowances of some rules that nothing made use of.
    pub(crate) fn report_unused(&self, of: impl Fn(&str) -> bool, file: &Arc<File>, diagnostics: &mut Diagnostics) {
        for allow in self.0.iter().filter(|allow| of(allow.rule) && !allow.is_used.get()) {
            diagnostics.push(
                Diagnostic::error("unused-allow", format!("nothing here breaks the rule `{}`", allow.rule))
                    .at(file, allow.span.clone())
                    .help("remove the line"),
            );
        }
    }
}

/// What a migration says of itself.
#[derive(Debug, Default)]
pub(crate) struct Directives {
    pub(crate) allows: Allows,
    /// Why boot waits for an operator's permission: `-- bootproof: maintenance "why"`.
    pub(crate) maintenance: Option<String>,
    /// Where it says that programs of the version before can go on: `-- bootproof: compatible "why"`.
    pub(crate) compatible: Option<Range<usize>>,
    /// Why it cannot run inside a transaction, and where it says so: `-- bootproof: no-transaction "why"`.
    pub(crate) no_transaction: Option<(String, Range<usize>)>,
    /// The function of the application that runs behind its statements: `-- bootproof: rust name "why"`.
    pub(crate) step: Option<StepSource>,
    /// Whether it was meant to have one.
    pub(crate) calls: bool,
}

/// A file of `queries/`, before SQLite has seen its SQL.
#[derive(Debug)]
pub(crate) struct ContractSource {
    pub(crate) file: Arc<File>,
    pub(crate) allows: Allows,
    pub(crate) description: String,
    pub(crate) index: String,
    pub(crate) index_span: Range<usize>,
    pub(crate) budget: Duration,
    /// Types of parameters: `-- bootproof: parameter from_day TEXT`.
    pub(crate) parameters: Vec<Annotation>,
    /// Types of columns: `-- bootproof: column hours REAL NOT NULL`.
    pub(crate) columns: Vec<Annotation>,
    /// The part of the file that holds the query.
    pub(crate) query: Range<usize>,
    /// The part of the file that holds the sampling query.
    pub(crate) sample: Option<Range<usize>>,
    /// The shared query that it gets values from, and where it is named: `-- bootproof: sample from busiest_month`.
    pub(crate) sample_from: Option<(String, Range<usize>)>,
}

/// The directives of a migration. What cannot be used is reported and left out.
pub(crate) fn migration(file: &Arc<File>, diagnostics: &mut Diagnostics) -> Directives {
    let mut found = Directives::default();
    let mut said = Vec::new();
    let mut rust = step::Parts::default();
    for directive in directives(file) {
        let is_said = said.contains(&directive.keyword);
        said.push(directive.keyword);
        let problem = match directive.keyword {
            "allow" => allow(&directive, Allowed::InMigration).map(|allow| found.allows.0.push(allow)).err(),
            "compatible" | "maintenance" | "no-transaction" | "rust" | "writes" if is_said => {
                Some(Box::new(repeated(&directive)))
            }
            "compatible" => compatible(&directive).map(|span| found.compatible = Some(span)).err(),
            "maintenance" => maintenance(&directive).map(|reason| found.maintenance = Some(reason)).err(),
            "no-transaction" => {
                let reason = no_transaction(&directive);
                // Also without a reason it is what the file was meant to be.
                let known = reason.as_ref().map_or("", String::as_str).to_owned();
                found.no_transaction = Some((known, directive.span.clone()));
                reason.err()
            }
            "replaces" => replaced(&directive).err(),
            "rust" => rust.name(directive.argument, directive.span.clone()).err(),
            "writes" => rust.writes(directive.argument, directive.span.clone()).err(),
            _ => Some(Box::new(unknown(&directive, "a migration", &OF_MIGRATIONS))),
        };
        if let Some(problem) = problem {
            diagnostics.push((*problem).at(file, directive.span));
        }
    }
    found.calls = said.contains(&"rust");
    found.step = rust.join(file, diagnostics);
    if let (Some(_), Some(step)) = (&found.no_transaction, &found.step) {
        diagnostics.push(step::inside_only().at(file, step.span.clone()));
    }
    found
}

/// The migrations that a baseline stands for: those of its lines that say which. The others [`migration`] reports.
pub(crate) fn replaces(file: &File) -> Vec<Replaced> {
    let lines = directives(file).into_iter().filter(|directive| directive.keyword == "replaces");
    lines.filter_map(|directive| replaced(&directive).ok()).collect()
}

/// `VERSION CHECKSUM NAME`
fn replaced(directive: &Directive<'_>) -> Result<Replaced, Box<Diagnostic>> {
    let mut parts = directive.argument.splitn(3, ' ');
    let mut read = || {
        let version = parts.next()?.parse().ok()?;
        let checksum = parts.next().filter(|digits| digits.len() == 16)?;
        let checksum = u64::from_str_radix(checksum, 16).ok()?;
        Some(Replaced { version, checksum, name: parts.next().unwrap_or_default().to_owned() })
    };
    read().ok_or_else(|| {
        let message = "this does not say which migration is replaced";
        Box::new(Diagnostic::error("directive", message).help("take the line as `squash` wrote it"))
    })
}

/// A way back has no directives.
pub(crate) fn no_directives(file: &Arc<File>, what: &str, diagnostics: &mut Diagnostics) {
    for directive in directives(file) {
        let diagnostic = Diagnostic::error("unknown-directive", format!("{what} has no directives"));
        let help = if directive.keyword == "maintenance" { MAINTENANCE_ELSEWHERE } else { "remove it" };
        diagnostics.push(diagnostic.at(file, directive.span).help(help));
    }
}

fn allow(directive: &Directive<'_>, place: Allowed) -> Result<Allow, Box<Diagnostic>> {
    const FORM: &str = "write `-- bootproof: allow RULE \"why it is right here\"`";
    let (name, reason) = directive.argument.split_once(char::is_whitespace).unwrap_or((directive.argument, ""));
    let rules = rule::allowable(place);
    let Some(&rule) = rules.iter().find(|&&rule| rule == name) else {
        return Err(Box::new(Diagnostic::error("unknown-rule", format!("no rule `{name}` can be allowed here")).help(
            match nearest(name, rules.iter().map(|&rule| rule.to_owned())) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("the rules that can be allowed here are {}", list(&rules)),
            },
        )));
    };
    if quoted_reason(reason).is_none() {
        let diagnostic = Diagnostic::error("missing-reason", format!("`{rule}` is allowed without a reason"));
        return Err(Box::new(diagnostic.help(FORM)));
    }
    Ok(Allow { rule, span: directive.span.clone(), is_used: Cell::new(false) })
}

/// The reason that an operator will read before permitting the migration.
fn maintenance(directive: &Directive<'_>) -> Result<String, Box<Diagnostic>> {
    let reason = quoted_reason(directive.argument);
    reason.map(str::to_owned).ok_or_else(|| {
        let message = "`maintenance` asks an operator for permission without a reason";
        Box::new(
            Diagnostic::error("missing-reason", message)
                .help("write it in quotes, on this line: `-- bootproof: maintenance \"why boot must wait\"`"),
        )
    })
}

/// That programs of the version before can go on, with a reason for whoever reads the file.
fn compatible(directive: &Directive<'_>) -> Result<Range<usize>, Box<Diagnostic>> {
    quoted_reason(directive.argument).map(|_| directive.span.clone()).ok_or_else(|| {
        let message = "`compatible` promises that older programs can go on, without a reason";
        Box::new(
            Diagnostic::error("missing-reason", message)
                .help("write it in quotes, on this line: `-- bootproof: compatible \"why they can\"`"),
        )
    })
}

/// Why a migration cannot run inside a transaction, for whoever reads the plan.
fn no_transaction(directive: &Directive<'_>) -> Result<String, Box<Diagnostic>> {
    let reason = quoted_reason(directive.argument);
    reason.map(str::to_owned).ok_or_else(|| {
        let message = "`no-transaction` takes a migration out of the one transaction without a reason";
        Box::new(
            Diagnostic::error("missing-reason", message)
                .help("write it in quotes, on this line: `-- bootproof: no-transaction \"why it cannot run inside\"`"),
        )
    })
}

/// What stands in double quotes, if that is the whole of it and not blank.
pub(crate) fn quoted_reason(argument: &str) -> Option<&str> {
    let reason = argument.trim().strip_prefix('"')?.strip_suffix('"')?.trim();
    (!reason.is_empty()).then_some(reason)
}

/// The parts of a contract file, or diagnostics.
pub(crate) fn contract(file: &Arc<File>, diagnostics: &mut Diagnostics) -> Option<ContractSource> {
    let mut allows = Allows::default();
    let mut index = None;
    let mut budget = None;
    let mut sample: Option<Directive<'_>> = None;
    let (mut parameters, mut columns) = (Vec::new(), Vec::new());
    let mut is_sound = true;
    let directives = directives(file);
    for keyword in ["index", "budget"] {
        if !directives.iter().any(|directive| directive.keyword == keyword) {
            is_sound = false;
            let example = if keyword == "index" { "index idx_name" } else { "budget 200 ms" };
            diagnostics.push(
                Diagnostic::error("missing-directive", format!("this query contract has no `{keyword}`"))
                    .in_file(&file.name)
                    .help(format!("say at the head of the file, for instance, `-- bootproof: {example}`")),
            );
        }
    }
    for directive in directives {
        let problem = match directive.keyword {
            "allow" => {
                allow(&directive, Allowed::InContract).map(|allow| allows.0.push(allow)).err().map(|problem| *problem)
            }
            "index" if index.is_some() => Some(repeated(&directive)),
            "index" if directive.argument.is_empty() => Some(
                Diagnostic::error("directive", "the index is not named").help("write `-- bootproof: index idx_name`"),
            ),
            "index" => {
                let start = directive.span.end - directive.argument.len();
                index = Some((directive.argument.to_owned(), start..directive.span.end));
                None
            }
            "budget" if budget.is_some() => Some(repeated(&directive)),
            "budget" => {
                budget = parse_budget(directive.argument);
                budget.is_none().then(|| {
                    Diagnostic::error("directive", "this is not a budget")
                        .help("write a whole number of `ms` or `s`, such as `-- bootproof: budget 200 ms`")
                })
            }
            "parameter" | "column" => {
                let said = if directive.keyword == "parameter" { &mut parameters } else { &mut columns };
                let read = Annotation::read(directive.keyword, directive.argument, directive.span.clone());
                read.map(|annotation| said.push(annotation)).err().map(|problem| *problem)
            }
            "sample" if sample.is_some() => Some(repeated(&directive)),
            "sample" if !directive.argument.is_empty() && shared(&directive).is_none() => Some(
                Diagnostic::error("directive", "`sample` stands alone, or says what it takes values from")
                    .help("write the query on the next line; `-- bootproof: sample from NAME` is of `queries/samples/NAME.sql`"),
            ),
            "sample" => {
                sample = Some(directive);
                continue;
            }
            _ => Some(unknown(&directive, "a query contract", &OF_CONTRACTS)),
        };
        if let Some(problem) = problem {
            is_sound = false;
            diagnostics.push(problem.at(file, directive.span));
        }
    }
    let ((index, index_span), budget) = (index?, budget?);
    is_sound.then(|| ContractSource {
        file: Arc::clone(file),
        allows,
        description: description(&file.text),
        index,
        index_span,
        budget,
        parameters,
        columns,
        query: 0..sample.as_ref().map_or(file.text.len(), |directive| directive.line.start),
        sample_from: sample.as_ref().and_then(shared),
        sample: sample.map(|directive| directive.line.end..file.text.len()),
    })
}

/// What a sampling query takes values from, and where it says so.
fn shared(directive: &Directive<'_>) -> Option<(String, Range<usize>)> {
    let (from, name) = directive.argument.split_once(char::is_whitespace)?;
    let name = name.trim();
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
    (from == "from" && is_name).then(|| (name.to_owned(), directive.span.end - name.len()..directive.span.end))
}

/// The comment at the head of a file, without its directives.
fn description(text: &str) -> String {
    let comments = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
    let words: Vec<&str> = comments
        .filter(|line| keyword_position(line).is_none())
        .map(|line| line.trim_start_matches('-').trim())
        .filter(|line| !line.is_empty())
        .collect();
    words.join(" ")
}

fn parse_budget(argument: &str) -> Option<Duration> {
    let unit_start = argument.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = argument.split_at_checked(unit_start)?;
    let number: u64 = number.parse().ok().filter(|&number| number > 0)?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}

fn directives(file: &File) -> Vec<Directive<'_>> {
    let mut directives = Vec::new();
    let mut start = file.part.start;
    for line in file.sql().split_inclusive('\n') {
        let whole = start..start + line.len();
        start = whole.end;
        let Some(position) = keyword_position(line.trim_end()) else { continue };
        let content = line.get(position..).unwrap_or_default().trim_end();
        let (keyword, argument) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
        let span = whole.start + position..whole.start + position + content.len();
        directives.push(Directive { keyword, argument: argument.trim(), span, line: whole });
    }
    directives
}

/// Where the keyword of a directive starts in a line, if the line is one.
fn keyword_position(line: &str) -> Option<usize> {
    let rest = line.trim_start().strip_prefix("--")?.trim_start().strip_prefix("bootproof:")?.trim_start();
    Some(line.len() - rest.len())
}

fn unknown(directive: &Directive<'_>, place: &str, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("unknown-directive", format!("{place} has no directive `{}`", directive.keyword));
    if directive.keyword == "maintenance" {
        return diagnostic.help(MAINTENANCE_ELSEWHERE);
    }
    diagnostic.help(format!("the directives are {}", list(known)))
}

fn repeated(directive: &Directive<'_>) -> Diagnostic {
    Diagnostic::error("directive", format!("`{}` is said twice", directive.keyword)).help("keep one of the two")
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
