//! Health, the verdict of the boot on every answer, and metrics.

#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
#[cfg(target_os = "linux")]
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use worklog_fixture::Fixture;

#[cfg(target_os = "linux")]
use crate::support::Server;
use crate::support::{REACHED, Sandbox};

#[test]
fn ready_is_told_everywhere() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let server = sandbox.serve();
    let health = server.get("/healthz");
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ready");
    assert_eq!(health.json()["version"], REACHED);
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

/// What `systemctl start` waits for; of a boot that is refused it hears nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_service_manager_is_told_when_somebody_is_let_in() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let path = sandbox.path().join("manager");
    let abstract_name = format!("dashboard-{}", std::process::id());
    let unnamed = SocketAddr::from_abstract_name(&abstract_name).unwrap();
    let managers = [
        (UnixDatagram::bind(&path).unwrap(), path.into_os_string()),
        (UnixDatagram::bind_addr(&unnamed).unwrap(), format!("@{abstract_name}").into()),
    ];
    for (manager, name) in &managers {
        manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = sandbox.command();
        command.env("NOTIFY_SOCKET", name);
        let server = Server::start(command);
        let mut told = [0; 64];
        let length = manager.recv(&mut told).unwrap();
        assert_eq!(&told[..length], b"READY=1");
        assert_eq!(server.get("/healthz").status, 200);
    }
    std::fs::write(&sandbox.database, "no database ".repeat(400)).unwrap();
    let (manager, name) = &managers[0];
    assert_eq!(sandbox.command().env("NOTIFY_SOCKET", name).output().unwrap().status.code(), Some(6));
    manager.set_nonblocking(true).unwrap();
    assert!(manager.recv(&mut [0; 64]).is_err());
}
