//! What the log says of a slow query: its name, its time, its plan, and of its parameters what they are, never their values.

use std::fmt::{self, Write as _};
use std::time::Duration;

use bootproof::compiled::Contract;
use bootproof::figure::{duration, grouped, one_line};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

/// At most one line about a query in this time: a database that has become slow must not fill the disk with its log.
const PAUSE: Duration = Duration::from_secs(1);

/// What a run was given.
#[derive(Clone, Copy)]
pub(crate) enum Parameters<'p> {
    /// Nobody said.
    Unknown,
    /// As `rusqlite::named_params!` makes them.
    Named(&'p [(&'p str, &'p dyn ToSql)]),
    /// What this binds, each at the place that the contract lists it at.
    Bound(Bind<'p>),
}

/// Binds every parameter of a query to a statement.
pub(crate) type Bind<'p> = &'p dyn Fn(&mut Statement<'_>) -> rusqlite::Result<()>;

/// When a query was last told of.
#[derive(Debug, Default)]
pub(crate) struct Told {
    last: Option<Duration>,
    withheld: u64,
}

impl Told {
    /// Whether a slow run that ended so long after the start of the process is to be told, and how many before it were not.
    pub(crate) fn tell(&mut self, age: Duration) -> Option<u64> {
        if self.last.is_some_and(|last| age < last.saturating_add(PAUSE)) {
            self.withheld += 1;
            return None;
        }
        self.last = Some(age);
        Some(std::mem::take(&mut self.withheld))
    }
}

/// One slow run.
pub(crate) struct SlowRun<'r> {
    pub(crate) name: &'r str,
    pub(crate) took: Duration,
    pub(crate) threshold: Duration,
    pub(crate) succeeded: bool,
    pub(crate) plan: Option<&'r str>,
    /// Without values.
    pub(crate) parameters: Option<&'r str>,
    /// How many slow runs of the same query were not told since the last one.
    pub(crate) withheld: u64,
}

impl fmt::Display for SlowRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (took, threshold) = (duration(self.took.as_secs_f64()), duration(self.threshold.as_secs_f64()));
        let end = if self.succeeded { "took" } else { "failed after" };
        write!(f, "slow query {} {end} {took}, over {threshold}", self.name)?;
        write!(f, "; plan: {}", self.plan.map_or_else(|| "unknown".to_owned(), one_line))?;
        if let Some(parameters) = self.parameters {
            write!(f, "; parameters: {parameters}")?;
        }
        match self.withheld {
            0 => Ok(()),
            1 => f.write_str("; 1 more before it was not told"),
            many => write!(f, "; {} more before it were not told", grouped(many)),
        }
    }
}

/// What the parameters are: `:company_id integer, :email text of 21 bytes`.
pub(crate) fn redacted(
    connection: Option<&Connection>,
    contract: &Contract,
    parameters: Parameters<'_>,
) -> Option<String> {
    match parameters {
        Parameters::Unknown => None,
        Parameters::Named(parameters) => {
            let kinds = parameters.iter().map(|(name, value)| format!("{} {}", one_line(name), kind(*value)));
            Some(kinds.collect::<Vec<_>>().join(", "))
        }
        Parameters::Bound(bind) => kinds_of_bound(connection?, contract, bind).ok(),
    }
}

/// Of a value only what it is.
fn kind(value: &dyn ToSql) -> String {
    let output = value.to_sql();
    let value = match &output {
        Ok(ToSqlOutput::Borrowed(value)) => *value,
        Ok(ToSqlOutput::Owned(value)) => value.into(),
        _ => return "unknown".to_owned(),
    };
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(_) => "integer".to_owned(),
        ValueRef::Real(_) => "real".to_owned(),
        ValueRef::Text(text) => format!("text of {} bytes", text.len()),
        ValueRef::Blob(blob) => format!("blob of {} bytes", blob.len()),
    }
}

/// Has SQLite say what was bound to it.
fn kinds_of_bound(connection: &Connection, contract: &Contract, bind: Bind<'_>) -> rusqlite::Result<String> {
    let columns: Vec<_> =
        (1..=contract.parameters.len()).map(|place| format!("typeof(?{place}), octet_length(?{place})")).collect();
    if columns.is_empty() {
        return Ok("none".to_owned());
    }
    let mut statement = connection.prepare(&format!("SELECT {}", columns.join(", ")))?;
    bind(&mut statement)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(String::new()) };
    let mut told = String::new();
    for (place, name) in contract.parameters.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let (kind, bytes): (String, Option<i64>) = (row.get(2 * place)?, row.get(2 * place + 1)?);
        // Writing to a String cannot fail.
        let _ = write!(told, "{separator}:{name} {kind}");
        if let (Some(bytes), "text" | "blob") = (bytes, kind.as_str()) {
            let _ = write!(told, " of {bytes} bytes");
        }
    }
    Ok(told)
}

/// How SQLite runs a query: with these parameters where they fit, since with statistics the plan can depend on them.
pub(crate) fn explain(connection: &Connection, sql: &str, parameters: Parameters<'_>) -> Option<String> {
    let explain = |bind: Bind<'_>| -> rusqlite::Result<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        bind(&mut statement)?;
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get::<_, String>(3)?);
        }
        Ok(steps.join("; "))
    };
    let unbound = |_: &mut Statement<'_>| Ok(());
    let explained = match parameters {
        Parameters::Unknown => explain(&unbound),
        Parameters::Named(parameters) => explain(&|statement| bind_named(statement, parameters)),
        Parameters::Bound(bind) => explain(bind),
    };
    explained.or_else(|_| explain(&unbound)).ok()
}

fn bind_named(statement: &mut Statement<'_>, parameters: &[(&str, &dyn ToSql)]) -> rusqlite::Result<()> {
    for (name, value) in parameters {
        if let Some(place) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(place, value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::named_params;

    use super::*;

    #[test]
    fn a_value_is_never_told() {
        let (secret, blob, amount) = ("ada@example.com\n", [7_u8; 3], 98_765.25);
        let parameters = named_params! {
            ":email": secret, ":company_id": 4_711, ":rate": amount, ":data": &blob[..], ":until": None::<String>,
        };
        let kinds: Vec<_> = parameters.iter().map(|(name, value)| format!("{name} {}", kind(*value))).collect();
        let kinds = kinds.join(", ");
        let run = SlowRun {
            name: "user_month",
            took: Duration::from_millis(1_234),
            threshold: Duration::from_millis(500),
            succeeded: true,
            plan: Some("SEARCH worklogs USING INDEX i (a=?)"),
            parameters: Some(&kinds),
            withheld: 12,
        };
        insta::assert_snapshot!(run, @"slow query user_month took 1.2 s, over 500 ms; plan: SEARCH worklogs USING INDEX i (a=?); parameters: :email text of 16 bytes, :company_id integer, :rate real, :data blob of 3 bytes, :until null; 12 more before it were not told");
        let unknown = SlowRun { succeeded: false, plan: None, parameters: None, withheld: 0, ..run };
        insta::assert_snapshot!(unknown, @"slow query user_month failed after 1.2 s, over 500 ms; plan: unknown");
    }

    #[test]
    fn a_flood_of_slow_runs_is_one_line_a_second() {
        let mut told = Told::default();
        let at = Duration::from_millis;
        assert_eq!(
            [at(0), at(10), at(999), at(1_000), at(2_500)].map(|age| told.tell(age)),
            [Some(0), None, None, Some(2), Some(0)]
        );
    }
}
