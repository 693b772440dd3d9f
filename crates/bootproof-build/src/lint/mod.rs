//! What SQLite would accept and nobody should want, each under the name of a rule.
//!
//! In reading order:
//!
//! - `rule`: every rule by name, with what is usual for it
//! - `ran`: a migration that ran, as the rules look at it
//! - `forbidden`: what must not run at all
//! - `no_statements`, `if_not_exists`, `positional_copy`, `not_null`, `non_deterministic`: what a statement says
//! - `double_quoted`, `placeholder`: texts that could be names, or places for what another tool puts there
//! - `lost_object`, `lost_constraint`: what is lost with a table that comes back
//! - `destroys_data`: rows and values that nothing gives back
//! - `reference`: foreign keys that point nowhere
//! - `head`: what is only judged of the schema that all migrations leave
//! - `plan`: what a hot query does besides searching its index

mod destroys_data;
pub(crate) mod double_quoted;
pub(crate) mod forbidden;
pub(crate) mod head;
pub(crate) mod if_not_exists;
mod lost_constraint;
mod lost_object;
mod no_statements;
mod non_deterministic;
pub(crate) mod not_null;
mod placeholder;
pub(crate) mod plan;
mod positional_copy;
mod ran;
pub(crate) mod reference;
pub(crate) mod rule;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::Dialect;
use crate::parse::Allows;
use crate::rehearse::Performed;

pub(crate) use self::forbidden::{
    bound_parameter, forbidden, inside_a_transaction, reserved_table, transaction_control,
};
pub(crate) use self::ran::Ran;
pub(crate) use self::reference::foreign_key_mismatch;

/// How grave it is to leave unsaid what is meant: an error in our own layout, where a file says so in a line. People who
/// wrote for another tool never heard of these rules, so there only what is provably wrong is an error.
pub(crate) fn unless_foreign(dialect: Dialect) -> Severity {
    if dialect.is_foreign() { Severity::Warning } else { Severity::Error }
}

/// What a migration is judged by: what it allows itself, and whether it can still be edited.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) allows: &'a Allows,
    pub(crate) is_released: bool,
}

/// What is questionable about a migration that ran.
pub(crate) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = no_statements::check(ran).into_iter().collect();
    findings.extend(if_not_exists::check(ran));
    findings.extend(positional_copy::check(ran));
    findings.extend(placeholder::check(ran));
    findings.extend(lost_object::check(ran));
    findings.extend(lost_constraint::check(ran));
    findings.extend(reference::dangling(ran));
    findings.extend(destroys_data::check(ran));
    findings.extend(not_null::check(ran));
    findings.extend(non_deterministic::check(ran));
    findings
}

/// What the text of a statement lets one guess, and the rule that tells what came of it on rows.
const SHOWN_BY_ROWS: [(&str, &str); 2] =
    [(destroys_data::RULE, "rows-lost"), (positional_copy::RULE, "values-changed")];

/// Leaves out what would be told twice: what is guessed from a statement whose rows show it, and what rows show of a
/// statement whose text tells it better.
pub(crate) fn tell_once(
    found: &mut Vec<Diagnostic>,
    revealed: &mut Vec<Diagnostic>,
    script: &[Performed],
    allows: &Allows,
) {
    let statement = |finding: &Diagnostic| {
        let start = finding.span()?.start;
        script.iter().position(|performed| performed.statement.span.contains(&start))
    };
    let has = |others: &[Diagnostic], rule: &str, of: &Diagnostic| {
        let at = statement(of);
        at.is_some() && others.iter().any(|other| other.rule() == rule && statement(other) == at)
    };
    revealed.retain(|one| one.rule() != not_null::RULE || !has(found, not_null::RULE, one));
    found.retain(|one| {
        let is_shown = SHOWN_BY_ROWS.iter().any(|(rule, by)| one.rule() == *rule && has(revealed, by, one));
        if is_shown {
            // Nobody is asked to remove an allowance of it.
            allows.permit(one.rule());
        }
        !is_shown
    });
}

impl Terms<'_> {
    /// What remains of a finding.
    ///
    /// A released file is not edited any more, so nothing in it can be mended or allowed: what is a matter of judgement is
    /// settled there, and what could have been allowed fails no build.
    pub(crate) fn settle(self, finding: Diagnostic) -> Option<Diagnostic> {
        if self.allows.permit(finding.rule()) {
            return None;
        }
        let is_allowable = rule::find(finding.rule()).is_some_and(|rule| rule.allowed != rule::Allowed::Nowhere);
        match finding.severity() {
            _ if !(self.is_released && is_allowable) => Some(finding),
            Severity::Error if finding.rule() != destroys_data::RULE => Some(
                finding
                    .with_severity(Severity::Warning)
                    .note("the file has been released: only a new migration can mend what it did"),
            ),
            _ => None,
        }
    }
}
