//! Bringing to the disk what a transaction has written before it commits.
//!
//! With a rollback journal the old pages are in the journal, which is on the disk before any new page is in the file
//! (<https://sqlite.org/atomiccommit.html>): the rest may follow at any time, and what follows early the commit need not wait for.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::connection;
use crate::error::Error;
use crate::ffi;

/// Writes the pages of a transaction into its file, but for the first, and tells which file that is; none where they are not in it now.
///
/// As soon as they are written the file is what the transaction says it is, and nobody else reads it until it ends; in WAL mode they are
/// in the log. Of a transaction that has not begun to write there is little, and others may read until it commits. A connection that must
/// not write early says that it has, and has not (<https://sqlite.org/pragma.html#pragma_cache_spill>). And of layers over the system that
/// are not known nobody can tell what becomes of the locks of a file when it is opened and closed once more.
pub(crate) fn write_out(connection: &Connection) -> rusqlite::Result<Option<PathBuf>> {
    let mode: String = connection.pragma_query_value(Some("main"), "journal_mode", |row| row.get(0))?;
    let spills_from: i64 = connection.pragma_query_value(Some("main"), "cache_spill", |row| row.get(0))?;
    let is_early = spills_from > 0 && matches!(mode.as_str(), "delete" | "truncate" | "persist");
    let Some(file) = ffi::file_of(connection) else { return Ok(None) };
    if !is_early || !ffi::has_known_layer(connection) || !ffi::is_exclusive(connection) {
        return Ok(None);
    }
    ffi::write_out(connection)?;
    Ok(Some(file))
}

/// Another thread flushes what a transaction has written, while the transaction goes on.
///
/// A system may tell only one of those who flush a file that what was written is lost, and the commit would not hear of it: it has to
/// be [finished](Flushing::finish) before.
#[derive(Debug)]
#[must_use]
pub(crate) struct Flushing(Option<JoinHandle<rusqlite::Result<()>>>);

impl Flushing {
    /// Begins where something can be flushed early. Where not, the commit does it, as it does what is written from now on.
    pub(crate) fn begin(connection: &Connection) -> Self {
        Self::begin_by(connection, ffi::flush)
    }

    fn begin_by(connection: &Connection, flush: fn(&Connection) -> rusqlite::Result<()>) -> Self {
        let begin = || -> Result<Option<JoinHandle<_>>, String> {
            let Some(file) = write_out(connection).map_err(|error| error.to_string())? else { return Ok(None) };
            let another = connection::open_companion(&file).map_err(|error| error.to_string())?;
            let spawned = thread::Builder::new().name("flushing".to_owned()).spawn(move || flush(&another));
            spawned.map(Some).map_err(|error| error.to_string())
        };
        Self(begin().unwrap_or_else(|error| {
            log::debug!("flushing with the commit: {error}");
            None
        }))
    }

    /// Waits until it is on the disk.
    ///
    /// # Errors
    ///
    /// It may not be there, and never come there: nothing must be committed.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let flushed = self.0.take().map_or(Ok(Ok(())), JoinHandle::join).unwrap_or(Ok(()));
        flushed.map_err(|error| Error::from_sqlite("flushing what was written", error))
    }
}

/// Nobody flushes any more when a boot has failed.
impl Drop for Flushing {
    fn drop(&mut self) {
        if let Some(flushing) = self.0.take() {
            let _ = flushing.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use faulty_vfs::{Fault, Injection, Operation};

    use super::*;

    /// A transaction that has written more than fits into the page cache.
    fn writing(path: &std::path::Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA cache_size = 50; CREATE TABLE t(a); BEGIN IMMEDIATE;
                 WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                 INSERT INTO t SELECT zeroblob(1000) FROM n",
            )
            .unwrap();
        connection
    }

    #[test]
    fn what_cannot_be_flushed_is_told_before_the_commit() {
        faulty_vfs::install().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let connection = writing(&directory.path().join("file.db"));
        Flushing::begin(&connection).finish().unwrap();
        let failing = Flushing::begin_by(&connection, |file| {
            let broken = Injection { fault: Fault::Io, operation: Some(Operation::Sync), nth: 1, lasting: false };
            let (flushed, struck) = faulty_vfs::with_fault(broken, || ffi::flush(file));
            assert!(struck.is_some());
            flushed
        });
        assert!(failing.0.is_some());
        let failed = failing.finish().unwrap_err();
        assert!(matches!(failed, Error::Storage { .. }), "{failed:?}");
    }

    #[test]
    fn what_is_in_a_log_is_left_to_the_commit() {
        let directory = tempfile::tempdir().unwrap();
        let connection = writing(&directory.path().join("file.db"));
        connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; DELETE FROM t").unwrap();
        assert_eq!(write_out(&connection).unwrap(), None);
        assert!(Flushing::begin(&connection).0.is_none());
    }
}
