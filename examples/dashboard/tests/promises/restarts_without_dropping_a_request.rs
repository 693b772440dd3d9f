//! The next process boots and migrates while the one before serves, takes its door, and no request is lost on the way.

use std::collections::BTreeSet;
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use worklog_fixture::Fixture;

use crate::support::{Answer, PHASE_1, Sandbox, Server, read_answer, try_request};

const TARGETS: [&str; 4] = ["/healthz", "/api/dashboard", "/api/sync", "/"];

fn beside(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command();
    command.arg("--handover").arg(sandbox.path().join("door"));
    command
}

fn process(server: &Server) -> i64 {
    server.child.id().into()
}

/// What a client has seen.
#[derive(Default)]
struct Seen {
    answers: usize,
    processes: BTreeSet<i64>,
    failures: Vec<String>,
}

impl Seen {
    fn note(&mut self, target: &str, answer: std::io::Result<Answer>) {
        match answer {
            Ok(answer) if answer.status == 200 => {
                self.answers += 1;
                if target == "/healthz" {
                    self.processes.insert(answer.json()["process"].as_i64().unwrap());
                }
            }
            Ok(answer) => self.failures.push(format!("{target}: {} {}", answer.status, answer.body)),
            Err(error) => self.failures.push(format!("{target}: {error}")),
        }
    }
}

/// A connection for each request.
fn knock(address: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    for target in TARGETS.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        seen.note(target, try_request(address, "GET", target, ""));
    }
    seen
}

/// One connection for as long as the server keeps it: only where it says `Connection: close`, another.
fn stay(address: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut connection: Option<BufReader<TcpStream>> = None;
    for target in TARGETS.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut ask = || {
            let mut reader = match connection.take() {
                Some(reader) => reader,
                None => BufReader::new(TcpStream::connect(address)?),
            };
            write!(reader.get_mut(), "GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
            let answer = read_answer(&mut reader)?;
            if answer.header("connection") != Some("close") {
                connection = Some(reader);
            }
            Ok(answer)
        };
        seen.note(target, ask());
    }
    seen
}

#[test]
fn the_next_process_takes_over_while_clients_go_on_asking() {
    let sandbox = Sandbox::with(&Fixture::new(5_000).wal(true));
    // The first is an older release: it knows of fewer migrations.
    let mut older = beside(&sandbox);
    older.env("BOOTPROOF_TARGET", "1");
    let mut serving = Server::start(older);
    let address = serving.address.clone();
    let mut processes = BTreeSet::from([process(&serving)]);
    assert_eq!(serving.get("/healthz").json()["version"], 1);

    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn({
                    let (address, stop) = (&address, &stop);
                    move || if number % 2 == 0 { knock(address, stop) } else { stay(address, stop) }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        // One that migrates, and two that have nothing to do.
        for _ in 0..3 {
            let next = Server::start(beside(&sandbox));
            assert_eq!(next.address, address, "it has the very same door");
            let mut before = std::mem::replace(&mut serving, next);
            processes.insert(process(&serving));
            assert!(before.ended().success(), "the one before ends by itself");
        }
        thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });

    let failures: Vec<_> = seen.iter().flat_map(|seen| &seen.failures).collect();
    let answers: usize = seen.iter().map(|seen| seen.answers).sum();
    assert!(failures.is_empty(), "{} of {answers} requests failed: {failures:#?}", failures.len());
    assert!(answers > 200, "{answers}");
    let met: BTreeSet<i64> = seen.iter().flat_map(|seen| seen.processes.iter().copied()).collect();
    assert_eq!(met, processes, "clients met every process");
    assert_eq!(serving.get("/healthz").json()["version"], PHASE_1);
}

#[test]
fn a_process_that_is_refused_leaves_the_one_that_serves_alone() {
    let sandbox = Sandbox::with(&Fixture::new(500).wal(true));
    let mut serving = Server::start(beside(&sandbox));
    // One that was compiled with another text of a migration, as far as it can tell.
    let edit = |sql: &str| assert_eq!(sandbox.open().execute(sql, []).unwrap(), 1);
    edit("UPDATE refinery_schema_history SET checksum = '1' || checksum WHERE version = 1");
    let refused = beside(&sandbox).output().unwrap();
    assert_eq!(refused.status.code(), Some(4), "{}", String::from_utf8_lossy(&refused.stderr));
    edit("UPDATE refinery_schema_history SET checksum = substr(checksum, 2) WHERE version = 1");
    // Nor does one that asks for the door and is killed before it serves.
    let mut killed = UnixStream::connect(sandbox.path().join("door")).unwrap();
    killed.read_exact(&mut [0]).unwrap();
    drop(killed);
    assert_eq!(serving.get("/healthz").json()["process"], process(&serving));
    // And the next one that is sound takes over.
    let next = Server::start(beside(&sandbox));
    assert!(serving.ended().success());
    assert_eq!(next.get("/healthz").json()["process"], process(&next));
}

#[test]
fn what_a_killed_process_left_is_in_nobodys_way() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let mut killed = Server::start(beside(&sandbox));
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let server = Server::start(beside(&sandbox));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_door_at_another_address_is_not_taken() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let serving = Server::start(beside(&sandbox));
    let other = beside(&sandbox).args(["--listen", "127.0.0.1:9"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2), "{}", String::from_utf8_lossy(&other.stderr));
    assert_eq!(serving.get("/healthz").status, 200);
}

#[test]
fn a_request_that_was_begun_is_answered_after_the_signal_to_end() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let mut server = sandbox.serve();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    // An answer shows that it is inside, and not still before the door.
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_answer(&mut reader).unwrap().header("connection"), None);
    reader.get_mut().write_all(b"GET /api/sync HT").unwrap();
    server.terminate();
    thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(&server.address).is_err(), "nobody else is let in");
    reader.get_mut().write_all(b"TP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let answer = read_answer(&mut reader).unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(server.ended().success());
}
