//! Looking at a database: what it is, what it lacks, what is to be done. Reads only.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bootproof_catalog::{Catalog, Difference, Fingerprint, Severity, difference};
use rusqlite::Connection;

use crate::adopt;
use crate::audit;
use crate::error::Error;
use crate::expected;
use crate::history;
use crate::plan::{self, Limit, Plan, Start};
use crate::schema::Schema;
use crate::verify;

/// What a look at a database found.
pub(crate) struct Look {
    pub(crate) plan: Plan,
    pub(crate) live: Catalog,
    /// How the live schema differs from the one compiled for the version it has or is recognised as.
    pub(crate) differences: Vec<Difference>,
    /// The keys of the differences that this or an earlier adoption accepted.
    pub(crate) tolerated: BTreeSet<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Look {
    pub(crate) fn repairs(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.severity == Severity::Repairable)
    }

    pub(crate) fn is_current(&self) -> bool {
        self.plan.pending.is_empty() && self.repairs().next().is_none() && !self.plan.adopts()
    }
}

/// Looks at history and schema, and decides what is to be done. Reads only, inside the caller's transaction.
pub(crate) fn at(schema: &Schema, connection: &Connection, limit: Limit) -> Result<Look, Error> {
    let start = Instant::now();
    let history = history::read(connection)?;
    let live = Catalog::read(connection).map_err(|error| Error::from_reading("reading the schema", error))?;
    let is_ahead = history.as_deref().and_then(<[_]>::last).is_some_and(|newest| newest.version > schema.head());
    let compatible = if is_ahead { audit::compatible(connection)? } else { BTreeSet::new() };
    let plan = plan::plan(schema, history.as_deref(), &compatible, live.is_empty(), limit)?;
    let differences = match plan.version_recognised() {
        Some(version) => differences(schema, version, &live)?,
        None => Vec::new(),
    };
    let mut tolerated = audit::adoption(connection)?.unwrap_or_default();
    match plan.start {
        Start::Unmanaged(baseline, _) => tolerated.extend(adopt::prove(baseline, &differences)?),
        Start::Empty | Start::Managed(_) => verify::schema(&differences, &tolerated, live.tables.len()).map(|_| ())?,
    }
    Ok(Look { plan, live, differences, tolerated, took: start.elapsed() })
}

/// What a look at an empty database would find.
pub(crate) fn at_nothing(schema: &Schema, limit: Limit) -> Result<Look, Error> {
    let plan = plan::plan(schema, None, &BTreeSet::new(), true, limit)?;
    let (live, differences, tolerated) = (Catalog::default(), Vec::new(), BTreeSet::new());
    Ok(Look { plan, live, differences, tolerated, took: Duration::ZERO })
}

/// How a live schema differs from the one compiled for a version; the fingerprint alone decides the common case.
pub(crate) fn differences(schema: &Schema, version: i64, live: &Catalog) -> Result<Vec<Difference>, Error> {
    let compiled = schema.migration(version).map(|migration| migration.fingerprint);
    if compiled == Some(Fingerprint::of(live).0) {
        return Ok(Vec::new());
    }
    Ok(difference::between(&expected::catalog_at(schema, version)?, live))
}

/// What keeps a database from being at head, in words.
pub(crate) fn behind(look: &Look) -> Vec<String> {
    let adopt = look.plan.adopts().then(|| "the database has no history: boot would adopt it".to_owned());
    let pending = look.plan.pending.iter().map(|migration| format!("migration {} is pending", migration.title()));
    adopt.into_iter().chain(pending).chain(look.repairs().map(ToString::to_string)).collect()
}
