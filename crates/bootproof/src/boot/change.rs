//! What a transaction does to the schema: forward with migrations, or back with their reverts.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::apply::{self, Applied};
use crate::audit::Event;
use crate::compiled::{Migration, ObjectKind};
use crate::error::Error;
use crate::event::Step;
use crate::look::Look;
use crate::plan::Start;
use crate::revert;
use crate::schema::Schema;
use crate::steps::Guard;
use crate::watch::Watch;
use crate::workload::Workload;

/// A change of the schema that is to be made and proven.
pub(super) enum Change {
    /// Apply what is pending, which may be nothing but repairs.
    Forward { start: Start, pending: Vec<&'static Migration>, to: i64 },
    /// Revert these, the newest first.
    Back { migrations: Vec<&'static Migration>, to: i64 },
}

impl Change {
    /// What a look found to be done, as far as one transaction takes it.
    pub(super) fn forward(look: &Look) -> Self {
        let plan = look.plan.inside();
        Self::Forward { start: plan.start, to: plan.version_after(), pending: plan.pending }
    }

    /// One migration that runs outside the transaction.
    pub(super) fn outside(look: &Look, migration: &'static Migration) -> Self {
        Self::Forward { start: look.plan.start, to: migration.version, pending: vec![migration] }
    }

    /// The version afterwards.
    pub(super) fn to(&self) -> i64 {
        match self {
            Self::Forward { to, .. } | Self::Back { to, .. } => *to,
        }
    }

    pub(super) fn is_outside(&self) -> bool {
        matches!(self, Self::Forward { pending, .. } if pending.iter().any(|migration| migration.no_transaction.is_some()))
    }

    pub(super) fn is_on_nothing(&self) -> bool {
        matches!(self, Self::Forward { start: Start::Empty, .. })
    }

    /// Whether anything but indexes is touched, which hold nothing that their tables do not.
    pub(super) fn needs_backup(&self) -> bool {
        match self {
            Self::Forward { start, pending, .. } => *start != Start::Empty && !pending.is_empty(),
            Self::Back { .. } => true,
        }
    }

    /// Runs every script and keeps the history.
    pub(super) fn run(
        &self,
        connection: &Connection,
        schema: &Schema,
        guard: Option<&Guard>,
        watch: &Watch,
        load: &Workload,
    ) -> Result<Vec<Applied>, Error> {
        match self {
            Self::Forward { start, pending, to } => {
                if let Start::Unmanaged(_, version) | Start::Foreign(_, version) = start {
                    apply::record_baseline(connection, schema, version.to_owned())?;
                }
                let after = crate::expected::catalog_at(schema, *to)?;
                apply::pending(connection, schema, guard, pending, &|migration, run| {
                    watch.step(Step::Migrate(migration.title()), load.migration(migration, &after), run)
                })
            }
            Self::Back { migrations, .. } => migrations
                .iter()
                .map(|migration| watch.step(Step::Revert(migration.title()), 0, || revert::one(connection, migration)))
                .collect(),
        }
    }

    /// The tables whose rows may be more or fewer afterwards, in lower case.
    pub(super) fn writes(&self) -> BTreeSet<&'static str> {
        match self {
            Self::Forward { pending, .. } => pending.iter().flat_map(|migration| migration.writes).copied().collect(),
            Self::Back { migrations, .. } => {
                let reverts = migrations.iter().filter_map(|migration| migration.revert.as_ref());
                reverts.flat_map(|revert| revert.writes).copied().collect()
            }
        }
    }

    /// The indexes that are built, also where one is dropped and made again.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &'static str> {
        let pending = match self {
            Self::Forward { pending, .. } => pending.as_slice(),
            Self::Back { .. } => &[],
        };
        let created = pending.iter().flat_map(|migration| migration.creates);
        created.filter(|object| object.kind == ObjectKind::Index).map(|object| object.name)
    }

    /// What the audit table calls it.
    pub(super) fn event(&self) -> Event {
        match self {
            Self::Forward { start: Start::Empty, .. } => Event::Create,
            Self::Forward { start: Start::Unmanaged(..) | Start::Foreign(..), .. } => Event::Adopt,
            Self::Forward { pending, .. } if pending.is_empty() => Event::Repair,
            Self::Forward { .. } => Event::Migrate,
            Self::Back { .. } => Event::Revert,
        }
    }
}
