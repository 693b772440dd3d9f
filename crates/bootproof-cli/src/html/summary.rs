//! The report in a paragraph, for a reader who reads nothing else. Says what the data says and nothing more.

use bootproof::{BootReport, Outcome, QueryReport, Verdict};
use maud::{Markup, html};

use super::text;

/// Less than this is the noise of a machine that does other things too.
const NOTICEABLE: f64 = 1.2;
const NOTICEABLE_MS: f64 = 0.5;

pub(super) fn paragraph(report: &BootReport) -> Option<Markup> {
    let mut sentences = Vec::new();
    if report.verdict != Verdict::Refused {
        sentences.push(versions(report));
        sentences.extend(held(report));
        sentences.extend(repaired(report));
        sentences.extend(backup(report));
    }
    sentences.extend(checks(report));
    sentences.extend(budgets(&report.queries));
    sentences.extend(fastest(&report.queries));
    sentences.extend(slower(&report.queries));
    (!sentences.is_empty()).then(|| html! { @for sentence in &sentences { (text::prose(sentence)) " " } })
}

fn versions(report: &BootReport) -> String {
    let to = report.to_version.map_or_else(|| "an unmanaged state".to_owned(), |version| format!("version {version}"));
    let from = report.from_version.map(|version| format!("version {version}"));
    let count = |migrations: usize| text::count(migrations, "migration", "migrations");
    if report.created {
        return format!("A new database was made at {to}.");
    }
    if !report.reverted.is_empty() {
        let from = from.unwrap_or_default();
        return format!("Reverting {} took the database from {from} back to {to}.", count(report.reverted.len()));
    }
    let adopted = if report.adopted { "A database that nobody had managed was recognised and adopted. " } else { "" };
    match (report.applied.len(), from) {
        (0, _) => format!("{adopted}Nothing had to be migrated: the database is at {to}."),
        (applied, Some(from)) => format!("{adopted}{} took the database from {from} to {to}.", count(applied)),
        (applied, None) => format!("{adopted}{} took the database to {to}.", count(applied)),
    }
}

fn held(report: &BootReport) -> Option<String> {
    match report.held.as_slice() {
        [] => None,
        [only] => Some(format!("1 migration, `{}`, was held back.", only.name)),
        many => Some(format!("{} migrations were held back.", many.len())),
    }
}

fn repaired(report: &BootReport) -> Option<String> {
    match report.repaired.len() {
        0 => None,
        1 => Some("1 index was rebuilt.".to_owned()),
        many => Some(format!("{many} indexes were rebuilt.")),
    }
}

fn backup(report: &BootReport) -> Option<String> {
    let backup = report.backup.as_ref()?;
    let proof = if backup.verified { " and was read back and found equal" } else { ", which was not read back" };
    Some(format!("A backup of {} was made first{proof}.", text::bytes(backup.bytes)))
}

fn checks(report: &BootReport) -> Option<String> {
    let checks = &report.checks;
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
    let made = passed + failed;
    let failures: Vec<_> = checks.iter().filter(|check| check.outcome == Outcome::Failed).collect();
    let names: Vec<_> = failures.iter().map(|check| format!("`{}`", check.name.name())).collect();
    match (made, failed) {
        (0, _) => None,
        (_, 0) if report.verdict == Verdict::Refused => {
            Some(format!("Before it was refused, {} passed.", text::count(made, "check", "checks")))
        }
        (1, 0) => Some("The one check made passed.".to_owned()),
        (_, 0) => Some(format!("All {made} checks made passed.")),
        _ => Some(format!(
            "Of {}, {passed} passed and {} failed.",
            text::count(made, "check", "checks"),
            names.join(", ")
        )),
    }
}

fn budgets(queries: &[QueryReport]) -> Option<String> {
    let judged: Vec<_> = queries.iter().filter_map(|query| Some((query, query.is_within_budget()?))).collect();
    let over: Vec<_> =
        judged.iter().filter(|(_, is_within)| !is_within).map(|(query, _)| format!("`{}`", query.name)).collect();
    match (judged.len(), over.len()) {
        (0, _) => None,
        (1, 0) => Some("The hot query that was timed is within its budget.".to_owned()),
        (timed, 0) => Some(format!("All {timed} hot queries timed are within their budgets.")),
        (timed, many) => {
            let verb = if many == 1 { "is" } else { "are" };
            Some(format!(
                "Of {} timed, {} {verb} over budget.",
                text::count(timed, "hot query", "hot queries"),
                over.join(", ")
            ))
        }
    }
}

/// Before and after of every query that has both.
fn pairs(queries: &[QueryReport]) -> impl Iterator<Item = (&QueryReport, f64, f64)> {
    queries.iter().filter_map(|query| Some((query, query.before?.median_ms.0, query.after?.median_ms.0)))
}

fn gained((_, before, after): &(&QueryReport, f64, f64)) -> f64 {
    before - after
}

fn is_noticeable(slow: f64, fast: f64) -> bool {
    slow - fast >= NOTICEABLE_MS && slow >= fast * NOTICEABLE
}

/// The query that gained most time, which is the one that a user notices.
fn fastest(queries: &[QueryReport]) -> Option<String> {
    let improved = pairs(queries).filter(|(_, before, after)| is_noticeable(*before, *after));
    let best = improved.max_by(|one, other| gained(one).total_cmp(&gained(other)))?;
    let (query, before, after) = (best.0, best.0.before?.median_ms, best.0.after?.median_ms);
    let factor = text::factor(before.0, after.0).map(|factor| format!(", {factor} as fast")).unwrap_or_default();
    Some(format!(
        "The largest gain: `{}` went from {} to {} in the median{factor}.",
        query.name,
        text::time(before),
        text::time(after)
    ))
}

/// A report that tells the gains tells the losses.
fn slower(queries: &[QueryReport]) -> Option<String> {
    let slower = pairs(queries).filter(|(_, before, after)| is_noticeable(*after, *before));
    let told: Vec<_> = slower
        .filter_map(|(query, ..)| {
            Some(format!(
                "`{}` (from {} to {})",
                query.name,
                text::time(query.before?.median_ms),
                text::time(query.after?.median_ms)
            ))
        })
        .collect();
    (!told.is_empty()).then(|| format!("Slower than before: {}.", told.join(", ")))
}
