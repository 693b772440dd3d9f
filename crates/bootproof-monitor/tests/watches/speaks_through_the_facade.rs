use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bootproof_monitor::{Checkup, Monitor, publish};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use worklog_schema::{SCHEMA, query};

use crate::scene::Scene;

/// Keeps the last value of every gauge, the sum of every counter and of every histogram.
#[derive(Default)]
struct Memory(Arc<Mutex<BTreeMap<String, f64>>>);

struct Cell(Arc<Mutex<BTreeMap<String, f64>>>, String);

impl Cell {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.0.lock().unwrap().entry(self.1.clone()).or_default());
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.change(|sum| *sum += f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Cell {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        self.change(|last| *last = value);
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        self.change(|sum| *sum += value);
    }
}

impl Memory {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Cell(Arc::clone(&self.0), format!("{} {}", key.name(), labels.join(","))))
    }
}

impl Recorder for Memory {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

#[test]
fn a_recorder_hears_of_every_run_and_of_the_health() {
    let scene = Scene::new();
    let memory = Memory::default();
    metrics::with_local_recorder(&memory, || {
        let monitor = Monitor::new(&SCHEMA);
        monitor.record(&query::USER_MONTH, Duration::from_millis(250), true);
        monitor.record(&query::USER_MONTH, Duration::from_millis(750), true);
        monitor.record(&query::USER_MONTH, Duration::from_millis(1), false);
        publish(&Checkup::new(&SCHEMA, scene.path()).metrics().unwrap());
    });
    let heard = memory.0.lock().unwrap().clone();
    let value = |name: &str| heard.get(name).copied();
    assert_eq!(value("bootproof_query_duration_seconds query=user_month"), Some(1.0));
    assert_eq!(value("bootproof_query_errors_total query=user_month"), Some(1.0));
    assert_eq!(value("bootproof_query_slow_total query=user_month"), Some(1.0));
    assert_eq!(value("bootproof_schema_version "), Some(2.0));
    assert_eq!(value("bootproof_table_rows table=worklogs"), Some(2_000.0));
}
