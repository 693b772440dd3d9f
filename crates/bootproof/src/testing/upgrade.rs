//! The upgrade from every version, on real files.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{fs, io, thread};

use bootproof_catalog::{Reader, difference};
use rusqlite::Connection;

use super::rows::Rows;
use super::{Sample, insert, options};
use crate::apply;
use crate::boot::Boot;
use crate::compiled::Migration;
use crate::error::{Error, Failure};
use crate::history;
use crate::report::{BootReport, Verdict};
use crate::revert;
use crate::schema::Schema;

/// So many upgrades are made on real files, with everything that a boot does. One takes as long as its migrations and those
/// are as many as the versions, so where there are more versions the others are upgraded in memory.
const ON_FILES: usize = 24;
/// Of these, the newest: what is deployed somewhere.
const NEWEST: usize = 12;
/// And the oldest.
const OLDEST: usize = 4;

/// Where a database of an earlier version is.
enum Place {
    File(PathBuf),
    Memory(Vec<u8>),
}

/// Why an upgrade was not proven, and from which version.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// SQLite refuses the rows that were made up.
    #[error("the sample rows of version {version} cannot be inserted: {source}")]
    Sample {
        /// The version.
        version: i64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A boot refused.
    #[error("{doing} a database of version {from} with rows in its tables: {failure}")]
    Refused {
        /// The version that the database came from.
        from: i64,
        /// What was being done.
        doing: &'static str,
        /// Why the boot refused.
        failure: Box<Failure>,
    },
    /// A boot was content with less than was asked of it.
    #[error("{doing} a database of version {from} with rows in its tables: {what}\n{report}")]
    Unproven {
        /// The version that the database came from.
        from: i64,
        /// What was being done.
        doing: &'static str,
        /// What was expected instead.
        what: &'static str,
        /// What the boot did.
        report: Box<BootReport>,
    },
    /// Rows differ in a table that no migration writes.
    #[error(
        "{doing} a database of version {from}: rows of `{table}` changed, which no migration on the way writes\n  before: {before}\n  after:  {after}"
    )]
    Rows {
        /// The version that the database came from.
        from: i64,
        /// What was being done.
        doing: &'static str,
        /// The table.
        table: String,
        /// The first row that is not there any more.
        before: String,
        /// The first row that was not there before.
        after: String,
    },
    /// The rows cannot be read.
    #[error("reading the rows of a database that came from version {from}: {source}")]
    Unreadable {
        /// The version that the database came from.
        from: i64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A database in memory could not be made.
    #[error("{0}")]
    InMemory(Box<Failure>),
    /// The directory of the test.
    #[error("the temporary directory of the test: {0}")]
    Files(#[from] std::io::Error),
}

impl From<Failure> for UpgradeError {
    fn from(failure: Failure) -> Self {
        Self::InMemory(Box::new(failure))
    }
}

/// Upgrades a real database from every version and proves each; what
/// [`test_every_upgrade!`](crate::test_every_upgrade) does.
///
/// # Errors
///
/// The first upgrade that could not be proven, from the oldest version on.
pub fn every_upgrade(schema: &Schema, samples: &[Sample]) -> Result<(), UpgradeError> {
    let directory = tempfile::tempdir()?;
    let mut grown = Vec::new();
    let growth = if is_long(schema) {
        grow_in_memory(schema, samples, directory.path(), &mut grown)
    } else {
        grow(schema, samples, directory.path(), &mut grown)
    };
    // A migration that could not be grown over fails from every version before it: the oldest is the one to tell of.
    prove_all(schema, &grown)?;
    growth
}

/// Grows a database from the first version to the last, and keeps a copy of each.
fn grow(
    schema: &Schema,
    samples: &[Sample],
    directory: &Path,
    files: &mut Vec<(i64, Place)>,
) -> Result<(), UpgradeError> {
    let grown = directory.join("grown.db");
    for migration in schema.compiled().migrations {
        let version = migration.version;
        let from = files.last().map_or(version, |(from, _)| *from);
        let upgrade = Upgrade { schema, path: &grown, from };
        upgrade.booted("growing", boot(schema, &grown).target(version).run())?;
        let connection = Connection::open(&grown).map_err(|source| UpgradeError::Sample { version, source })?;
        insert(&connection, samples, version)?;
        drop(connection);
        let path = own_path(directory, version)?;
        fs::copy(&grown, &path)?;
        files.push((version, Place::File(path)));
    }
    Ok(())
}

/// Every database is the only one in its directory.
fn own_path(directory: &Path, version: i64) -> io::Result<PathBuf> {
    let own = directory.join(version.to_string());
    fs::create_dir(&own)?;
    Ok(own.join("app.db"))
}

/// The same without a boot at every version: the migrations alone, one after the other, each with its row in the history. Each way
/// back is gone and undone at once.
fn grow_in_memory(
    schema: &Schema,
    samples: &[Sample],
    directory: &Path,
    grown: &mut Vec<(i64, Place)>,
) -> Result<(), UpgradeError> {
    let migrations = schema.compiled().migrations;
    let Some(first) = migrations.first() else { return Ok(()) };
    let mut connection = super::at(schema, first.version)?;
    // It reads again only what has changed.
    let mut reader = Reader::default();
    for (position, migration) in migrations.iter().enumerate() {
        let version = migration.version;
        let failed = |source| UpgradeError::Sample { version, source };
        if position > 0 {
            let from = grown.last().map_or(version, |(from, _)| *from);
            let step = Step { schema, connection: &connection, migration, from };
            step.go(&mut reader)?;
        }
        insert(&connection, samples, version)?;
        let bytes = connection.serialize(rusqlite::MAIN_DB).map_err(failed)?.to_vec();
        // SQLite reads its schema again in the copy, and finds what is written there.
        connection = unpacked(&bytes).map_err(failed)?;
        let place = if is_chosen(position, migrations.len()) {
            let path = own_path(directory, version)?;
            fs::write(&path, bytes)?;
            Place::File(path)
        } else {
            Place::Memory(bytes)
        };
        grown.push((version, place));
    }
    Ok(())
}

/// A database in memory, and the next migration of it.
struct Step<'a> {
    schema: &'a Schema,
    connection: &'a Connection,
    migration: &'static Migration,
    from: i64,
}

impl Step<'_> {
    fn go(&self, reader: &mut Reader) -> Result<(), UpgradeError> {
        let Self { schema, connection, migration, from } = *self;
        let unreadable = |source| UpgradeError::Unreadable { from, source };
        let before = Rows::of(connection).map_err(unreadable)?;
        let was = reader.read(connection).map_err(unreadable)?;
        let begin = "PRAGMA foreign_keys = OFF; BEGIN";
        connection.execute_batch(begin).map_err(unreadable)?;
        let ran =
            apply::statements(connection, migration).and_then(|()| schema.steps().run(connection, None, migration));
        ran.map_err(|error| self.refused("growing", error))?;
        history::record(connection, std::slice::from_ref(migration)).map_err(unreadable)?;
        connection.execute_batch("COMMIT").map_err(unreadable)?;
        let Some(script) = &migration.revert else { return Ok(()) };

        connection.execute_batch("BEGIN").map_err(unreadable)?;
        revert::one(connection, migration).map_err(|error| self.refused("reverting", error))?;
        let differences = difference::between(&was, &reader.read(connection).map_err(unreadable)?);
        if !differences.is_empty() {
            return Err(self.refused("reverting", Error::Drifted { differences }));
        }
        let written = migration.writes.iter().chain(script.writes).copied().collect();
        same(from, "reverting", &before, &Rows::of(connection).map_err(unreadable)?, &written)?;
        connection.execute_batch("ROLLBACK").map_err(unreadable)
    }

    fn refused(&self, doing: &'static str, error: Error) -> UpgradeError {
        let failure = Failure { error, report: Box::new(BootReport::new(":memory:".to_owned())) };
        UpgradeError::Refused { from: self.from, doing, failure: Box::new(failure) }
    }
}

/// Proves several upgrades at a time: half of a boot is waiting for the disk.
fn prove_all(schema: &Schema, grown: &[(i64, Place)]) -> Result<(), UpgradeError> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None::<(i64, UpgradeError)>);
    let work = || {
        while let Some((from, place)) = grown.get(next.fetch_add(1, Ordering::Relaxed)) {
            let proven = match place {
                Place::File(path) => (Upgrade { schema, path, from: *from }).prove(),
                Place::Memory(bytes) => prove_in_memory(schema, *from, bytes),
            };
            if let Err(error) = proven {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                // Those after it are not begun, those before it may still fail.
                next.store(grown.len(), Ordering::Relaxed);
                if failed.as_ref().is_none_or(|(known, _)| from < known) {
                    *failed = Some((*from, error));
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get).clamp(2, 8).min(grown.len()) {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, error)| Err(error))
}

/// Whether there are more versions than are upgraded on files.
fn is_long(schema: &Schema) -> bool {
    // What a migration outside the transaction makes of a file is seen on files.
    schema.compiled().migrations.len() > ON_FILES && !schema.goes_outside()
}

/// Whether the version at a position is upgraded on a file, where there are many: the oldest, the newest, and some between, evenly.
fn is_chosen(position: usize, count: usize) -> bool {
    if position < OLDEST || position + NEWEST >= count {
        return true;
    }
    let between = count - OLDEST - NEWEST;
    let nth = |position: usize| (position - OLDEST) * (ON_FILES - OLDEST - NEWEST) / between;
    position == OLDEST || nth(position) != nth(position - 1)
}

fn boot<'s>(schema: &'s Schema, path: &Path) -> Boot<'s> {
    Boot::new(schema, path).options(options())
}

/// One file, and the version that it comes from.
struct Upgrade<'a> {
    schema: &'a Schema,
    path: &'a Path,
    from: i64,
}

impl Upgrade<'_> {
    fn prove(&self) -> Result<(), UpgradeError> {
        let boot = boot(self.schema, self.path);
        let pending: Vec<&Migration> =
            self.schema.compiled().migrations.iter().filter(|migration| migration.version > self.from).collect();
        let before = self.rows()?;
        let written: BTreeSet<&str> = pending.iter().flat_map(|migration| migration.writes).copied().collect();
        self.booted("upgrading", boot.run())?;
        self.compare("upgrading", &before, &written)?;

        let report = self.booted("booting again", boot.run())?;
        if !report.applied.is_empty() || !report.repaired.is_empty() {
            return Err(self.unproven("booting again", "there should have been nothing left to do", report));
        }

        let Some(reverts) = pending.iter().map(|migration| migration.revert.as_ref()).collect::<Option<Vec<_>>>()
        else {
            return Ok(());
        };
        let mut written = written;
        written.extend(reverts.iter().flat_map(|revert| revert.writes));
        self.booted("reverting", boot.revert(self.from))?;
        self.compare("reverting", &before, &written)?;
        self.booted("upgrading again", boot.run())?;
        self.compare("upgrading again", &before, &written)
    }

    fn booted(&self, doing: &'static str, booted: Result<BootReport, Failure>) -> Result<BootReport, UpgradeError> {
        let report =
            booted.map_err(|failure| UpgradeError::Refused { from: self.from, doing, failure: Box::new(failure) })?;
        match report.verdict {
            Verdict::Ready => Ok(report),
            _ => Err(self.unproven(doing, "a query contract is broken", report)),
        }
    }

    fn unproven(&self, doing: &'static str, what: &'static str, report: BootReport) -> UpgradeError {
        UpgradeError::Unproven { from: self.from, doing, what, report: Box::new(report) }
    }

    fn rows(&self) -> Result<Rows, UpgradeError> {
        Rows::read(self.path).map_err(|source| UpgradeError::Unreadable { from: self.from, source })
    }

    fn compare(&self, doing: &'static str, before: &Rows, written: &BTreeSet<&str>) -> Result<(), UpgradeError> {
        same(self.from, doing, before, &self.rows()?, written)
    }
}

/// The same without a file, and so without a backup, without the disk, and without the way back.
fn prove_in_memory(schema: &Schema, from: i64, bytes: &[u8]) -> Result<(), UpgradeError> {
    let unreadable = |source| UpgradeError::Unreadable { from, source };
    let mut connection = unpacked(bytes).map_err(unreadable)?;
    let before = Rows::of(&connection).map_err(unreadable)?;
    let pending = schema.compiled().migrations.iter().filter(|migration| migration.version > from);
    let written: BTreeSet<&str> = pending.flat_map(|migration| migration.writes).copied().collect();
    let upgrade = Upgrade { schema, path: Path::new(":memory:"), from };
    upgrade.booted("upgrading", crate::migrate(schema, &mut connection, &options()))?;
    same(from, "upgrading", &before, &Rows::of(&connection).map_err(unreadable)?, &written)
}

fn same(
    from: i64,
    doing: &'static str,
    before: &Rows,
    after: &Rows,
    written: &BTreeSet<&str>,
) -> Result<(), UpgradeError> {
    match before.first_difference(after, written) {
        None => Ok(()),
        Some((table, before, after)) => Err(UpgradeError::Rows { from, doing, table, before, after }),
    }
}

/// The database of a file's bytes.
fn unpacked(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    connection.deserialize_read_exact(rusqlite::MAIN_DB, bytes, bytes.len(), false)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::{NEWEST, OLDEST, ON_FILES};

    /// Those that are upgraded on files, of so many.
    fn on_files(count: usize) -> Vec<usize> {
        (0..count).filter(|position| super::is_chosen(*position, count)).collect()
    }

    #[test]
    fn the_oldest_and_the_newest_are_upgraded_on_files() {
        for count in [ON_FILES + 1, 40, 200, 1_000] {
            let chosen = on_files(count);
            assert_eq!(chosen.len(), ON_FILES, "{count}: {chosen:?}");
            assert!((0..OLDEST).all(|position| chosen.contains(&position)));
            assert!((count - NEWEST..count).all(|position| chosen.contains(&position)));
        }
    }
}
