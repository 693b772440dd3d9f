//! Where a database stands and what a boot would do, as data.

use serde::Serialize;

use crate::compiled::{Migration, Object};
use crate::history;
use crate::report::{AuditReport, BackupFile, ErrorReport, HeldMigration, Milliseconds, NewerMigration, StepReport};
use crate::takeover::TakeOver;

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
    /// The tool that manages it until a boot takes it over.
    pub managed_by: Option<ManagedBy>,
    /// Whether it was adopted rather than created.
    pub adopted: bool,
    /// The migrations recorded as applied.
    pub history: Vec<HistoryReport>,
    /// The migrations a boot would apply.
    pub pending: Vec<PendingMigration>,
    /// The migrations it would hold back, and why.
    pub held: Vec<HeldMigration>,
    /// The migrations that a newer binary applied, and marked as compatible with this one.
    pub ahead: Vec<NewerMigration>,
    /// How the live schema differs from what was compiled for its version.
    pub differences: Vec<String>,
    /// The backups beside the database, the newest first.
    pub backups: Vec<BackupFile>,
    /// The newest rows of the audit table, the newest first.
    pub audit: Vec<AuditReport>,
    /// Why a boot would be refused.
    pub error: Option<ErrorReport>,
}

/// Another tool whose history a boot would continue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManagedBy {
    /// The tool, such as `sqlx`.
    pub tool: &'static str,
    /// The version that its history names.
    pub version: i64,
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
    /// The function of the application that it calls, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// Why it runs outside the transaction, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_transaction: Option<&'static str>,
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
    /// The tool that it would take the database over from.
    pub managed_by: Option<ManagedBy>,
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

impl From<&TakeOver> for ManagedBy {
    fn from(foreign: &TakeOver) -> Self {
        Self { tool: foreign.tool, version: foreign.version }
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
        let creates = |object: &Object| format!("{} {}", object.kind.name(), object.name);
        Self {
            version: migration.version,
            name: migration.name,
            creates: migration.creates.iter().map(creates).collect(),
            step: migration.step.map(|step| step.name),
            no_transaction: migration.no_transaction,
        }
    }
}
