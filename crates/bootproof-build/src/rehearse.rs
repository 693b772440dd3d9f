//! Runs SQL on an in-memory SQLite, the very version that ships. No other module opens a database.
//!
//! Statements are split by SQLite itself: it prepares the first statement of a text and tells how much of it that was.

mod split;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::{AUDIT_DDL, HISTORY_DDL, Reader, difference, is_bookkeeping, quoted};
use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Null;
use rusqlite::{Batch, Connection, params_from_iter};

use crate::budget::{self, Budget};
use crate::compilation::Statement;
use crate::compiler::Stub;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::wrapper::{self, Role, Wrapping};
use crate::effect::{Effects, Recorder};
use crate::explain::{Explainer, Known};
use crate::lint::if_not_exists::{self, Creation};
use crate::lint::{self, Terms};
use crate::parse::Allows;
use crate::source::File;

use split::consumed;

/// The database on which everything is tried.
pub(crate) struct Stage {
    connection: Connection,
    recorder: Recorder,
    budget: Budget,
    reader: RefCell<Reader>,
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
        let recorder = Recorder::install(&mut connection)?;
        Ok(Self { connection, recorder, budget, reader: RefCell::default() })
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
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        self.connection.execute_batch("BEGIN")?;
        let script = self.run_statements(Wrapping::new(file), known, terms, diagnostics)?;
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
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        self.run_statements(Wrapping::outside(file), known, terms, diagnostics)
    }

    /// Whether a migration that its own tool runs outside a transaction runs inside one as well. Undoes it.
    pub(crate) fn runs_inside(&self, file: &Arc<File>, known: Known<'_>, terms: Terms<'_>) -> rusqlite::Result<bool> {
        let mut ignored = Diagnostics::new(String::new());
        self.connection.execute_batch("BEGIN")?;
        let script = self.run_statements(Wrapping::new(file), known, terms, &mut ignored)?;
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

    fn run_statements(
        &self,
        mut wrapping: Wrapping<'_>,
        known: Known<'_>,
        terms: Terms<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let script = self.run_pieces(known, terms.allows, &mut wrapping, diagnostics)?;
        if wrapping.alters_as_before() {
            self.connection.pragma_update(None, "legacy_alter_table", false)?;
        }
        let is_closed = script.is_none() || wrapping.finish(terms, diagnostics);
        Ok(script.filter(|_| is_closed))
    }

    fn run_pieces(
        &self,
        known: Known<'_>,
        allows: &Allows,
        wrapping: &mut Wrapping<'_>,
        diagnostics: &mut Diagnostics,
    ) -> rusqlite::Result<Option<Vec<Performed>>> {
        let file = wrapping.file();
        let mut script = Vec::new();
        let mut is_sound = true;
        let mut rest = file.part.start..file.end_of_piece(file.part.start);
        loop {
            let start = rest.start;
            let explain = |error: &rusqlite::Error| {
                Ok::<_, rusqlite::Error>(Explainer { file, catalog: &self.catalog()?, known }.explain(error, start))
            };
            let (mut prepared, end) = match self.prepare(file, rest.clone()) {
                Ok(Some(prepared)) => prepared,
                Ok(None) if rest.end < file.part.end => {
                    rest = rest.end..file.end_of_piece(rest.end);
                    continue;
                }
                Ok(None) => return Ok(is_sound.then_some(script)),
                Err(error) => {
                    let effects = self.recorder.take();
                    if let Some(end) = wrapping.leaves_out_unprepared(&effects, rest.clone()) {
                        rest.start = end;
                        continue;
                    }
                    // What touches a reserved table is refused for that, whatever else is wrong with it.
                    let diagnostic = match lint::reserved_table(&effects) {
                        Some(diagnostic) => diagnostic.at(file, file.first_word(rest)),
                        None => explain(&error)?,
                    };
                    diagnostics.push(diagnostic);
                    return Ok(None);
                }
            };
            rest.start = end;
            let role = wrapping.judge(&prepared.effects, &prepared.span);
            if let Some(diagnostic) = refusal(file, &prepared, &role, allows) {
                // It is not run; the statements behind it are still worth a look.
                diagnostics.push(diagnostic);
                is_sound = false;
                continue;
            }
            if matches!(role, Role::LeftOut) {
                continue;
            }
            let kept = self.kept(file.text.get(prepared.span.clone()).unwrap_or_default())?;
            let outcome = if matches!(role, Role::Check) {
                first_violation(&mut prepared.statement).map(|violation| {
                    diagnostics.extend(violation.map(|found| found.at(file, file.first_word(prepared.span.clone()))));
                })
            } else {
                step_to_the_end(&mut prepared.statement)
            };
            let Prepared { effects, span, .. } = prepared;
            if let Err(error) = outcome {
                diagnostics.push(explain(&error)?);
                return Ok(None);
            }
            if self.connection.is_autocommit() != wrapping.is_outside() {
                diagnostics.push(lint::transaction_control().at(file, file.first_word(span)));
                return Ok(None);
            }
            // At boot every foreign key is checked anyway, once for all migrations.
            if matches!(role, Role::Check) && file.dialect.is_foreign() {
                continue;
            }
            let line = file.line(span.start);
            script.push(Performed { statement: Statement { span, line }, effects, kept });
        }
    }

    /// What a `CREATE … IF NOT EXISTS` that is about to run will keep instead: how that differs from what it asks for.
    ///
    /// SQLite tells by making both.
    fn kept(&self, sql: &str) -> rusqlite::Result<Vec<String>> {
        let Some(Creation { kind, name, .. }) = if_not_exists::conditional(sql) else { return Ok(Vec::new()) };
        let only = |catalog: Catalog| match kind.as_str() {
            "TABLE" => Catalog {
                tables: catalog.tables.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            "INDEX" => Catalog {
                indexes: catalog.indexes.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            "TRIGGER" => Catalog {
                triggers: catalog.triggers.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
            _ => Catalog {
                views: catalog.views.into_iter().filter(|(key, _)| *key == name).collect(),
                ..Catalog::default()
            },
        };
        let found = only(self.catalog()?);
        if found == Catalog::default() {
            return Ok(Vec::new());
        }
        self.connection.execute_batch("SAVEPOINT kept")?;
        self.budget.renew();
        let made = self.connection.execute_batch(&format!("DROP {kind} {}; {sql}", quoted(&name)));
        let asked_for = made.and_then(|()| self.catalog());
        self.connection.execute_batch("ROLLBACK TO kept; RELEASE kept")?;
        // Where it cannot be made here, it says nothing of another definition.
        let differences = asked_for.map(|catalog| difference::between(&only(catalog), &found)).unwrap_or_default();
        let lacking = differences.into_iter().filter(|difference| difference.severity != difference::Severity::Extra);
        Ok(lacking.map(|difference| difference.message).collect())
    }

    /// Prepares the first statement in a part of a file, and tells where the next one starts.
    pub(crate) fn prepare(&self, file: &File, part: Range<usize>) -> rusqlite::Result<Option<(Prepared<'_>, usize)>> {
        let text = file.text.get(part.clone()).unwrap_or_default();
        self.recorder.take();
        self.budget.renew();
        let Some(statement) = Batch::new(&self.connection, text).next()? else { return Ok(None) };
        let effects = self.recorder.take();
        let (length, parameter) = consumed(text, &statement.expanded_sql().ok_or_else(budget::too_large)?);
        let end = part.start + length;
        let span = file.first_word(part.start..end).start..end;
        let parameter = parameter.map(|position| part.start + position);
        Ok(Some((Prepared { statement, effects, span, parameter }, end)))
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

    /// An empty database at head: the same bytes whenever the same migrations are compiled.
    pub(crate) fn image(mut self) -> rusqlite::Result<Vec<u8>> {
        self.budget.renew();
        // The format of the file is not a migration's to choose.
        self.connection.pragma_update(None, "page_size", 4096)?;
        self.connection.pragma_update(None, "auto_vacuum", "NONE")?;
        // Pages in the order of the schema, none of them free.
        self.connection.execute_batch("VACUUM")?;
        Ok(self.connection.serialize(rusqlite::MAIN_DB)?.to_vec())
    }
}

/// A database in memory, without anything in it, that is as strict as a boot.
pub(crate) fn database(stubs: &[Stub]) -> rusqlite::Result<(Connection, Budget)> {
    let mut connection = Connection::open_in_memory()?;
    // In double quotes SQLite would take a misspelt column for text: <https://sqlite.org/quirks.html#dblquote>.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Boot turns them off too, or the DROP TABLE of a rebuild would delete the rows of other tables through CASCADE.
    connection.pragma_update(None, "foreign_keys", false)?;
    for stub in stubs {
        // As views, triggers, indexes and generated columns may call it.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function(&*stub.name, stub.arguments, flags, |_| Ok(Null))?;
    }
    let budget = Budget::install(&mut connection)?;
    Ok((connection, budget))
}

/// Makes one database equal to another, page by page.
pub(crate) fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    Backup::new(from, to)?.step(-1).map(|_| ())
}

/// The database of an image, to read from.
pub(crate) fn open_image(image: &[u8], stubs: &[Stub]) -> rusqlite::Result<Connection> {
    let (mut connection, _) = database(stubs)?;
    connection.deserialize_read_exact(rusqlite::MAIN_DB, image, image.len(), true)?;
    Ok(connection)
}

/// A time in seconds since 1970 as `YYYYMMDDHHMMSS` in UTC: SQLite's calendar saves every build script a library.
pub(crate) fn timestamp(seconds: i64) -> rusqlite::Result<i64> {
    let connection = Connection::open_in_memory()?;
    let sql = "SELECT CAST(strftime('%Y%m%d%H%M%S', ?1, 'unixepoch') AS INTEGER)";
    connection.query_row(sql, [seconds], |row| row.get(0))
}

/// Why a statement is not run, if it must not be.
fn refusal(file: &Arc<File>, prepared: &Prepared<'_>, role: &Role, allows: &Allows) -> Option<Diagnostic> {
    if let Some(parameter) = prepared.parameter {
        return Some(lint::bound_parameter().at(file, parameter..parameter + 1));
    }
    let diagnostic = match role {
        Role::Refused(diagnostic) => Diagnostic::clone(diagnostic),
        Role::Statement => lint::forbidden(&prepared.effects)?,
        Role::Honoured | Role::LeftOut | Role::Check => return None,
    };
    if allows.permit(diagnostic.rule()) {
        return None;
    }
    Some(diagnostic.at(file, file.first_word(prepared.span.clone())))
}

/// An entry of drizzle's journal.
pub(crate) struct JournalEntry {
    pub(crate) index: i64,
    /// The name of the file without its extension.
    pub(crate) tag: String,
    /// In milliseconds since 1970.
    pub(crate) when: i64,
}

/// Reads drizzle's journal: SQLite knows JSON, which saves every build script a library.
pub(crate) fn journal(text: &str) -> rusqlite::Result<Vec<JournalEntry>> {
    let connection = Connection::open_in_memory()?;
    let sql = "SELECT value ->> 'idx', value ->> 'tag', value ->> 'when' FROM json_each(?1, '$.entries')
               ORDER BY value ->> 'idx'";
    let mut statement = connection.prepare(sql)?;
    let entries = statement
        .query_map([text], |row| Ok(JournalEntry { index: row.get(0)?, tag: row.get(1)?, when: row.get(2)? }))?;
    entries.collect()
}

/// The first row of a `PRAGMA foreign_key_check`.
fn first_violation(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<Option<Diagnostic>> {
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Some(wrapper::violation(&table, id, &parent)))
}

/// Rows that a statement returns are of no interest, but it is only done when the last one is read.
pub(crate) fn step_to_the_end(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<()> {
    let mut rows = statement.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}
