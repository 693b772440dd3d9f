//! Whoever asks is told of every execution.

use std::sync::Mutex;

use bootproof::query::{AlreadyObserved, observe, observed};
use typed_contracts::query::{self, every_type, readings};

use crate::database;

static TOLD: Mutex<Vec<(&str, u64, Option<String>)>> = Mutex::new(Vec::new());

#[test]
fn one_execution_or_all() {
    let connection = database();
    let told = Mutex::new(Vec::new());
    let params = readings::Params { from: 1, to: 3 };
    let observer = |run: &bootproof::query::Run<'_>| {
        // The connection is free for what an observer wants to know.
        let mut plan = run.connection.prepare(&format!("EXPLAIN QUERY PLAN {}", run.contract.sql)).unwrap();
        let plan: String = plan.raw_query().next().unwrap().unwrap().get("detail").unwrap();
        told.lock().unwrap().push((run.contract.name, run.rows, plan));
    };
    let first = observed(&connection, &params, observer, |rows| rows.next().transpose()).unwrap();
    assert_eq!(first.map(|row| row.at), Some(1));
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, told[0].1), ("readings", 1));
    assert!(told[0].2.contains("idx_reading_at"), "{told:?}");

    observe(|run| {
        // Other tests of this process are told of as well.
        if run.contract.name == "readings" {
            TOLD.lock().unwrap().push((run.contract.name, run.rows, run.error.map(ToString::to_string)));
        }
    })
    .unwrap();
    assert_eq!(observe(|_| {}), Err(AlreadyObserved));
    // Nobody else reads from a moment as late as this.
    let late = readings::Params { from: 77, to: 78 };
    connection.execute("INSERT INTO reading VALUES ('a', 77, NULL), ('b', 78, NULL)", []).unwrap();
    query::readings(&connection, &late).unwrap();
    connection.execute("DROP TABLE reading", []).unwrap();
    query::readings(&connection, &late).unwrap_err();
    query::every_type(&connection, &every_type::Params { name: "Ada" }).unwrap();
    let told = TOLD.lock().unwrap();
    assert!(told.iter().any(|(_, rows, error)| *rows == 2 && error.is_none()), "{told:?}");
    assert!(told.iter().any(|(_, _, error)| error.as_ref().is_some_and(|error| error.contains("no such table"))));
}
