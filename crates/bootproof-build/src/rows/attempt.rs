//! Runs a migration on the rows there are, and looks after every statement where that is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::Failure;
use super::survey::{Content, dangling, survey};
use super::{Rows, Step, findings, references};
use crate::rehearse::{Performed, step_to_the_end};
use crate::writes;

/// What a migration left behind, seen before it is committed.
pub(super) struct Outcome {
    pub(super) after: BTreeMap<String, Content>,
    pub(super) dangling: BTreeMap<(String, String), usize>,
}

/// Whether foreign keys are on while a migration runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Off,
    On,
}

impl Rows {
    /// Runs a migration and undoes it.
    pub(super) fn try_out(
        &self,
        step: &Step<'_>,
        keys: Keys,
        interest: &BTreeSet<String>,
    ) -> rusqlite::Result<Result<Outcome, Failure>> {
        let outcome = self.try_out_and(step, keys, interest, |_| Ok(()))?;
        if outcome.is_ok() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.connection.pragma_update(None, "foreign_keys", false)?;
        Ok(outcome)
    }

    /// Runs a migration inside a transaction that stays open, unless a statement fails.
    pub(super) fn try_out_and(
        &self,
        step: &Step<'_>,
        keys: Keys,
        interest: &BTreeSet<String>,
        mut watch: impl FnMut(usize) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Result<Outcome, Failure>> {
        // Inside a transaction the switch does nothing: <https://sqlite.org/pragma.html#pragma_foreign_keys>.
        self.connection.pragma_update(None, "foreign_keys", keys == Keys::On)?;
        self.connection.execute_batch("BEGIN")?;
        for (position, performed) in step.script.iter().enumerate() {
            self.budget.renew();
            if let Err(error) = self.perform(step, performed) {
                if !self.connection.is_autocommit() {
                    self.connection.execute_batch("ROLLBACK")?;
                }
                self.connection.pragma_update(None, "foreign_keys", false)?;
                return Ok(Err(Failure::new(position, &error)));
            }
            watch(position)?;
        }
        self.budget.renew();
        let after = survey(&self.connection, step.after, interest)?;
        let dangling = dangling(&self.connection, step.after, interest)?;
        Ok(Ok(Outcome { after, dangling }))
    }

    fn perform(&self, step: &Step<'_>, performed: &Performed) -> rusqlite::Result<()> {
        let text = step.file.text.get(performed.statement.span.clone()).unwrap_or_default();
        step_to_the_end(&mut self.connection.prepare(text)?)
    }

    /// The statement with which foreign keys first did something to a table that the statement does not name.
    pub(super) fn culprits_of_actions(
        &self,
        step: &Step<'_>,
        actions: &[references::OnTable],
        interest: &BTreeSet<String>,
    ) -> rusqlite::Result<BTreeMap<String, usize>> {
        let tables: BTreeSet<String> = actions.iter().map(|action| action.table.clone()).collect();
        let mut culprits = BTreeMap::new();
        let mut last = survey(&self.connection, step.before, &tables)?;
        let outcome = self.try_out_and(step, Keys::On, interest, |position| {
            let Some(performed) = step.script.get(position) else { return Ok(()) };
            for table in &tables {
                // A table that is away for the moment, or has other columns by now, cannot be compared.
                let one = BTreeSet::from([table.clone()]);
                let now = survey(&self.connection, step.before, &one).ok().and_then(|mut found| found.remove(table));
                let is_other = last.get(table) != now.as_ref() && now.is_some();
                if is_other && !findings::names(performed, table) {
                    culprits.entry(table.clone()).or_insert(position);
                }
                last.extend(now.map(|now| (table.clone(), now)));
            }
            Ok(())
        });
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.connection.pragma_update(None, "foreign_keys", false)?;
        outcome?.ok();
        Ok(culprits)
    }

    /// The statement behind which references last began to dangle.
    pub(super) fn culprits_of_dangling(
        &self,
        step: &Step<'_>,
        new: &[(String, String)],
        interest: &BTreeSet<String>,
    ) -> rusqlite::Result<BTreeMap<(String, String), usize>> {
        let mut culprits = BTreeMap::new();
        if new.is_empty() {
            return Ok(culprits);
        }
        let mut last = BTreeMap::new();
        let outcome = self.try_out_and(step, Keys::Off, interest, |position| {
            let mut now: BTreeMap<(String, String), usize> = BTreeMap::new();
            for ((child, parent), count) in dangling(&self.connection, step.before, interest)? {
                now.insert((later_name(step, child), later_name(step, parent)), count);
            }
            for (key, count) in dangling(&self.connection, step.after, interest)? {
                let most = now.entry(key).or_default();
                *most = count.max(*most);
            }
            for key in new {
                if now.get(key) > last.get(key) {
                    culprits.insert(key.clone(), position);
                }
            }
            last = now;
            Ok(())
        });
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        outcome?.ok();
        Ok(culprits)
    }
}

/// The name of a table behind the migration, where it is there under another one.
pub(super) fn later_name(step: &Step<'_>, name: String) -> String {
    if step.after.tables.contains_key(&name) {
        return name;
    }
    let renamed = step.script.iter().filter_map(|performed| writes::renamed(step.file, performed));
    renamed.fold(name, |name, [old, new]| if old == name { new } else { name })
}
