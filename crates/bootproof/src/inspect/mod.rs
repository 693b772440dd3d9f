//! What an operator asks without changing anything: status, plan, health.

mod drift;
mod health;
mod measure;
mod pages;
mod report;
mod text;

use std::path::Path;

use rusqlite::Connection;

use crate::audit;
use crate::backup;
use crate::boot::{Boot, outside};
use crate::connection::{self, Session};
use crate::error::{Error, Failure};
use crate::estimate;
use crate::event::Step;
use crate::files;
use crate::history;
use crate::look::{self, Look};
use crate::options::Options;
use crate::plan::Start;
pub use crate::report::{AuditReport, BackupFile};
use crate::report::{ErrorReport, HeldMigration, Milliseconds, NewerMigration};
use crate::restore;
pub use drift::Drift;
pub use health::{
    BackupAge, DifferenceReport, DifferenceSeverity, Health, IndexHealth, Measure, QueryHealth, Space, TableHealth,
    Undated,
};
pub use report::{HistoryReport, IndexEstimate, ManagedBy, PendingMigration, PlanReport, PlannedAction, Status};

/// How many rows of the audit table a status shows.
const AUDIT_ROWS: u32 = 10;

impl Boot<'_> {
    /// Where the database stands. Changes nothing; a boot that would be refused is told in [`Status::error`].
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::Storage`], [`Error::Integrity`] if the file cannot be read at all.
    pub fn status(&self) -> Result<Status, Failure> {
        self.inspect(|looked, session, _| {
            let mut status = Status {
                database: self.name.clone(),
                exists: session.is_some(),
                bytes: std::fs::metadata(&self.path).map(|file| file.len()).unwrap_or_default(),
                version: None,
                head: self.schema.head(),
                managed_by: None,
                adopted: false,
                history: Vec::new(),
                pending: Vec::new(),
                held: Vec::new(),
                ahead: Vec::new(),
                differences: Vec::new(),
                backups: backup::list(&self.path),
                audit: Vec::new(),
                error: None,
            };
            if let Some(session) = session {
                let entries = history::read(session.connection).ok().flatten().unwrap_or_default();
                status.version = entries.last().map(|entry| entry.version);
                status.history = entries.into_iter().map(HistoryReport::from).collect();
                status.adopted = audit::adoption(session.connection).is_ok_and(|adoption| adoption.is_some());
                status.audit = audit::latest(session.connection, AUDIT_ROWS).unwrap_or_default();
            }
            match looked {
                Ok(look) => {
                    status.managed_by = look.foreign.as_ref().map(ManagedBy::from);
                    status.pending = look.plan.pending.iter().copied().map(PendingMigration::from).collect();
                    status.held = look.plan.held.iter().map(HeldMigration::from).collect();
                    status.ahead = look.plan.ahead.iter().map(NewerMigration::from).collect();
                    status.differences = look.differences.iter().map(ToString::to_string).collect();
                }
                Err(error) => status.error = Some(ErrorReport::of(&error)),
            }
            Ok(status)
        })
    }

    /// What [`Boot::run`] would do. Changes nothing; a boot that would be refused is told in [`PlanReport::error`].
    ///
    /// Integrity, foreign keys and the plans of the query contracts are not examined here: [`Boot::verify`] does.
    ///
    /// # Errors
    ///
    /// As [`Boot::status`].
    pub fn plan(&self) -> Result<PlanReport, Failure> {
        self.inspect(|looked, session, options| {
            let mut report = PlanReport {
                database: self.name.clone(),
                action: PlannedAction::Create,
                from_version: None,
                to_version: self.schema.head(),
                managed_by: None,
                pending: Vec::new(),
                repairs: Vec::new(),
                backup_bytes: 0,
                held: Vec::new(),
                indexes: Vec::new(),
                steps: Vec::new(),
                duration_ms: Milliseconds::default(),
                locks: Vec::new(),
                temporary_bytes: 0,
                disk_needed: 0,
                disk_available: fs4::available_space(files::directory(&self.path)).unwrap_or_default(),
                notes: Vec::new(),
                error: None,
            };
            match looked {
                Ok(look) => {
                    report.fill(&look, &self.path, options.backup);
                    if let Some(session) = session {
                        estimate::fill(&mut report, self.schema, session, &self.path, &look, options)?;
                        report.look_outside(&look, session.connection, &self.path, options.backup);
                    }
                }
                Err(error) => {
                    report.action = PlannedAction::Refuse;
                    report.error = Some(ErrorReport::of(&error));
                }
            }
            Ok(report)
        })
    }

    /// Looks at the database, if there is one, in one read transaction. Without one, what is described is an empty one.
    fn inspect<T>(
        &self,
        describe: impl FnOnce(Result<Look, Error>, Option<&Session<'_>>, &Options) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        self.act(|run| {
            if !files::exists(run.path)? {
                return describe(look::at_nothing(run.schema, run.limit()), None, &run.options);
            }
            let mut connection = connection::open_to_look(run.path)?;
            let session = Session::new(&mut connection, run.path, run.options.lock_timeout, &run.watch)?;
            session.begin_read()?;
            let described = run.watch.step(Step::Look, 0, || {
                match look::at(run.schema, session.connection, run.limit()) {
                    // Whoever cannot read the file cannot describe it either.
                    Err(error) if error.exit_code() != 4 => Err(session.patience.explain(error)),
                    looked => describe(looked, Some(&session), &run.options),
                }
            });
            let described = described.map_err(|error| session.blame(error));
            session.rollback();
            described
        })
    }
}

impl PlanReport {
    /// What a migration outside the transaction asks for: a backup, and nobody else.
    fn look_outside(&mut self, look: &Look, connection: &Connection, path: &Path, backup: bool) {
        let Some(migration) = look.plan.outside() else { return };
        if !backup && outside::has_rows(look, connection) {
            let error = Error::NotAlone { migration: migration.title(), message: outside::WITHOUT_BACKUP };
            self.action = PlannedAction::Refuse;
            self.error = Some(ErrorReport::of(&error));
        }
        self.locks.push(format!(
            "{} runs outside the transaction: it waits until no other process has the database open, and none gets it until it is done",
            migration.title()
        ));
        let holders = restore::open_elsewhere(path);
        if !holders.is_empty() {
            self.locks.push(format!("now it is open in {}", holders.join(", ")));
        }
    }

    fn fill(&mut self, look: &Look, path: &Path, backup: bool) {
        self.from_version = look.plan.version_before();
        self.to_version = look.plan.version_after();
        self.managed_by = look.foreign.as_ref().map(ManagedBy::from);
        self.held = look.plan.held.iter().map(HeldMigration::from).collect();
        self.pending = look.plan.pending.iter().copied().map(PendingMigration::from).collect();
        self.repairs = look.repairs().map(ToString::to_string).collect();
        self.notes = look
            .differences
            .iter()
            .filter(|difference| difference.severity != bootproof_catalog::Severity::Repairable)
            .map(ToString::to_string)
            .chain(look.plan.adopts().then_some(&look.tolerated).into_iter().flatten().cloned())
            .collect();
        self.action = match look.plan.start {
            Start::Empty => PlannedAction::Create,
            Start::Unmanaged(..) | Start::Foreign(..) => PlannedAction::Adopt,
            Start::Managed(_) if !self.pending.is_empty() => PlannedAction::Migrate,
            Start::Managed(_) if !self.repairs.is_empty() => PlannedAction::Repair,
            Start::Managed(_) => PlannedAction::Nothing,
        };
        let backs_up = backup && look.plan.start != Start::Empty && !self.pending.is_empty();
        if backs_up {
            self.backup_bytes = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
        }
    }
}
