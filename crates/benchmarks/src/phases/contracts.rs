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

/// No query is repeated for longer.
const LONGEST: Duration = Duration::from_secs(2);

/// A plan that takes so many times as long as the best so far is not measured any further.
const HOPELESS: u32 = 3;

/// The contracts whose whole condition is a range of their index.
const RANGES: [&str; 3] = ["company_month", "instance_sync", "user_worklogs_range"];

pub(super) fn phase() -> Phase {
    Phase {
        name: "contracts",
        title: "Query contracts",
        about: "The 95th percentile over the heaviest real parameters, up to twenty times each after one that does not count, every row read. *Entries visited* are \
                judged where the whole condition is a range of the index; three contracts filter by `LOWER(author_email)` besides, \
                and visit more than they return. *Best plan before*: on the database as found in production, the fastest of SQLite's own choice and of every index that can be forced.",
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
    let (_, rows) = time_once(connection, contract.sql, &samples)?;
    let took = percentile(connection, contract.sql, &samples)?;
    let visits = visits(connection, contract, &samples)?;
    let measured = Measured::of(|| Ok(()))?.0;
    Ok(Measured { took, visits, note: Some(format!("{rows} rows at most")), ..measured })
}

fn best_before(connection: &Connection, contract: &Contract) -> Result<Measured> {
    let samples = samples(connection, contract)?;
    let (once, _) = time_once(connection, contract.sql, &samples)?;
    let own = percentile(connection, contract.sql, &samples)?;
    let (mut best, mut by) = ((once, own), "SQLite's own choice".to_owned());
    for index in indexes(connection, contract.sql)? {
        let forced = with_index(contract.sql, &index);
        // Most indexes are no use for the query, which SQLite says when it prepares it.
        if connection.prepare(&forced).is_err() {
            continue;
        }
        let (once, _) = time_once(connection, &forced, &samples)?;
        if once < HOPELESS * best.0 {
            let took = percentile(connection, &forced, &samples)?;
            if took < best.1 {
                let own = own.as_secs_f64() * 1e3;
                (best, by) = ((once, took), format!("`{index}` forced; SQLite's own choice takes {own:.1} ms"));
            }
        }
    }
    Ok(Measured { took: best.1, note: Some(by), ..Measured::of(|| Ok(()))?.0 })
}

/// The names of the indexes of a query's table.
fn indexes(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let Some((_, table, _)) = around_the_table(sql) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare("SELECT name FROM pragma_index_list(?1)")?;
    Ok(statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

fn with_index(sql: &str, index: &str) -> String {
    let forced = |(head, table, tail)| format!("{head}{table} INDEXED BY {}{tail}", quoted(index));
    around_the_table(sql).map_or_else(|| sql.to_owned(), forced)
}

/// Text before the name of a query's only table, the name, and the rest.
fn around_the_table(sql: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = sql.split_once("FROM ")?;
    let end = rest.find(char::is_whitespace)?;
    let (table, tail) = rest.split_at(end);
    tail.trim_start().starts_with("WHERE").then(|| (sql.get(..head.len() + "FROM ".len()).unwrap_or(sql), table, tail))
}

fn samples(connection: &Connection, contract: &Contract) -> Result<Vec<Parameters>> {
    let given = match contract.sample_from {
        Some(sql) => {
            rows(connection, sql, &Parameters::new())?.into_iter().next().ok_or("there is nothing to sample")?
        }
        None => Parameters::new(),
    };
    let sampled = rows(connection, contract.sample.ok_or("the contract has no sample")?, &given)?;
    Ok(sampled.into_iter().map(|sampled| sampled.into_iter().chain(given.clone()).collect()).collect())
}

/// Every row of a query, as names and values.
fn rows(connection: &Connection, sql: &str, given: &Parameters) -> Result<Vec<Parameters>> {
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(|name| format!(":{name}")).collect();
    let bindings: Vec<(&str, &dyn ToSql)> =
        given.iter().map(|(name, value)| (name.as_str(), value as &dyn ToSql)).collect();
    let rows = statement.query_map(bindings.as_slice(), |row| {
        names.iter().enumerate().map(|(column, name)| Ok((name.clone(), row.get::<_, Value>(column)?))).collect()
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How long one asking for every set of parameters takes, and the rows of the largest result.
fn time_once(connection: &Connection, sql: &str, samples: &[Parameters]) -> Result<(Duration, usize)> {
    let mut statement = connection.prepare(sql)?;
    let (start, mut most) = (Instant::now(), 0);
    for parameters in samples {
        most = most.max(read_all(&mut statement, parameters)?);
    }
    Ok((start.elapsed(), most))
}

/// The 95th percentile, when all was read once already: of several plans none finds more in the page cache than another.
fn percentile(connection: &Connection, sql: &str, samples: &[Parameters]) -> Result<Duration> {
    let mut statement = connection.prepare(sql)?;
    let (mut all, begun) = (Vec::new(), Instant::now());
    for _ in 0..TIMES {
        for parameters in samples {
            let start = Instant::now();
            read_all(&mut statement, parameters)?;
            all.push(start.elapsed());
        }
        if begun.elapsed() > LONGEST {
            break;
        }
    }
    all.sort();
    let rank = (all.len() * 95).div_ceil(100).max(1);
    Ok(all.get(rank - 1).copied().unwrap_or_default())
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
    use super::*;

    #[test]
    fn the_only_table_is_found() {
        let parts = around_the_table("SELECT a\nFROM t\nWHERE b = :c");
        assert_eq!(parts, Some(("SELECT a\nFROM ", "t", "\nWHERE b = :c")));
        assert_eq!(around_the_table("SELECT a FROM t JOIN u WHERE b"), None);
        assert_eq!(with_index("SELECT a FROM t WHERE b", "i"), "SELECT a FROM t INDEXED BY \"i\" WHERE b");
    }

    #[test]
    fn every_contract_reads_one_table() {
        assert!(worklog_schema::COMPILED.contracts.iter().all(|contract| around_the_table(contract.sql).is_some()));
    }
}
