//! What a boot did and proved, as data; `text` says it to a person, `timeline` draws where its time went.

mod text;
mod timeline;

pub(crate) use text::{write_ahead, write_list};
pub use timeline::timeline_bars;

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::figure::{one_line, shown};

/// The result of a boot; serialises to the JSON of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct BootReport {
    /// Whether the application may start.
    pub verdict: Verdict,
    /// The database file; `:memory:` for one in memory.
    pub database: String,
    /// The version before; `None` for a database that was unmanaged or new.
    pub from_version: Option<i64>,
    /// The version now; `None` for a database that is still unmanaged or does not exist.
    pub to_version: Option<i64>,
    /// Whether the database did not exist and was made from the compiled image or from the migrations.
    pub created: bool,
    /// Whether an existing database was recognised as the baseline.
    pub adopted: bool,
    /// The migrations applied now, in order.
    pub applied: Vec<AppliedMigration>,
    /// The migrations reverted now, in the order in which that was done.
    pub reverted: Vec<AppliedMigration>,
    /// The migrations of this binary that were not applied although they are pending, and why.
    pub held: Vec<HeldMigration>,
    /// The migrations that a newer binary applied, and marked as compatible with this one.
    pub ahead: Vec<NewerMigration>,
    /// The indexes rebuilt.
    pub repaired: Vec<String>,
    /// The backup made before migrating, if one is kept.
    pub backup: Option<BackupReport>,
    /// Every validation, in order.
    pub checks: Vec<Check>,
    /// Every query contract.
    pub queries: Vec<QueryReport>,
    /// Where the time went, step by step.
    pub timeline: Vec<StepReport>,
    /// What a person should know and need not act on tonight.
    pub notes: Vec<String>,
    /// Why the application may not start.
    pub error: Option<ErrorReport>,
    /// How long the boot took.
    pub duration_ms: Milliseconds,
}

/// Whether the application may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Proven.
    Ready,
    /// Correct, but a hot query is slower than agreed.
    Degraded,
    /// Not proven.
    #[default]
    Refused,
}

/// A migration that this boot applied.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedMigration {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// How long its statements ran.
    pub duration_ms: Milliseconds,
}

/// A migration that is pending and was held back.
#[derive(Clone, Debug, Serialize)]
pub struct HeldMigration {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub why: String,
}

/// A migration of which this binary knows only what the database says.
#[derive(Clone, Debug, Serialize)]
pub struct NewerMigration {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
}

/// One step of a boot.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// What was done.
    pub step: String,
    /// How long it took.
    pub duration_ms: Milliseconds,
}

/// A backup.
#[derive(Clone, Debug, Serialize)]
pub struct BackupReport {
    /// Where it is.
    #[serde(serialize_with = "displayed")]
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Whether it was read back and found equal.
    pub verified: bool,
}

/// One backup beside a database.
#[derive(Clone, Debug, Serialize)]
pub struct BackupFile {
    /// Where it is.
    #[serde(serialize_with = "displayed")]
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// One row of the audit table.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// When, in RFC 3339.
    pub at: String,
    /// What happened: `create`, `adopt`, `migrate`, `repair`, `revert`.
    pub event: String,
    /// The version before.
    pub from_version: Option<i64>,
    /// The version after.
    pub to_version: Option<i64>,
    /// The stamp of the binary that did it.
    pub binary: String,
}

/// A path as text: JSON has no other, and a name that is not Unicode must not cost the whole report.
pub(crate) fn displayed<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// One validation.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Which.
    pub name: CheckName,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found.
    pub detail: String,
    /// How long it took.
    pub duration_ms: Milliseconds,
}

/// The validations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The live schema against the compiled one.
    Schema,
    /// Every declared index, with its definition.
    Indexes,
    /// No row lost or gained.
    RowCounts,
    /// No row without its parent.
    ForeignKeys,
    /// No damaged page or index.
    Integrity,
    /// Every hot query uses its index.
    QueryPlans,
}

impl CheckName {
    /// The name as in the JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Indexes => "indexes",
            Self::RowCounts => "row_counts",
            Self::ForeignKeys => "foreign_keys",
            Self::Integrity => "integrity",
            Self::QueryPlans => "query_plans",
        }
    }
}

/// How a validation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not asked for, or there was nothing to check.
    Skipped,
}

/// One query contract on this data.
#[derive(Clone, Debug, Serialize)]
pub struct QueryReport {
    /// The contract.
    pub name: &'static str,
    /// The index it must use.
    pub expected_index: &'static str,
    /// The index SQLite chose.
    pub index_used: Option<String>,
    /// The index SQLite chose before migrating, where that was asked.
    pub index_before: Option<String>,
    /// The budget for the median.
    pub budget_ms: Milliseconds,
    /// Timed before migrating.
    pub before: Option<Timing>,
    /// Timed after migrating, or now.
    pub after: Option<Timing>,
    /// How SQLite ran it before migrating, where that was asked.
    pub plan_before: Vec<PlanStep>,
    /// How SQLite runs it now.
    pub plan_after: Vec<PlanStep>,
}

/// One line of `EXPLAIN QUERY PLAN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanStep {
    /// Its own number.
    pub id: i64,
    /// The number of the line it is part of, 0 at the top.
    pub parent: i64,
    /// SQLite's description, such as `SEARCH t USING INDEX i (a=?)`.
    pub detail: String,
}

impl QueryReport {
    /// Whether the median is within the budget; `None` where it was not timed.
    #[must_use]
    pub fn is_within_budget(&self) -> Option<bool> {
        self.after.map(|timing| timing.median_ms <= self.budget_ms)
    }
}

/// A timed query.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timing {
    /// The median over all sampled parameters and runs.
    pub median_ms: Milliseconds,
    /// The 95th percentile.
    pub p95_ms: Milliseconds,
    /// The longest.
    pub max_ms: Milliseconds,
    /// The median of each sample's first run, with nothing in the connection's page cache; the system's own cache is as it
    /// is.
    pub cold_ms: Milliseconds,
    /// The rows of the largest result.
    pub rows_returned: u64,
    /// The virtual machine's steps for it.
    pub vm_steps: u64,
    /// The pages that its cold run read into the cache.
    pub pages_read: u64,
}

/// A refusal or failure, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorReport {
    /// The exit code.
    pub code: u8,
    /// The reason in one stable word.
    pub kind: &'static str,
    /// The message.
    pub message: String,
    /// What to do next.
    pub hint: &'static str,
}

/// A duration in milliseconds, to the microsecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Milliseconds(pub f64);

impl Milliseconds {
    /// Whether somebody measured it. Zero says that nothing was done that takes time: a check was skipped, or a new file has a
    /// migration from the compiled image.
    #[must_use]
    pub fn is_measured(self) -> bool {
        self.0 > 0.0
    }
}

impl std::ops::Add for Milliseconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(((self.0 + other.0) * 1e3).round() / 1e3)
    }
}

impl From<std::time::Duration> for Milliseconds {
    fn from(duration: std::time::Duration) -> Self {
        Self((duration.as_secs_f64() * 1e6).round() / 1e3)
    }
}

impl BootReport {
    /// A report that says nothing yet but which database it is of.
    #[must_use]
    pub fn new(database: String) -> Self {
        Self {
            verdict: Verdict::Refused,
            database,
            from_version: None,
            to_version: None,
            created: false,
            adopted: false,
            applied: Vec::new(),
            reverted: Vec::new(),
            held: Vec::new(),
            ahead: Vec::new(),
            repaired: Vec::new(),
            backup: None,
            checks: Vec::new(),
            queries: Vec::new(),
            timeline: Vec::new(),
            notes: Vec::new(),
            error: None,
            duration_ms: Milliseconds::default(),
        }
    }

    /// The report as one JSON object on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers, lists: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The state of the database after a refusal, in one line.
    #[must_use]
    pub fn state(&self) -> String {
        let version = self.to_version.map_or_else(String::new, |version| format!(" at version {version}"));
        let backup = match &self.backup {
            Some(backup) => format!("backup at `{}`", shown(&backup.path)),
            None => "no backup kept".to_owned(),
        };
        let is_uncertain = self.error.as_ref().is_some_and(|error| error.kind == "commit_uncertain");
        let state = match self.applied.as_slice() {
            _ if is_uncertain => "is as before, or migrated and proven",
            [] => "unchanged",
            // What was committed before a migration that runs outside the transaction.
            _ => "is proven",
        };
        format!("database `{}` {state}{version}; {backup}", one_line(&self.database))
    }

    /// The check of that name, if it was made.
    #[must_use]
    pub fn check(&self, name: CheckName) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}
