//! Health, the verdict of the boot on every answer, and metrics.

use std::time::Duration;

use worklog_fixture::Fixture;

use crate::support::{PHASE_1, Sandbox};

#[test]
fn ready_is_told_everywhere() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let server = sandbox.serve();
    let health = server.get("/healthz");
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ready");
    assert_eq!(health.json()["version"], PHASE_1);
    for path in ["/", "/api/sync", "/metrics", "/nowhere"] {
        assert_eq!(server.get(path).header("database-verdict"), Some("ready"), "{path}");
    }
}

#[test]
fn degraded_is_served_and_told_everywhere() {
    let sandbox = Sandbox::with(&Fixture::new(5_000));
    drop(sandbox.serve());
    // Statistics that make SQLite believe in another index, and a writer in the way of gathering them anew.
    let writer = sandbox.open();
    writer
        .execute_batch(
            "DELETE FROM sqlite_stat4; UPDATE sqlite_stat1 SET stat = '1000000 1000000 1000000 1000000 1000000';
             UPDATE sqlite_stat1 SET stat = '1000000 1' WHERE idx = 'idx_worklogs_instance';
             BEGIN IMMEDIATE",
        )
        .unwrap();
    let server = sandbox.serve();
    let health = server.get("/healthz");
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("degraded")));
    assert_eq!(server.get("/api/dashboard").header("database-verdict"), Some("degraded"));
    let page = server.get("/admin/database").body;
    assert!(page.contains("Degraded at version"), "{page}");
    assert!(server.get("/metrics").body.contains("bootproof_boot_degraded 1\n"));
}

#[test]
fn metrics_tell_of_the_queries_that_were_run() {
    let sandbox = Sandbox::with(&Fixture::new(1_000));
    let server = sandbox.serve();
    for _ in 0..3 {
        assert_eq!(server.get("/api/sync").status, 200);
    }
    let metrics = server.get("/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(
        metrics.body.contains("bootproof_query_duration_seconds_count{query=\"instance_sync\"} 3\n"),
        "{}",
        metrics.body
    );
    let page = server.get("/admin/database").body;
    assert!(page.contains("instance_sync") && page.contains("within"), "{page}");
}

#[test]
fn the_sizes_of_indexes_appear() {
    let sandbox = Sandbox::with(&Fixture::new(1_000));
    let server = sandbox.serve();
    for _ in 0..100 {
        if server.get("/admin/database").body.contains("idx_worklogs_user_range</code></th>") {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not within 5 s");
}
