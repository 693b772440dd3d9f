use std::collections::BTreeMap;
use std::time::Duration;

use bootproof::inspect::{
    BackupAge, DifferenceReport, DifferenceSeverity, HistoryReport, IndexHealth, QueryHealth, Space, TableHealth,
    Undated,
};
use bootproof::{Milliseconds, Timing};
use bootproof_monitor::Rows;

use super::*;

/// A database with nothing amiss.
fn sound() -> Health {
    let space = Space { pages: 1_200, bytes: 4_915_200, unused_bytes: 409_600, leaf_pages: 1_180, gaps: 60 };
    Health {
        database: "worklog.db".to_owned(),
        binary: "app 1.0 \"stable\"".to_owned(),
        sqlite_version: "3.54.0".to_owned(),
        exists: true,
        is_readable: true,
        version: Some(2),
        head: 2,
        adopted: true,
        bytes: 12_288_000,
        wal_bytes: 4_152,
        journal_mode: Some("wal".to_owned()),
        page_size: Some(4_096),
        page_count: Some(3_000),
        free_pages: Some(30),
        tables: vec![
            TableHealth { name: "logs".to_owned(), rows: Some(12), row_limit: Some(1_000_000), space: None },
            TableHealth {
                name: "worklogs".to_owned(),
                rows: Some(20_000),
                row_limit: Some(5_000_000),
                space: Some(space),
            },
        ],
        indexes: vec![IndexHealth {
            name: "idx_worklogs_user_range".to_owned(),
            table: "worklogs".to_owned(),
            space: Some(space),
        }],
        last_migration: Some(HistoryReport {
            version: 2,
            name: "add_company_day_index".to_owned(),
            applied_on: "2026-02-10T09:30:00Z".to_owned(),
            checksum: "7".to_owned(),
        }),
        last_backup: Some(BackupAge {
            path: "worklog.db.backup-20260210_093000".to_owned(),
            bytes: 12_000_000,
            age_seconds: Some(90_000),
        }),
        queries: vec![query()],
        duration_ms: Milliseconds(120.5),
        ..Health::default()
    }
}

fn query() -> QueryHealth {
    QueryHealth {
        name: "instance_sync",
        expected_index: "idx_worklogs_instance_range",
        index_used: Some("idx_worklogs_instance_range".to_owned()),
        missed: None,
        budget_ms: Milliseconds(400.0),
        timing: Some(Timing {
            median_ms: Milliseconds(75.2),
            p95_ms: Milliseconds(90.0),
            max_ms: Milliseconds(110.0),
            rows_returned: 4_000,
            ..Timing::default()
        }),
        error: None,
    }
}

/// A database with everything amiss that leaves it bootable.
fn troubled() -> Health {
    let mut health = sound();
    health.bytes = 2_100_000_000;
    health.wal_bytes = 70_000_000;
    health.free_pages = Some(900);
    health.pending = 1;
    health.problems = vec!["unexpected error while counting rows: no such module: fts9".to_owned()];
    health.differences = vec![DifferenceReport {
        severity: DifferenceSeverity::Repairable,
        kind: "index".to_owned(),
        object: "idx_users_email".to_owned(),
        message: "index `idx_users_email` is missing".to_owned(),
    }];
    health.tables[1].rows = Some(5_000_001);
    health.indexes[0].space =
        Some(Space { pages: 100, bytes: 409_600, unused_bytes: 200_000, leaf_pages: 99, gaps: 97 });
    health.undated = vec![Undated {
        table: "worklogs".to_owned(),
        column: "started".to_owned(),
        function: "date",
        rows: 3,
        example: "2025-01-31T09:15:00.000+0100".to_owned(),
    }];
    let timing = Timing { median_ms: Milliseconds(900.0), max_ms: Milliseconds(5_300.0), ..Timing::default() };
    health.queries[0].timing = Some(timing);
    health.queries[0].missed = Some("SCAN worklogs".to_owned());
    let error = Some("no such table: nothing".to_owned());
    health.queries.push(QueryHealth { name: "recent_logs", timing: None, error, ..query() });
    health
}

fn damaged() -> Health {
    Health {
        database: "worklog.db".to_owned(),
        exists: true,
        bytes: 12_288_000,
        head: 2,
        error: Some(ErrorReport {
            code: 6,
            kind: "integrity",
            message: "the integrity check failed\n  while starting to read: file is not a database".to_owned(),
            hint: "restore a backup",
        }),
        ..Health::default()
    }
}

fn names(health: &Health, thresholds: &Thresholds) -> Vec<&'static str> {
    health_alerts(health, thresholds).iter().map(|alert| alert.name).collect()
}

#[test]
fn a_sound_database_raises_nothing() {
    assert_eq!(names(&sound(), &Thresholds::default()), [""; 0]);
}

#[test]
fn a_threshold_is_crossed_above_it_and_not_at_it() {
    let mut health = sound();
    health.bytes = 2_000_000_000;
    health.tables[1].rows = Some(5_000_000);
    health.free_pages = Some(750);
    health.queries[0].timing = Some(Timing { median_ms: Milliseconds(400.0), ..Timing::default() });
    assert_eq!(names(&health, &Thresholds::default()), [""; 0]);
    health.bytes += 1;
    health.tables[1].rows = Some(5_000_001);
    health.free_pages = Some(751);
    health.queries[0].timing = Some(Timing { median_ms: Milliseconds(400.1), ..Timing::default() });
    assert_eq!(names(&health, &Thresholds::default()), ["query_budget", "database_size", "table_rows", "free_pages"]);
}

#[test]
fn an_index_is_told_where_making_it_anew_gives_something_back() {
    let fragmented = |pages, unused_bytes, gaps| {
        let mut health = sound();
        health.indexes[0].space = Some(Space { pages, bytes: 1_000, unused_bytes, leaf_pages: 101, gaps });
        names(&health, &Thresholds::default())
    };
    assert_eq!(fragmented(100, 401, 51), ["index_fragmentation"]);
    assert_eq!(fragmented(99, 401, 51), [""; 0], "small");
    assert_eq!(fragmented(100, 400, 51), [""; 0], "full");
    assert_eq!(fragmented(100, 401, 50), [""; 0], "in order");
}

#[test]
fn every_alert_can_be_switched_off_or_moved() {
    let all_off = Thresholds::parse(
        "database_size = 'off'\nwal_size = 'off'\nfree_share = 'off'\nfragmentation = 'off'\nbudget_factor = 'off'\n\
         query_time = 'off'\nundated_rows = 'off'\npending_migrations = 'off'\n[rows]\nWorklogs = 'off'",
    );
    // What no threshold decides remains.
    let remaining = ["unmeasured", "index", "query_plan", "query_failed"];
    assert_eq!(names(&troubled(), &all_off.unwrap()), remaining);
    let rows = BTreeMap::from([("LOGS".to_owned(), Rows(Some(11))), ("worklog".to_owned(), Rows(Some(1)))]);
    let backup_age = Some(Duration::from_hours(24));
    let moved = Thresholds { backup_age, rows, ..Thresholds::default() };
    assert_eq!(names(&sound(), &moved), ["table_rows", "unknown_table", "backup_age"]);
    assert_eq!(names(&Health { last_backup: None, ..sound() }, &moved).last(), Some(&"backup_age"));
}

#[test]
fn the_answer_and_its_exit_code_fit_what_was_measured() {
    for (name, health, code) in [("sound", sound(), 0), ("troubled", troubled(), 9), ("damaged", damaged(), 6)] {
        let alerts = health_alerts(&health, &Thresholds::default());
        for (format, kind) in [(Format::Text, "text"), (Format::Json, "json"), (Format::Prometheus, "prometheus")] {
            let answer = say(&health, &alerts, format);
            assert_eq!(answer.code, code);
            let data = String::from_utf8(answer.data).unwrap();
            if format == Format::Text {
                assert!(data.lines().all(|line| line.chars().count() <= 80), "{data}");
            }
            insta::assert_snapshot!(format!("{name}-{kind}"), data);
        }
    }
}

#[test]
fn a_label_holds_any_name() {
    let mut health = sound();
    health.tables[0].name = "a\\b\"c\nd".to_owned();
    let metrics = prometheus_text(&health_metrics(&health, &[]));
    assert!(metrics.contains("bootproof_table_rows{table=\"a\\\\b\\\"c\\nd\"} 12\n"), "{metrics}");
}

#[test]
fn no_series_comes_twice() {
    let mut health = sound();
    health.problems = vec!["one".to_owned(), "another".to_owned()];
    let alerts = health_alerts(&health, &Thresholds::default());
    let metrics = prometheus_text(&health_metrics(&health, &alerts));
    assert_eq!((alerts.len(), metrics.matches("bootproof_alert{").count()), (2, 1), "{metrics}");
}

#[test]
fn a_name_does_not_steer_the_terminal() {
    let mut health = sound();
    health.tables[0].name = "a\u{1b}[2Jb".to_owned();
    assert!(text::page(&health, &[], Verdict::Healthy).contains("a\\u{1b}[2Jb"));
}

#[test]
fn thresholds_that_mean_nothing_are_a_usage_error() {
    for format in [Format::Text, Format::Json, Format::Prometheus] {
        let answer = misconfigured("`health.toml`: unknown field `x`".to_owned(), format);
        assert_eq!((answer.code, answer.data.is_empty()), (2, format != Format::Json));
        assert!(answer.message.contains("unknown field `x`"));
    }
}
