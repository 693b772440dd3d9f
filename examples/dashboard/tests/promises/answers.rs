//! The example application: it boots on the crate, or does not listen at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use worklog_fixture::Fixture;

use crate::support::Sandbox;

/// The example that `cargo test` built beside this test.
fn dashboard() -> Command {
    let deps = std::env::current_exe().unwrap();
    let examples: PathBuf = deps.parent().and_then(Path::parent).unwrap().join("examples");
    Command::new(examples.join(format!("dashboard{}", std::env::consts::EXE_SUFFIX)))
}

/// A running server; ended with the test.
struct Server {
    child: Child,
    /// Kept open: the server goes on printing.
    _stdout: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(database: &Path) -> Self {
        let mut child = dashboard()
            .args(["--listen", "127.0.0.1:0", "--db"])
            .arg(database)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address =
            stdout.by_ref().lines().map(Result::unwrap).find_map(|line| {
                line.split_once("http://").map(|(_, address)| address.trim_end_matches('/').to_owned())
            });
        Self { child, _stdout: stdout, address: address.expect("the server says where it listens") }
    }

    fn request(&self, method: &str, target: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: dashboard\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        let (start, end) = (response.find('{').unwrap(), response.rfind('}').unwrap());
        (status, serde_json::from_str(&response[start..=end]).unwrap())
    }

    fn get(&self, target: &str) -> (u16, Value) {
        self.request("GET", target)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn the_demo_is_a_real_upgrade() {
    let sandbox = Sandbox::empty();
    let demo = || dashboard().args(["--demo", "2000", "--no-serve", "--db"]).arg(&sandbox.database).output().unwrap();
    let output = demo();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("ready at version 2 (was unmanaged)"), "{text}");
    for contract in worklog_schema::COMPILED.contracts {
        assert!(text.contains(contract.name), "{text}");
    }
    let before = sandbox.bytes();
    assert_eq!(demo().status.code(), Some(2), "an existing file is not overwritten");
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn it_answers_from_the_proven_queries() {
    let sandbox = Sandbox::with(&Fixture::new(5_000));
    let server = Server::start(&sandbox.database);
    assert_eq!(server.get("/healthz").0, 200);
    assert_eq!(server.get("/healthz").1["status"], "ready");
    assert_eq!(server.get("/api/dashboard").0, 200);
    assert_eq!(server.get("/api/sync").0, 200);

    let (status, body) = server.get("/api/dashboard?company_id=1&from=2025-03-01&to=2025-03-31");
    assert_eq!(status, 200);
    let (count, hours): (i64, f64) = sandbox
        .open()
        .query_row(
            "SELECT count(*), sum(time_spent_seconds) / 3600.0 FROM worklogs
             WHERE company_id = 1 AND date(started) BETWEEN '2025-03-01' AND '2025-03-31'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!(count > 0);
    assert_eq!(body["count"], count, "{body}");
    assert!((body["hours"].as_f64().unwrap() - hours).abs() < 0.01, "{hours}: {body}");

    let (_, nobody) = server.get("/api/dashboard?company_id=999&from=2025-03-01&to=2025-03-31");
    assert!(!nobody.to_string().contains("author_email"), "never another company's rows: {nobody}");
}

#[test]
fn it_refuses_bad_requests_in_words() {
    let sandbox = Sandbox::with(&Fixture::new(1_000));
    let server = Server::start(&sandbox.database);
    for target in [
        "/api/dashboard?company_id=x",
        "/api/dashboard?company_id=1&from=2025-02-30&to=2025-03-01",
        "/api/dashboard?company_id=1&from=2025-03-02&to=2025-03-01",
        "/api/dashboard?company_id=1&from=2020-01-01&to=2025-03-01",
    ] {
        let (status, body) = server.get(target);
        assert_eq!(status, 400, "{target}: {body}");
        assert!(!body["error"].as_str().unwrap().is_empty());
    }
    assert_eq!(server.get("/nowhere").0, 404);
    assert_eq!(server.request("POST", "/api/sync").0, 405);
}

#[test]
fn it_does_not_listen_when_boot_refuses() {
    let sandbox = Sandbox::empty();
    std::fs::write(&sandbox.database, "no database ".repeat(400)).unwrap();
    let output = dashboard().args(["--listen", "127.0.0.1:0", "--db"]).arg(&sandbox.database).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("hint: ") && !String::from_utf8_lossy(&output.stdout).contains("http://"), "{stderr}");
}
