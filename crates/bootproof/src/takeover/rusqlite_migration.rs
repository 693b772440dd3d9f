//! `rusqlite_migration`: no table, but `PRAGMA user_version`, which counts the migrations that were applied.
//!
//! The number is free for everybody, so it is believed only where the structure agrees. Its migrations have no layout of their
//! own that another tool reads: whoever comes from there has files in ours.

use bootproof_catalog::Catalog;
use rusqlite::Connection;

use super::TakeOver;
use crate::adopt;
use crate::compiled::Migration;
use crate::error::Error;
use crate::schema::Schema;

const NAME: &str = "rusqlite_migration";

pub(super) fn find(schema: &Schema, connection: &Connection, live: &Catalog) -> Result<Option<TakeOver>, Error> {
    let failed = |error| Error::from_sqlite("reading the version in the header", error);
    let count: i64 = connection.pragma_query_value(Some("main"), "user_version", |row| row.get(0)).map_err(failed)?;
    if schema.compiled().dialect != "bootproof" || count <= 0 || live.is_empty() {
        return Ok(None);
    }
    let migrations = schema.compiled().migrations;
    let mut replaced: Vec<i64> = schema.compiled().replaces.iter().map(|replaced| replaced.version).collect();
    replaced.dedup();
    let position = usize::try_from(count).ok().and_then(|count| count.checked_sub(1));
    if let Some(version) = position.filter(|position| position + 1 < replaced.len()).and_then(|at| replaced.get(at)) {
        schema.refuse_below_baseline(*version)?;
    }
    // What the baseline stands for was counted one by one.
    let applied = position.and_then(|position| migrations.get(position.checked_sub(replaced.len().saturating_sub(1))?));
    let refusal = if let Some(migration) = applied {
        let version = migration.version;
        match super::prove(schema, NAME, version, &super::differences(schema, version, live)?) {
            Ok(_) => return Ok(Some(taken_over(count, migration))),
            Err(refusal) => refusal,
        }
    } else {
        let problem = format!(
            "`PRAGMA user_version` is {count}, as {NAME} counts, and this binary has {} migrations",
            migrations.len()
        );
        Error::Missing { migrations: vec![problem] }
    };
    // Perhaps the number is the application's own: then nothing but the baseline is there.
    let Some(baseline) = schema.baseline() else { return Ok(None) };
    let differences = super::differences(schema, baseline.version, live)?;
    let is_baseline = adopt::prove(baseline.title(), &differences).is_ok()
        && super::later(schema, baseline.version, &differences).next().is_none();
    // Of a database that is neither, the adoption that follows tells what is missing.
    let has_nothing_of_it = adopt::prove(baseline.title(), &differences).is_err();
    if is_baseline || has_nothing_of_it { Ok(None) } else { Err(refusal) }
}

fn taken_over(count: i64, migration: &Migration) -> TakeOver {
    let version = migration.version;
    let note =
        format!("taken over from {NAME} at version {version}; `PRAGMA user_version`, {count}, is left as it was");
    TakeOver { tool: NAME, version, notes: vec![note] }
}
