use std::time::Duration;

use bootproof::compiled::Contract;
use bootproof_monitor::Monitor;
use rusqlite::{Statement, named_params};
use worklog_schema::{SCHEMA, query};

use crate::scene::{Scene, listen, warnings};

#[test]
fn a_slow_query_is_told_with_the_plan_the_boot_proved_and_without_values() {
    listen();
    let scene = Scene::new();
    let connection = scene.connection();
    let monitor = Monitor::new(&SCHEMA).slow_after(Duration::ZERO);
    monitor.booted(&scene.report);
    let contract: &Contract = &query::USER_MONTH;
    let parameters = named_params! { ":company_id": 8_472_911, ":email": "ada@example.com", ":from_day": "2025-12-01", ":to_day": "2025-12-31" };
    let rows = monitor.query(contract).on(&connection).with(parameters).time(|| {
        let mut statement = connection.prepare_cached(contract.sql)?;
        statement.query_map(parameters, |_| Ok(()))?.collect::<rusqlite::Result<Vec<_>>>()
    });
    rows.unwrap();
    let told = warnings(":email text of 15 bytes");
    let [line] = told.as_slice() else { panic!("{told:?}") };
    assert!(line.contains("USING INDEX idx_worklogs_company_day"), "{line}");
    let redacted = ":company_id integer, :email text of 15 bytes, :from_day text of 10 bytes, :to_day text of 10 bytes";
    assert!(line.contains(redacted), "{line}");
    for secret in ["8472911", "8_472_911", "ada@", "2025-12"] {
        assert!(!line.contains(secret), "{line}");
    }
    assert_eq!(monitor.queries().iter().map(|query| query.slow).sum::<u64>(), 1);
}

#[test]
fn a_plan_that_no_boot_told_is_asked_for_once_and_kept() {
    listen();
    let scene = Scene::new();
    let connection = scene.connection();
    let monitor = Monitor::new(&SCHEMA).slow_after(Duration::from_millis(1));
    let plan =
        |monitor: &Monitor| monitor.queries().into_iter().find(|query| query.name == "company_month").unwrap().plan;
    let slow = || {
        std::thread::sleep(Duration::from_millis(2));
        Ok::<_, ()>(())
    };
    monitor.time(&query::COMPANY_MONTH, slow).unwrap();
    assert_eq!(plan(&monitor), None, "nobody said where to ask");
    std::thread::sleep(Duration::from_millis(1_010));
    monitor.query(&query::COMPANY_MONTH).on(&connection).time(slow).unwrap();
    assert!(plan(&monitor).unwrap().contains("USING INDEX idx_worklogs_company_day"));
    // Also where it could not be asked for again.
    connection.execute_batch("DROP TABLE worklogs").unwrap();
    monitor.query(&query::COMPANY_MONTH).on(&connection).time(slow).unwrap();
    assert!(plan(&monitor).is_some());
    let told = warnings("slow query company_month");
    assert_eq!(told.len(), 2, "at most one line a second: {told:?}");
    assert!(told[0].contains("plan: unknown") && told[1].contains("plan: SEARCH"), "{told:?}");
}

#[test]
fn what_can_only_be_bound_is_told_without_values_too() {
    listen();
    let scene = Scene::new();
    let connection = scene.connection();
    let monitor = Monitor::new(&SCHEMA).slow_after(Duration::ZERO);
    // As generated code binds them: at their places.
    let bind = |statement: &mut Statement<'_>| {
        statement.raw_bind_parameter(1, 8_472_912)?;
        statement.raw_bind_parameter(2, "Secret Instance")?;
        statement.raw_bind_parameter(3, None::<String>)?;
        statement.raw_bind_parameter(4, "2025-12-31")
    };
    let contract: &Contract = &query::INSTANCE_SYNC;
    monitor.query(contract).on(&connection).bound_by(&bind).time(|| Ok::<_, ()>(())).unwrap();
    let told = warnings("slow query instance_sync");
    let [line] = told.as_slice() else { panic!("{told:?}") };
    let names: Vec<_> = contract.parameters.iter().map(|name| format!(":{name}")).collect();
    let [company, instance, from, to] = names.as_slice() else { panic!("{names:?}") };
    let redacted = format!("{company} integer, {instance} text of 15 bytes, {from} null, {to} text of 10 bytes");
    assert!(line.ends_with(&redacted) && line.contains("idx_worklogs_instance_range"), "{line}");
}

#[test]
fn a_fast_query_is_not_told() {
    listen();
    let monitor = Monitor::new(&SCHEMA);
    monitor.record(&query::TEAM_MONTH, Duration::from_millis(500), true);
    assert_eq!(warnings("team_month"), [""; 0]);
    monitor.record(&query::TEAM_MONTH, Duration::from_millis(501), true);
    assert_eq!(warnings("slow query team_month took 501 ms, over 500 ms").len(), 1);
}

#[test]
fn a_contract_of_another_schema_is_told_once_and_runs_all_the_same() {
    listen();
    let stranger = Contract { name: "stranger", ..query::USER_MONTH };
    let monitor = Monitor::new(&SCHEMA);
    for _ in 0..3 {
        assert_eq!(monitor.time(&stranger, || Ok::<_, ()>(7)), Ok(7));
    }
    assert_eq!(warnings("query stranger is no contract of the schema").len(), 1);
}
