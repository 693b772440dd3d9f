//! Rebuilding declared indexes that are missing or differ. An index holds nothing that its table does not, so this is the
//! one thing a boot changes without a migration.

use bootproof_catalog::{Catalog, Difference, Severity, quoted};
use rusqlite::Connection;

use crate::connection;
use crate::error::Error;

/// Whether an index among the differences is to be rebuilt.
pub(crate) fn is_due(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| difference.severity == Severity::Repairable)
}

/// Rebuilds every index among the differences; returns the names, in order.
pub(crate) fn indexes(
    connection: &Connection,
    expected: &Catalog,
    differences: &[Difference],
) -> Result<Vec<String>, Error> {
    let mut repaired = Vec::new();
    for difference in differences.iter().filter(|difference| difference.severity == Severity::Repairable) {
        let Some(index) = expected.indexes.get(&difference.object) else { continue };
        log::info!("repair: {difference}");
        rebuild(connection, &index.name, &index.sql).map_err(|error| match Error::from_sqlite("repairing", error) {
            Error::Unexpected { source, .. } => {
                Error::RepairFailed { index: index.name.clone(), message: source.to_string() }
            }
            other => other,
        })?;
        repaired.push(index.name.clone());
    }
    Ok(repaired)
}

fn rebuild(connection: &Connection, name: &str, sql: &str) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("DROP INDEX IF EXISTS main.{}", quoted(name)))?;
    connection::sorting(connection, || connection.execute_batch(sql))
}
