//! How a database is, as plain numbers; what is too much of anything is for whoever asked to say.

use serde::Serialize;

use super::{AuditReport, HistoryReport};
use crate::report::{ErrorReport, Milliseconds, Timing};
use crate::schema::Schema;
pub use crate::undated::Undated;

/// What to measure beyond what costs little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// The pages of every table and index, whether they are sound, and whether every row has its parent: reads the whole file.
    pub pages: bool,
    /// Every query contract, timed: up to a second each, and what it takes to find parameters in the data.
    pub contracts: bool,
}

impl Measure {
    /// All there is.
    pub const EVERYTHING: Self = Self { pages: true, contracts: true };
    /// Only what reads no table for its own sake.
    pub const QUICK: Self = Self { pages: false, contracts: false };
}

/// How a database is. Whatever could not be measured is absent, and [`Health::error`] or [`Health::problems`] says why.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Health {
    /// The database file.
    pub database: String,
    /// The stamp of the binary that measured.
    pub binary: String,
    /// The version of its SQLite.
    pub sqlite_version: String,
    /// Whether the file exists.
    pub exists: bool,
    /// Whether SQLite could open it and read its schema.
    pub is_readable: bool,
    /// Why a boot would refuse, or the file cannot be read. Integrity and foreign keys are not examined:
    /// [`Boot::verify`](crate::Boot::verify) does.
    pub error: Option<ErrorReport>,
    /// What else went wrong while measuring.
    pub problems: Vec<String>,
    /// The version; `None` where it is unmanaged.
    pub version: Option<i64>,
    /// The head of the binary.
    pub head: i64,
    /// How many migrations a boot would apply.
    pub pending: usize,
    /// Whether the database was adopted rather than created.
    pub adopted: bool,
    /// The size of the file.
    pub bytes: u64,
    /// The size of its write-ahead log; 0 where there is none.
    pub wal_bytes: u64,
    /// The size of its rollback journal; 0 where there is none.
    pub journal_bytes: u64,
    /// `delete`, `wal` …
    pub journal_mode: Option<String>,
    /// The size of a page.
    pub page_size: Option<u64>,
    /// How many pages the database has.
    pub page_count: Option<u64>,
    /// How many of them hold nothing.
    pub free_pages: Option<u64>,
    /// How the live schema differs from what was compiled for its version.
    pub differences: Vec<DifferenceReport>,
    /// Every table, SQLite's own and the migrator's included, by name.
    pub tables: Vec<TableHealth>,
    /// Every index, those of constraints included, by name.
    pub indexes: Vec<IndexHealth>,
    /// Rows that no query by date finds.
    pub undated: Vec<Undated>,
    /// The migration that was applied last.
    pub last_migration: Option<HistoryReport>,
    /// The newest backup beside the database.
    pub last_backup: Option<BackupAge>,
    /// What the last boots changed, the newest first.
    pub boots: Vec<AuditReport>,
    /// Every query contract that applies at the version.
    pub queries: Vec<QueryHealth>,
    /// How long measuring took.
    pub duration_ms: Milliseconds,
}

impl Health {
    pub(super) fn new(schema: &Schema, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            binary: schema.build().to_owned(),
            sqlite_version: rusqlite::version().to_owned(),
            head: schema.head(),
            ..Self::default()
        }
    }
}

/// One difference between the live schema and the compiled one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceReport {
    /// What it means for a boot.
    pub severity: DifferenceSeverity,
    /// The kind of object: `table`, `column`, `index`, `trigger`, `view`.
    pub kind: String,
    /// The object, in lower case; of a column, its table.
    pub object: String,
    /// The difference in words.
    pub message: String,
}

/// What a difference means for a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceSeverity {
    /// Something the application relies on is not there: a boot refuses.
    Missing,
    /// It is there with another definition: a boot refuses, unless the adoption accepted it.
    Differs,
    /// A declared index is missing or has another definition: a boot rebuilds it.
    Repairable,
    /// Somebody else's object: left alone.
    Extra,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableHealth {
    /// Its name.
    pub name: String,
    /// Its rows; `None` where they could not be counted, as of a damaged table or a virtual one.
    pub rows: Option<u64>,
    /// How many the application expects at most, where [`Schema::with_row_limit`] says so.
    pub row_limit: Option<u64>,
    /// Its pages.
    pub space: Option<Space>,
}

/// One index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexHealth {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Its pages.
    pub space: Option<Space>,
}

/// What a table or an index occupies, as the virtual table dbstat tells (<https://sqlite.org/dbstat.html>).
///
/// The pages of all tables and indexes and the free pages are all pages of a database, but for the page around byte 2^30,
/// where SQLite keeps its locks, and the pointer maps of a database with `auto_vacuum`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Its pages, overflow pages included.
    pub pages: u64,
    /// Their size.
    pub bytes: u64,
    /// How much of that holds nothing.
    pub unused_bytes: u64,
    /// Its leaf pages.
    pub leaf_pages: u64,
    /// How many of them do not directly follow, in the file, the leaf before them in the order of the key.
    pub gaps: u64,
}

impl Space {
    /// The share of leaf pages that do not directly follow their predecessor in the file: 0 where a range is read from end
    /// to end, 1 where every page has to be looked for elsewhere.
    ///
    /// `gaps / (leaf_pages - 1)`, and 0 for a single leaf: the fragmentation that `sqlite3_analyzer` counts
    /// (<https://sqlite.org/sqlanalyze.html>), of leaf pages alone and in the order of the key, in which a range is read.
    /// An index built in one go is not at 0: it has a page of its upper level between two leaves now and then.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no file has 2^52 pages")]
    pub fn fragmentation(&self) -> f64 {
        if self.leaf_pages < 2 { 0.0 } else { self.gaps as f64 / (self.leaf_pages - 1) as f64 }
    }
}

/// The newest backup beside a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupAge {
    /// Where it is.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// How long ago it was written, by the time of the file; `None` where the system does not tell.
    pub age_seconds: Option<u64>,
}

/// One query contract on this data.
#[derive(Clone, Debug, Serialize)]
pub struct QueryHealth {
    /// The contract.
    pub name: &'static str,
    /// The index it must use.
    pub expected_index: &'static str,
    /// The index SQLite chose.
    pub index_used: Option<String>,
    /// The plan without that index, where it costs more than its result is worth: what degrades a boot.
    pub missed: Option<String>,
    /// The budget for the median.
    pub budget_ms: Milliseconds,
    /// How long it took.
    pub timing: Option<Timing>,
    /// Why it could not be run.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Space;

    #[test]
    fn fragmentation_is_the_share_of_leaves_that_do_not_follow_their_predecessor() {
        let fragmentation = |leaf_pages, gaps| Space { leaf_pages, gaps, ..Space::default() }.fragmentation();
        assert!((fragmentation(11, 5) - 0.5).abs() < f64::EPSILON);
        assert!(fragmentation(11, 0).abs() < f64::EPSILON);
        assert!(fragmentation(1, 0).abs() < f64::EPSILON);
        assert!(fragmentation(0, 0).abs() < f64::EPSILON);
    }
}
