//! The schema a database should have, built in memory from what was compiled.

use std::collections::BTreeSet;

use bootproof_catalog::{Catalog, Reader};
use miniz_oxide::inflate;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Null;

use crate::compiled::{Image, Migration};
use crate::error::Error;
use crate::schema::Schema;

/// The bytes of an empty database at head. Its size is known: a buffer that grows would be copied again and again.
fn image_bytes(image: &Image) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; image.size];
    let compressed = std::iter::once(image.compressed);
    let problem = match inflate::decompress_slice_iter_to_slice(&mut bytes, compressed, true, false) {
        Ok(size) if size == image.size => return Ok(bytes),
        Ok(size) => format!("it has {size} bytes and not {}", image.size),
        Err(status) => format!("it cannot be unpacked: {status:?}"),
    };
    Err(Error::SourcesDisagree { files: vec![format!("the compiled image: {problem}")] })
}

/// An empty in-memory database at head, from the compiled image.
pub(crate) fn head(schema: &Schema) -> Result<Connection, Error> {
    unpacked(&image_bytes(&schema.compiled().image)?)
}

/// A database in memory that has the bytes of a file.
pub(crate) fn unpacked(bytes: &[u8]) -> Result<Connection, Error> {
    let failed = |error| Error::from_sqlite("unpacking the compiled image", error);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    connection.deserialize_read_exact("main", bytes, bytes.len(), false).map_err(failed)?;
    Ok(connection)
}

/// The catalog at a version.
pub(crate) fn catalog_at(schema: &Schema, version: i64) -> Result<Catalog, Error> {
    catalog_by(&mut Reader::default(), schema, version)
}

/// The catalog at a version, by whoever has read another one.
pub(crate) fn catalog_by(reader: &mut Reader, schema: &Schema, version: i64) -> Result<Catalog, Error> {
    let database = database_at(schema, version)?;
    reader.read(&database).map_err(|error| Error::from_sqlite("reading the compiled schema", error))
}

/// An empty in-memory database at a version, to read the schema from: from the image at head, by replaying the migrations up to it
/// before.
pub(crate) fn database_at(schema: &Schema, version: i64) -> Result<Connection, Error> {
    if version == schema.head() {
        return head(schema);
    }
    let replayed = || {
        let connection = nothing()?;
        let mut stand_ins = BTreeSet::new();
        let migrations = schema.compiled().migrations.iter();
        for migration in migrations.filter(|migration| migration.version <= version) {
            replay(&connection, migration, &mut stand_ins)?;
        }
        Ok(connection)
    };
    replayed().map_err(|error| Error::from_sqlite("replaying the migrations in memory", error))
}

/// An empty database in memory, for migrations to run on.
pub(crate) fn nothing() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    Ok(connection)
}

fn replay(connection: &Connection, migration: &Migration, stand_ins: &mut BTreeSet<String>) -> rusqlite::Result<()> {
    let outcome = (0..migration.statements.len())
        .try_for_each(|position| run_stood_in(connection, migration.statement(position), stand_ins));
    outcome.and(alter_as_usual(connection, migration.sql))
}

/// Runs a statement of which only the schema is wanted: a function of the application that it names is stood in for, as in the
/// rehearsal, by one that gives NULL. The image tells those that were called, and SQLite asks also for one that has no row to be
/// called for. Each is missed once, and a statement that fails has done nothing.
fn run_stood_in(connection: &Connection, sql: &str, stand_ins: &mut BTreeSet<String>) -> rusqlite::Result<()> {
    loop {
        let Err(error) = run_statement(connection, sql) else { return Ok(()) };
        let Some(name) = missed_function(&error).filter(|name| !stand_ins.contains(name)) else { return Err(error) };
        // As views, triggers, indexes and generated columns may call it.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function(&*name, -1, flags, |_| Ok(Null))?;
        stand_ins.insert(name);
    }
}

/// The function that a statement wants and the connection does not have.
fn missed_function(error: &rusqlite::Error) -> Option<String> {
    let (rusqlite::Error::SqlInputError { msg: message, .. } | rusqlite::Error::SqliteFailure(_, Some(message))) =
        error
    else {
        return None;
    };
    message.split_once("no such function: ").map(|(_, name)| name.to_owned())
}

/// After a script that changed how `ALTER TABLE … RENAME` works, as those of other tools may: back to what every other
/// migration was rehearsed with. The switch works inside a transaction, and no rollback resets it.
pub(crate) fn alter_as_usual(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    if sql.to_ascii_lowercase().contains("legacy_alter_table") {
        connection.pragma_update(None, "legacy_alter_table", false)?;
    }
    Ok(())
}

/// Runs one statement to its end, whatever rows it returns.
pub(crate) fn run_statement(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

impl Migration {
    /// The text of a statement; empty where there is none of that number.
    pub(crate) fn statement(&self, position: usize) -> &'static str {
        self.statements.get(position).and_then(|range| self.sql.get(range.start..range.end)).unwrap_or("")
    }
}
