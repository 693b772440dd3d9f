use std::time::Duration;

use bootproof_monitor::{Checkup, Monitor, PROMETHEUS_CONTENT_TYPE};
use worklog_schema::{SCHEMA, query};

use crate::page;
use crate::scene::Scene;

#[test]
fn an_applications_whole_page_is_one_that_prometheus_reads() {
    let scene = Scene::new();
    let (monitor, checkup) = (Monitor::new(&SCHEMA), Checkup::new(&SCHEMA, scene.path()));
    monitor.booted(&scene.report);
    for milliseconds in 1..=100 {
        monitor.record(&query::USER_MONTH, Duration::from_millis(milliseconds * 10), true);
    }
    monitor.record(&query::USER_MONTH, Duration::from_millis(1), false);
    checkup.measure_sizes().unwrap();
    let series = page::read(&(monitor.prometheus() + &checkup.prometheus().unwrap()));
    let value = |name: &str| series.get(name).copied().unwrap_or(f64::NAN);
    let near = |name: &str, truth: f64| assert!((value(name) / truth - 1.0).abs() < 0.011, "{name} {}", value(name));
    near("bootproof_query_duration_seconds{query=\"user_month\",quantile=\"0.5\"}", 0.5);
    near("bootproof_query_duration_seconds{query=\"user_month\",quantile=\"0.95\"}", 0.95);
    near("bootproof_query_duration_seconds{query=\"user_month\",quantile=\"0.99\"}", 0.99);
    near("bootproof_query_duration_seconds_sum{query=\"user_month\"}", 50.5);
    near("bootproof_query_duration_seconds_count{query=\"user_month\"}", 100.0);
    near("bootproof_query_duration_max_seconds{query=\"user_month\"}", 1.0);
    near("bootproof_query_duration_budget_seconds{query=\"user_month\"}", 0.2);
    near("bootproof_query_errors_total{query=\"user_month\"}", 1.0);
    near("bootproof_query_slow_total{query=\"user_month\"}", 50.0);
    assert!(value("bootproof_boot_degraded").abs() < f64::EPSILON && value("bootproof_boot_duration_seconds") > 0.0);
    near("bootproof_boot_applied_migrations", 2.0);
    let unused = "bootproof_query_duration_seconds{query=\"team_month\",quantile=\"0.95\"}";
    assert!(!series.contains_key(unused), "no percentile of no run");
    assert!(
        series.keys().any(|name| name.starts_with("bootproof_change_timestamp_seconds{event=\"adopt\",from=\"none\""))
    );
    assert!(PROMETHEUS_CONTENT_TYPE.starts_with("text/plain; version=0.0.4"));
}
