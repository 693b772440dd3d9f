//! Runs the real programs: to their end, or as servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bootproof::Boot;
use rusqlite::Connection;
use tasks::SCHEMA;
use tempfile::TempDir;

/// A directory for one test.
#[derive(Debug)]
pub struct Sandbox(TempDir);

impl Default for Sandbox {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Sandbox {
    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A database that an earlier release of the programs has left, with one task in it.
    #[must_use]
    pub fn old(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        Boot::new(&SCHEMA, &path).target(1).run().unwrap();
        Connection::open(&path).unwrap().execute("INSERT INTO task(title) VALUES ('Sweep')", []).unwrap();
        path
    }

    /// A database that a later release has left.
    #[must_use]
    pub fn newer(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        Boot::new(&SCHEMA, &path).run().unwrap();
        let sql = "INSERT INTO refinery_schema_history(version, name, applied_on, checksum)
                   SELECT 99, 'of_the_future', applied_on, checksum FROM refinery_schema_history WHERE version = 1;
                   PRAGMA user_version = 0";
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        path
    }

    /// Writes to a database and does not come to an end, as another process may, until what is returned is dropped.
    #[must_use]
    pub fn hold(&self, name: &str) -> Connection {
        let connection = Connection::open(self.path(name)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }

    /// A file that is no database.
    #[must_use]
    pub fn damaged(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "a long text that is no database ".repeat(64)).unwrap();
        path
    }
}

/// What a program said until it ended.
#[derive(Debug)]
pub struct Run {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its answer.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

/// Runs a program to its end, with lines on its standard input.
#[must_use]
pub fn run(program: &str, arguments: &[&OsStr], input: &str) -> Run {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A server, until it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Server {
    /// Starts one, whose last argument is the address that it listens on.
    #[must_use]
    pub fn start(program: &str, file: &Path) -> Self {
        let mut command = Command::new(program);
        let mut child = command.arg(file).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some(address) = line.unwrap().strip_prefix("listening on http://") {
                return Self { child, address: address.to_owned() };
            }
        }
        panic!("{program} does not listen: {:?}", child.wait());
    }

    /// Asks it something.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, json: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = json.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let body = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}");
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Asks it to stop as a service manager does, and returns its exit code.
    #[must_use]
    pub fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
