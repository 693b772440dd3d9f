//! A report for a person: at most 80 columns wherever names allow.

use std::fmt;

use super::{BackupReport, BootReport, Check, Milliseconds, NewerMigration, Outcome, QueryReport, Timing, Verdict};
use crate::figure::{bytes, grouped, one_line, short_line, shown};

impl fmt::Display for BootReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.headline(), one_line(&self.database))?;
        for migration in &self.applied {
            let took = migration.duration_ms;
            let took = if took.is_measured() { took.to_string() } else { "in the compiled image".to_owned() };
            writeln!(f, "  applied    {:03} {} ({took})", migration.version, migration.name)?;
        }
        for migration in &self.reverted {
            writeln!(f, "  reverted   {:03} {} ({})", migration.version, migration.name, migration.duration_ms)?;
        }
        for migration in &self.held {
            writeln!(f, "  held       {:03} {}: {}", migration.version, migration.name, migration.why)?;
        }
        write_ahead(f, &self.ahead)?;
        for index in &self.repaired {
            writeln!(f, "  repaired   {index}")?;
        }
        if let Some(backup) = &self.backup {
            writeln!(f, "  backup     {backup}")?;
        }
        for check in &self.checks {
            writeln!(f, "  {check}")?;
        }
        self.write_queries(f)?;
        write_list(f, "note", &self.notes)?;
        if let Some(error) = &self.error {
            writeln!(f, "error: {}\n  {}\nhint: {}", error.message, self.state(), error.hint)?;
        }
        Ok(())
    }
}

pub(crate) fn write_ahead(f: &mut fmt::Formatter<'_>, ahead: &[NewerMigration]) -> fmt::Result {
    let line = |migration: &NewerMigration| {
        format!("{:03} {}: of a newer binary, compatible with this one", migration.version, one_line(&migration.name))
    };
    write_list(f, "ahead", &ahead.iter().map(line).collect::<Vec<_>>())
}

/// How many lines of one kind a person is shown.
const LISTED: usize = 100;

/// What is to be told of a kind, a line each: of many, the first.
pub(crate) fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, kind: &str, items: &[T]) -> fmt::Result {
    for item in items.iter().take(LISTED) {
        writeln!(f, "  {kind:<10} {}", short_line(&item.to_string()))?;
    }
    match items.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(f, "  {kind:<10} and {} more: `--json` lists all", grouped(more as u64)),
    }
}

impl BootReport {
    fn headline(&self) -> String {
        let version = |version: Option<i64>| version.map_or_else(|| "unmanaged".to_owned(), |v| v.to_string());
        let took = self.duration_ms;
        let word = match self.verdict {
            Verdict::Refused => return format!("refused after {took}:"),
            Verdict::Ready => "ready",
            Verdict::Degraded => "degraded",
        };
        let to = version(self.to_version);
        if self.created {
            format!("{word} at version {to} in {took}, new:")
        } else if self.from_version == self.to_version && self.from_version.is_none() {
            format!("{word}, unmanaged, after {took}:")
        } else if self.from_version == self.to_version {
            format!("{word} at version {to} in {took}, nothing to migrate:")
        } else {
            format!("{word} at version {to} (was {}) in {took}:", version(self.from_version))
        }
    }

    fn write_queries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.queries.iter().all(|query| query.before.is_none() && query.after.is_none()) {
            return Ok(());
        }
        let [query, before, after, change, p95, budget] = ["query", "before", "after", "change", "p95", "budget"];
        writeln!(f, "  {query:<22} {before:>9} {after:>9}  {change:<15} {p95:>8} {budget:>7}")?;
        self.queries.iter().try_for_each(|query| query.write(f))
    }
}

impl fmt::Display for BackupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = if self.verified { "verified" } else { "not verified" };
        write!(f, "{} ({}, {verified})", shown(&self.path), bytes(self.bytes))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        write!(
            f,
            "{outcome:<10} {:<13} {:>9}  {}",
            self.name.name(),
            self.duration_ms.or_dash(),
            short_line(self.detail.lines().next().unwrap_or_default())
        )
    }
}

impl QueryReport {
    /// One line of times, one of work, one of plans.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (self.before, self.after);
        let time = |timing: Option<Timing>| timing.map_or_else(|| "-".to_owned(), |t| t.median_ms.to_string());
        let p95 = after.map_or_else(|| "-".to_owned(), |timing| timing.p95_ms.to_string());
        let name = &self.name;
        let (before_ms, after_ms, change, budget) =
            (time(before), time(after), self.change(), self.budget_ms.rounded());
        write!(f, "  {name:<22} {before_ms:>9} {after_ms:>9}  {change:<15} {p95:>8} {budget:>7}")?;
        writeln!(f, "{}", if self.is_within_budget() == Some(false) { " OVER" } else { "" })?;
        if let Some(timing) = after.or(before) {
            let both = |value: fn(&Timing) -> String| match (before.as_ref().map(value), after.as_ref().map(value)) {
                (Some(before), Some(after)) if before != after => format!("{before} -> {after}"),
                (Some(only), _) | (_, Some(only)) => only,
                (None, None) => String::new(),
            };
            let steps = both(|timing| grouped(timing.vm_steps));
            let pages = both(|timing| grouped(timing.pages_read));
            let cold = both(|timing| timing.cold_ms.to_string());
            writeln!(f, "    {} rows, {steps} steps, {pages} pages, cold {cold}", grouped(timing.rows_returned))?;
        }
        let index = |index: &Option<String>| index.clone().unwrap_or_else(|| "no index".to_owned());
        match (&self.index_before, &self.index_used) {
            (Some(before), Some(after)) if before != after => writeln!(f, "    {before} -> {after}"),
            (None, after) if before.is_some() => writeln!(f, "    no index -> {}", index(after)),
            (_, after) => writeln!(f, "    {}", index(after)),
        }
    }

    /// By how much it became faster: in percent, and as a factor.
    fn change(&self) -> String {
        match (self.before, self.after) {
            (Some(before), Some(after)) if before.median_ms.0 > 0.0 && after.median_ms.0 > 0.0 => {
                let percent = (after.median_ms.0 / before.median_ms.0 - 1.0) * 100.0;
                format!("{percent:+.0}%, {}", factor(before.median_ms.0 / after.median_ms.0))
            }
            _ => "-".to_owned(),
        }
    }
}

/// `71x`, `1.6x`, `0.82x`: two digits that mean something.
fn factor(factor: f64) -> String {
    match factor {
        large if large >= 10.0 => format!("{large:.0}x"),
        medium if medium >= 1.0 => format!("{medium:.1}x"),
        small => format!("{small:.2}x"),
    }
}

impl Milliseconds {
    /// As it is displayed, or a dash where nobody measured it.
    fn or_dash(self) -> String {
        if self.is_measured() { self.to_string() } else { "-".to_owned() }
    }

    /// Without decimals, for what a person has chosen.
    fn rounded(self) -> String {
        if self.0 >= 10_000.0 { format!("{:.0} s", self.0 / 1000.0) } else { format!("{:.0} ms", self.0) }
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1000.0),
            ms if ms >= 100.0 => format!("{ms:.0} ms"),
            ms if ms >= 1.0 => format!("{ms:.1} ms"),
            ms => format!("{ms:.3} ms"),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([71.25, 1.64, 0.824].map(factor), ["71x", "1.6x", "0.82x"]);
    }
}
