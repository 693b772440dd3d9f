//! The next process boots and migrates while the one before serves, takes its door, and no request is lost on the way.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufReader, IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::cmsg_space;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use worklog_fixture::Fixture;

use crate::support::{Answer, REACHED, Sandbox, Server, read_answer, try_request};

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
    assert_eq!(serving.get("/healthz").json()["version"], REACHED);
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

/// The place is taken by renaming: what was there would be gone.
#[test]
fn a_file_that_is_no_door_is_left_alone() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let notes = sandbox.path().join("notes");
    fs::write(&notes, "not to be lost").unwrap();
    for path in [&notes, &sandbox.database] {
        let before = fs::read(path).unwrap();
        let output = sandbox.command().arg("--handover").arg(path).arg("--no-serve").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("no socket"), "{stderr}");
        assert!(fs::read(path).unwrap() == before, "{}: as it was", path.display());
    }
}

#[test]
fn only_its_owner_may_ask_for_the_door() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let _serving = Server::start(beside(&sandbox));
    let door = sandbox.path().join("door");
    let left = || -> Vec<_> {
        let names = fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("door.")).collect()
    };
    // The socket is moved to its place, and then the directory in which it was made is removed.
    for _ in 0..500 {
        if door.exists() && left().is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(fs::metadata(&door).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(left().is_empty(), "{:?}", left());
}

/// The one before has waited too long for this one, and goes on: two would serve, and no third could end the older.
#[test]
fn one_that_comes_too_late_does_not_serve_beside_the_other() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let path = sandbox.path().join("door");
    let (offer, door) = (UnixListener::bind(&path).unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut next = beside(&sandbox).stdout(Stdio::null()).spawn().unwrap();
    let (stream, _) = offer.accept().unwrap();
    let sockets = [door.as_fd()];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&sockets)));
    // It has waited no longer before the next one has even read this.
    stream.shutdown(Shutdown::Read).unwrap();
    sendmsg(&stream, &[IoSlice::new(b"D")], &mut control, SendFlags::empty()).unwrap();
    drop(stream);
    let ended = (0..400).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        next.try_wait().unwrap()
    });
    let _ = next.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(8), "it ends, and says so");
    // Whoever comes next finds the one before where it was.
    let asked = UnixStream::connect(&path).unwrap();
    offer.accept().unwrap();
    drop(asked);
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
