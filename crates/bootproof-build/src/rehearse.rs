//! Runs SQL on an in-memory SQLite, the very version that ships. No module outside this one opens a database.
//!
//! Statements are split by SQLite itself: it prepares the first statement of a text and tells how much of it that was.

mod database;
mod library;
pub(crate) mod quotes;
mod renaming;
mod run;
mod split;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::{AUDIT_DDL, HISTORY_DDL, Reader, is_bookkeeping};
use rusqlite::{Connection, params_from_iter};

use crate::budget::Budget;
use crate::compilation::Statement;
use crate::compiler::Stub;
use crate::diagnostic::Diagnostics;
use crate::dialect::wrapper::Wrapping;
use crate::effect::{Effects, Recorder};
use crate::explain::Known;
use crate::lint::Terms;
use crate::parse::Allows;
use crate::rows::Runner;
use crate::source::File;

pub(crate) use self::database::{StandIns, copy, database, open_image};
pub(crate) use self::library::{JournalEntry, journal, timestamp};
pub(crate) use self::run::step_to_the_end;

/// The database on which everything is tried.
pub(crate) struct Stage {
    connection: Connection,
    recorder: Recorder,
    budget: Budget,
    reader: RefCell<Reader>,
    stand_ins: StandIns,
}

/// A statement and what it does.
pub(crate) struct Performed {
    pub(crate) statement: Statement,
    pub(crate) effects: Effects,
    /// How what `IF NOT EXISTS` keeps differs from what the statement would have made.
    pub(crate) kept: Vec<String>,
}

/// A way back that ran and was undone.
pub(crate) struct Tried {
    pub(crate) script: Vec<Performed>,
    /// The schema it left.
    pub(crate) left: Catalog,
}

/// A statement of a text, prepared but not run.
pub(crate) struct Prepared<'stage> {
    pub(crate) statement: rusqlite::Statement<'stage>,
    pub(crate) effects: Effects,
    /// From its first word to its end, in bytes of the file.
    pub(crate) span: Range<usize>,
    /// Where its first parameter stands, if it has any.
    pub(crate) parameter: Option<usize>,
}

impl Stage {
    /// An empty database with the migrator's own tables, as boot will find or make it.
    pub(crate) fn open(stubs: &[Stub]) -> rusqlite::Result<Self> {
        let (mut connection, budget) = database(stubs)?;
        connection.execute_batch(HISTORY_DDL)?;
        connection.execute_batch(AUDIT_DDL)?;
        quotes::are_texts(&connection, false)?;
        let stand_ins = StandIns::default();
        stand_ins.register(&connection, stubs)?;
        let recorder = Recorder::install(&mut connection)?;
        Ok(Self { connection, recorder, budget, reader: RefCell::default(), stand_ins })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Makes another database equal to this one.
    pub(crate) fn copy_to(&self, other: &mut Connection) -> rusqlite::Result<()> {
        copy(&self.connection, other)
    }

    pub(crate) fn catalog(&self) -> rusqlite::Result<Catalog> {
        self.budget.renew();
        self.reader.borrow_mut().read(&self.connection)
    }

    /// Foreign keys that SQLite can check no row of, and that a boot would refuse: child and parent.
    ///
    /// SQLite looks at the key itself, so it does not matter that the tables are empty
    /// (<https://sqlite.org/foreignkeys.html#fk_schema_errors>). It tells one for each child.
    /// What is not known to be as it was `before` is looked at again.
    pub(crate) fn foreign_key_mismatches(
        &self,
        before: &Catalog,
        after: &Catalog,
        mismatches: &mut BTreeSet<(String, String)>,
    ) -> rusqlite::Result<()> {
        self.budget.renew();
        let mut changed = after.tables_unlike(before);
        changed.extend(before.tables_unlike(after));
        if changed.is_empty() {
            return Ok(());
        }
        let concerns = |table: &Table| table.foreign_keys.iter().any(|key| changed.contains(&key.parent));
        mismatches.retain(|(child, _)| {
            let child = child.to_ascii_lowercase();
            !changed.contains(&child) && !after.tables.get(&child).is_none_or(|table| concerns(table))
        });
        let mut statement = self.connection.prepare("SELECT 1 FROM pragma_foreign_key_check(?1, 'main')")?;
        let to_check = after
            .tables
            .iter()
            .filter(|(key, table)| !table.foreign_keys.is_empty() && (changed.contains(*key) || concerns(table)));
        for (_, table) in to_check {
            match statement.query([&table.name])?.next() {
                Ok(_) => {}
                // `foreign key mismatch - "child" referencing "parent"`
                Err(rusqlite::Error::SqliteFailure(_, Some(message))) if message.contains("foreign key mismatch") => {
                    let (_, parent) = message.rsplit_once(" referencing ").unwrap_or_default();
                    mismatches.insert((table.name.clone(), parent.trim_matches('"').to_owned()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Runs a migration inside a transaction, as boot will, and commits it if it is without fault.
    ///
    /// `None` where it is not; what is wrong has been reported then.
    pub(crate) fn run(
        &self,
        file: &Arc<File>,
        runner: Runner,
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        self.connection.execute_batch("BEGIN")?;
        let script = self.run_statements(Wrapping::new(file).run_by(runner), known, terms, diagnostics)?;
        if script.is_some() {
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(script)
    }

    /// Runs a migration outside any transaction, as boot will on a copy.
    ///
    /// `None` where it is not without fault; what is wrong has been reported then.
    pub(crate) fn run_outside(
        &self,
        file: &Arc<File>,
        runner: Runner,
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        self.run_statements(Wrapping::outside(file).run_by(runner), known, terms, diagnostics)
    }

    /// Whether a migration that its own tool runs outside a transaction runs inside one as well. Undoes it.
    pub(crate) fn runs_inside(
        &self,
        file: &Arc<File>,
        runner: Runner,
        known: Known<'_>,
        terms: Terms<'_>,
    ) -> rusqlite::Result<bool> {
        let mut ignored = Diagnostics::new(String::new());
        self.connection.execute_batch("BEGIN")?;
        let script = self.run_statements(Wrapping::new(file).run_by(runner), known, terms, &mut ignored)?;
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(script.is_some())
    }

    /// What a statement would do, without running it; nothing where SQLite does not prepare it.
    pub(crate) fn effects_of(&self, sql: &str) -> Effects {
        self.recorder.take();
        self.budget.renew();
        let prepared = self.connection.prepare(sql).is_ok();
        let effects = self.recorder.take();
        if prepared { effects } else { Effects::default() }
    }

    /// Runs a way back, tells what it did and what schema it left, and undoes it.
    ///
    /// `None` where it is not without fault; what is wrong has been reported then.
    pub(crate) fn try_out(
        &self,
        file: &Arc<File>,
        known: Known<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Tried>> {
        self.connection.execute_batch("BEGIN")?;
        let terms = Terms { allows: &Allows::default(), is_released: false };
        let script = self.run_statements(Wrapping::new(file), known, terms, diagnostics)?;
        let tried = script.map(|script| Ok(Tried { script, left: self.catalog()? })).transpose();
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        tried
    }

    /// Runs a script on a schema of what was `there` and what was `made` with it, undoes it all, and tells what it did if it
    /// left what was there, and if these statements make a schema of their own.
    pub(crate) fn try_on(
        &self,
        there: &[String],
        made: &[String],
        script: &Arc<File>,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let run = |statements: &[String]| statements.iter().try_for_each(|sql| self.connection.execute_batch(sql));
        // It has been judged where it was made.
        quotes::are_texts(&self.connection, true)?;
        self.connection.execute_batch("BEGIN")?;
        self.budget.renew();
        let before = run(there).and_then(|()| self.catalog());
        let tried = match before.and_then(|before| run(made).map(|()| before)) {
            Ok(before) => {
                let terms = Terms { allows: &Allows::default(), is_released: false };
                let known = Known { earlier: &[], later: &[] };
                let ran =
                    self.run_statements(Wrapping::new(script), known, terms, &mut Diagnostics::new(String::new()));
                ran.map(|ran| ran.filter(|_| self.catalog().is_ok_and(|left| left == before)))
            }
            Err(_) => Ok(None),
        };
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        tried
    }

    /// The statements that made some objects, by name in lower case; tables first, then views, indexes and triggers.
    pub(crate) fn statements_of(&self, names: &BTreeSet<String>) -> rusqlite::Result<Vec<String>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "SELECT sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND lower(name) IN ({marks})
             ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'view' THEN 2 WHEN 'index' THEN 3 ELSE 4 END, rowid"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let statements = statement.query_map(params_from_iter(names), |row| row.get(0))?;
        statements.collect()
    }

    /// The statements that make the schema, without the bookkeeping of SQLite and of the migrator.
    pub(crate) fn schema(&self) -> rusqlite::Result<Vec<String>> {
        self.budget.renew();
        let sql = "SELECT name, tbl_name, sql FROM main.sqlite_schema
                   WHERE sql IS NOT NULL
                   AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
                   ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'view' THEN 2 WHEN 'index' THEN 3 ELSE 4 END, name";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut schema = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, table): (String, String) = (row.get(0)?, row.get(1)?);
            if !is_bookkeeping(&name) && !is_bookkeeping(&table) {
                schema.push(row.get(2)?);
            }
        }
        Ok(schema)
    }

    /// The functions of the application that were called so far, and gave NULL instead of what they give.
    pub(crate) fn stand_ins(&self) -> Vec<String> {
        self.stand_ins.called()
    }

    /// An empty database at head: the same bytes whenever the same migrations are compiled.
    pub(crate) fn image(mut self) -> rusqlite::Result<Vec<u8>> {
        self.budget.renew();
        quotes::are_texts(&self.connection, true)?;
        // The format of the file is not a migration's to choose.
        self.connection.pragma_update(None, "page_size", 4096)?;
        self.connection.pragma_update(None, "auto_vacuum", "NONE")?;
        // Pages in the order of the schema, none of them free.
        self.connection.execute_batch("VACUUM")?;
        Ok(self.connection.serialize(rusqlite::MAIN_DB)?.to_vec())
    }
}
