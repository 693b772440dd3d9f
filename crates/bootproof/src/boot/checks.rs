//! The checks of a boot: each is made, timed and recorded in the report.

use std::collections::BTreeSet;
use std::time::Instant;

use bootproof_catalog::difference::Subject;
use bootproof_catalog::{Catalog, Difference, Severity};
use rusqlite::Connection;

use super::order::Run;
use crate::apply::Applied;
use crate::compiled::Migration;
use crate::connection::{self, Session};
use crate::error::Error;
use crate::event::Step;
use crate::figure::count;
use crate::foreign_keys::Violations;
use crate::history::Entry;
use crate::integrity::{self, Coming, Companions, Foreseen, Written};
use crate::look::Look;
use crate::options::Integrity;
use crate::plan::{self, Held};
use crate::report::{
    AppliedMigration, BootReport, Check, CheckName, ErrorReport, HeldMigration, Milliseconds, NewerMigration, Outcome,
    Verdict,
};
use crate::takeover;
use crate::undated;
use crate::verify;
use crate::watch::Watch;

impl Run<'_> {
    pub(super) fn check_structure(&mut self, connection: &Connection, look: &Look) -> Result<(), Error> {
        // Reading the two catalogs is the work; judging them is not.
        self.report.spend(CheckName::Schema, look.took.into());
        let compiled = takeover::without_histories(self.schema, &look.live);
        // What somebody else has added is counted as that, and not among what was compiled.
        let is_ours = |subject| {
            let is_extra =
                move |difference: &&Difference| difference.severity == Severity::Extra && difference.subject == subject;
            let extra: BTreeSet<&String> =
                look.differences.iter().filter(is_extra).map(|difference| &difference.object).collect();
            move |name: &&String| !extra.contains(name)
        };
        self.check(CheckName::Schema, |run| {
            let extras = look.differences.iter().filter(|difference| difference.severity == Severity::Extra);
            run.report.notes.extend(extras.map(|difference| difference.message.clone()));
            let known = look.differences.iter().filter(|difference| difference.severity == Severity::Differs);
            run.report.notes.extend(known.map(|difference| format!("known since adoption: {difference}")));
            run.report.notes.extend(undated::find(connection, &look.live)?.iter().map(ToString::to_string));
            verify::schema(
                &look.differences,
                &look.tolerated,
                compiled.tables.keys().filter(is_ours(Subject::Table)).count(),
            )
        })?;
        self.check(CheckName::Indexes, |run| {
            let left: Vec<Difference> = look.repairs().cloned().collect();
            if !left.is_empty() {
                return Err(Error::Drifted { differences: left });
            }
            let indexes = compiled.indexes.keys().filter(is_ours(Subject::Index)).count();
            let repaired = match run.report.repaired.len() {
                0 => String::new(),
                number => format!(", {number} repaired"),
            };
            Ok(format!("{} as compiled{repaired}", count(indexes, "index", "indexes")))
        })
    }

    /// The foreign keys of the tables that the schema declares; those of others are reported.
    pub(super) fn check_foreign_keys(
        &mut self,
        session: &Session<'_>,
        live: &Catalog,
        before: Option<&Violations>,
    ) -> Result<(), Error> {
        let schema = self.schema;
        self.check(CheckName::ForeignKeys, |run| {
            let (violations, others) = run.watch.step(Step::ForeignKeys, run.load.foreign_keys(), || {
                let of = |asked: &dyn Fn(&str) -> bool| {
                    Violations::find(session.connection, live, run.options.integrity, asked)
                };
                Ok((of(&|table| schema.declares(table))?, of(&|table| !schema.declares(table))?))
            })?;
            run.report.notes.extend(others.notes());
            violations.judge(run.options.foreign_keys, before)
        })
    }

    /// The whole file, as it was found.
    pub(super) fn check_integrity(&mut self, session: &Session<'_>) -> Result<(), Error> {
        self.check_integrity_and_foresee(session, &Coming::default()).map(|_| ())
    }

    /// The same, and what the rows demand of indexes that are to be built.
    pub(super) fn check_integrity_and_foresee(
        &mut self,
        session: &Session<'_>,
        coming: &Coming,
    ) -> Result<Foreseen, Error> {
        let path = self.path;
        let open = || connection::open_companion(path);
        let is_file = path.file_name().is_some();
        let companions = if is_file { Companions::Opened(&open) } else { Companions::Nobody };
        log::info!("checking the integrity of the file");
        let mut foreseen = Foreseen::default();
        self.check_integrity_by(self.load.integrity(self.options.integrity), |level, watch| {
            let detail;
            (detail, foreseen) = integrity::check_and_foresee(session.connection, level, companions, coming, watch)?;
            Ok(detail)
        })?;
        Ok(foreseen)
    }

    /// What this transaction has written; others may look at it while `meanwhile` goes on. If that is sound, what the check of the
    /// whole file said stands.
    pub(super) fn check_written(
        &mut self,
        session: &Session<'_>,
        written: &Written<'_>,
        meanwhile: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        log::info!("checking the integrity of what was written");
        let (level, watch) = (self.options.integrity, self.watch.clone());
        if level == Integrity::Off {
            meanwhile(self)?;
            return self.check_integrity_by(0, |_, _| Ok(String::new()));
        }
        let whole = self.report.checks.iter().find(|check| check.name == CheckName::Integrity);
        let whole = whole.map(|check| check.detail.clone());
        let expected = self.load.integrity_of(level, written);
        integrity::check_written(session.connection, level, written, &watch, self, meanwhile, |run, check| {
            run.check_integrity_by(expected, |_, _| {
                let detail = check()?;
                Ok(whole.unwrap_or(detail))
            })
        })
    }

    pub(super) fn check_integrity_by(
        &mut self,
        expected: u64,
        check: impl FnOnce(Integrity, &Watch) -> Result<String, Error>,
    ) -> Result<(), Error> {
        let level = self.options.integrity;
        if level == Integrity::Off {
            self.report.skip(CheckName::Integrity, "switched off");
            return Ok(());
        }
        self.check(CheckName::Integrity, |run| run.watch.step(Step::Integrity, expected, || check(level, &run.watch)))
    }

    /// What a whole seal proves, and what it does not ask anew.
    pub(super) fn report_sealed(&mut self, version: i64) {
        self.report.verdict = Verdict::Ready;
        self.report.to_version = Some(version);
        self.report.held = plan::held_above(self.schema, version, self.limit()).iter().map(Into::into).collect();
        if self.report.created {
            self.report_stamped();
        } else {
            self.report.from_version = Some(version);
        }
        for name in [CheckName::Schema, CheckName::Indexes] {
            let detail = "sealed, and unchanged since it was proven".to_owned();
            self.report.record(name, Outcome::Passed, detail, Milliseconds::default());
        }
        self.report.skip(CheckName::RowCounts, "nothing was migrated");
        for name in [CheckName::ForeignKeys, CheckName::Integrity, CheckName::QueryPlans] {
            let why = if self.believes_seals() { "sealed" } else { "switched off with the integrity" };
            self.report.skip(name, why);
        }
    }

    /// A new file has what the compiled image has.
    pub(super) fn report_stamped(&mut self) {
        self.report.applied = self.schema.compiled().migrations.iter().map(AppliedMigration::stamped).collect();
    }

    /// Makes a check and records how it ended. The same check made again replaces its result and adds to its time.
    pub(super) fn check(
        &mut self,
        name: CheckName,
        check: impl FnOnce(&mut Self) -> Result<String, Error>,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let result = check(self);
        let (outcome, detail) = match &result {
            Ok(detail) => (Outcome::Passed, detail.clone()),
            Err(error) => (Outcome::Failed, error.to_string()),
        };
        self.report.record(name, outcome, detail, start.elapsed().into());
        result.map(|_| ())
    }
}

impl BootReport {
    pub(super) fn record(&mut self, name: CheckName, outcome: Outcome, detail: String, took: Milliseconds) {
        let earlier = self.checks.iter().position(|check| check.name == name).map(|at| self.checks.remove(at));
        let duration_ms = earlier.map_or_else(Milliseconds::default, |check| check.duration_ms) + took;
        self.checks.push(Check { name, outcome, detail, duration_ms });
    }

    /// Checks are told in the order of a boot, also where one was made beside another.
    pub(super) fn tell_last(&mut self, name: CheckName) {
        if let Some(at) = self.checks.iter().position(|check| check.name == name) {
            let check = self.checks.remove(at);
            self.checks.push(check);
        }
    }

    /// Adds time to a check that is still to be made.
    fn spend(&mut self, name: CheckName, took: Milliseconds) {
        self.record(name, Outcome::Skipped, String::new(), took);
    }

    pub(super) fn skip(&mut self, name: CheckName, detail: &str) {
        self.record(name, Outcome::Skipped, detail.to_owned(), Milliseconds::default());
    }
}

impl AppliedMigration {
    pub(super) fn measured(applied: &Applied) -> Self {
        Self {
            version: applied.migration.version,
            name: applied.migration.name.to_owned(),
            duration_ms: applied.took.into(),
        }
    }

    /// A migration that the compiled image already contains.
    pub(super) fn stamped(migration: &'static Migration) -> Self {
        Self { version: migration.version, name: migration.name.to_owned(), duration_ms: Milliseconds::default() }
    }
}

impl From<&Held> for HeldMigration {
    fn from(held: &Held) -> Self {
        Self { version: held.migration.version, name: held.migration.name.to_owned(), why: held.why.clone() }
    }
}

impl From<&Entry> for NewerMigration {
    fn from(entry: &Entry) -> Self {
        Self { version: entry.version, name: entry.name.clone() }
    }
}

impl ErrorReport {
    /// The error as programs read it.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        Self { code: error.exit_code(), kind: error.kind(), message: error.to_string(), hint: error.hint() }
    }
}
