//! The hot queries: how long they take, and whether they look at more than they return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bootproof::compiled::Contract;
use bootproof_catalog::{QueryPlan, quoted};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, ToSql};

use crate::Result;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase, Visits};
use crate::scene::Scene;

/// How often every set of parameters is asked for.
const TIMES: usize = 20;

/// The contracts whose whole condition is a range of their index.
const RANGES: [&str; 3] = ["company_month", "instance_sync", "user_worklogs_range"];

pub(super) fn phase() -> Phase {
    Phase {
        name: "contracts",
        title: "Query contracts",
        about: "The 95th percentile over the heaviest real parameters, twenty times each after one that does not count, every row read. *Best plan before*: on \
                the database as found in production, the fastest of SQLite's own choice and of every index that can be forced.",
        grows: true,
        cases: worklog_schema::COMPILED.contracts.iter().map(case).collect(),
    }
}

fn case(contract: &'static Contract) -> Case {
    let mut ours = Contender::new("bootproof", move |scene| now(&open(&databases::head(scene)?)?, contract));
    let mut before =
        Contender::new("best plan before", move |scene| best_before(&open(&databases::production(scene)?)?, contract));
    match contract.name {
        "user_worklogs_range" => ours = ours.aims_at(Goal::Time(Duration::from_millis(2))),
        "instance_sync" => before = before.aims_at(Goal::Ratio(0.5)),
        _ => {}
    }
    if RANGES.contains(&contract.name) {
        ours = ours.aims_at(Goal::VisitsOnlyWhatItReturns);
    }
    let ready = |scene: &Scene| databases::head(scene).map(|_| ());
    Case { name: contract.name.to_owned(), contenders: vec![ours.after(ready), before.after(ready)], pace: Pace::Long }
}

fn open(path: &std::path::Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

type Parameters = Vec<(String, Value)>;

fn now(connection: &Connection, contract: &Contract) -> Result<Measured> {
    let samples = samples(connection, contract)?;
    let (took, rows) = time(connection, contract.sql, &samples)?;
    let visits = visits(connection, contract, &samples)?;
    let measured = Measured::of(|| Ok(()))?.0;
    Ok(Measured { took, visits, note: Some(format!("{rows} rows at most")), ..measured })
}

fn best_before(connection: &Connection, contract: &Contract) -> Result<Measured> {
    let samples = samples(connection, contract)?;
    let (mut took, _) = time(connection, contract.sql, &samples)?;
    let mut by = "SQLite's own choice".to_owned();
    if let Some((head, table, tail)) = around_the_table(contract.sql) {
        let mut statement = connection.prepare("SELECT name FROM pragma_index_list(?1)")?;
        let indexes: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for index in indexes {
            let forced = format!("{head}{table} INDEXED BY {}{tail}", quoted(&index));
            // Most indexes are no use for the query, which SQLite says when it prepares it.
            if connection.prepare(&forced).is_err() {
                continue;
            }
            let (forced, _) = time(connection, &forced, &samples)?;
            if forced < took {
                (took, by) = (forced, format!("`{index}` forced"));
            }
        }
    }
    Ok(Measured { took, note: Some(by), ..Measured::of(|| Ok(()))?.0 })
}

/// Text before the name of a query's only table, the name, and the rest.
fn around_the_table(sql: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = sql.split_once("FROM ")?;
    let end = rest.find(char::is_whitespace)?;
    let (table, tail) = rest.split_at(end);
    tail.trim_start().starts_with("WHERE").then(|| (sql.get(..head.len() + "FROM ".len()).unwrap_or(sql), table, tail))
}

fn samples(connection: &Connection, contract: &Contract) -> Result<Vec<Parameters>> {
    let sql = contract.sample.ok_or("the contract has no sample")?;
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(|name| format!(":{name}")).collect();
    let rows = statement.query_map([], |row| {
        names.iter().enumerate().map(|(column, name)| Ok((name.clone(), row.get::<_, Value>(column)?))).collect()
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The 95th percentile, and the rows of the largest result. Every set of parameters is first asked for once without being
/// timed: of several plans none finds more in the page cache than another.
fn time(connection: &Connection, sql: &str, samples: &[Parameters]) -> Result<(Duration, usize)> {
    let mut statement = connection.prepare(sql)?;
    let (mut all, mut most) = (Vec::new(), 0);
    for parameters in samples {
        read_all(&mut statement, parameters)?;
    }
    for _ in 0..TIMES {
        for parameters in samples {
            let start = Instant::now();
            most = most.max(read_all(&mut statement, parameters)?);
            all.push(start.elapsed());
        }
    }
    all.sort();
    let rank = (all.len() * 95).div_ceil(100).max(1);
    Ok((all.get(rank - 1).copied().unwrap_or_default(), most))
}

fn read_all(statement: &mut rusqlite::Statement<'_>, parameters: &Parameters) -> rusqlite::Result<usize> {
    let columns = statement.column_count();
    let bindings: Vec<(&str, &dyn ToSql)> =
        parameters.iter().map(|(name, value)| (name.as_str(), value as &dyn ToSql)).collect();
    let mut rows = statement.query(bindings.as_slice())?;
    let mut returned = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
        returned += 1;
    }
    Ok(returned)
}

/// How many entries of the index the query looks at: a condition that counts and is always true stands before all others.
/// It asks for the row's number only, which is in the index, so that SQLite evaluates it there and first. Where the
/// plan becomes another by it, nothing was counted.
fn visits(connection: &Connection, contract: &Contract, samples: &[Parameters]) -> Result<Option<Visits>> {
    let Some((head, table, tail)) = around_the_table(contract.sql) else { return Ok(None) };
    let counting = format!("{head}{table}{}", tail.replacen("WHERE ", "WHERE counted(rowid) AND ", 1));
    let counter = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counter);
    connection.create_scalar_function("counted", 1, FunctionFlags::SQLITE_UTF8, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    })?;
    let mut visits = Visits { visited: 0, returned: 0 };
    for parameters in samples {
        let bindings: Vec<(&str, &dyn ToSql)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value as &dyn ToSql)).collect();
        let plan = |sql: &str| QueryPlan::explain(connection, sql, bindings.as_slice());
        let details = |plan: QueryPlan| plan.steps.into_iter().map(|step| step.detail).collect::<Vec<_>>();
        if details(plan(contract.sql)?) != details(plan(&counting)?) {
            return Ok(None);
        }
        visits.returned += read_all(&mut connection.prepare(&counting)?, parameters)? as u64;
    }
    visits.visited = counter.load(Ordering::Relaxed);
    Ok(Some(visits))
}

#[cfg(test)]
mod tests {
    use super::around_the_table;

    #[test]
    fn the_only_table_is_found() {
        let parts = around_the_table("SELECT a\nFROM t\nWHERE b = :c");
        assert_eq!(parts, Some(("SELECT a\nFROM ", "t", "\nWHERE b = :c")));
        assert_eq!(around_the_table("SELECT a FROM t JOIN u WHERE b"), None);
    }

    #[test]
    fn every_contract_reads_one_table() {
        assert!(worklog_schema::COMPILED.contracts.iter().all(|contract| around_the_table(contract.sql).is_some()));
    }
}
