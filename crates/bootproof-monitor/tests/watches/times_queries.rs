use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bootproof_monitor::{Monitor, QueryLatency, Thresholds};
use rusqlite::named_params;
use worklog_schema::{SCHEMA, query};

use crate::scene::Scene;

fn of(monitor: &Monitor, name: &str) -> QueryLatency {
    monitor.queries().into_iter().find(|query| query.name == name).unwrap()
}

#[test]
fn every_run_is_counted_and_what_it_returned_is_passed_on() {
    let scene = Scene::new();
    let connection = scene.connection();
    let monitor = Monitor::new(&SCHEMA);
    let run = |sql: &str| {
        monitor.time(&query::RECENT_LOGS, || {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(named_params! {}, |_| Ok(()))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })
    };
    for _ in 0..10 {
        run("SELECT 1").unwrap();
    }
    assert!(run("SELECT missing FROM logs").unwrap_err().to_string().contains("no such column: missing"));
    let logs = of(&monitor, "recent_logs");
    assert_eq!((logs.runs, logs.errors, logs.slow), (10, 1, 0));
    assert_eq!((logs.recent.runs, logs.recent.errors), (10, 1));
    let recent = logs.recent;
    assert!(recent.p50_ms.0 > 0.0 && recent.p50_ms <= recent.p95_ms && recent.p95_ms <= recent.p99_ms, "{recent:?}");
    assert!(recent.p99_ms <= recent.max_ms && logs.max_ms.0 > 0.0 && logs.total_ms >= logs.max_ms, "{logs:?}");
    assert_eq!(of(&monitor, "user_month").runs, 0);
    assert_eq!(monitor.queries().len(), SCHEMA.contracts().count());
}

#[test]
fn no_run_is_lost_between_threads() {
    let monitor = Monitor::new(&SCHEMA);
    let failed = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..32_u64 {
            let (monitor, failed) = (&monitor, &failed);
            scope.spawn(move || {
                for run in 0..500_u64 {
                    let fails = (thread + run).is_multiple_of(5);
                    let result = monitor.time(&query::USER_MONTH, || if fails { Err(()) } else { Ok(()) });
                    failed.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
                }
            });
        }
    });
    let (month, failed) = (of(&monitor, "user_month"), failed.into_inner());
    assert_eq!((month.runs, month.errors), (16_000 - failed, failed));
    assert_eq!((month.recent.runs, month.recent.errors), (16_000 - failed, failed));
}

#[test]
fn a_query_that_panics_spoils_nothing() {
    let monitor = Monitor::new(&SCHEMA);
    let panicked = thread::scope(|scope| {
        let run = || monitor.time(&query::USER_MONTH, || -> Result<(), ()> { std::panic::resume_unwind(Box::new(())) });
        scope.spawn(run).join()
    });
    assert!(panicked.is_err());
    monitor.time(&query::USER_MONTH, || Ok::<_, ()>(())).unwrap();
    assert_eq!(of(&monitor, "user_month").runs, 1);
}

#[test]
fn alerts_are_of_many_runs_over_the_budget_and_of_failures() {
    let monitor = Monitor::new(&SCHEMA);
    let budget = query::USER_MONTH.budget;
    let alerts =
        |monitor: &Monitor| monitor.alerts().iter().map(|alert| (alert.name, alert.object.clone())).collect::<Vec<_>>();
    for _ in 0..19 {
        monitor.record(&query::USER_MONTH, budget * 2, true);
        monitor.record(&query::COMPANY_MONTH, query::COMPANY_MONTH.budget * 9 / 10, true);
    }
    assert_eq!(alerts(&monitor), [], "too few runs to say");
    for _ in 0..10 {
        monitor.record(&query::USER_MONTH, budget * 2, true);
        monitor.record(&query::COMPANY_MONTH, query::COMPANY_MONTH.budget * 9 / 10, true);
    }
    assert_eq!(alerts(&monitor), [("query_latency", "user_month".to_owned())]);
    monitor.record(&query::RECENT_LOGS, Duration::from_millis(1), false);
    assert_eq!(
        alerts(&monitor),
        [("query_errors", "recent_logs".to_owned()), ("query_latency", "user_month".to_owned())]
    );
    let lenient = Thresholds { budget_factor: None, ..Thresholds::default() };
    let monitor = Monitor::new(&SCHEMA).thresholds(lenient);
    for _ in 0..30 {
        monitor.record(&query::USER_MONTH, budget * 2, true);
    }
    assert_eq!(alerts(&monitor), [], "switched off");
}
