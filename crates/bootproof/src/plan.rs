//! Compiled migrations and a history in, what to do out. Pure: no database, no clock.

use std::collections::BTreeSet;

use bootproof_catalog::there_are;

use crate::compiled::{Migration, Replaced};
use crate::error::Error;
use crate::figure::one_line;
use crate::history::Entry;
use crate::schema::Schema;
use crate::takeover::{TakeOver, refinery};

/// That a version is none of these migrations', and which there are.
pub(crate) fn no_such_version(migrations: &[Migration], version: i64, whose: &str) -> Error {
    let versions: Vec<i64> = migrations.iter().map(|migration| migration.version).collect();
    Error::NoSuchVersion { version, reason: format!("is none of this {whose}'s; {}", there_are(&versions, version)) }
}

/// What a boot has to do about migrations.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How the database starts.
    pub(crate) start: Start,
    /// The migrations to run, in order.
    pub(crate) pending: Vec<&'static Migration>,
    /// Those that would follow, and are held back.
    pub(crate) held: Vec<Held>,
    /// What a newer binary applied, and marked as compatible with this one.
    pub(crate) ahead: Vec<Entry>,
}

/// A migration that is pending and is not to run, and what it waits for.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) migration: &'static Migration,
    pub(crate) why: String,
}

/// How far a boot may go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limit {
    /// The newest version; `None` for the head of the binary.
    pub(crate) target: Option<i64>,
    /// Whether migrations that wait for the operator's permission have it.
    pub(crate) maintenance: bool,
}

/// How a database starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Without anything in it.
    Empty,
    /// With tables but no history: to be adopted as this baseline.
    Unmanaged(&'static str, i64),
    /// With the history of this tool, up to this version: to be taken over.
    Foreign(&'static str, i64),
    /// With a history up to this version, as far as this binary knows it.
    Managed(i64),
}

impl Plan {
    /// The version the database is at before anything is done; `None` where it has no history.
    pub(crate) fn version_before(&self) -> Option<i64> {
        match (self.ahead.last(), self.start) {
            (Some(newest), _) => Some(newest.version),
            (None, Start::Managed(version) | Start::Foreign(_, version)) => Some(version),
            (None, Start::Empty | Start::Unmanaged(..)) => None,
        }
    }

    /// The version whose schema the database has now, as far as this binary knows it: as recorded, or as recognised.
    pub(crate) fn version_recognised(&self) -> Option<i64> {
        match self.start {
            Start::Managed(version) | Start::Unmanaged(_, version) | Start::Foreign(_, version) => Some(version),
            Start::Empty => None,
        }
    }

    /// The version the database is at when everything is done; -1 where nothing is ever applied.
    pub(crate) fn version_after(&self) -> i64 {
        let pending = self.pending.last().map(|migration| migration.version);
        pending.or(self.version_before()).or(self.version_recognised()).unwrap_or(-1)
    }

    /// The part of it that one transaction takes: up to the first migration that runs outside.
    pub(crate) fn inside(&self) -> Self {
        let inside = self.pending.iter().take_while(|migration| migration.no_transaction.is_none());
        Self { pending: inside.copied().collect(), ..self.clone() }
    }

    /// The first migration that runs outside the transaction.
    pub(crate) fn outside(&self) -> Option<&'static Migration> {
        self.pending.iter().copied().find(|migration| migration.no_transaction.is_some())
    }

    /// Whether the database is to be adopted, or taken over.
    pub(crate) fn adopts(&self) -> bool {
        matches!(self.start, Start::Unmanaged(..) | Start::Foreign(..))
    }
}

/// Decides, or refuses a history that this binary cannot continue.
///
/// `foreign` is the history of another tool, where there is one and no boot has continued it; `compatible` are the versions
/// that newer binaries marked as no obstacle for the binary before them.
pub(crate) fn plan(
    schema: &Schema,
    history: Option<&[Entry]>,
    foreign: Option<&TakeOver>,
    compatible: &BTreeSet<i64>,
    is_empty: bool,
    limit: Limit,
) -> Result<Plan, Error> {
    let plan = decide(schema, history, foreign, compatible, is_empty, limit)?;
    schema.steps().require(plan.pending.iter().copied())?;
    Ok(plan)
}

fn decide(
    schema: &Schema,
    history: Option<&[Entry]>,
    foreign: Option<&TakeOver>,
    compatible: &BTreeSet<i64>,
    is_empty: bool,
    limit: Limit,
) -> Result<Plan, Error> {
    let migrations = schema.compiled().migrations;
    let history = history.unwrap_or_default();
    let Some(last) = history.last() else {
        return Ok(match (foreign, schema.baseline()) {
            (Some(TakeOver { tool, version, .. }), _) => limit.hold(
                Start::Foreign(tool, *version),
                migrations.iter().filter(|migration| migration.version > *version),
            ),
            (None, Some(baseline)) if !is_empty => limit.hold(
                Start::Unmanaged(baseline.title(), baseline.version),
                migrations.iter().filter(|migration| migration.version > baseline.version),
            ),
            // Where there are no rows, there is nobody to ask for permission.
            _ => Limit { maintenance: true, ..limit }.hold(Start::Empty, migrations.iter()),
        });
    };
    let (known, ahead) = history.split_at(history.partition_point(|entry| entry.version <= schema.head()));
    if let Some(obstacle) = ahead.iter().find(|entry| !compatible.contains(&entry.version)) {
        let obstacle = one_line(&format!("{:03}_{}", obstacle.version, obstacle.name));
        return Err(Error::Newer { version: last.version, head: schema.head(), obstacle });
    }
    schema.refuse_below_baseline(last.version)?;
    refuse_divergent(schema, known)?;
    refuse_missing(schema, known, last.version)?;
    let pending = migrations.iter().filter(|migration| migration.version > last.version);
    let known = last.version.min(schema.head());
    let start = foreign.map_or(Start::Managed(known), |foreign| Start::Foreign(foreign.tool, known));
    Ok(Plan { ahead: ahead.to_vec(), ..limit.hold(start, pending) })
}

/// What is held back of a database at a version that boots go no further than.
pub(crate) fn held_above(schema: &Schema, version: i64, limit: Limit) -> Vec<Held> {
    let above = schema.compiled().migrations.iter().filter(|migration| migration.version > version);
    limit.hold(Start::Managed(version), above).held
}

impl Limit {
    /// Splits what is pending into what may run and what is held: from the first that may not, all.
    fn hold(self, start: Start, pending: impl Iterator<Item = &'static Migration>) -> Plan {
        let mut plan = Plan { start, pending: Vec::new(), held: Vec::new(), ahead: Vec::new() };
        for migration in pending {
            let why = match (plan.held.first(), migration.maintenance) {
                (Some(first), _) => Some(format!("waits for {}", first.migration.title())),
                (None, _) if self.target.is_some_and(|target| migration.version > target) => {
                    Some(format!("beyond the target, version {}", self.target.unwrap_or_default()))
                }
                (None, Some(why)) if !self.maintenance => Some(format!("waits for permission: {why}")),
                (None, _) => None,
            };
            match why {
                Some(why) => plan.held.push(Held { migration, why }),
                None => plan.pending.push(migration),
            }
        }
        plan
    }
}

fn refuse_divergent(schema: &Schema, history: &[Entry]) -> Result<(), Error> {
    let mut divergent = Vec::new();
    for entry in history {
        if is_replaced(schema, entry) {
            continue;
        }
        let Some(migration) = schema.migration(entry.version) else {
            divergent.extend(schema.replaced(entry.version).last().map(|replaced| {
                format!(
                    "{} {} was applied on {} with checksum {}, and had {} when it was squashed",
                    entry.version, entry.name, entry.applied_on, entry.checksum, replaced.checksum
                )
            }));
            continue;
        };
        if migration.name != entry.name {
            divergent.push(format!("{} was applied under the name `{}`", migration.title(), entry.name));
        } else if migration.checksum != entry.checksum && !refinery::is_checksum_of(schema, migration, entry.checksum) {
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

/// Whether a row is of a migration that the baseline stands for.
fn is_replaced(schema: &Schema, entry: &Entry) -> bool {
    let is_it = |replaced: &Replaced| replaced.name == entry.name && replaced.checksum == entry.checksum;
    schema.replaced(entry.version).any(is_it)
}

fn refuse_missing(schema: &Schema, history: &[Entry], last: i64) -> Result<(), Error> {
    let mut missing: Vec<String> = history
        .iter()
        .filter(|entry| schema.migration(entry.version).is_none() && !is_replaced(schema, entry))
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
    // A database that began with the baseline has none of what that stands for, another one all.
    let baseline = schema.baseline().map_or(i64::MIN, |baseline| baseline.version);
    if history.iter().any(|entry| entry.version <= baseline && is_replaced(schema, entry)) {
        let mut skipped: Vec<_> = schema.compiled().replaces.iter().collect();
        skipped.retain(|replaced| !history.iter().any(|entry| entry.version == replaced.version));
        // Unless it began with an earlier baseline, under a name of its own.
        let began = history.first().filter(|entry| {
            let mut known = schema.replaced(entry.version);
            known.any(|replaced| replaced.name != entry.name)
                && schema.replaced(entry.version).last().is_some_and(|last| last.name == entry.name)
        });
        skipped.retain(|replaced| began.is_none_or(|began| replaced.version > began.version));
        skipped.dedup_by_key(|replaced| replaced.version);
        missing.extend(
            skipped.iter().map(|it| format!("{} {} was never applied, although {last} was", it.version, it.name)),
        );
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::Missing { migrations: missing }) }
}
