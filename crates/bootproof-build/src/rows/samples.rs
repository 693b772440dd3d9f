//! Rows for the tests of an application: a database that grew up with the migrations, some rows at every version.
//!
//! The rehearsal goes on without rows behind a migration that refuses those that were made up. Here one set of rows has to
//! last from the first version to the last, so the whole way is gone again with what every migration accepts.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::{Catalog, unlike};
use rusqlite::Connection;

use super::fill::{Filler, Variety};
use super::survey::dangling;
use super::values::Numbers;
use crate::budget::Budget;
use crate::compilation::{Migration, Sample};
use crate::compiler::Stub;
use crate::rehearse::{database, step_to_the_end};

/// How often the way is gone again before it is gone without rows.
const ATTEMPTS: usize = 8;

/// The tables without which a migration may accept the rows.
struct Refused(BTreeSet<String>);

/// What to insert at every version, one for every migration in their order; nothing where no rows last.
pub(crate) fn make(migrations: &[Migration], catalogs: &[(i64, Catalog)], stubs: &[Stub]) -> Vec<Sample> {
    let made = attempt(migrations, catalogs, stubs).ok().flatten();
    let nothing = |migration: &Migration| Sample { version: migration.version, sql: String::new() };
    made.unwrap_or_else(|| migrations.iter().map(nothing).collect())
}

fn attempt(
    migrations: &[Migration],
    catalogs: &[(i64, Catalog)],
    stubs: &[Stub],
) -> rusqlite::Result<Option<Vec<Sample>>> {
    let mut variety = Variety::Sparse;
    let mut without = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        match grow(migrations, catalogs, stubs, variety, &without)? {
            Ok(samples) => return Ok(Some(samples)),
            // Most of what is refused is a NULL.
            Err(_) if variety == Variety::Sparse => variety = Variety::Full,
            Err(Refused(tables)) if tables.is_subset(&without) => break,
            Err(Refused(tables)) => without.extend(tables),
        }
    }
    Ok(None)
}

/// Goes from the first version to the last, and fills at each what is new or was written.
fn grow(
    migrations: &[Migration],
    catalogs: &[(i64, Catalog)],
    stubs: &[Stub],
    variety: Variety,
    without: &BTreeSet<String>,
) -> rusqlite::Result<Result<Vec<Sample>, Refused>> {
    let (connection, budget) = database(stubs)?;
    let mut numbers = Numbers::default();
    let mut samples = Vec::new();
    let nothing = Catalog::default();
    let mut before = &nothing;
    for (migration, (version, after)) in migrations.iter().zip(catalogs) {
        let touched = touched(migration, before, after);
        let ran = run(&connection, &budget, migration);
        budget.renew();
        // A boot would refuse the rows where a foreign key that is new points nowhere from what was made up before it.
        if ran.is_err() || !dangling(&connection, after, &touched)?.is_empty() {
            return Ok(Err(Refused(touched)));
        }
        let tables = touched.difference(without).cloned().collect();
        budget.renew();
        let mut filler = Filler {
            connection: &connection,
            catalog: after,
            numbers: &mut numbers,
            variety,
            promised: BTreeMap::new(),
            script: Some(Vec::new()),
        };
        filler.fill(&tables)?;
        samples.push(Sample { version: *version, sql: compact(&filler.script.unwrap_or_default()) });
        before = after;
    }
    Ok(Ok(samples))
}

/// Runs a migration statement by statement, without a transaction around it: whatever fails, all is begun anew.
fn run(connection: &Connection, budget: &Budget, migration: &Migration) -> rusqlite::Result<()> {
    for statement in &migration.statements {
        budget.renew();
        let text = migration.file.text.get(statement.span.clone()).unwrap_or_default();
        step_to_the_end(&mut connection.prepare(text)?)?;
    }
    // A script may have set how ALTER TABLE works.
    connection.pragma_update(None, "legacy_alter_table", false)
}

/// The tables that a migration makes, changes or writes, by their names before it and after it.
fn touched(migration: &Migration, before: &Catalog, after: &Catalog) -> BTreeSet<String> {
    let changed = unlike(&before.tables, &after.tables).chain(unlike(&after.tables, &before.tables));
    let mut touched: BTreeSet<String> = changed.map(|(name, _)| name.clone()).collect();
    touched.extend(migration.writes.iter().cloned());
    touched
}

/// The statements as one script; rows of one table that follow one another are inserted at once.
fn compact(statements: &[String]) -> String {
    const VALUES: &str = ") VALUES (";
    let mut script = String::new();
    let mut last = "";
    for statement in statements {
        let head = statement.find(VALUES).and_then(|at| statement.get(..at + VALUES.len() - 1));
        let head = head.filter(|_| statement.starts_with("INSERT INTO "));
        match head.and_then(|head| statement.strip_prefix(head)) {
            Some(row) if head == Some(last) => {
                script.push_str(",\n  ");
                script.push_str(row);
            }
            _ => {
                script.push_str(if script.is_empty() { "" } else { ";\n" });
                script.push_str(statement);
                last = head.unwrap_or_default();
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn rows_of_one_table_are_inserted_at_once() {
        let statements = [
            "INSERT INTO \"a\"(\"x\") VALUES (1)",
            "INSERT INTO \"a\"(\"x\") VALUES (') VALUES (')",
            "INSERT INTO \"b\"(\"x\") VALUES (1)",
            "UPDATE \"b\" SET \"x\" = 2",
            "INSERT INTO \"b\"(\"x\") VALUES (3)",
        ];
        assert_eq!(
            compact(&statements.map(str::to_owned)),
            "INSERT INTO \"a\"(\"x\") VALUES (1),\n  (') VALUES (');\nINSERT INTO \"b\"(\"x\") VALUES (1);\n\
             UPDATE \"b\" SET \"x\" = 2;\nINSERT INTO \"b\"(\"x\") VALUES (3)"
        );
    }
}
