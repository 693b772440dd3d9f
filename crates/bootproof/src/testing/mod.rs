//! For an application's tests: databases at earlier versions, and the proof that every one of them can be upgraded.
//!
//! One line proves the upgrade from every version that was ever released, with rows in every table:
//!
//! ```ignore
//! bootproof::test_every_upgrade!(my_app::SCHEMA);
//! ```
//!
//! [`test_every_upgrade!`](crate::test_every_upgrade) says what is proven. Every other test begins with a new database, in one line
//! as well:
//!
//! | | |
//! |---|---|
//! | [`fresh(&SCHEMA)`](crate::fresh()) | in memory, at the newest version |
//! | [`at(&SCHEMA, 3)`](at) | in memory, at version 3 |
//! | [`filled(&SCHEMA, samples!(), 3)`](filled) | the same, with rows in every table |
//! | [`file(&SCHEMA)`](file()), [`file_at(&SCHEMA, 3)`](file_at) | in a file, which goes with the test |
//!
//! A test of what one migration makes of certain rows:
//!
//! ```
//! # use bootproof::{Options, Schema, testing};
//! # fn splits_names(schema: &Schema) -> Result<(), Box<dyn std::error::Error>> {
//! let mut connection = testing::at(schema, 3)?;
//! connection.execute("INSERT INTO person(name) VALUES ('Ada Lovelace')", [])?;
//! bootproof::migrate(schema, &mut connection, &Options::default())?;
//! let first: String = connection.query_row("SELECT first_name FROM person", [], |row| row.get(0))?;
//! assert_eq!(first, "Ada");
//! # Ok(())
//! # }
//! ```

mod file;
mod rows;
mod upgrade;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::error::{Error, Failure};
use crate::options::Options;
use crate::plan::no_such_version;
use crate::report::BootReport;
use crate::schema::Schema;

pub use file::{TestFile, file, file_at};
pub use upgrade::{UpgradeError, every_upgrade};

/// Rows that the compiler made up for one version: what to insert into a database that has just been migrated to it, and has
/// the samples of every version before. Generated code, in `$OUT_DIR/bootproof_samples.rs`.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The version.
    pub version: i64,
    /// The statements.
    pub sql: &'static str,
}

/// A test that upgrades a real database from every version, with the rows that the compiler made up, and proves each.
///
/// Takes the application's [`Schema`]; works in every crate whose build script calls `bootproof_build::compile`, in unit tests
/// and in `tests/`. A second argument is the name of the test. For each version, in a directory of its own:
///
/// 1. A file is grown to that version by its migrations, one boot after the other, with rows inserted at every version.
/// 2. It boots to the newest version as in production: backup, history, schema, indexes, foreign keys, integrity, query
///    contracts. Migrations that wait for an operator are permitted.
/// 3. Every row is as before in every table that no migration on the way writes.
/// 4. A second boot finds nothing to do.
/// 5. Where every migration on the way can be reverted, the file goes back to the version it came from, and up again.
///
/// With more than two dozen migrations this is so for the four oldest versions, the twelve newest and some between. All databases
/// are then grown by the migrations alone, in memory, and each way back is tried once, right after its migration; from every other
/// version the database boots in memory, with all that a boot proves there (2 and 3, without the backup).
///
/// The test panics with the version and the boot's own message. Neither it nor the rows are part of the program.
///
/// ```ignore
/// bootproof::test_every_upgrade!(my_app::SCHEMA);
/// bootproof::test_every_upgrade!(my_app::ARCHIVE, upgrades_every_archive);
/// ```
#[macro_export]
macro_rules! test_every_upgrade {
    ($schema:expr) => {
        $crate::test_every_upgrade!($schema, upgrades_from_every_version);
    };
    ($schema:expr, $name:ident) => {
        #[test]
        #[allow(clippy::panic, clippy::pedantic, reason = "a test fails by panicking")]
        fn $name() {
            if let Err(error) = $crate::testing::every_upgrade(&$schema, $crate::samples!()) {
                panic!("{error}");
            }
        }
    };
}

/// The rows that the compiler made up, as [`testing::filled`](crate::testing::filled) takes them: of the crate that calls this, whose
/// build script calls `bootproof_build::compile`.
#[macro_export]
macro_rules! samples {
    () => {{
        const SAMPLES: &[$crate::testing::Sample] = include!(concat!(env!("OUT_DIR"), "/bootproof_samples.rs"));
        SAMPLES
    }};
}

/// A new database in memory at one version, made by its migrations, with their history.
///
/// [`fresh`](crate::fresh()) makes one at the newest version in less time.
///
/// # Errors
///
/// [`Error::NoSuchVersion`] for a version that is none of the schema's; otherwise as
/// [`migrate`](crate::migrate()).
pub fn at(schema: &Schema, version: i64) -> Result<Connection, Failure> {
    let failed = |error| Failure { error, report: Box::new(BootReport::new(":memory:".to_owned())) };
    if schema.migration(version).is_none() {
        return Err(failed(no_such_version(schema.compiled().migrations, version, "binary")));
    }
    let mut connection = Connection::open_in_memory()
        .map_err(|error| failed(Error::from_sqlite("opening a database in memory", error)))?;
    crate::migrate(schema, &mut connection, &Options { target: Some(version), ..options() })?;
    Ok(connection)
}

/// A new database in memory at one version, with the rows that the compiler made up for this version and those before.
///
/// # Errors
///
/// As [`every_upgrade`].
pub fn filled(schema: &Schema, samples: &[Sample], version: i64) -> Result<Connection, UpgradeError> {
    let first = schema.baseline().filter(|_| schema.migration(version).is_some());
    // Rows begin at the version at which they were made up: the migrations since have made something of them.
    let mut connection = at(schema, first.map_or(version, |first| first.version))?;
    for migration in schema.compiled().migrations.iter().take_while(|migration| migration.version <= version) {
        crate::migrate(schema, &mut connection, &Options { target: Some(migration.version), ..options() })?;
        insert(&connection, samples, migration.version)?;
    }
    Ok(connection)
}

/// What a test wants of a boot: all there is to prove, whatever the environment says.
fn options() -> Options {
    Options { maintenance: true, environment: false, ..Options::default() }
}

/// Inserts the rows of one version as if they had always been there: no trigger fires, no foreign key is followed.
fn insert(connection: &Connection, samples: &[Sample], version: i64) -> Result<(), UpgradeError> {
    let failed = |source| UpgradeError::Sample { version, source };
    for sample in samples.iter().filter(|sample| sample.version == version) {
        connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map_err(failed)?;
        connection.execute_batch(&format!("BEGIN;\n{};\nCOMMIT", sample.sql)).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true).map_err(failed)?;
    }
    Ok(())
}
