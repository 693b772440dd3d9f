//! The real program.

use harness::{Sandbox, Server, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_guide-actix");

#[test]
fn a_new_database_is_served() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.path("tasks.db"));
    assert_eq!(server.ask("POST", "/tasks", r#"{"title": "Call the plumber", "due": "2025-03-01"}"#).status, 201);
    let answer = server.ask("GET", "/tasks?until=2025-12-31", "");
    assert_eq!(answer.body, r#"[{"id":1,"title":"Call the plumber","due":"2025-03-01"}]"#);
    assert_eq!(server.ask("GET", "/healthz", "").body, "ready\n");
    let refused = server.ask("POST", "/tasks", r#"{"title": ""}"#);
    assert_eq!((refused.status, refused.body.as_str()), (422, "this is no task\n"));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn an_old_database_is_upgraded_and_served() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.old("tasks.db"));
    assert_eq!(server.ask("GET", "/tasks", "").body, r#"[{"id":1,"title":"Sweep","due":"9999-12-31"}]"#);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let sandbox = Sandbox::default();
    let file = sandbox.damaged("tasks.db");
    let before = std::fs::read(&file).ok();
    let run = run(PROGRAM, &[file.as_os_str()], "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(6), ""));
    assert!(run.stderr.contains("hint: restore a backup"), "{}", run.stderr);
    assert_eq!(std::fs::read(&file).ok(), before);
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
