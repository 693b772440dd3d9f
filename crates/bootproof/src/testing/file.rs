//! A database in a file of its own, for tests of what a database in memory cannot do: pools, several connections, a boot.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::options;
use crate::boot::Boot;
use crate::error::{Failure, storage};
use crate::plan::no_such_version;
use crate::report::BootReport;
use crate::schema::Schema;

/// A database in a temporary directory of its own, which is removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct TestFile {
    path: PathBuf,
    /// Removed when it is dropped.
    _directory: TempDir,
}

impl TestFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection to it.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub fn connect(&self) -> rusqlite::Result<Connection> {
        Connection::open(&self.path)
    }
}

/// A new database in a file, at the newest version.
///
/// # Errors
///
/// As [`Boot::run`].
///
/// # Examples
///
/// ```
/// # fn serves(schema: &bootproof::Schema) -> Result<(), Box<dyn std::error::Error>> {
/// let database = bootproof::testing::file(schema)?;
/// let (writer, reader) = (database.connect()?, database.connect()?);
/// # Ok(())
/// # }
/// ```
pub fn file(schema: &Schema) -> Result<TestFile, Failure> {
    made(schema, None)
}

/// A new database in a file, at one version: what a test of an upgrade boots.
///
/// # Errors
///
/// [`Error::NoSuchVersion`](crate::Error::NoSuchVersion) for a version that is none of the schema's; otherwise as [`Boot::run`].
pub fn file_at(schema: &Schema, version: i64) -> Result<TestFile, Failure> {
    made(schema, Some(version))
}

fn made(schema: &Schema, target: Option<i64>) -> Result<TestFile, Failure> {
    let failed = |error| Failure { error, report: Box::new(BootReport::new("a temporary file".to_owned())) };
    if let Some(version) = target.filter(|&version| schema.migration(version).is_none()) {
        return Err(failed(no_such_version(schema.compiled().migrations, version, "binary")));
    }
    let directory = tempfile::tempdir().map_err(|error| failed(storage("created", &std::env::temp_dir(), &error)))?;
    let path = directory.path().join(schema.default_database().unwrap_or("app.db"));
    Boot::new(schema, &path).options(crate::options::Options { target, ..options() }).run()?;
    Ok(TestFile { path, _directory: directory })
}
