//! The same SQL in the sqlite3 shell or, for comparison, on a plain connection.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;

use crate::{Result, at};

/// Runs a script in the shell, which stops at the first error; its answers are thrown away. No settings of whoever runs this count.
pub(crate) fn run(shell: &Path, database: &Path, script: &str) -> Result<()> {
    let mut child = Command::new(shell)
        .args(["-batch", "-bail", "-init", "/dev/null"])
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| at(shell, &error))?;
    child.stdin.take().ok_or("the shell has no input")?.write_all(script.as_bytes())?;
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the sqlite3 shell failed: {status}").into()) }
}

/// Runs a script on a connection as it is opened, and reads every answer.
pub(crate) fn run_plainly(database: &Path, script: &str) -> Result<()> {
    let connection = Connection::open(database)?;
    let mut batch = rusqlite::Batch::new(&connection, script);
    while let Some(mut statement) = batch.next()? {
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
    }
    Ok(())
}
