//! Copying a database page by page, and reading the copy back.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bootproof_catalog::Catalog;
use rusqlite::backup::{Backup as OnlineBackup, StepResult};
use rusqlite::{Connection, OpenFlags, TransactionState};

use crate::error::{Error, storage};
use crate::ffi;
use crate::files::sidecar;
use crate::options::Integrity;
use crate::verify;
use crate::watch::Watch;

/// Pages copied at once; between two steps there is time to say how far it is, and to stop.
const PAGES_PER_STEP: i32 = 4096;

/// Copies the database that a connection is in a transaction on, through SQLite's online backup
/// (<https://sqlite.org/backup.html>), also where the newest pages are still in the WAL.
///
/// The copy is made from that connection and its transaction, so that others may write meanwhile; unless it writes
/// itself: SQLite does not copy from a connection that does. Then nobody else can, and a second connection sees the same.
pub(super) fn pages(
    connection: &Connection,
    path: &Path,
    partial: &Path,
    timeout: Duration,
    watch: &Watch,
) -> Result<(), Error> {
    let failed = |error| Error::from_sqlite("copying the database", error);
    if connection.transaction_state(Some("main")).map_err(failed)? == TransactionState::Write {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(path, flags).map_err(failed)?;
        // The waiting is done here, where it can be called off.
        source.busy_timeout(Duration::ZERO).map_err(failed)?;
        step_by_step(&source, partial, timeout, watch)?;
    } else {
        step_by_step(connection, partial, timeout, watch)?;
    }
    // The backup API counts its own work as a change of the schema. With the header as it was, the backup of a file
    // without a WAL is that file, byte for byte.
    if !sidecar(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0)
        && let Some(header) = ffi::file_header(connection)
    {
        restore_header(partial, &header).map_err(|error| storage("copied", partial, &error))?;
    }
    Ok(())
}

fn step_by_step(source: &Connection, partial: &Path, timeout: Duration, watch: &Watch) -> Result<(), Error> {
    let failed = |error| Error::from_sqlite("copying the database", error);
    // Nobody else knows this file: SQLite need not lock it, and where the system has one kind of lock only, could not.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_URI;
    let mut target = Connection::open_with_flags(uri(partial, "nolock=1"), flags).map_err(failed)?;
    // And it is flushed as a whole before it gets its name.
    target.pragma_update(None, "journal_mode", "OFF").map_err(failed)?;
    target.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
    let backup = OnlineBackup::new(source, &mut target).map_err(failed)?;
    let mut moved = Instant::now();
    loop {
        match backup.step(PAGES_PER_STEP).map_err(failed)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked if moved.elapsed() > timeout => {
                return Err(Error::Locked { waited: moved.elapsed(), holders: Vec::new() });
            }
            StepResult::Busy | StepResult::Locked => {
                watch.proceed()?;
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                moved = Instant::now();
                let progress = backup.progress();
                let pages = |pages: i32| u64::try_from(pages).unwrap_or_default();
                watch.advance(pages(progress.pagecount - progress.remaining), pages(progress.pagecount))?;
            }
        }
    }
}

fn restore_header(partial: &Path, header: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(partial)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(header)
}

/// Reads the copy back: sound, of the same schema, with as many rows in every table.
pub(super) fn verify(
    connection: &Connection,
    path: &Path,
    partial: &Path,
    catalog: &Catalog,
    watch: &Watch,
) -> Result<(), Error> {
    let mut copy = open_immutable(partial)?;
    watch.attach(&mut copy).map_err(|error| Error::from_sqlite("opening the copy", error))?;
    let failed = |what: &str| Error::BackupFailed {
        path: path.to_owned(),
        message: format!("the copy has {what} than the database"),
    };
    let compare = || {
        verify::integrity(&copy, Integrity::Quick)?;
        let copied = Catalog::read(&copy).map_err(|error| Error::from_reading("reading the copy", error))?;
        if copied != *catalog {
            return Err(failed("another schema"));
        }
        if verify::row_counts(connection, catalog)? != verify::row_counts(&copy, catalog)? {
            return Err(failed("other row counts"));
        }
        Ok(())
    };
    compare().map_err(|error: Error| error.unless_unreadable(&copy))
}

/// Opens a file that nobody writes, without making a `-wal` or `-shm` beside it, and without trust in what it says.
pub(crate) fn open_immutable(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let open = || {
        let connection = Connection::open_with_flags(uri(path, "immutable=1"), flags)?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    };
    open().map_err(|error| Error::from_reading("opening the copy", error))
}

/// A URI of a file, with a parameter (<https://sqlite.org/uri.html>).
fn uri(path: &Path, parameter: &str) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') {
            uri.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push('?');
    uri.push_str(parameter);
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_survives_any_name() {
        assert_eq!(uri(Path::new("/a b/50%?#.db"), "immutable=1"), "file:/a%20b/50%25%3F%23.db?immutable=1");
    }
}
