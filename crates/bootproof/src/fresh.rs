//! New databases: the compiled image, stamped with its history.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bootproof_catalog::Catalog;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::serialize::Data;
use tempfile::NamedTempFile;

use crate::apply;
use crate::audit::{self, Detail, Event};
use crate::error::{Error, storage};
use crate::expected;
use crate::figure::shown;
use crate::files::{Neighbours, directory, exists, has_content, sidecar, sync_directory};
use crate::history;
use crate::look;
use crate::schema::Schema;
use crate::seal;
use crate::steps::Guard;

/// What became of an attempt to create a database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// The file is there, complete.
    Yes,
    /// The file appeared meanwhile, or cannot be made this way: go on as with any existing file.
    No,
}

/// An in-memory database at head, with its history as the first of this process got it.
pub(crate) fn in_memory(schema: &Schema) -> Result<Connection, Error> {
    let template = if let Some(template) = schema.template().get() {
        template
    } else {
        let made = packed(&mut stamped(schema)?)?.to_vec();
        schema.template().get_or_init(|| made)
    };
    expected::unpacked(template)
}

/// An in-memory database at head, with its history as of now.
pub(crate) fn stamped(schema: &Schema) -> Result<Connection, Error> {
    let is_in_image = !schema.has_steps() && !schema.has_stand_ins();
    let connection = if is_in_image { expected::head(schema)? } else { replayed(schema)? };
    stamp(&connection, schema)?;
    Ok(connection)
}

/// What the image cannot hold: a database in memory that every migration has run on, in order, with its step in Rust. A step
/// sees the schema of its own version, and the rows that the migrations before it have inserted. A function that something stood
/// in for is not there, so the migration that calls it fails, and tells which connection has it.
fn replayed(schema: &Schema) -> Result<Connection, Error> {
    let failed = |error| Error::from_sqlite("making the new database", error);
    let migrations = schema.compiled().migrations;
    schema.steps().require(migrations.iter())?;
    let mut connection = expected::nothing().map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(failed)?;
    let guard = Guard::install(&mut connection)?;
    for migration in migrations {
        let is_inside = migration.no_transaction.is_none();
        if is_inside {
            connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        }
        apply::statements(&connection, migration)?;
        schema.steps().run(&connection, Some(&guard), migration)?;
        if is_inside {
            connection.execute_batch("COMMIT").map_err(failed)?;
        }
    }
    Guard::remove(&mut connection).map_err(failed)?;
    let live = Catalog::read(&connection).map_err(failed)?;
    let differences = look::differences(schema, schema.head(), &live)?;
    if differences.is_empty() { Ok(connection) } else { Err(Error::Drifted { differences }) }
}

/// What a database in memory would be as a file.
pub(crate) fn packed(connection: &mut Connection) -> Result<Data<'_>, Error> {
    connection.serialize("main").map_err(|error| Error::from_sqlite("packing the new database", error))
}

/// A WAL or a journal without its database may hold the newest rows of one that was moved away. SQLite would throw it away
/// together with them.
fn refuse_orphaned_log(path: &Path) -> Result<(), Error> {
    match log_with_content(path) {
        // Unless another process has made the database meanwhile, and is at work on it.
        Some(log) if !exists(path)? => Err(orphaned(&log)),
        _ => Ok(()),
    }
}

/// A log that has appeared beside the new file while it was made is another's, whose database somebody is about to put here. The
/// new file makes room for it.
pub(crate) fn refuse_log_of_another(path: &Path) -> Result<(), Error> {
    let Some(log) = log_with_content(path) else { return Ok(()) };
    std::fs::remove_file(path).map_err(|error| storage("created", path, &error))?;
    Err(orphaned(&log))
}

fn log_with_content(path: &Path) -> Option<PathBuf> {
    ["-wal", "-journal"].map(|suffix| sidecar(path, suffix)).into_iter().find(|log| has_content(log))
}

fn orphaned(log: &Path) -> Error {
    let message = format!("it is missing, and `{}` may hold its newest rows", shown(log));
    Error::Storage { action: "created", message }
}

/// So many letters and digits, which nobody else would choose, are in the name of a new file.
const RANDOM: usize = 16;
/// What stands before them, behind the name of the database.
const INFIX: &str = ".new-";

/// Removes what killed processes left of their new files. If one of them is alive, it notices and goes the general way.
pub(crate) fn remove_remnants(neighbours: &Neighbours<'_>) {
    let is_ours = |remnant: &PathBuf| {
        let name = remnant.file_name().unwrap_or_default().as_encoded_bytes();
        let random = name.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    };
    for remnant in neighbours.with(INFIX).filter(is_ours) {
        let _ = std::fs::remove_file(remnant);
    }
}

/// Makes a file of a database that appears under its name only when it is complete: two processes that start together, or one
/// that is killed, leave either no file or a whole one.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<Created, Error> {
    refuse_orphaned_log(path)?;
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(INFIX);
    let failed = |error: &std::io::Error| storage("created", path, error);
    let mut file = with_default_permissions(tempfile::Builder::new().prefix(&prefix).rand_bytes(RANDOM))
        .tempfile_in(directory(path))
        .map_err(|error| failed(&error))?;
    // Flushed as a whole before it gets its name.
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(|error| failed(&error))?;
    // Another process may take the file for a remnant at any time: then there is nothing to give a name to.
    publish(file, path)
}

/// The descriptor is closed before the file gets its name: closing it afterwards would drop the locks of whoever in this
/// process has opened the database by then.
fn publish(file: NamedTempFile, path: &Path) -> Result<Created, Error> {
    match file.into_temp_path().persist_noclobber(path) {
        Ok(()) => {
            sync_directory(directory(path)).map_err(|error| storage("created", path, &error))?;
            Ok(Created::Yes)
        }
        // Somebody else was faster, or the file system knows no such rename: the general way works everywhere.
        Err(_) => Ok(Created::No),
    }
}

/// Adds the history and the audit row to a database made from the image.
fn stamp(connection: &Connection, schema: &Schema) -> Result<(), Error> {
    let failed = |error| Error::from_sqlite("recording the history of the new database", error);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    history::record(connection, schema.compiled().migrations).map_err(failed)?;
    let detail = Detail::of_applied(schema.compiled().migrations.iter());
    audit::write(connection, Event::Create, None, schema.head(), schema.build(), &detail).map_err(failed)?;
    seal::renew(schema, connection, Some(schema.head()))?;
    connection.execute_batch("COMMIT").map_err(failed)
}

/// The permissions that SQLite gives a new database: what the umask leaves of 0644.
#[cfg(unix)]
fn with_default_permissions<'a, 'b, 'c>(
    builder: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o644))
}

/// Elsewhere the directory decides.
#[cfg(not(unix))]
fn with_default_permissions<'a, 'b, 'c>(
    builder: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    builder
}
