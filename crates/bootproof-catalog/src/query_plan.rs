//! Which index a query would use, as `EXPLAIN QUERY PLAN` tells it.

use std::fmt;

use rusqlite::{Connection, Params};

/// One line of `EXPLAIN QUERY PLAN` (<https://sqlite.org/eqp.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The step's own number.
    pub id: i64,
    /// The number of the step this one is part of, 0 at the top.
    pub parent: i64,
    /// SQLite's description, such as `SEARCH t USING INDEX i (a=?)`.
    pub detail: String,
}

impl Step {
    /// The name of the index this step reads, if any. An automatic index has no name and is none.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        let (_, after) = self.detail.split_once(" INDEX ")?;
        let name = after.split_once(" (").map_or(after, |(name, _)| name);
        (!name.starts_with('(') && !name.is_empty()).then_some(name)
    }

    /// Whether this step reads only the rows it looks for.
    #[must_use]
    pub fn is_search(&self) -> bool {
        self.detail.starts_with("SEARCH ")
    }
}

/// How SQLite would run a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPlan {
    /// The steps, in SQLite's order.
    pub steps: Vec<Step>,
}

impl QueryPlan {
    /// Asks SQLite how it would run `sql` with these parameters.
    ///
    /// With STAT4 statistics the plan can depend on the values bound, so bind what the application would bind.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says of the query.
    pub fn explain(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let steps = statement
            .query_map(parameters, |row| Ok(Step { id: row.get(0)?, parent: row.get(1)?, detail: row.get(3)? }))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { steps })
    }

    /// Whether some step searches this index. A `SCAN … USING INDEX` reads it from end to end: the work grows with the
    /// table, which is what an index is there to prevent.
    #[must_use]
    pub fn uses(&self, index: &str) -> bool {
        let mut searched = self.steps.iter().filter(|step| step.is_search()).filter_map(Step::index);
        searched.any(|used| used.eq_ignore_ascii_case(index))
    }

    /// The index to name in a report: the expected one where it is searched or scanned, else the first that is.
    #[must_use]
    pub fn index_used(&self, expected: &str) -> Option<&str> {
        self.indexes().find(|used| used.eq_ignore_ascii_case(expected)).or_else(|| self.indexes().next())
    }

    fn indexes(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(Step::index)
    }
}

impl fmt::Display for QueryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{}", step.detail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_used_where_it_is_searched() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(a, b, c); CREATE INDEX i ON t(a, b)").unwrap();
        for (sql, detail, is_used) in [
            ("SELECT c FROM t WHERE a = 1", "SEARCH t USING INDEX i (a=?)", true),
            ("SELECT b FROM t WHERE a = 1", "SEARCH t USING COVERING INDEX i (a=?)", true),
            ("SELECT a, b FROM t", "SCAN t USING COVERING INDEX i", false),
            ("SELECT c FROM t ORDER BY a", "SCAN t USING INDEX i", false),
        ] {
            let plan = QueryPlan::explain(&connection, sql, []).unwrap();
            assert_eq!((plan.to_string().as_str(), plan.uses("I")), (detail, is_used), "{sql}");
            assert_eq!(plan.index_used("i"), Some("i"));
        }
    }

    #[test]
    fn names_the_index_of_each_kind_of_step() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t(a, b, c); CREATE INDEX i ON t(a, b)").unwrap();
        let index = |sql: &str| {
            let plan = QueryPlan::explain(&connection, sql, []).unwrap();
            plan.index_used("i").map(str::to_owned)
        };
        assert_eq!(index("SELECT c FROM t WHERE a = 1").as_deref(), Some("i"));
        assert_eq!(index("SELECT b FROM t WHERE a = 1").as_deref(), Some("i"));
        assert_eq!(index("SELECT a, b FROM t").as_deref(), Some("i"));
        assert_eq!(index("SELECT * FROM t").as_deref(), None);
        assert_eq!(index("SELECT * FROM t WHERE rowid = 1").as_deref(), None);
    }
}
