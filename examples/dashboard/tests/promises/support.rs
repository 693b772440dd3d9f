//! The real program, on a database of its own, and a small HTTP client.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use worklog_fixture::Fixture;

/// What a boot of an existing database reaches: the migration behind it waits for somebody's permission.
pub(crate) const REACHED: i64 = 2;

/// A directory with a database.
pub(crate) struct Sandbox {
    directory: TempDir,
    pub(crate) database: PathBuf,
}

impl Sandbox {
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("worklog.db");
        Self { directory, database }
    }

    /// With a production database as the fixture describes it.
    pub(crate) fn with(fixture: &Fixture) -> Self {
        let sandbox = Self::empty();
        fixture.create(&sandbox.database).unwrap();
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn open(&self) -> Connection {
        Connection::open(&self.database).unwrap()
    }

    /// The program on this database, at an address of its own, whatever the environment of the tests says.
    pub(crate) fn command(&self) -> Command {
        let mut command = program();
        command.args(["--listen", "127.0.0.1:0", "--db"]).arg(&self.database);
        command
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command())
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dashboard"));
    for variable in ["LOCK_TIMEOUT", "INTEGRITY", "FOREIGN_KEYS", "BACKUP", "TARGET", "MAINTENANCE"] {
        command.env_remove(format!("BOOTPROOF_{variable}"));
    }
    command.env("RUST_LOG", "warn").env_remove("NOTIFY_SOCKET");
    command
}

/// A running server; ended with the test.
pub(crate) struct Server {
    pub(crate) child: Child,
    /// Kept open: the server goes on printing.
    _stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address =
            stdout.by_ref().lines().map(Result::unwrap).find_map(|line| {
                line.split_once("http://").map(|(_, address)| address.trim_end_matches('/').to_owned())
            });
        Self { child, _stdout: stdout, address: address.expect("the server says where it listens") }
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        request(&self.address, "GET", target)
    }

    /// What a service manager does.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let process = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it has not ended within 30 s");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer to one request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// One request on a connection of its own.
pub(crate) fn request(address: &str, method: &str, target: &str) -> Answer {
    try_request(address, method, target, "").unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

/// The same, which may fail; with a body.
pub(crate) fn try_request(address: &str, method: &str, target: &str, body: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut reader = BufReader::new(stream);
    read_answer(&mut reader)
}

/// Reads one answer, and not a byte more: the connection may be used again.
pub(crate) fn read_answer(reader: &mut BufReader<TcpStream>) -> std::io::Result<Answer> {
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            let kind = std::io::ErrorKind::UnexpectedEof;
            return Err(std::io::Error::new(kind, format!("ended after {} bytes of the head", head.len())));
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken("no status"))?;
    let mut answer = Answer { status, head, body: String::new() };
    match answer.header("content-length").and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => reader.by_ref().take(length).read_to_string(&mut answer.body)?,
        None => return Err(broken("no length")),
    };
    Ok(answer)
}
