//! diesel_migrations: the applied versions are rows of a table. The files are in memory, as its macro would have put them.

use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection as _, connection::BoxableConnection};
use diesel_migrations::MigrationHarness as _;

use crate::{File, Result};

pub fn migrate(files: &[File], database: &str) -> Result<()> {
    let mut connection = SqliteConnection::establish(database)?;
    connection.run_pending_migrations(Embedded(files))?;
    Ok(())
}

struct Embedded<'f>(&'f [File]);

impl MigrationSource<Sqlite> for Embedded<'_> {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<Sqlite>>>> {
        let own = |file: &File| {
            let one = One { name: Name(file.name), sql: file.sql };
            Box::new(one) as Box<dyn Migration<Sqlite>>
        };
        Ok(self.0.iter().map(own).collect())
    }
}

struct One {
    name: Name,
    sql: &'static str,
}

impl Migration<Sqlite> for One {
    fn run(&self, connection: &mut dyn BoxableConnection<Sqlite>) -> diesel::migration::Result<()> {
        Ok(connection.batch_execute(self.sql)?)
    }

    fn revert(&self, _: &mut dyn BoxableConnection<Sqlite>) -> diesel::migration::Result<()> {
        Err("there is no way back".into())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &InTransaction
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}

struct Name(&'static str);

impl MigrationName for Name {
    fn version(&self) -> MigrationVersion<'_> {
        self.0.split('_').next().unwrap_or_default().into()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

struct InTransaction;

impl MigrationMetadata for InTransaction {
    fn run_in_transaction(&self) -> bool {
        true
    }
}
