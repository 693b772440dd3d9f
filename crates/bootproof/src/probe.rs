//! Query contracts on the real data: which index SQLite chooses, and how long the query takes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bootproof_catalog::{QueryPlan, query_plan};
use rusqlite::types::Value;
use rusqlite::{Connection, StatementStatus, ToSql};

use crate::compiled::Contract;
use crate::error::Error;
use crate::ffi;
use crate::report::{PlanStep, Timing};

/// At most so many sets of sampled parameters are used.
const MOST_SAMPLES: usize = 5;
/// At most so many timed runs for each of them.
const MOST_RUNS: usize = 10;
/// A contract is timed no longer than this, after one run of every sample.
const TIME_FOR_ONE: Duration = Duration::from_millis(500);

/// A query is direct up to so many steps of SQLite's virtual machine for each row it returns,
const STEPS_A_ROW: u64 = 100;
/// and so many for having started at all.
const FREE_STEPS: u64 = 1_000;

/// One set of parameters: names with their colon, and values.
pub(crate) type Parameters = Vec<(String, Value)>;

/// Which index SQLite would use for a contract.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// The index it chose, the expected one wherever that is among those it chose.
    pub(crate) index_used: Option<String>,
    /// A plan without the expected index, if there is one.
    pub(crate) missed: Option<String>,
    /// That plan, or that of the first parameters.
    pub(crate) plan: Vec<PlanStep>,
}

/// What the contracts of one database are sampled from: asked for once, however many share it.
#[derive(Debug, Default)]
pub(crate) struct Shared(BTreeMap<&'static str, Option<Parameters>>);

impl Shared {
    /// The values of the first row. None where there is none.
    fn of(&mut self, connection: &Connection, sql: &'static str) -> rusqlite::Result<Option<&Parameters>> {
        if !self.0.contains_key(sql) {
            let row = rows(connection, sql, &Parameters::new(), 1)?.pop();
            self.0.insert(sql, row);
        }
        Ok(self.0.get(sql).and_then(Option::as_ref))
    }
}

/// The heaviest real parameters, as the contract's sampling query finds them. None on an empty database.
pub(crate) fn sample(
    connection: &Connection,
    contract: &Contract,
    shared: &mut Shared,
) -> Result<Vec<Parameters>, Error> {
    let Some(sql) = contract.sample else { return Ok(Vec::new()) };
    let mut read = || -> rusqlite::Result<Vec<Parameters>> {
        let none = Parameters::new();
        let given = match contract.sample_from {
            None => &none,
            Some(from) => match shared.of(connection, from)? {
                Some(given) => given,
                None => return Ok(Vec::new()),
            },
        };
        let sampled = rows(connection, sql, given, MOST_SAMPLES)?;
        Ok(sampled.into_iter().map(|sampled| contract.arguments(&sampled, given)).collect())
    };
    read().map_err(|error| Error::from_sqlite("sampling the parameters of a query contract", error))
}

/// The first rows of a query, each as names and values.
fn rows(connection: &Connection, sql: &str, given: &Parameters, most: usize) -> rusqlite::Result<Vec<Parameters>> {
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(|name| format!(":{name}")).collect();
    for position in 1..=statement.parameter_count() {
        let value = statement.parameter_name(position).and_then(|name| value_of(name, given.iter()));
        if let Some(value) = value {
            statement.raw_bind_parameter(position, value)?;
        }
    }
    let (mut found, mut rows) = (Vec::new(), statement.raw_query());
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let values = names.iter().enumerate().map(|(column, name)| {
            let value = Value::try_from(row.get_ref(column).ok()?).ok()?;
            Some((name.clone(), value))
        });
        // Text that is not UTF-8 cannot be bound as an application binds it: it is no parameter.
        found.extend(values.collect::<Option<Parameters>>());
    }
    Ok(found)
}

impl Contract {
    /// The contract's own parameters, from what was sampled, and else from what it was sampled from.
    fn arguments(&self, sampled: &Parameters, given: &Parameters) -> Parameters {
        let argument = |parameter: &&str| {
            let name = format!(":{parameter}");
            let value = value_of(&name, sampled.iter().chain(given))?.clone();
            Some((name, value))
        };
        self.parameters.iter().filter_map(argument).collect()
    }
}

/// The value for a parameter, which has its colon. SQLite names a column as the database spells it, and a query means the parameter
/// however that is spelt.
fn value_of<'v>(parameter: &str, mut values: impl Iterator<Item = &'v (String, Value)>) -> Option<&'v Value> {
    values.find(|(name, _)| name.eq_ignore_ascii_case(parameter)).map(|(_, value)| value)
}

/// Asks for the plan with every sample: with STAT4 statistics, SQLite plans again when values are bound. Without samples
/// it asks once, with nothing bound.
pub(crate) fn prove(connection: &Connection, contract: &Contract, samples: &[Parameters]) -> Result<Proof, Error> {
    let failed = |error| Error::from_sqlite("asking for the plan of a query contract", error);
    let mut proof = Proof { index_used: None, missed: None, plan: Vec::new() };
    for parameters in or_unbound(samples) {
        let bindings = bindings(parameters);
        let plan = QueryPlan::explain(connection, contract.sql, bindings.as_slice()).map_err(failed)?;
        if plan.uses(contract.index) {
            proof.index_used = Some(contract.index.to_owned());
            if proof.plan.is_empty() {
                proof.plan = described(plan);
            }
        } else {
            proof.index_used = plan.index_used(contract.index).map(str::to_owned);
            proof.missed = Some(plan.to_string());
            proof.plan = described(plan);
            break;
        }
    }
    Ok(proof)
}

fn described(plan: QueryPlan) -> Vec<PlanStep> {
    let step = |step: query_plan::Step| PlanStep { id: step.id, parent: step.parent, detail: step.detail };
    plan.steps.into_iter().map(step).collect()
}

/// Whether a contract costs no more than its result is worth, whatever its plan.
///
/// With a handful of rows, or where nearly every row belongs to the result, SQLite rightly reads the table itself. That
/// is no broken contract: a plan is judged by the work it does for each row returned. On the worklog schema, with a
/// million rows, plans that use their index took 12 to 35 steps of the virtual machine a row, others 320 to 12,000.
pub(crate) fn is_direct(connection: &Connection, contract: &Contract, samples: &[Parameters]) -> Result<bool, Error> {
    let failed = |error| Error::from_sqlite("running a query contract", error);
    for parameters in or_unbound(samples) {
        let (_, rows, steps) = run_once(connection, contract, parameters).map_err(failed)?;
        if steps > FREE_STEPS + STEPS_A_ROW * rows {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The samples, or one set of parameters that binds nothing.
fn or_unbound(samples: &[Parameters]) -> &[Parameters] {
    const UNBOUND: &[Parameters] = &[Parameters::new()];
    if samples.is_empty() { UNBOUND } else { samples }
}

/// Times a contract: every sample once cold, which also counts its work, then again and again while the time lasts.
///
/// Timed is the whole result, row by row, as an application reads it. Cold means that the connection has nothing in its
/// page cache; what the operating system keeps of the file is not ours to throw away.
pub(crate) fn time(connection: &Connection, contract: &Contract, samples: &[Parameters]) -> Result<Timing, Error> {
    let failed = |error| Error::from_sqlite("timing a query contract", error);
    let samples = or_unbound(samples);
    let (mut cold, mut warm, mut timing) = (Vec::new(), Vec::new(), Timing::default());
    let start = Instant::now();
    for parameters in samples {
        connection.execute_batch("PRAGMA shrink_memory").map_err(failed)?;
        let before = ffi::pages_read(connection);
        let (took, rows, steps) = run_once(connection, contract, parameters).map_err(failed)?;
        cold.push(took);
        if rows >= timing.rows_returned {
            (timing.rows_returned, timing.vm_steps) = (rows, steps);
            timing.pages_read = ffi::pages_read(connection).saturating_sub(before);
        }
    }
    'time: for _ in 0..MOST_RUNS {
        for parameters in samples {
            let (took, ..) = run_once(connection, contract, parameters).map_err(failed)?;
            warm.push(took);
            if start.elapsed() > TIME_FOR_ONE && warm.len() >= samples.len() {
                break 'time;
            }
        }
    }
    cold.sort();
    warm.sort();
    timing.cold_ms = percentile(&cold, 50).into();
    timing.median_ms = percentile(&warm, 50).into();
    timing.p95_ms = percentile(&warm, 95).into();
    timing.max_ms = cold.last().max(warm.last()).copied().unwrap_or_default().into();
    Ok(timing)
}

fn run_once(
    connection: &Connection,
    contract: &Contract,
    parameters: &Parameters,
) -> rusqlite::Result<(Duration, u64, u64)> {
    let start = Instant::now();
    let mut statement = connection.prepare_cached(contract.sql)?;
    statement.reset_status(StatementStatus::VmStep);
    let columns = statement.column_count();
    let mut rows = statement.query(bindings(parameters).as_slice())?;
    let mut returned = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
        returned += 1;
    }
    drop(rows);
    let took = start.elapsed();
    let steps = statement.get_status(StatementStatus::VmStep);
    Ok((took, returned, u64::try_from(steps).unwrap_or_default()))
}

fn bindings(parameters: &Parameters) -> Vec<(&str, &dyn ToSql)> {
    parameters.iter().map(|(name, value)| (name.as_str(), value as &dyn ToSql)).collect()
}

/// The nearest-rank percentile of sorted durations.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;
    use std::time::Duration;

    #[test]
    fn percentiles_are_nearest_rank() {
        let sorted: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(10));
        assert_eq!(percentile(&sorted, 95), Duration::from_millis(19));
        assert_eq!(percentile(&[], 95), Duration::ZERO);
        assert_eq!(percentile(&sorted[..1], 50), Duration::from_millis(1));
    }
}
