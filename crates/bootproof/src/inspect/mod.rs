//! What an operator asks without changing anything: status, plan, health.

mod health;
mod measure;
mod pages;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::audit;
use crate::backup;
use crate::boot::Boot;
use crate::compiled::Migration;
use crate::connection::{self, Session};
use crate::error::{Error, Failure};
use crate::estimate::{self, about};
use crate::figure::{bytes, grouped, to_the_second};
use crate::files;
use crate::history;
use crate::look::{self, Look};
use crate::plan::{Limit, Start};
pub use crate::report::{AuditReport, BackupFile};
use crate::report::{ErrorReport, HeldMigration, Milliseconds, StepReport};
use crate::watch::Watch;
pub use health::{
    BackupAge, DifferenceReport, DifferenceSeverity, Health, IndexHealth, Measure, QueryHealth, Space, TableHealth,
    Undated,
};

/// How many rows of the audit table a status shows.
const AUDIT_ROWS: u32 = 10;

impl Boot<'_> {
    /// Where the database stands. Changes nothing; a boot that would be refused is told in [`Status::error`].
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::Storage`], [`Error::Integrity`] if the file cannot be read at all.
    pub fn status(&self) -> Result<Status, Failure> {
        self.inspect(|looked, session| {
            let mut status = Status {
                database: self.name.clone(),
                exists: session.is_some(),
                bytes: std::fs::metadata(&self.path).map(|file| file.len()).unwrap_or_default(),
                version: None,
                head: self.schema.head(),
                adopted: false,
                history: Vec::new(),
                pending: Vec::new(),
                held: Vec::new(),
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
                Some(Ok(look)) => {
                    status.pending = look.plan.pending.iter().copied().map(PendingMigration::from).collect();
                    status.held = look.plan.held.iter().map(HeldMigration::from).collect();
                    status.differences = look.differences.iter().map(ToString::to_string).collect();
                }
                Some(Err(error)) => status.error = Some(ErrorReport::of(&error)),
                None => status.pending = self.schema.compiled().migrations.iter().map(Into::into).collect(),
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
        self.inspect(|looked, session| {
            let mut report = PlanReport {
                database: self.name.clone(),
                action: PlannedAction::Create,
                from_version: None,
                to_version: self.schema.head(),
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
                None => report.pending = self.schema.compiled().migrations.iter().map(Into::into).collect(),
                Some(Ok(look)) => {
                    report.fill(&look, &self.path, self.options.backup);
                    if let Some(session) = session {
                        let (schema, path, options) = (self.schema, &self.path, &self.options);
                        estimate::fill(&mut report, schema, session, path, &look, options)?;
                    }
                }
                Some(Err(error)) => {
                    report.action = PlannedAction::Refuse;
                    report.error = Some(ErrorReport::of(&error));
                }
            }
            Ok(report)
        })
    }

    /// Looks at the database, if there is one, in one read transaction.
    fn inspect<T>(
        &self,
        describe: impl FnOnce(Option<Result<Look, Error>>, Option<&Session<'_>>) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let inspect = || {
            if !files::exists(&self.path)? {
                return describe(None, None);
            }
            let mut connection = connection::open_to_look(&self.path)?;
            let watch = Watch::new(&self.options);
            let session = Session::new(&mut connection, &self.path, self.options.lock_timeout, &watch)?;
            session.begin_read()?;
            let limit = Limit { target: self.options.target, maintenance: self.options.maintenance };
            let looked = look::at(self.schema, session.connection, limit);
            let described = match looked {
                // Whoever cannot read the file cannot describe it either.
                Err(error) if error.exit_code() != 4 => Err(session.patience.explain(error)),
                looked => describe(Some(looked), Some(&session)),
            };
            session.rollback();
            described
        };
        inspect().map_err(|error| {
            let mut report = crate::report::BootReport::new(self.name.clone());
            report.error = Some(ErrorReport::of(&error));
            Failure { error, report: Box::new(report) }
        })
    }
}

impl PlanReport {
    fn fill(&mut self, look: &Look, path: &Path, backup: bool) {
        self.from_version = look.plan.version_before();
        self.to_version = look.plan.version_after();
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
            Start::Unmanaged(..) => PlannedAction::Adopt,
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

impl From<history::Entry> for HistoryReport {
    fn from(entry: history::Entry) -> Self {
        Self {
            version: entry.version,
            name: entry.name,
            applied_on: entry.applied_on,
            checksum: entry.checksum.to_string(),
        }
    }
}

impl From<&'static Migration> for PendingMigration {
    fn from(migration: &'static Migration) -> Self {
        let creates = |object: &crate::compiled::Object| format!("{} {}", object.kind.name(), object.name);
        Self {
            version: migration.version,
            name: migration.name,
            creates: migration.creates.iter().map(creates).collect(),
        }
    }
}

/// Where a database stands; serialises to the JSON of `status --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The database file.
    pub database: String,
    /// Whether the file exists.
    pub exists: bool,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its version; `None` where it is unmanaged.
    pub version: Option<i64>,
    /// The head of this binary.
    pub head: i64,
    /// Whether it was adopted rather than created.
    pub adopted: bool,
    /// The migrations recorded as applied.
    pub history: Vec<HistoryReport>,
    /// The migrations a boot would apply.
    pub pending: Vec<PendingMigration>,
    /// The migrations it would hold back, and why.
    pub held: Vec<HeldMigration>,
    /// How the live schema differs from what was compiled for its version.
    pub differences: Vec<String>,
    /// The backups beside the database, the newest first.
    pub backups: Vec<BackupFile>,
    /// The newest rows of the audit table, the newest first.
    pub audit: Vec<AuditReport>,
    /// Why a boot would be refused.
    pub error: Option<ErrorReport>,
}

/// One row of the history.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryReport {
    /// The version.
    pub version: i64,
    /// The name.
    pub name: String,
    /// When it was applied, in RFC 3339.
    pub applied_on: String,
    /// The checksum of its text.
    pub checksum: String,
}

/// One migration not yet applied.
#[derive(Clone, Debug, Serialize)]
pub struct PendingMigration {
    /// The version.
    pub version: i64,
    /// The name.
    pub name: &'static str,
    /// What it adds, such as `index idx_worklogs_user_range`.
    pub creates: Vec<String>,
}

/// What a boot would do; serialises to the JSON of `plan --json`.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// The database file.
    pub database: String,
    /// What a boot would do.
    pub action: PlannedAction,
    /// The version now; `None` where it is unmanaged or does not exist.
    pub from_version: Option<i64>,
    /// The version afterwards.
    pub to_version: i64,
    /// The migrations it would apply.
    pub pending: Vec<PendingMigration>,
    /// The indexes it would rebuild.
    pub repairs: Vec<String>,
    /// The migrations it would hold back, and why.
    pub held: Vec<HeldMigration>,
    /// The indexes it would build, and about how large they will be.
    pub indexes: Vec<IndexEstimate>,
    /// The steps that take time, each with about how long.
    pub steps: Vec<StepReport>,
    /// About how long it would take in all.
    pub duration_ms: Milliseconds,
    /// Who would have to wait for whom.
    pub locks: Vec<String>,
    /// The size of the backup it would make; 0 for none.
    pub backup_bytes: u64,
    /// The space it may need for sorting, in the directory for temporary files (`SQLITE_TMPDIR`, `TMPDIR`, `/var/tmp`).
    pub temporary_bytes: u64,
    /// The disk space it may need in the directory of the database.
    pub disk_needed: u64,
    /// The disk space there is.
    pub disk_available: u64,
    /// Differences that would be reported and left alone.
    pub notes: Vec<String>,
    /// Why it would be refused.
    pub error: Option<ErrorReport>,
}

/// An index that a boot would build.
#[derive(Clone, Debug, Serialize)]
pub struct IndexEstimate {
    /// The index.
    pub name: String,
    /// Its table.
    pub table: String,
    /// About how many rows the table has.
    pub rows: u64,
    /// About how large the index will be.
    pub bytes: u64,
}

/// What a boot would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedAction {
    /// Make a new database.
    Create,
    /// Adopt an existing one, and migrate it.
    Adopt,
    /// Apply the pending migrations.
    Migrate,
    /// Rebuild indexes only.
    Repair,
    /// Verify, and nothing else.
    Nothing,
    /// Refuse.
    Refuse,
}

impl PlannedAction {
    fn in_words(self) -> &'static str {
        match self {
            Self::Create => "would create",
            Self::Adopt => "would adopt and migrate",
            Self::Migrate => "would migrate",
            Self::Repair => "would repair",
            Self::Nothing => "would only verify",
            Self::Refuse => "would refuse",
        }
    }
}

impl fmt::Display for PendingMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {}", self.version, self.name)?;
        match self.creates.as_slice() {
            [] => Ok(()),
            [only] => write!(f, ": {only}"),
            many => write!(f, ": {}", counted(many)),
        }
    }
}

/// `2 tables, 4 indexes`, from descriptions that begin with the kind.
fn counted(objects: &[String]) -> String {
    let kinds =
        [("table", "tables"), ("column", "columns"), ("index", "indexes"), ("trigger", "triggers"), ("view", "views")];
    let count = |kind: &str| objects.iter().filter(|object| object.split(' ').next() == Some(kind)).count();
    let counts = kinds.iter().map(|(one, many)| match count(one) {
        0 => String::new(),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    });
    counts.filter(|count| !count.is_empty()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match (self.exists, self.version) {
            (false, _) => "does not exist".to_owned(),
            (true, None) => format!("unmanaged, {}", bytes(self.bytes)),
            (true, Some(version)) => {
                let adopted = if self.adopted { ", adopted" } else { "" };
                format!("version {version} of {}{adopted}, {}", self.head, bytes(self.bytes))
            }
        };
        writeln!(f, "{}: {version}", self.database)?;
        for row in &self.history {
            writeln!(f, "  applied    {:03} {} on {}", row.version, row.name, to_the_second(&row.applied_on))?;
        }
        for migration in &self.pending {
            writeln!(f, "  pending    {migration}")?;
        }
        write_held(f, &self.held)?;
        for difference in &self.differences {
            writeln!(f, "  difference {difference}")?;
        }
        for backup in &self.backups {
            writeln!(f, "  backup     {} ({})", backup.path.display(), bytes(backup.bytes))?;
        }
        for row in &self.audit {
            writeln!(f, "  audit      {} {}\n             by {}", to_the_second(&row.at), row.event, row.binary)?;
        }
        write_error(f, self.error.as_ref())
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from_version.map_or_else(|| "unmanaged".to_owned(), |version| version.to_string());
        writeln!(f, "{}: boot {}, {from} -> {}", self.database, self.action.in_words(), self.to_version)?;
        for migration in &self.pending {
            writeln!(f, "  pending    {migration}")?;
        }
        write_held(f, &self.held)?;
        for repair in &self.repairs {
            writeln!(f, "  repair     {repair}")?;
        }
        for index in &self.indexes {
            let (name, size, rows) = (&index.name, bytes(index.bytes), grouped(index.rows));
            writeln!(f, "  index      {name}: about {size} for {rows} rows")?;
        }
        if self.backup_bytes > 0 {
            writeln!(f, "  backup     {}", bytes(self.backup_bytes))?;
        }
        if self.disk_needed > 0 {
            writeln!(f, "  disk       about {} needed, {} free", bytes(self.disk_needed), bytes(self.disk_available))?;
            writeln!(f, "  temporary  about {} for sorting", bytes(self.temporary_bytes))?;
        }
        for step in &self.steps {
            writeln!(f, "  step       {:<42} {:>15}", step.step, about(step.duration_ms))?;
        }
        if self.duration_ms.0 > 0.0 {
            writeln!(f, "  in all     {:>58}", about(self.duration_ms))?;
        }
        for lock in &self.locks {
            writeln!(f, "  lock       {lock}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note       {note}")?;
        }
        write_error(f, self.error.as_ref())
    }
}

fn write_held(f: &mut fmt::Formatter<'_>, held: &[HeldMigration]) -> fmt::Result {
    held.iter().try_for_each(|held| writeln!(f, "  held       {:03} {}: {}", held.version, held.name, held.why))
}

fn write_error(f: &mut fmt::Formatter<'_>, error: Option<&ErrorReport>) -> fmt::Result {
    error.map_or(Ok(()), |error| writeln!(f, "a boot would refuse: {}\nhint: {}", error.message, error.hint))
}
