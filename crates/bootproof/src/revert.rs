//! Taking a migration back with its revert script, inside the caller's transaction.

use std::time::Instant;

use bootproof_catalog::HISTORY_TABLE;
use rusqlite::Connection;

use crate::apply::{Applied, without_statement};
use crate::compiled::{Migration, Revert};
use crate::error::Error;
use crate::expected::{alter_as_usual, run_statement};
use crate::own_table;
use crate::plan::no_such_version;

/// Chooses what to revert, the newest first, to get from one version to an earlier one.
///
/// # Errors
///
/// [`Error::NoSuchVersion`] for a version that is not below; [`Error::NotRevertable`] names every migration on the way
/// that has no revert.
pub(crate) fn path(migrations: &'static [Migration], from: i64, to: i64) -> Result<Vec<&'static Migration>, Error> {
    if to > from {
        let reason = format!("is not below {from}, the version of the database: `boot` goes up");
        return Err(Error::NoSuchVersion { version: to, reason });
    }
    if !migrations.iter().any(|migration| migration.version == to) {
        return Err(no_such_version(migrations, to, "binary"));
    }
    let above = migrations.iter().rev().filter(|migration| migration.version > to && migration.version <= from);
    let above: Vec<_> = above.collect();
    let stuck: Vec<String> = above
        .iter()
        .filter(|migration| migration.revert.is_none())
        .map(|migration| format!("{} has no revert: it changes more than it adds", migration.title()))
        .collect();
    if stuck.is_empty() { Ok(above) } else { Err(Error::NotRevertable { to, migrations: stuck }) }
}

/// Runs one revert and takes the migration out of the history.
pub(crate) fn one(connection: &Connection, migration: &'static Migration) -> Result<Applied, Error> {
    let start = Instant::now();
    log::info!("reverting {}", migration.title());
    if let Some(revert) = &migration.revert {
        run(connection, migration, revert)?;
    }
    connection
        .execute(&format!("DELETE FROM main.{HISTORY_TABLE} WHERE version = ?1"), [migration.version])
        .map_err(|error| own_table::unwritten(HISTORY_TABLE, "taking a migration out of the history", error))?;
    Ok(Applied { migration, took: start.elapsed() })
}

fn run(connection: &Connection, migration: &'static Migration, revert: &'static Revert) -> Result<(), Error> {
    let outcome = revert.statements.iter().enumerate().try_for_each(|(position, statement)| {
        let sql = revert.sql.get(statement.start..statement.end).unwrap_or_default();
        run_statement(connection, sql).map_err(|error| match Error::from_sqlite("reverting a migration", error) {
            Error::Unexpected { source, .. } => Error::RevertFailed {
                migration: migration.title(),
                place: match revert.file {
                    Some(file) => format!("{file}:{}", statement.line),
                    None => format!("the derived script, `{}`", sql.trim()),
                },
                statement: position + 1,
                statements: revert.statements.len(),
                message: without_statement(source),
            },
            other => other,
        })
    });
    let reset = alter_as_usual(connection, revert.sql);
    outcome.and(reset.map_err(|error| Error::from_sqlite("reverting a migration", error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn migration(version: i64, file: &'static str, revert: Option<Revert>) -> Migration {
        Migration {
            version,
            name: "",
            file,
            sql: "",
            checksum: 0,
            statements: &[],
            creates: &[],
            writes: &[],
            fingerprint: 0,
            maintenance: None,
            compatible: false,
            step: None,
            no_transaction: None,
            revert,
        }
    }

    const NOTHING: Option<Revert> = Some(Revert { sql: "", file: None, statements: &[], writes: &[] });
    static MIGRATIONS: [Migration; 4] = [
        migration(0, "000_baseline.sql", None),
        migration(1, "001_split.sql", None),
        migration(2, "002_index.sql", NOTHING),
        migration(10, "010_index.sql", NOTHING),
    ];

    #[test]
    fn the_newest_is_reverted_first() {
        let versions = |from, to| -> Vec<i64> {
            path(&MIGRATIONS, from, to).unwrap().iter().map(|migration| migration.version).collect()
        };
        assert_eq!(versions(10, 1), [10, 2]);
        assert_eq!(versions(2, 1), [2]);
        assert_eq!(versions(1, 1), [0; 0]);
    }

    #[test]
    fn without_a_revert_there_is_no_way_and_the_message_names_it() {
        let error = path(&MIGRATIONS, 10, 0).unwrap_err();
        assert_eq!((error.exit_code(), error.kind()), (7, "not_revertable"));
        assert!(error.to_string().contains("001_split"), "{error}");
        assert!(!error.to_string().contains("002_index"), "{error}");
    }

    #[test]
    fn only_versions_below_and_of_this_binary_can_be_gone_to() {
        for (from, to) in [(2, 10), (2, 3), (10, 5), (10, -1)] {
            assert_eq!(path(&MIGRATIONS, from, to).unwrap_err().exit_code(), 2, "{from} -> {to}");
        }
    }
}
