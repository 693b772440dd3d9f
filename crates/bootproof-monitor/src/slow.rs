//! What the log says of a slow query: its name, its time, its plan, and of its parameters what they are, never their values.

use std::fmt::{self, Write as _};
use std::time::Duration;

use bootproof::figure::{duration, grouped, one_line};
use bootproof_catalog::QueryPlan;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

/// At most one line about a query in this time: a database that has become slow must not fill the disk with its log.
const PAUSE: Duration = Duration::from_secs(1);

/// Parameters as `rusqlite::named_params!` makes them.
pub(crate) type Parameters<'p> = &'p [(&'p str, &'p dyn ToSql)];

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
    pub(crate) parameters: Parameters<'r>,
    /// How many slow runs of the same query were not told since the last one.
    pub(crate) withheld: u64,
}

impl fmt::Display for SlowRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (took, threshold) = (duration(self.took.as_secs_f64()), duration(self.threshold.as_secs_f64()));
        let end = if self.succeeded { "took" } else { "failed after" };
        write!(f, "slow query {} {end} {took}, over {threshold}", self.name)?;
        write!(f, "; plan: {}", self.plan.map_or_else(|| "unknown".to_owned(), one_line))?;
        if !self.parameters.is_empty() {
            write!(f, "; parameters: {}", redacted(self.parameters))?;
        }
        match self.withheld {
            0 => Ok(()),
            1 => f.write_str("; 1 more before it was not told"),
            many => write!(f, "; {} more before it were not told", grouped(many)),
        }
    }
}

/// `:company_id integer, :email text of 21 bytes`
fn redacted(parameters: Parameters<'_>) -> String {
    let mut told = String::new();
    for (position, (name, value)) in parameters.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        let output = value.to_sql();
        // Writing to a String cannot fail.
        let _ = write!(told, "{separator}{} ", one_line(name));
        let value = match &output {
            Ok(ToSqlOutput::Borrowed(value)) => Some(*value),
            Ok(ToSqlOutput::Owned(value)) => Some(value.into()),
            _ => None,
        };
        let _ = match value {
            Some(ValueRef::Null) => write!(told, "null"),
            Some(ValueRef::Integer(_)) => write!(told, "integer"),
            Some(ValueRef::Real(_)) => write!(told, "real"),
            Some(ValueRef::Text(text)) => write!(told, "text of {} bytes", text.len()),
            Some(ValueRef::Blob(blob)) => write!(told, "blob of {} bytes", blob.len()),
            None => write!(told, "unknown"),
        };
    }
    told
}

/// How SQLite runs a query: with these parameters where they fit, since with statistics the plan can depend on them.
pub(crate) fn explain(connection: &Connection, sql: &str, parameters: Parameters<'_>) -> Option<String> {
    let plan = QueryPlan::explain(connection, sql, parameters).or_else(|_| {
        let unbound: Parameters<'_> = &[];
        QueryPlan::explain(connection, sql, unbound)
    });
    plan.map(|plan| plan.to_string()).ok()
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
        let run = SlowRun {
            name: "user_month",
            took: Duration::from_millis(1_234),
            threshold: Duration::from_millis(500),
            succeeded: true,
            plan: Some("SEARCH worklogs USING INDEX i (a=?)"),
            parameters,
            withheld: 12,
        };
        insta::assert_snapshot!(run, @"slow query user_month took 1.2 s, over 500 ms; plan: SEARCH worklogs USING INDEX i (a=?); parameters: :email text of 16 bytes, :company_id integer, :rate real, :data blob of 3 bytes, :until null; 12 more before it were not told");
        let unknown = SlowRun { succeeded: false, plan: None, parameters: &[], withheld: 0, ..run };
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
