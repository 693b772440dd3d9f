//! Compiled migrations and a history in, what to do out. Pure: no database, no clock.

use crate::compiled::Migration;
use crate::error::Error;
use crate::history::Entry;
use crate::schema::Schema;

/// What a boot has to do about migrations.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How the database starts.
    pub(crate) start: Start,
    /// The migrations to run, in order.
    pub(crate) pending: Vec<&'static Migration>,
}

/// How a database starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Without anything in it.
    Empty,
    /// With tables but no history: to be adopted as this baseline.
    Unmanaged(&'static str, i64),
    /// With a history up to this version.
    Managed(i64),
}

impl Plan {
    /// The version the database is at before anything is done; `None` where it has no history.
    pub(crate) fn version_before(&self) -> Option<i64> {
        match self.start {
            Start::Managed(version) => Some(version),
            Start::Empty | Start::Unmanaged(..) => None,
        }
    }

    /// The version whose schema the database has now: as recorded, or as recognised.
    pub(crate) fn version_recognised(&self) -> Option<i64> {
        match self.start {
            Start::Managed(version) | Start::Unmanaged(_, version) => Some(version),
            Start::Empty => None,
        }
    }

    /// Whether the database is to be adopted.
    pub(crate) fn adopts(&self) -> bool {
        matches!(self.start, Start::Unmanaged(..))
    }
}

/// Decides, or refuses a history that this binary cannot continue.
pub(crate) fn plan(schema: &Schema, history: Option<&[Entry]>, is_empty: bool) -> Result<Plan, Error> {
    let migrations = schema.compiled().migrations;
    let history = history.unwrap_or_default();
    let Some(last) = history.last() else {
        return Ok(match schema.baseline() {
            Some(baseline) if !is_empty => Plan {
                start: Start::Unmanaged(baseline.title(), baseline.version),
                pending: after(migrations, baseline.version),
            },
            _ => Plan { start: Start::Empty, pending: migrations.iter().collect() },
        });
    };
    if last.version > schema.head() {
        return Err(Error::Newer { version: last.version, head: schema.head() });
    }
    refuse_divergent(schema, history)?;
    refuse_missing(schema, history, last.version)?;
    Ok(Plan { start: Start::Managed(last.version), pending: after(migrations, last.version) })
}

fn after(migrations: &'static [Migration], version: i64) -> Vec<&'static Migration> {
    migrations.iter().filter(|migration| migration.version > version).collect()
}

fn refuse_divergent(schema: &Schema, history: &[Entry]) -> Result<(), Error> {
    let mut divergent = Vec::new();
    for entry in history {
        let Some(migration) = schema.migration(entry.version) else { continue };
        if migration.name != entry.name {
            divergent.push(format!("{} was applied under the name `{}`", migration.title(), entry.name));
        } else if migration.checksum != entry.checksum {
            divergent.push(format!(
                "{} was applied on {} with checksum {}, and is compiled with {}",
                migration.title(),
                entry.applied_on,
                entry.checksum,
                migration.checksum
            ));
        }
    }
    if divergent.is_empty() { Ok(()) } else { Err(Error::Divergent { migrations: divergent }) }
}

fn refuse_missing(schema: &Schema, history: &[Entry], last: i64) -> Result<(), Error> {
    let mut missing: Vec<String> = history
        .iter()
        .filter(|entry| schema.migration(entry.version).is_none())
        .map(|entry| format!("{} {} was applied, and this binary does not have it", entry.version, entry.name))
        .collect();
    missing.extend(
        schema
            .compiled()
            .migrations
            .iter()
            .filter(|migration| migration.version < last)
            .filter(|migration| !history.iter().any(|entry| entry.version == migration.version))
            .map(|migration| format!("{} was never applied, although {last} was", migration.title())),
    );
    if missing.is_empty() { Ok(()) } else { Err(Error::Missing { migrations: missing }) }
}
