//! The real program.

use harness::{Sandbox, Server};

const PROGRAM: &str = env!("CARGO_BIN_EXE_guide-tenants");

#[test]
fn one_tenant_is_refused_and_the_others_are_served() {
    let sandbox = Sandbox::default();
    let (_, _, _) = (sandbox.old("all/old.db"), sandbox.newer("all/newer.db"), sandbox.damaged("all/damaged.db"));
    let server = Server::start(PROGRAM, &sandbox.path("all"));
    for refused in ["newer", "damaged"] {
        let answer = server.ask("GET", &format!("/{refused}/tasks"), "");
        assert_eq!((answer.status, answer.body.as_str()), (503, "this tenant is not served at present\n"));
        assert!(answer.head.contains("retry-after: 600"), "{}", answer.head);
    }
    assert_eq!(server.ask("GET", "/old/tasks", "").body, r#"[{"id":1,"title":"Sweep","due":"9999-12-31"}]"#);
    assert_eq!(server.ask("POST", "/old/tasks", r#""Read""#).body, "2");
}

#[test]
fn a_tenant_is_made_on_purpose_only() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.path("all"));
    assert_eq!(server.ask("GET", "/ada/tasks", "").status, 404);
    assert_eq!(server.ask("PUT", "/ada", "").status, 204);
    assert_eq!(server.ask("GET", "/ada/tasks", "").body, "[]");
    for name in ["..%2Fada", "%2E%2E", "Ada", "a%00", "a.b"] {
        assert_eq!(server.ask("PUT", &format!("/{name}"), "").status, 404, "{name}");
    }
    let made: Vec<_> = std::fs::read_dir(sandbox.path("all")).into_iter().flatten().flatten().collect();
    assert!(made.iter().all(|file| file.file_name().to_string_lossy().starts_with("ada.db")), "{made:?}");
}

#[test]
fn many_ask_for_a_tenant_that_is_not_open_yet() {
    let sandbox = Sandbox::default();
    let server = Server::start(PROGRAM, &sandbox.path("all"));
    // It comes from elsewhere while the server runs.
    let _ = sandbox.old("all/old.db");
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| server.ask("GET", "/old/tasks", "").status)).collect();
        assert!(asked.into_iter().all(|asked| matches!(asked.join(), Ok(200))));
    });
    let backups = std::fs::read_dir(sandbox.path("all")).into_iter().flatten().flatten();
    let backups: Vec<_> = backups.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    let made = backups.iter().filter(|name| name.contains(".backup-") && name.strip_suffix(".b3").is_none()).count();
    assert_eq!(made, 1, "{backups:?}");
}

#[test]
fn somebody_else_who_writes_is_told_of_and_not_in_the_way_of_readers() {
    let sandbox = Sandbox::default();
    let _ = sandbox.old("all/old.db");
    let server = Server::start(PROGRAM, &sandbox.path("all"));
    assert_eq!(server.ask("GET", "/old/tasks", "").status, 200);
    let writer = sandbox.hold("all/old.db");
    assert_eq!(server.ask("GET", "/old/tasks", "").status, 200);
    let answer = server.ask("POST", "/old/tasks", r#""Read""#);
    assert_eq!((answer.status, answer.body.as_str()), (503, "busy\n"));
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    drop(writer);
    assert_eq!(server.ask("POST", "/old/tasks", r#""Read""#).status, 201);
}
