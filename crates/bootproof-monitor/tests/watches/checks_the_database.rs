use std::sync::Arc;
use std::time::{Duration, Instant};

use bootproof_monitor::{Checkup, Diagnosis, Rows, Thresholds};
use rusqlite::Connection;
use worklog_schema::SCHEMA;

use crate::page;
use crate::scene::Scene;

fn alerts(diagnosis: &Diagnosis) -> Vec<&'static str> {
    diagnosis.alerts.iter().map(|alert| alert.name).collect()
}

#[test]
fn what_is_fresh_is_not_measured_again() {
    let scene = Scene::new();
    let checkup = Checkup::new(&SCHEMA, scene.path());
    let first = checkup.latest().unwrap();
    assert!(Arc::ptr_eq(&first, &checkup.latest().unwrap()));
    assert_eq!((first.health.version, alerts(&first)), (scene.report.to_version, vec![]));
    assert_eq!(first.health.boots[0].event, "adopt", "the boot history is the audit table's");
    let hasty = Checkup::new(&SCHEMA, scene.path()).fresh_for(Duration::ZERO);
    assert!(!Arc::ptr_eq(&hasty.latest().unwrap(), &hasty.latest().unwrap()));
}

#[test]
fn sizes_are_kept_until_they_are_measured_again() {
    let scene = Scene::new();
    let checkup = Checkup::new(&SCHEMA, scene.path()).fresh_for(Duration::ZERO);
    let size = |diagnosis: &Diagnosis| {
        let mut indexes = diagnosis.health.indexes.iter();
        indexes.find(|index| index.name == "idx_worklogs_user_range").unwrap().space.map(|space| space.bytes)
    };
    assert_eq!(size(&checkup.latest().unwrap()), None);
    assert!(!checkup.prometheus().unwrap().contains("bootproof_sizes_age_seconds"));
    let measured = size(&checkup.measure_sizes().unwrap());
    assert!(measured > Some(0));
    let later = checkup.latest().unwrap();
    assert_eq!(size(&later), measured);
    assert!(later.sizes_at.unwrap() < later.at);
    assert!(page::names(&checkup.prometheus().unwrap()).contains("bootproof_sizes_age_seconds"));
}

#[test]
fn sizes_outlast_a_moment_in_which_nothing_could_be_measured() {
    let scene = Scene::new();
    let checkup = Checkup::new(&SCHEMA, scene.path()).fresh_for(Duration::ZERO);
    let sizes = |diagnosis: &Diagnosis| -> Vec<_> {
        diagnosis
            .health
            .indexes
            .iter()
            .filter_map(|index| index.space.map(|space| (index.name.clone(), space.bytes)))
            .collect()
    };
    let measured = sizes(&checkup.measure_sizes().unwrap());
    assert!(!measured.is_empty());
    let holder = scene.connection();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE held(a)").unwrap();
    assert!(checkup.latest().unwrap().health.error.is_some());
    assert!(checkup.measure_sizes().unwrap().health.error.is_some());
    drop(holder);
    let later = checkup.latest().unwrap();
    assert!(later.sizes_at.is_some());
    assert_eq!(sizes(&later), measured);
}

#[test]
fn thresholds_decide_what_is_amiss() {
    let scene = Scene::new();
    let rows = [("worklogs".to_owned(), Rows(Some(1_999)))].into_iter().collect();
    let checkup = Checkup::new(&SCHEMA, scene.path()).thresholds(Thresholds { rows, ..Thresholds::default() });
    assert_eq!(alerts(&checkup.latest().unwrap()), ["table_rows"]);
}

#[test]
fn a_database_that_is_held_is_a_diagnosis_after_a_second() {
    let scene = Scene::new();
    let holder = scene.connection();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE held(a)").unwrap();
    let start = Instant::now();
    let diagnosis = Checkup::new(&SCHEMA, scene.path()).latest().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(diagnosis.health.error.as_ref().map(|error| error.code), Some(3));
    assert_eq!(alerts(&diagnosis), ["refused"]);
}

#[test]
fn a_damaged_and_a_missing_database_are_diagnoses() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worklog.db");
    let code = || Checkup::new(&SCHEMA, &path).latest().unwrap().health.error.as_ref().map(|error| error.code);
    assert_eq!(code(), Some(8));
    assert!(!path.exists(), "measuring made a file");
    std::fs::write(&path, "this is no database, and never was one").unwrap();
    assert_eq!(code(), Some(6));
}

#[test]
fn measuring_writes_nothing() {
    let scene = Scene::new();
    let digest = || {
        let connection = Connection::open(scene.path()).unwrap();
        connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
        std::fs::read(scene.path()).unwrap()
    };
    let before = digest();
    let checkup = Checkup::new(&SCHEMA, scene.path());
    checkup.measure_sizes().unwrap();
    checkup.latest().unwrap();
    assert!(before == digest());
}
