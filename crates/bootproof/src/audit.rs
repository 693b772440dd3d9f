//! The record of what boots changed, kept in the database itself and written in the transaction it describes.

use std::collections::BTreeSet;

use bootproof_catalog::AUDIT_DDL;
use bootproof_catalog::AUDIT_TABLE;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::inspect::AuditReport;

/// What a boot did, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Create,
    Adopt,
    Migrate,
    Repair,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Migrate => "migrate",
            Self::Repair => "repair",
        }
    }
}

/// The JSON in the column `detail`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    /// The migrations applied.
    pub(crate) applied: Vec<String>,
    /// The indexes rebuilt.
    pub(crate) repaired: Vec<String>,
    /// The differences from the baseline that an adoption found and accepted.
    pub(crate) tolerated: Vec<String>,
    /// The backup made before.
    pub(crate) backup: Option<String>,
}

/// Adds a row.
pub(crate) fn write(
    connection: &Connection,
    event: Event,
    from_version: Option<i64>,
    to_version: i64,
    binary: &str,
    detail: &Detail,
) -> rusqlite::Result<()> {
    connection.execute_batch(AUDIT_DDL)?;
    connection.execute(
        "INSERT INTO main.bootproof_audit(at, event, from_version, to_version, binary, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            jiff::Timestamp::now().to_string(),
            event.name(),
            from_version,
            to_version,
            binary,
            // Strings and lists: nothing here can fail to serialise.
            serde_json::to_string(detail).unwrap_or_default(),
        ),
    )?;
    Ok(())
}

/// What the adoption of this database accepted; `None` where it was not adopted.
///
/// Only these very differences are tolerated later: whatever changed after the adoption is drift. A row that cannot be
/// read tolerates nothing.
pub(crate) fn adoption(connection: &Connection) -> rusqlite::Result<Option<BTreeSet<String>>> {
    if !exists(connection)? {
        return Ok(None);
    }
    let detail: Option<rusqlite::types::Value> = connection
        .query_row(
            "SELECT detail FROM main.bootproof_audit WHERE event = 'adopt' ORDER BY id DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(detail.map(|detail| match detail {
        rusqlite::types::Value::Text(text) => {
            serde_json::from_str::<Detail>(&text).unwrap_or_default().tolerated.into_iter().collect()
        }
        _ => BTreeSet::new(),
    }))
}

/// The newest rows, the newest first. Rows that nobody could have written here are left out.
pub(crate) fn latest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<AuditReport>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT at, event, from_version, to_version, binary FROM main.bootproof_audit
         WHERE typeof(at) = 'text' AND typeof(event) = 'text' AND typeof(binary) = 'text'
         ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| {
        Ok(AuditReport {
            at: row.get(0)?,
            event: row.get(1)?,
            from_version: row.get(2).unwrap_or_default(),
            to_version: row.get(3).unwrap_or_default(),
            binary: row.get(4)?,
        })
    })?;
    rows.collect()
}

fn exists(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")?.exists([AUDIT_TABLE])
}
