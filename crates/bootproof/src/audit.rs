//! The record of what boots changed, kept in the database itself and written in the transaction it describes.

use std::collections::BTreeSet;

use bootproof_catalog::{AUDIT_DDL, AUDIT_TABLE};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::compiled::Migration;
use crate::error::Error;
use crate::own_table;
use crate::report::AuditReport;

/// What a boot did, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Create,
    Adopt,
    Migrate,
    Repair,
    Revert,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Migrate => "migrate",
            Self::Repair => "repair",
            Self::Revert => "revert",
        }
    }
}

/// The JSON in the column `detail`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    /// The migrations applied.
    pub(crate) applied: Vec<String>,
    /// The migrations reverted.
    pub(crate) reverted: Vec<String>,
    /// The indexes rebuilt.
    pub(crate) repaired: Vec<String>,
    /// The differences from the baseline that an adoption found and accepted, by their keys.
    pub(crate) tolerated: Vec<String>,
    /// The tool that had managed the database before, where this boot took it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken_over: Option<TakenOver>,
    /// The versions of those applied with which a binary of the version before can go on.
    pub(crate) compatible: Vec<i64>,
    /// The file name of the backup made before.
    pub(crate) backup: Option<String>,
    /// The seal of what the boot left, if it left the database where boots do; the header has it where its number was free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<i32>,
    /// The same of the words of the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proof: Option<String>,
}

/// Whose history was continued, and from where.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TakenOver {
    /// The tool.
    pub(crate) tool: String,
    /// The version that its history named.
    pub(crate) version: i64,
}

impl Detail {
    /// That these migrations were applied.
    pub(crate) fn of_applied(migrations: impl Iterator<Item = &'static Migration> + Clone) -> Self {
        Self {
            applied: migrations.clone().map(|migration| migration.title().to_owned()).collect(),
            compatible: migrations
                .filter(|migration| migration.compatible)
                .map(|migration| migration.version)
                .collect(),
            ..Self::default()
        }
    }

    /// That these migrations were reverted.
    pub(crate) fn of_reverted(migrations: impl Iterator<Item = &'static Migration>) -> Self {
        Self { reverted: migrations.map(|migration| migration.title().to_owned()).collect(), ..Self::default() }
    }

    /// What a row says; nothing where nobody could have written it here.
    fn parse(detail: ValueRef<'_>) -> Self {
        match detail {
            ValueRef::Text(text) => serde_json::from_slice(text).unwrap_or_default(),
            _ => Self::default(),
        }
    }
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

/// What the adoption of this database accepted, as keys of differences; `None` where it was not adopted.
///
/// Only these very differences are tolerated later: whatever changed after the adoption is drift. A row that cannot be
/// read tolerates nothing; a table that is not the audit table refuses.
pub(crate) fn adoption(connection: &Connection) -> Result<Option<BTreeSet<String>>, Error> {
    if !exists(connection)? {
        return Ok(None);
    }
    let sql = "SELECT detail FROM main.bootproof_audit WHERE event = 'adopt' ORDER BY id DESC LIMIT 1";
    let detail = connection
        .query_row(sql, [], |row| Ok(Detail::parse(row.get_ref(0)?)))
        .optional()
        .map_err(|error| Error::from_sqlite("reading the audit table", error))?;
    Ok(detail.map(|detail| detail.tolerated.into_iter().collect()))
}

/// The versions that were applied as compatible with the binary before them, and not otherwise since.
pub(crate) fn compatible(connection: &Connection) -> Result<BTreeSet<i64>, Error> {
    let mut compatible = BTreeSet::new();
    if !exists(connection)? {
        return Ok(compatible);
    }
    for detail in details(connection)?.into_iter().rev() {
        let is_applied = |version: &i64| detail.applied.iter().any(|title| version_of(title) == Some(*version));
        compatible.retain(|version| !is_applied(version));
        compatible.extend(detail.compatible);
    }
    Ok(compatible)
}

/// `3` of `003_add_index`
fn version_of(title: &str) -> Option<i64> {
    title.split_once('_')?.0.parse().ok()
}

/// The number of the newest row.
pub(crate) fn newest(connection: &Connection) -> Result<Option<i64>, Error> {
    connection
        .query_row("SELECT max(id) FROM main.bootproof_audit", [], |row| row.get(0))
        .map_err(|error| Error::from_sqlite("reading the audit table", error))
}

/// The names of the backups that boots have made, the newest first.
pub(crate) fn backups(connection: &Connection) -> Result<Vec<String>, Error> {
    Ok(details(connection)?.into_iter().filter_map(|detail| detail.backup).collect())
}

/// The seals that there have been.
pub(crate) fn seals(connection: &Connection) -> rusqlite::Result<Vec<i32>> {
    let mut statement = connection.prepare("SELECT detail FROM main.bootproof_audit")?;
    let rows = statement.query_map([], |row| Ok(Detail::parse(row.get_ref(0)?).seal))?;
    rows.filter_map(Result::transpose).collect()
}

/// The proof in the newest row.
pub(crate) fn newest_proof(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT detail FROM main.bootproof_audit ORDER BY id DESC LIMIT 1";
    let proof = connection.query_row(sql, [], |row| Ok(Detail::parse(row.get_ref(0)?).proof)).optional();
    proof.map(Option::flatten)
}

/// Adds the seal and the proof to the newest row.
pub(crate) fn record_seal(connection: &Connection, seal: i32, proof: Option<String>) -> rusqlite::Result<()> {
    let newest = "SELECT id, detail FROM main.bootproof_audit ORDER BY id DESC LIMIT 1";
    let (id, detail) =
        connection.query_row(newest, [], |row| Ok((row.get::<_, i64>(0)?, Detail::parse(row.get_ref(1)?))))?;
    let detail = Detail { seal: (seal != 0).then_some(seal), proof, ..detail };
    let sql = "UPDATE main.bootproof_audit SET detail = ?2 WHERE id = ?1";
    connection.execute(sql, (id, serde_json::to_string(&detail).unwrap_or_default()))?;
    Ok(())
}

/// What every row says, the newest first.
fn details(connection: &Connection) -> Result<Vec<Detail>, Error> {
    let read = || -> rusqlite::Result<Vec<Detail>> {
        let mut statement = connection.prepare("SELECT detail FROM main.bootproof_audit ORDER BY id DESC")?;
        let rows = statement.query_map([], |row| Ok(Detail::parse(row.get_ref(0)?)))?;
        rows.collect()
    };
    read().map_err(|error| Error::from_sqlite("reading the audit table", error))
}

/// The newest rows, the newest first. Rows that nobody could have written here are left out.
pub(crate) fn latest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<AuditReport>> {
    let mut statement = connection.prepare(
        "SELECT at, event, from_version, to_version, binary FROM main.bootproof_audit
         WHERE typeof(at) = 'text' AND typeof(event) = 'text' AND typeof(binary) = 'text'
         ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| {
        let text = |column| -> rusqlite::Result<_> {
            Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
        };
        Ok(AuditReport {
            at: text(0)?,
            event: text(1)?,
            from_version: row.get(2).unwrap_or_default(),
            to_version: row.get(3).unwrap_or_default(),
            binary: text(4)?,
        })
    })?;
    rows.collect()
}

/// Whether the audit table is there, and a boot could record itself in it.
pub(crate) fn exists(connection: &Connection) -> Result<bool, Error> {
    let columns = ["id", "at", "event", "from_version", "to_version", "binary", "detail"];
    own_table::exists(connection, AUDIT_TABLE, &columns)
}
