//! Running migrations through refinery, inside a transaction that refinery neither opens nor closes.
//!
//! refinery keeps the history and decides the order; what it calls a transaction is a plain adapter around ours, so that
//! one ROLLBACK takes back every migration together with its history row.

use std::fmt;
use std::time::{Duration, Instant};

use bootproof_catalog::{HISTORY_TABLE, quoted, token};
use refinery::{Runner, Target};
use refinery_core::traits::sync::{Migrate, Query, Transaction};
use rusqlite::Connection;

use crate::compiled::Migration;
use crate::connection;
use crate::error::Error;
use crate::expected::{alter_as_usual, run_statement};
use crate::figure;
use crate::history;
use crate::own_table;
use crate::schema::Schema;
use crate::steps::Guard;

/// A migration that was applied, and how long its statements ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applied {
    pub(crate) migration: &'static Migration,
    pub(crate) took: Duration,
}

/// Records the baseline and everything before it as applied, without running anything.
pub(crate) fn record_baseline(connection: &Connection, schema: &Schema, version: i64) -> Result<(), Error> {
    let migrations = schema.compiled().migrations.iter().filter(|migration| migration.version <= version);
    let wanted: Vec<&'static Migration> = migrations.collect();
    run(connection, schema, None, &wanted, Target::FakeVersion(version), &|_, run| run()).map(|_| ())
}

/// Somebody around every migration, who has it run.
pub(crate) type Around<'a> =
    &'a dyn Fn(&'static Migration, &mut dyn FnMut() -> Result<Applied, Error>) -> Result<Applied, Error>;

/// Runs the pending migrations and records each.
pub(crate) fn pending(
    connection: &Connection,
    schema: &Schema,
    guard: Option<&Guard>,
    pending: &[&'static Migration],
    around: Around<'_>,
) -> Result<Vec<Applied>, Error> {
    match pending.last() {
        Some(last) => run(connection, schema, guard, pending, Target::Version(last.version), around),
        None => Ok(Vec::new()),
    }
}

fn run(
    connection: &Connection,
    schema: &Schema,
    guard: Option<&Guard>,
    wanted: &[&'static Migration],
    target: Target,
    around: Around<'_>,
) -> Result<Vec<Applied>, Error> {
    // refinery compares all that it is given with all that was applied, which the plan has done already; what it has to know is
    // where to go on. And it reads every name with a regular expression.
    let entries = history::read(connection)?.unwrap_or_default();
    let last = entries.last().and_then(|entry| schema.migration(entry.version));
    let migrations = last
        .into_iter()
        .chain(wanted.iter().copied().filter(|migration| last.is_none_or(|last| migration.version > last.version)))
        .map(|migration| {
            refinery::Migration::unapplied(&format!("V{}__{}", migration.version, migration.name), migration.sql)
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::SourcesDisagree { files: vec![error.to_string()] })?;
    let pending = if matches!(target, Target::FakeVersion(_)) { &[] } else { wanted };
    let mut adapter = Adapter { connection, schema, guard, pending, last, around, applied: Vec::new(), error: None };
    let runner = Runner::new(&migrations).set_target(target).set_grouped(true);
    match runner.run(&mut adapter) {
        Ok(_) => Ok(adapter.applied),
        // History was validated before, so refinery's own refusals can only repeat ours.
        Err(error) => {
            Err(adapter.error.take().unwrap_or_else(|| Error::Missing { migrations: vec![error.to_string()] }))
        }
    }
}

/// Our open transaction as refinery sees it.
struct Adapter<'a> {
    connection: &'a Connection,
    schema: &'a Schema,
    guard: Option<&'a Guard>,
    pending: &'a [&'static Migration],
    /// The newest that is applied.
    last: Option<&'static Migration>,
    around: Around<'a>,
    applied: Vec<Applied>,
    error: Option<Error>,
}

/// Tells refinery to stop; the reason is kept in the adapter.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

impl Adapter<'_> {
    fn stop(&mut self, error: Error) -> Stopped {
        self.error = Some(error);
        Stopped
    }

    fn execute_one(&mut self, sql: &str) -> Result<(), Error> {
        match self.pending.get(self.applied.len()) {
            Some(migration) if migration.sql == sql => {
                let run = &mut || run_migration(self.connection, self.schema, self.guard, migration);
                let applied = (self.around)(migration, run)?;
                self.applied.push(applied);
                Ok(())
            }
            _ => self
                .connection
                .execute_batch(sql)
                .map_err(|error| own_table::unwritten(HISTORY_TABLE, "recording a migration in the history", error)),
        }
    }
}

impl Transaction for Adapter<'_> {
    type Error = Stopped;

    fn execute<'a, T: Iterator<Item = &'a str>>(&mut self, queries: T) -> Result<usize, Stopped> {
        let mut executed = 0;
        for query in queries {
            self.execute_one(query).map_err(|error| self.stop(error))?;
            executed += 1;
        }
        Ok(executed)
    }
}

impl Query<Vec<refinery::Migration>> for Adapter<'_> {
    fn query(&mut self, _query: &str) -> Result<Vec<refinery::Migration>, Stopped> {
        // refinery compares version, name and checksum; when a row was written does not matter to it.
        let applied = |last: &Migration| {
            let (version, name) = (last.version, last.name.to_owned());
            refinery::Migration::applied(version, name, time::OffsetDateTime::UNIX_EPOCH, last.checksum)
        };
        Ok(self.last.map(applied).into_iter().collect())
    }
}

impl Migrate for Adapter<'_> {}

fn run_migration(
    connection: &Connection,
    schema: &Schema,
    guard: Option<&Guard>,
    migration: &'static Migration,
) -> Result<Applied, Error> {
    log::info!("applying {}", migration.title());
    let start = Instant::now();
    statements(connection, migration)?;
    schema.steps().run(connection, guard, migration)?;
    let took = start.elapsed();
    log::info!("applied {} in {:.1} s", migration.title(), took.as_secs_f64());
    Ok(Applied { migration, took })
}

/// Runs the statements of a migration, inside a transaction or outside.
pub(crate) fn statements(connection: &Connection, migration: &'static Migration) -> Result<(), Error> {
    let outcome = migration.statements.iter().enumerate().try_for_each(|(position, statement)| {
        let sql = migration.statement(position);
        let run = || run_statement(connection, sql);
        let ran = if sorts(sql) { connection::sorting(connection, run) } else { run() };
        ran.map_err(|error| match Error::from_sqlite("applying a migration", error) {
            Error::Unexpected { source, .. } => Error::MigrationFailed {
                migration: migration.title(),
                file: migration.file,
                line: statement.line,
                statement: position + 1,
                statements: migration.statements.len(),
                notes: clock_rows(connection, sql, &source.to_string()),
                message: without_statement(source),
            },
            other => other,
        })
    });
    let reset = alter_as_usual(connection, migration.sql);
    outcome.and(reset.map_err(|error| Error::from_sqlite("applying a migration", error)))
}

/// Whether a statement builds an index, and does nothing else.
fn sorts(sql: &str) -> bool {
    let mut words = sql.split_ascii_whitespace();
    let mut is =
        |wanted: &[&str]| words.next().is_some_and(|word| wanted.iter().any(|it| word.eq_ignore_ascii_case(it)));
    is(&["create"]) && is(&["index", "unique"])
}

/// SQLite's message alone: rusqlite adds the whole statement, which the file and line already name.
pub(crate) fn without_statement(error: rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg,
        other => other.to_string(),
    }
}

/// A value such as `now` makes `date(column)` depend on the clock, and SQLite refuses to index it
/// (<https://sqlite.org/deterministic.html>). It does not say which rows; this does.
fn clock_rows(connection: &Connection, sql: &str, message: &str) -> Vec<String> {
    let Some(function) = message.strip_prefix("non-deterministic use of ").and_then(|rest| rest.split_once('(')) else {
        return Vec::new();
    };
    let tokens = token::tokens(sql);
    let table = tokens.iter().position(|word| word.is_keyword("on")).and_then(|on| tokens.get(on + 1));
    let column = tokens.windows(3).find_map(|words| match words {
        [name, open, column] if name.is_keyword(function.0) && open.is_symbol('(') => Some(column),
        _ => None,
    });
    let (Some(table), Some(column)) = (table, column) else { return Vec::new() };
    let query = format!(
        "SELECT count(*), min({column}) FROM main.{table} WHERE lower(trim({column})) = 'now'",
        column = quoted(&column.text),
        table = quoted(&table.text)
    );
    match connection.query_row(&query, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))) {
        Ok((rows, Some(value))) => {
            let have = if rows == 1 { "has" } else { "have" };
            vec![format!(
                "{} of `{}` {have} `{}` = '{value}'",
                figure::rows(rows.unsigned_abs()),
                table.text,
                column.text
            )]
        }
        _ => Vec::new(),
    }
}
