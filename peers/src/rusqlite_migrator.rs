//! rusqlite_migration: the version is the number of migrations, in the header of the file.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::{File, Result};

pub fn migrate(files: &[File], database: &str) -> Result<()> {
    let migrations = Migrations::new(files.iter().map(|file| M::up(file.sql)).collect());
    let mut connection = Connection::open(database)?;
    Ok(migrations.to_latest(&mut connection)?)
}
