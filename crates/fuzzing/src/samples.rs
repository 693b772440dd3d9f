//! Sound databases to begin with, made once; what is in them, and what the engine may say of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bootproof::inspect::Measure;
use bootproof::{Boot, ErrorReport, Failure};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::HEAD;

use crate::scratch;

/// Few: a case is booted several times.
const ROWS: usize = 24;

/// How a sample begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// No history yet.
    Unmanaged,
    /// At the baseline, with everything pending.
    Adopted,
    /// At head.
    Current,
    /// At head, in WAL mode.
    Wal,
}

pub(crate) const SAMPLES: [Sample; 4] = [Sample::Unmanaged, Sample::Adopted, Sample::Current, Sample::Wal];

/// The bytes of a sound database.
pub(crate) fn bytes(sample: Sample) -> &'static [u8] {
    static MADE: [OnceLock<Vec<u8>>; SAMPLES.len()] = [const { OnceLock::new() }; SAMPLES.len()];
    MADE[sample as usize].get_or_init(|| make(sample))
}

fn make(sample: Sample) -> Vec<u8> {
    let directory = scratch::directory();
    let database = directory.path().join("worklog.db");
    Fixture::new(ROWS).wal(sample == Sample::Wal).create(&database).expect("a fixture");
    let boot = worklog_schema::boot(&database).backup(false);
    match sample {
        Sample::Unmanaged => {}
        Sample::Adopted => drop(boot.target(1).run().expect("a boot")),
        Sample::Current | Sample::Wal => drop(boot.run().expect("a boot")),
    }
    fs::read(&database).expect("the database")
}

/// A database on the disk.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) database: PathBuf,
}

impl Place {
    pub(crate) fn with(bytes: &[u8]) -> Self {
        let directory = scratch::directory();
        let database = directory.path().canonicalize().expect("the directory").join("worklog.db");
        fs::write(&database, bytes).expect("the database");
        Self { directory, database }
    }

    /// A file beside the database, whose name goes on as given.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("worklog.db{suffix}"))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.database).expect("the database")
    }

    /// Nobody else holds a lock.
    pub(crate) fn boot(&self) -> Boot<'static> {
        worklog_schema::boot(&self.database).lock_timeout(Duration::from_millis(2))
    }
}

/// Asks everything that only looks, and checks that it did. Whatever the file is, it is no bug of the engine's. To time the
/// query contracts takes as long as all the rest.
pub(crate) fn look(place: &Place, contracts: bool) {
    let before = place.bytes();
    let boot = place.boot();
    match boot.status() {
        Ok(status) => is_told("status", status.error.as_ref()),
        Err(failure) => is_foreseen("status", failure),
    }
    match boot.plan() {
        Ok(plan) => is_told("plan", plan.error.as_ref()),
        Err(failure) => is_foreseen("plan", failure),
    }
    match boot.measure(Measure { pages: true, contracts }) {
        Ok(health) => is_told("health", health.error.as_ref()),
        Err(failure) => is_foreseen("health", failure),
    }
    if let Err(failure) = boot.verify() {
        is_foreseen("verify", failure);
    }
    if let Err(failure) = boot.backups(true) {
        is_foreseen("backups", failure);
    }
    assert!(place.bytes() == before, "looking changed the file");
}

/// Boots, and proves what a boot promises: refused and unchanged, or ready and sound. Returns whether it was.
pub(crate) fn boot(place: &Place) -> bool {
    let before = place.bytes();
    match place.boot().run() {
        Ok(report) => {
            assert!(report.to_version.is_some_and(|version| version <= HEAD), "{report}");
            assert_eq!(integrity(&place.database), "ok", "{report}");
            true
        }
        Err(failure) => {
            assert!(place.bytes() == before, "refused, and the file is another: {failure}");
            is_foreseen("boot", failure);
            false
        }
    }
}

/// A refusal for a reason that a person can act on.
#[expect(clippy::needless_pass_by_value, reason = "as errors are handled: it is the end of it")]
pub(crate) fn is_foreseen(asked: &str, failure: Failure) {
    assert!(failure.to_string().contains("hint: "), "{asked}: {failure}");
    is_told(asked, Some(&ErrorReport::of(&failure.error)));
}

/// The same, where looking went well and only a boot would be refused.
fn is_told(asked: &str, error: Option<&ErrorReport>) {
    let code = error.map_or(0, |error| error.code);
    assert!(matches!(code, 0 | 3..=8), "{asked}: {error:?}");
}

pub(crate) fn integrity(database: &Path) -> String {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the database");
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap_or_else(|error| error.to_string())
}

/// Every row of every table that is the application's.
pub(crate) fn rows(database: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the database");
    let mut tables = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite%'
             AND lower(name) NOT IN ('refinery_schema_history', 'bootproof_audit')",
        )
        .expect("the schema");
    let names = tables.query_map([], |row| row.get::<_, String>(0)).expect("the schema");
    names
        .map(|name| {
            let name = name.expect("a name");
            let sql = format!("SELECT * FROM {} NOT INDEXED", bootproof_catalog::quoted(&name));
            let mut statement = connection.prepare(&sql).expect("a table");
            let width = statement.column_count();
            let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect());
            (name, rows.expect("rows").collect::<rusqlite::Result<_>>().expect("a row"))
        })
        .collect()
}
