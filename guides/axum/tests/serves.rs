//! The real program.

use harness::{Sandbox, Server, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_guide-axum");

#[test]
fn a_new_database_is_served() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.path("tasks.db"));
    assert_eq!(server.ask("POST", "/tasks", r#"{"title": "Call the plumber", "due": "2025-03-01"}"#).status, 201);
    assert_eq!(server.ask("POST", "/tasks", r#"{"title": "Read"}"#).body, "2");
    let answer = server.ask("GET", "/tasks?until=2025-12-31", "");
    assert_eq!(answer.body, r#"[{"id":1,"title":"Call the plumber","due":"2025-03-01"}]"#);
    assert!(answer.head.contains("x-database: ready"), "{}", answer.head);
    assert_eq!(server.ask("GET", "/healthz", "").body, "ready at version 2\n");
    assert_eq!(server.ask("POST", "/tasks", r#"{"title": ""}"#).status, 422);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn an_old_database_is_upgraded_and_served() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.old("tasks.db"));
    assert_eq!(server.ask("GET", "/tasks", "").body, r#"[{"id":1,"title":"Sweep","due":"9999-12-31"}]"#);
}

#[test]
fn a_newer_database_is_refused() {
    let sandbox = Sandbox::default();
    let run = run(PROGRAM, &[sandbox.newer("tasks.db").as_os_str()], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""));
    assert!(run.stderr.starts_with("error: the database is at version 99, newer than this binary"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: deploy a build of at least that version"), "{}", run.stderr);
}

#[test]
fn somebody_else_who_writes_is_told_of_and_not_in_the_way_of_readers() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.path("tasks.db"));
    let writer = sandbox.hold("tasks.db");
    assert_eq!(server.ask("GET", "/tasks", "").status, 200);
    let answer = server.ask("POST", "/tasks", r#"{"title": "Read"}"#);
    assert_eq!((answer.status, answer.body.as_str()), (503, "busy\n"));
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    drop(writer);
    assert_eq!(server.ask("POST", "/tasks", r#"{"title": "Read"}"#).status, 201);
}
