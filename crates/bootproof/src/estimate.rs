//! What a boot will take, told beforehand: how long, how much disk, whom it keeps waiting.
//!
//! The times come from measured rates, corrected by how fast this machine is at a small piece of the same work; the sizes
//! of new indexes from a sample of the rows they will hold.

use std::path::Path;
use std::time::{Duration, Instant};

use bootproof_catalog::catalog::Index;
use bootproof_catalog::{Catalog, quoted};
use rusqlite::Connection;

use crate::boot::needs_rebuild;
use crate::compiled::ObjectKind;
use crate::connection::Session;
use crate::error::Error;
use crate::event::Step;
use crate::expected;
use crate::files::sidecar;
use crate::inspect::{IndexEstimate, PlanReport};
use crate::look::Look;
use crate::options::{Integrity, Options};
use crate::plan::Start;
use crate::report::{Milliseconds, StepReport};
use crate::schema::Schema;
use crate::verify;
use crate::workload::{INDEX_ENTRY, Workload};

/// How many rows of a table are looked at to learn how large its index entries will be.
const SAMPLE: u64 = 1_000;

/// The size of an index entry that nobody can tell.
const UNKNOWN_ENTRY: f64 = 32.0;

/// Nanoseconds, measured with a million worklogs (933 MB) on two shared cores of 2026, SQLite 3.54 in release mode, and rounded up.
mod rate {
    use crate::options::Integrity;

    /// A unit of an integrity check.
    pub(super) fn integrity(level: Integrity) -> f64 {
        match level {
            Integrity::Full => 12.0,
            Integrity::Sqlite => 90.0,
            Integrity::Quick => 40.0,
            Integrity::Off => 0.0,
        }
    }

    /// A unit of building an index, sorting and writing included.
    pub(super) const MIGRATION: f64 = 60.0;
    pub(super) const FOREIGN_KEYS: f64 = 80.0;
    pub(super) const STATISTICS: f64 = 1.0;
    /// A byte of a backup: copied, read back, flushed. With five million worklogs, where the disk decides.
    pub(super) const BACKUP: f64 = 1.5;
    /// One step of the calibration.
    pub(super) const CALIBRATION: f64 = 330.0;
}

/// How many rounds the calibration makes: some milliseconds.
const ROUNDS: u32 = 50_000;

/// Adds to a plan what it will take.
pub(crate) fn fill(
    report: &mut PlanReport,
    schema: &Schema,
    session: &Session<'_>,
    path: &Path,
    look: &Look,
    options: &Options,
) -> Result<(), Error> {
    let (connection, is_wal) = (session.connection, session.is_wal()?);
    let mut load = Workload::measure(connection, &look.live);
    load.count(&verify::row_counts(connection, &look.live)?);
    let after = expected::catalog_at(schema, look.plan.version_after())?;
    if look.plan.start != Start::Empty {
        report.indexes = new_indexes(connection, look, &after, &load);
        report.steps = steps(look, &load, &after, report.backup_bytes, options);
    }
    report.duration_ms = Milliseconds(report.steps.iter().map(|step| step.duration_ms.0).sum());
    if look.is_current() || look.plan.start == Start::Empty {
        return Ok(());
    }
    let new: u64 = report.indexes.iter().map(|index| index.bytes).sum();
    report.temporary_bytes = new;
    report.disk_needed = disk_needed(path, look, new, report.backup_bytes, is_wal);
    report.locks = locks(report, is_wal);
    Ok(())
}

/// The space in the database's directory: the backup, the new indexes, in WAL mode once more in the log before it is folded
/// in; and where tables are rewritten, the whole file again, since nobody knows how much of it.
pub(crate) fn disk_needed(path: &Path, look: &Look, new: u64, backup: u64, is_wal: bool) -> u64 {
    let length = |file: &Path| std::fs::metadata(file).map(|file| file.len()).unwrap_or_default();
    let rewrites = look.plan.pending.iter().any(|migration| !migration.writes.is_empty());
    let rewritten = if rewrites { length(path) + length(&sidecar(path, "-wal")) } else { 0 };
    // One that runs outside the transaction: its copy, and what that needs while it is rewritten.
    let copied = if look.plan.outside().is_some() { 2 * length(path) } else { 0 };
    let written = new + rewritten + copied;
    backup + written + if is_wal { written } else { 0 } + (1 << 20)
}

/// The indexes that a boot would build, and how large each will be.
pub(crate) fn new_indexes(
    connection: &Connection,
    look: &Look,
    after: &Catalog,
    load: &Workload,
) -> Vec<IndexEstimate> {
    let created = look.plan.pending.iter().flat_map(|migration| migration.creates);
    let named = created.filter(|object| object.kind == ObjectKind::Index).map(|object| object.name);
    let repaired = needs_rebuild(look);
    let keys = named.map(str::to_ascii_lowercase).chain(repaired);
    let mut estimates = Vec::new();
    for index in keys.filter_map(|key| after.indexes.get(&key)) {
        let rows = load.rows(&index.table);
        // A table that the same boot creates has no rows yet, and no columns to ask for.
        let Some(table) = look.live.tables.get(&index.table.to_ascii_lowercase()) else { continue };
        let is_column = |name: &str| table.columns.contains_key(name);
        let (share, entry) = entry(connection, index, is_column).unwrap_or((1.0, UNKNOWN_ENTRY));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "about"
        )]
        let bytes = (rows as f64 * share * entry) as u64 + load.page_size;
        estimates.push(IndexEstimate { name: index.name.clone(), table: index.table.clone(), rows, bytes });
    }
    estimates
}

/// The share of sampled rows that belong into an index, and the mean size of their entries in bytes
/// (<https://sqlite.org/fileformat2.html#record_format>).
fn entry(connection: &Connection, index: &Index, is_column: impl Fn(&str) -> bool) -> rusqlite::Result<(f64, f64)> {
    let lengths: Vec<String> = index
        .terms
        .iter()
        .map(
            |term| {
                if is_column(&term.expression) { quoted(&term.expression) } else { format!("({})", term.expression) }
            },
        )
        .map(|term| {
            format!(
                "CASE typeof({term}) WHEN 'null' THEN 0 WHEN 'real' THEN 8 WHEN 'integer' THEN
                 CASE WHEN {term} IN (0, 1) THEN 0 WHEN abs({term}) < 128 THEN 1 WHEN abs({term}) < 32768 THEN 2
                 WHEN abs({term}) < 8388608 THEN 3 WHEN abs({term}) < 2147483648 THEN 4 ELSE 8 END
                 ELSE length(CAST({term} AS BLOB)) END"
            )
        })
        .collect();
    let (table, length) = (quoted(&index.table), lengths.join(" + "));
    let belongs = index.predicate.as_deref().unwrap_or("1");
    // Asked for both ends at once, SQLite would read every row.
    let sql = format!(
        "WITH RECURSIVE span(low, high) AS
                 (SELECT (SELECT min(rowid) FROM main.{table}), (SELECT max(rowid) FROM main.{table})),
             picked(id) AS (
                 SELECT low FROM span
                 UNION ALL
                 SELECT id + max(1, (high - low) / {SAMPLE}) FROM picked, span WHERE id < high LIMIT {SAMPLE}
             )
         SELECT avg(({belongs}) IS TRUE), avg({length}) FROM main.{table} WHERE rowid IN
             (SELECT (SELECT min(rowid) FROM main.{table} WHERE rowid >= picked.id) FROM picked)"
    );
    let (share, payload): (Option<f64>, Option<f64>) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // For each entry: its length, its place on the page, the length of the header, a type for every term, the row number
    // and its type.
    #[expect(clippy::cast_precision_loss, reason = "a handful of terms")]
    let overhead = 1.0 + 2.0 + 1.0 + index.terms.len() as f64 + 3.5 + 1.0;
    Ok((share.unwrap_or(1.0), payload.map_or(UNKNOWN_ENTRY, |payload| payload + overhead)))
}

/// Every step that takes time, in order.
fn steps(look: &Look, load: &Workload, after: &Catalog, backup: u64, options: &Options) -> Vec<StepReport> {
    let speed = calibrate();
    let mut steps = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "about")]
    let mut add = |step: String, units: u64, nanoseconds: f64| {
        let took = Duration::from_secs_f64(units as f64 * nanoseconds * speed / 1e9);
        if took >= Duration::from_millis(1) {
            steps.push(StepReport { step, duration_ms: took.into() });
        }
    };
    let (level, keys) = (options.integrity, load.foreign_keys());
    add(Step::Integrity.to_string(), load.integrity(level), rate::integrity(level));
    add(Step::ForeignKeys.to_string(), keys, rate::FOREIGN_KEYS);
    if look.is_current() {
        return steps;
    }
    add(Step::Backup.to_string(), backup, rate::BACKUP);
    let mut written = 0;
    for migration in &look.plan.pending {
        let units = load.migration(migration, after);
        written += units;
        add(Step::Migrate(migration.title()).to_string(), units, rate::MIGRATION);
    }
    let repairs = needs_rebuild(look).filter_map(|key| after.indexes.get(&key));
    add(Step::Repair.to_string(), repairs.map(|index| load.rows(&index.table) * INDEX_ENTRY).sum(), rate::MIGRATION);
    add(Step::Statistics.to_string(), load.statistics(), rate::STATISTICS);
    add(format!("{}, again", Step::ForeignKeys), keys, rate::FOREIGN_KEYS);
    // To read an entry takes half of the steps that building it does.
    let again = if level == Integrity::Full { written / 2 } else { load.integrity(level) };
    add(format!("{}, again", Step::Integrity), again, rate::integrity(level));
    steps
}

/// How much slower this machine and this build are than what the rates were measured on. A processor that is faster at the
/// moment makes no disk faster: better told too long than too short.
fn calibrate() -> f64 {
    let Ok(connection) = Connection::open_in_memory() else { return 1.0 };
    let sql =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {ROUNDS}) SELECT sum(i) FROM n");
    let round = || {
        let start = Instant::now();
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok();
        start.elapsed()
    };
    let fastest = [round(), round(), round()].into_iter().min().unwrap_or_default();
    (fastest.as_secs_f64() * 1e9 / f64::from(ROUNDS) / rate::CALIBRATION).max(1.0)
}

/// A duration as an estimate is told.
pub(crate) fn about(duration: Milliseconds) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about")]
    match duration.0 / 1e3 {
        seconds if seconds < 0.1 => "under 0.1 s".to_owned(),
        seconds if seconds < 100.0 => format!("about {seconds:.1} s"),
        seconds => format!("about {} min", (seconds / 60.0).ceil() as u64),
    }
}

/// Who waits for what, and about how long.
fn locks(report: &PlanReport, is_wal: bool) -> Vec<String> {
    let writers = format!("writers wait from the first check to the commit, {}", about(report.duration_ms));
    let readers = if is_wal {
        "readers never wait: the journal mode is WAL".to_owned()
    } else {
        "readers may wait, at the latest for the commit: not in WAL mode".to_owned()
    };
    let commit = "the commit waits for readers in the middle of a query";
    let mut locks = vec![writers, readers];
    if !is_wal {
        locks.push(commit.to_owned());
    }
    locks
}
