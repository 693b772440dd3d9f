//! What SQLite would accept and nobody should want, each under the name of a rule.
//!
//! In reading order:
//!
//! - `rule`: every rule by name, with what is usual for it
//! - `ran`: a migration that ran, as the rules look at it
//! - `forbidden`: what must not run at all
//! - `no_statements`, `if_not_exists`, `positional_copy`, `not_null`, `non_deterministic`: what a statement says
//! - `lost_object`, `lost_constraint`: what is lost with a table that comes back
//! - `destroys_data`: rows and values that nothing gives back
//! - `reference`: foreign keys that point nowhere
//! - `head`: what is only judged of the schema that all migrations leave
//! - `plan`: what a hot query does besides searching its index

mod destroys_data;
pub(crate) mod forbidden;
pub(crate) mod head;
pub(crate) mod if_not_exists;
mod lost_constraint;
mod lost_object;
mod no_statements;
mod non_deterministic;
mod not_null;
pub(crate) mod plan;
mod positional_copy;
mod ran;
pub(crate) mod reference;
pub(crate) mod rule;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Severity};
use crate::parse::Allows;

pub(crate) use self::forbidden::{bound_parameter, forbidden, reserved_table, transaction_control};
pub(crate) use self::ran::Ran;
pub(crate) use self::reference::{broken_view, foreign_key_mismatch};

/// For whom the migrations of a directory were written, which decides what is asked of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// For this compiler: what loses data says so, and what another database could take differently is an error.
    #[default]
    Own,
    /// For another tool, by people who never heard of these rules: only what is provably wrong is an error.
    Foreign,
}

impl Layout {
    /// An error in our own layout, a matter of judgement in any other.
    fn strict(self) -> Severity {
        match self {
            Self::Own => Severity::Error,
            Self::Foreign => Severity::Warning,
        }
    }
}

/// What is questionable about a migration that ran.
pub(crate) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = no_statements::check(ran).into_iter().collect();
    findings.extend(if_not_exists::check(ran));
    findings.extend(positional_copy::check(ran));
    findings.extend(lost_object::check(ran));
    findings.extend(lost_constraint::check(ran));
    findings.extend(reference::dangling(ran));
    findings.extend(destroys_data::check(ran));
    findings.extend(not_null::check(ran));
    findings.extend(non_deterministic::check(ran));
    findings
}

/// What remains of a finding in a file that allows some rules and may have been released.
///
/// A released file is not edited any more, so nothing in it can be mended or allowed: what is a matter of judgement is
/// settled there, and what could have been allowed fails no build.
pub(crate) fn settle(finding: Diagnostic, allows: &Allows, is_released: bool) -> Option<Diagnostic> {
    if allows.permit(finding.rule()) {
        return None;
    }
    let is_allowable = rule::find(finding.rule()).is_some_and(|rule| rule.allowed != rule::Allowed::Nowhere);
    match finding.severity() {
        _ if !(is_released && is_allowable) => Some(finding),
        Severity::Error if finding.rule() != destroys_data::RULE => Some(
            finding
                .with_severity(Severity::Warning)
                .note("the file has been released: only a new migration can mend what it did"),
        ),
        _ => None,
    }
}
