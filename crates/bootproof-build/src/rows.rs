//! The rehearsal on rows: every migration once more, on tables that hold something, and what became of it.
//!
//! On empty tables a cascade deletes nothing, a copy loses nothing and no new constraint refuses anything. So a second
//! database follows the first one from version to version with a few rows in every table. It proves nothing about the
//! schema, and nothing of it is emitted: whatever fails here because of a value that was made up is tried again with
//! other rows, at last with none, and is no fault of the migration.

mod attempt;
mod failure;
mod fill;
mod findings;
mod judge;
mod lineage;
mod objects;
mod references;
mod row;
mod runner;
pub(crate) mod samples;
mod scope;
mod survey;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::budget::Budget;
use crate::compilation::LeftEmpty;
use crate::compiler::Stub;
use crate::diagnostic::Diagnostic;
use crate::lint::Terms;
use crate::rehearse::{Performed, Stage, copy, database, quotes, step_to_the_end};
use crate::source::File;

use attempt::Keys;
use failure::Failure;
use fill::{Filler, Variety};
use objects::Kind;
pub(crate) use runner::Runner;
use scope::{interest, shaken, touched};
use survey::{dangling, survey};
use values::Numbers;

/// How often a migration is tried with other rows before it goes without.
const ATTEMPTS: usize = 6;

/// A migration that has run on empty tables.
pub(crate) struct Step<'a> {
    pub(crate) file: &'a Arc<File>,
    pub(crate) script: &'a [Performed],
    pub(crate) before: &'a Catalog,
    pub(crate) after: &'a Catalog,
    /// The tables that it writes, drops or renames.
    pub(crate) writes: &'a BTreeSet<String>,
    /// The empty database behind it.
    pub(crate) stage: &'a Stage,
    /// Who runs it.
    pub(crate) runner: Runner,
}

/// A database that follows the rehearsal with rows in its tables.
pub(crate) struct Rows {
    connection: Connection,
    budget: Budget,
    /// The empty database before the migration, once `behind` has run: what to begin with when it is tried again.
    seeds: Connection,
    /// What `seeds` has yet to run. Most migrations are never tried again, so it is not kept up with them.
    behind: Vec<(Arc<File>, Vec<Range<usize>>)>,
    numbers: Numbers,
    /// Tables that may lack rows.
    unsettled: BTreeSet<String>,
    /// Triggers and views that are broken, each with what to say of it; nothing where that is allowed.
    broken: BTreeMap<(Kind, String), Option<Diagnostic>>,
    /// Those that are sound because a name in double quotes that nothing has is a text: what SQLite says where it is none, and
    /// what to say of it.
    with_texts: BTreeMap<(Kind, String), (String, Option<Diagnostic>)>,
    left_empty: Vec<LeftEmpty>,
}

impl Rows {
    pub(crate) fn open(stage: &Stage, stubs: &[Stub]) -> rusqlite::Result<Self> {
        let (mut connection, budget) = database(stubs)?;
        stage.copy_to(&mut connection)?;
        let (mut seeds, _) = database(stubs)?;
        stage.copy_to(&mut seeds)?;
        Ok(Self {
            connection,
            budget,
            seeds,
            behind: Vec::new(),
            numbers: Numbers::default(),
            unsettled: BTreeSet::new(),
            broken: BTreeMap::new(),
            with_texts: BTreeMap::new(),
            left_empty: Vec::new(),
        })
    }

    /// Goes on behind a migration that does nothing to rows.
    pub(crate) fn pass(&mut self, step: &Step<'_>) -> rusqlite::Result<()> {
        // It may not run inside a transaction, as what is behind does.
        self.behind.clear();
        step.stage.copy_to(&mut self.seeds)?;
        self.go_on_without_rows(step)
    }

    /// Runs a migration on rows and tells what they reveal; what is broken may yet be mended, and is told by [`Rows::finish`].
    pub(crate) fn rehearse(&mut self, step: &Step<'_>, terms: Terms<'_>) -> rusqlite::Result<Vec<Diagnostic>> {
        let tried = self.try_all(step);
        // A script may have set how ALTER TABLE works.
        self.connection.pragma_update(None, "legacy_alter_table", false)?;
        let findings = match tried {
            Ok(findings) => findings,
            Err(error) => {
                // Whatever is odd about these rows, the migration has run without them.
                self.start_over(step, &error.to_string())?;
                Vec::new()
            }
        };
        self.look_at_objects(step, terms);
        let spans = step.script.iter().map(|performed| performed.statement.span.clone());
        self.behind.push((Arc::clone(step.file), spans.collect()));
        Ok(findings)
    }

    /// What is still broken behind the last migration, and the tables that had no rows.
    pub(crate) fn finish(self) -> (Vec<Diagnostic>, Vec<LeftEmpty>) {
        let with_texts = self.with_texts.into_values().filter_map(|(_, finding)| finding);
        (self.broken.into_values().flatten().chain(with_texts).collect(), self.left_empty)
    }

    /// Tries rows of one kind after the other until the migration accepts some.
    fn try_all(&mut self, step: &Step<'_>) -> rusqlite::Result<Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let mut variety = Variety::Sparse;
        let mut without: BTreeSet<String> = BTreeSet::new();
        let mut refused_nulls = None;
        let mut attempts = 0;
        loop {
            attempts += 1;
            self.fill(step, variety, &without)?;
            let failure = match self.run(step)? {
                Ok(more) => {
                    findings.extend(refused_nulls);
                    findings.extend(more);
                    if variety == Variety::Full || !without.is_empty() {
                        // The next migration may well accept what this one does not.
                        self.go_on_without_rows(step)?;
                    } else {
                        let is_there = |key: &String| step.after.tables.contains_key(key);
                        self.unsettled = touched(step).into_iter().filter(is_there).collect();
                    }
                    return Ok(findings);
                }
                Err(failure) => failure,
            };
            if let Some(finding) = failure.certain(step) {
                findings.push(finding);
            } else if variety == Variety::Sparse {
                refused_nulls = failure.of_nulls(step);
                self.begin_anew(step.before)?;
                variety = Variety::Full;
                continue;
            } else if let Some(finding) = failure.of_full_rows(step) {
                findings.push(finding);
            }
            refused_nulls = None;
            let blamed: BTreeSet<_> = failure.tables(step).difference(&without).cloned().collect();
            for table in &blamed {
                self.leave_empty(step, table, &failure.message);
            }
            without.extend(blamed.iter().cloned());
            if blamed.is_empty() || attempts == ATTEMPTS {
                self.start_over(step, &failure.message)?;
                return Ok(findings);
            }
            self.begin_anew(step.before)?;
        }
    }

    /// The database as it was before the migration, without rows of ours.
    fn begin_anew(&mut self, before: &Catalog) -> rusqlite::Result<()> {
        for (file, spans) in self.behind.drain(..) {
            self.seeds.execute_batch("BEGIN")?;
            for span in spans {
                step_to_the_end(&mut self.seeds.prepare(file.text.get(span).unwrap_or_default())?)?;
            }
            self.seeds.execute_batch("COMMIT; PRAGMA legacy_alter_table = OFF")?;
        }
        copy(&self.seeds, &mut self.connection)?;
        self.unsettled = before.tables.keys().cloned().collect();
        Ok(())
    }

    /// The database as it is behind the migration, without rows of ours.
    fn go_on_without_rows(&mut self, step: &Step<'_>) -> rusqlite::Result<()> {
        step.stage.copy_to(&mut self.connection)?;
        self.unsettled = step.after.tables.keys().cloned().collect();
        Ok(())
    }

    /// Goes on behind the migration without having run it on rows.
    fn start_over(&mut self, step: &Step<'_>, reason: &str) -> rusqlite::Result<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.connection.pragma_update(None, "foreign_keys", false)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
        self.go_on_without_rows(step)?;
        for table in interest(step, &shaken(step)) {
            self.leave_empty(step, &table, reason);
        }
        Ok(())
    }

    fn leave_empty(&mut self, step: &Step<'_>, table: &str, reason: &str) {
        let Some(table) = step.before.tables.get(table).filter(|table| !table.is_virtual) else { return };
        let left = LeftEmpty { table: table.name.clone(), file: step.file.name.clone(), reason: reason.to_owned() };
        if !self.left_empty.iter().any(|known| known.table == left.table && known.file == left.file) {
            self.left_empty.push(left);
        }
    }

    fn fill(&mut self, step: &Step<'_>, variety: Variety, without: &BTreeSet<String>) -> rusqlite::Result<()> {
        self.budget.renew();
        let tables: BTreeSet<String> = self.unsettled.difference(without).cloned().collect();
        let mut filler = Filler {
            connection: &self.connection,
            catalog: step.before,
            numbers: &mut self.numbers,
            variety,
            promised: BTreeMap::new(),
            script: None,
        };
        for (table, reason) in filler.fill(&tables)? {
            self.leave_empty(step, &table, &reason);
        }
        self.unsettled.clear();
        Ok(())
    }

    /// Runs a migration, and commits it. The inner error is that of a statement; nothing has changed then.
    fn run(&mut self, step: &Step<'_>) -> rusqlite::Result<Result<Vec<Diagnostic>, Failure>> {
        let shaken = shaken(step);
        let interest = interest(step, &shaken);
        self.budget.renew();
        let was = survey(&self.connection, step.before, &interest)?;
        let on = (!shaken.is_empty()).then(|| self.try_out(step, Keys::On, &interest)).transpose()?;
        let off = match self.try_out_and(step, Keys::Off, &interest, |_| Ok(()))? {
            Ok(off) => off,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut findings = findings::of_rebuilds(step, &was, &off.after);
        let actions = match &on {
            Some(Ok(on)) => references::actions(step, &off.after, &on.after),
            _ => Vec::new(),
        };
        if actions.is_empty() && off.dangling.is_empty() {
            if let Some(Err(failure)) = &on {
                findings.extend(references::fails_with_keys(step, step.runner, failure));
            }
            self.connection.execute_batch("COMMIT")?;
            return Ok(Ok(findings));
        }
        // Something differs: once more, looking after every statement.
        self.connection.execute_batch("ROLLBACK")?;
        let known = dangling(&self.connection, step.before, &interest)?;
        let new: Vec<_> = off
            .dangling
            .iter()
            .filter(|(key, count)| *count > known.get(key).unwrap_or(&0))
            .map(|(key, _)| key.clone())
            .collect();
        let is_followed =
            matches!(&on, Some(Ok(on)) if on.dangling.iter().all(|(key, count)| known.get(key) >= Some(count)));
        if !actions.is_empty() {
            let culprits = self.culprits_of_actions(step, &actions, &interest)?;
            findings.extend(references::of_actions(step, step.runner, &actions, &culprits, &new));
        }
        if let Some(Err(failure)) = &on {
            findings.extend(references::fails_with_keys(step, step.runner, failure));
        }
        let culprits = self.culprits_of_dangling(step, &new, &interest)?;
        findings.extend(references::of_dangling(step, step.runner, &new, &culprits, is_followed)?);
        if let Err(failure) = self.try_out_and(step, Keys::Off, &interest, |_| Ok(()))? {
            return Ok(Err(failure));
        }
        self.connection.execute_batch("COMMIT")?;
        Ok(Ok(findings))
    }

    /// Which of some objects are broken. A text in double quotes breaks none that was made with it; where a column is gone, what
    /// was its name would be such a text, too.
    fn broken(
        &mut self,
        step: &Step<'_>,
        objects: &BTreeSet<(Kind, String)>,
        terms: Terms<'_>,
    ) -> rusqlite::Result<BTreeMap<(Kind, String), String>> {
        quotes::are_texts(&self.connection, false)?;
        let broken = objects::broken(&self.connection, step.after, objects);
        quotes::are_texts(&self.connection, true)?;
        let mut broken = broken?;
        self.with_texts.retain(|object, _| broken.contains_key(object) || !objects.contains(object));
        let about_texts = broken.iter().filter(|(_, message)| quotes::is_about(message));
        let about_texts: BTreeSet<_> = about_texts.map(|(object, _)| object.clone()).collect();
        if about_texts.is_empty() {
            return Ok(broken);
        }
        let really = objects::broken(&self.connection, step.after, &about_texts)?;
        for object in about_texts {
            if let Some(message) = really.get(&object) {
                broken.insert(object, message.clone());
                continue;
            }
            let Some(message) = broken.get(&object) else { continue };
            if self.with_texts.get(&object).is_some_and(|(known, _)| known == message) {
                broken.remove(&object);
            } else if let Some(finding) = findings::with_text(step, object.0, &object.1, message) {
                self.with_texts.insert(object.clone(), (message.clone(), terms.settle(finding)));
                broken.remove(&object);
            }
        }
        Ok(broken)
    }

    /// Remembers which triggers and views the migration broke, and forgets those that are sound again.
    fn look_at_objects(&mut self, step: &Step<'_>, terms: Terms<'_>) {
        self.with_texts.retain(|(kind, key), _| kind.of(step.after, key).is_some());
        let mut touched = touched(step);
        let is_new = |name: &&String, known: bool| !known && !name.is_empty();
        let new_views = step
            .after
            .views
            .keys()
            .filter(|key| is_new(key, step.before.views.get(*key) == step.after.views.get(*key)));
        touched.extend(new_views.cloned());
        let mut objects = objects::dependents(step.after, &touched);
        objects
            .extend(step.after.views.keys().filter(|key| touched.contains(*key)).map(|key| (Kind::View, key.clone())));
        let new_triggers =
            step.after.triggers.iter().filter(|(key, trigger)| step.before.triggers.get(*key) != Some(trigger));
        objects.extend(new_triggers.map(|(key, _)| (Kind::Trigger, key.clone())));
        objects.extend(self.broken.keys().cloned());
        if objects.is_empty() {
            return;
        }
        self.budget.renew();
        // What cannot even be asked, since the application brings a function of it, is none of ours.
        let Ok(mut broken) = self.broken(step, &objects, terms) else { return };
        self.broken.retain(|object, _| broken.remove(object).is_some());
        for ((kind, key), message) in broken {
            let finding = terms.settle(findings::broken(step, kind, &key, &message));
            self.broken.insert((kind, key), finding);
        }
    }
}
