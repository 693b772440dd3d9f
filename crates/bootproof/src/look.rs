//! Looking at a database: what it is, what it lacks, what is to be done. Reads only.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bootproof_catalog::{AUDIT_TABLE, Catalog, Difference, Fingerprint, HISTORY_TABLE, Reader, Severity, difference};
use rusqlite::Connection;

use crate::adopt;
use crate::audit;
use crate::error::Error;
use crate::expected;
use crate::history::{self, Entry};
use crate::plan::{self, Limit, Plan, Start};
use crate::schema::Schema;
use crate::seal;
use crate::takeover::{self, TakeOver};
use crate::verify;

/// What a look at a database found.
pub(crate) struct Look {
    pub(crate) plan: Plan,
    pub(crate) live: Catalog,
    /// How the live schema differs from the one compiled for the version it has or is recognised as.
    pub(crate) differences: Vec<Difference>,
    /// The keys of the differences that this or an earlier adoption accepted.
    pub(crate) tolerated: BTreeSet<String>,
    /// The history of another tool that is to be continued.
    pub(crate) foreign: Option<TakeOver>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Look {
    pub(crate) fn repairs(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.severity == Severity::Repairable)
    }

    /// Whether one transaction has nothing to do, be it that a migration waits to run outside.
    pub(crate) fn is_current_inside(&self) -> bool {
        self.plan.inside().pending.is_empty() && self.repairs().next().is_none() && !self.plan.adopts()
    }

    pub(crate) fn is_current(&self) -> bool {
        self.plan.pending.is_empty() && self.repairs().next().is_none() && !self.plan.adopts()
    }
}

/// Looks at history and schema, and decides what is to be done. Reads only, inside the caller's transaction.
pub(crate) fn at(schema: &Schema, connection: &Connection, limit: Limit) -> Result<Look, Error> {
    let start = Instant::now();
    let history = history::read(connection)?;
    refuse_lost(history.as_deref(), connection)?;
    let mut reader = Reader::default();
    let live = reader.read(connection).map_err(|error| Error::from_reading("reading the schema", error))?;
    let is_ahead = history.as_deref().and_then(<[_]>::last).is_some_and(|newest| newest.version > schema.head());
    let compatible = if is_ahead { audit::compatible(connection)? } else { BTreeSet::new() };
    let foreign = foreign(schema, connection, history.as_deref(), &live)?;
    let is_empty = takeover::without_histories(schema, &live).is_empty();
    let plan = plan::plan(schema, history.as_deref(), foreign.as_ref(), &compatible, is_empty, limit)?;
    let differences = match plan.version_recognised() {
        Some(version) if seal::means_what_it_says(connection) => differences_by(&mut reader, schema, version, &live)?,
        Some(version) => differences(schema, version, &live)?,
        None => Vec::new(),
    };
    let mut tolerated = audit::adoption(connection)?.unwrap_or_default();
    match plan.start {
        Start::Unmanaged(baseline, _) => tolerated.extend(adopt::prove(baseline, &differences)?),
        Start::Foreign(tool, version) => tolerated.extend(takeover::prove(schema, tool, version, &differences)?),
        Start::Empty | Start::Managed(_) => verify::schema(&differences, &tolerated, live.tables.len()).map(|_| ())?,
    }
    Ok(Look { plan, live, differences, tolerated, foreign, took: start.elapsed() })
}

/// The history of another tool, where no boot has recorded anything yet: in its own table, or, of refinery, in ours.
fn foreign(
    schema: &Schema,
    connection: &Connection,
    history: Option<&[Entry]>,
    live: &Catalog,
) -> Result<Option<TakeOver>, Error> {
    match history.and_then(<[_]>::last) {
        Some(_) if audit::exists(connection)? => Ok(None),
        Some(last) => Ok(Some(takeover::refinery::taken_over(last.version))),
        None => takeover::find(schema, connection, live),
    }
}

/// A database that boots have brought to a version has a history. One that was emptied is not adopted again: its migrations would
/// run a second time.
fn refuse_lost(history: Option<&[Entry]>, connection: &Connection) -> Result<(), Error> {
    if history.is_some_and(|entries| !entries.is_empty()) || !audit::exists(connection)? {
        return Ok(());
    }
    match audit::latest(connection, 1).map_err(|error| Error::from_sqlite("reading the audit table", error))?.first() {
        Some(latest) if latest.to_version.is_some() => {
            let version = latest.to_version.unwrap_or_default();
            let problem = format!("it is empty, and `{AUDIT_TABLE}` says that version {version} was reached");
            Err(Error::Malformed { table: HISTORY_TABLE, problems: vec![problem] })
        }
        _ => Ok(()),
    }
}

/// What a look at an empty database would find.
pub(crate) fn at_nothing(schema: &Schema, limit: Limit) -> Result<Look, Error> {
    let plan = plan::plan(schema, None, None, &BTreeSet::new(), true, limit)?;
    let (live, differences, tolerated) = (Catalog::default(), Vec::new(), BTreeSet::new());
    Ok(Look { plan, live, differences, tolerated, foreign: None, took: Duration::ZERO })
}

/// How a live schema differs from the one compiled for a version; the fingerprint alone decides the common case.
pub(crate) fn differences(schema: &Schema, version: i64, live: &Catalog) -> Result<Vec<Difference>, Error> {
    differences_by(&mut Reader::default(), schema, version, live)
}

/// The same, by whoever has read the live schema: what is written there as it was compiled is not read a second time, and equal
/// without being compared. Where somebody has added to the schema, that is nearly all of it.
fn differences_by(
    reader: &mut Reader,
    schema: &Schema,
    version: i64,
    live: &Catalog,
) -> Result<Vec<Difference>, Error> {
    let live = &*takeover::without_histories(schema, live);
    let compiled = schema.migration(version).map(|migration| migration.fingerprint);
    if compiled == Some(Fingerprint::of(live).0) {
        return Ok(Vec::new());
    }
    Ok(difference::between(&expected::catalog_by(reader, schema, version)?, live))
}

/// Why a database is not ready without a boot.
pub(crate) fn not_ready(look: &Look) -> Error {
    match look.plan.start {
        Start::Managed(version) if look.plan.pending.is_empty() => {
            Error::Unrepaired { version: look.plan.version_before().unwrap_or(version), work: behind(look) }
        }
        _ => Error::Behind { work: behind(look) },
    }
}

/// What a boot would do, in words.
pub(crate) fn behind(look: &Look) -> Vec<String> {
    let adopt = match look.plan.start {
        Start::Unmanaged(..) => Some("the database has no history: boot would adopt it".to_owned()),
        Start::Foreign(tool, version) => {
            Some(format!("the database is managed by {tool} at version {version}: boot would take it over"))
        }
        Start::Empty | Start::Managed(_) => None,
    };
    let pending = look.plan.pending.iter().map(|migration| format!("migration {} is pending", migration.title()));
    adopt.into_iter().chain(pending).chain(look.repairs().map(ToString::to_string)).collect()
}
