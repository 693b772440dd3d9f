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
use crate::plan::{self, Plan};
use crate::schema::Schema;
use crate::verify;

/// What a look at a database found.
pub(crate) struct Look {
    pub(crate) plan: Plan,
    pub(crate) live: Catalog,
    /// The differences from head that matter now: none before the pending migrations have run.
    pub(crate) differences: Vec<Difference>,
    /// The differences that this or an earlier adoption accepted.
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
pub(crate) fn look(schema: &Schema, connection: &Connection) -> Result<Look, Error> {
    let failed = |error| Error::from_sqlite("reading the schema", error);
    let start = Instant::now();
    let history = history::read(connection)?;
    let live = Catalog::read(connection).map_err(failed)?;
    let plan = plan::plan(schema, history.as_deref(), live.is_empty())?;
    let adoption = audit::adoption(connection).map_err(failed)?;
    let mut look =
        Look { tolerated: adoption.unwrap_or_default(), differences: Vec::new(), took: Duration::ZERO, live, plan };
    let accepted = adopt::prove(schema, look.plan.start, &look.live)?;
    look.tolerated.extend(accepted.into_iter().map(|difference| difference.message));
    if look.plan.pending.is_empty() {
        look.differences = differences_from_head(schema, &look.live)?;
        verify::schema(&look.differences, &look.tolerated, look.live.tables.len())?;
    }
    look.took = start.elapsed();
    Ok(look)
}

/// The differences from head; the fingerprint alone decides the common case.
pub(crate) fn differences_from_head(schema: &Schema, live: &Catalog) -> Result<Vec<Difference>, Error> {
    let compiled = schema.compiled().migrations.last().map(|migration| migration.fingerprint);
    if compiled == Some(Fingerprint::of(live).0) {
        return Ok(Vec::new());
    }
    Ok(difference::between(&expected::head_catalog(schema)?, live))
}

/// What keeps a database from being at head, as differences.
pub(crate) fn behind(look: &Look) -> Vec<Difference> {
    let difference =
        |object: &str, message: String| Difference { severity: Severity::Missing, object: object.to_owned(), message };
    let adopt =
        look.plan.adopts().then(|| difference("", "the database has no history: boot would adopt it".to_owned()));
    let pending = look
        .plan
        .pending
        .iter()
        .map(|migration| difference(migration.name, format!("migration {} is pending", migration.title())));
    adopt.into_iter().chain(pending).chain(look.repairs().cloned()).collect()
}
