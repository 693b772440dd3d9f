//! Copying a database page by page, and reading the copy back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bootproof_catalog::{Catalog, quoted};
use foldhash::quality::RandomState;
use rusqlite::backup::{Backup as OnlineBackup, StepResult};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, TransactionState};

use super::digest;
use super::follow::{Follower, Writing};
use crate::connection;
use crate::error::{Error, is_refused_sql, storage};
use crate::ffi;
use crate::files::{has_content, sidecar};
use crate::integrity::{self, Companions};
use crate::options::Integrity;
use crate::verify;
use crate::watch::Watch;

/// Pages copied at once; between two steps there is time to say how far it is, and to stop.
const PAGES_PER_STEP: i32 = 4096;

/// Whether the bytes of the file can be copied as they are, in a quarter of the time that copying page by page takes.
pub(crate) fn is_whole(connection: &Connection) -> Result<bool, Error> {
    ffi::reads_the_file_alone(connection).map_err(|error| Error::from_sqlite("copying the database", error))
}

/// Copies the bytes of the file, as long as they are wanted.
pub(super) fn bytes(
    connection: &Connection,
    mut partial: &File,
    partial_path: &Path,
    writing: Writing<'_>,
    watch: &Watch,
) -> Result<(), Error> {
    let failed = |error| Error::from_sqlite("copying the database", error);
    let number =
        |pragma| connection.pragma_query_value(Some("main"), pragma, |row| row.get::<_, u32>(0)).map_err(failed);
    let size = u64::from(number("page_count")?) * u64::from(number("page_size")?);
    let mut buffer = digest::buffer("copying the database")?;
    reserve(partial, size);
    let mut done = 0_u64;
    while done < size {
        watch.advance(done, size)?;
        let length = usize::try_from(size - done).unwrap_or(usize::MAX).min(buffer.len());
        let piece = buffer.get_mut(..length).unwrap_or_default();
        ffi::read_file(connection, piece, i64::try_from(done).unwrap_or(i64::MAX)).map_err(failed)?;
        partial.write_all(piece).map_err(|error| storage("copied", partial_path, &error))?;
        if !writing.wrote(piece) {
            return Ok(());
        }
        done += length as u64;
    }
    writing.complete();
    Ok(())
}

/// Sets aside the space of the whole copy, so that the system need not look for some at every piece, nor note with every flush
/// that the file has grown: the copy takes a tenth less time. What it does not set aside, it finds when a piece is written,
/// or there is none.
#[cfg(target_os = "linux")]
fn reserve(partial: &File, size: u64) {
    let _ = rustix::fs::fallocate(partial, rustix::fs::FallocateFlags::empty(), 0, size);
}

/// Elsewhere nobody has measured it.
#[cfg(not(target_os = "linux"))]
fn reserve(_partial: &File, _size: u64) {}

/// Copies page by page through SQLite's online backup (<https://sqlite.org/backup.html>), also where the newest pages are
/// still in the WAL.
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
    if !has_content(&sidecar(path, "-wal"))
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

/// Whether the file that is being copied is sound: then so is a copy of its bytes. False where that could not be found out, or
/// is no longer wanted.
pub(super) fn is_sound(companion: Option<Connection>, path: &Path, watch: &Watch, follower: &Arc<Follower>) -> bool {
    let failed = |error| Error::from_sqlite("preparing the connection", error);
    let open = || {
        let mut connection = connection::open_companion(path)?;
        connection::distrust(&mut connection)
            .and_then(|()| connection.execute_batch("BEGIN; SELECT count(*) FROM main.sqlite_schema"))
            .map_err(failed)?;
        // Otherwise it sees more than was copied.
        Ok(is_whole(&connection)?.then_some(connection))
    };
    let check = || -> Result<bool, Error> {
        let Some(mut connection) = companion.map_or_else(open, |it| Ok(Some(it)))? else { return Ok(false) };
        let follower = Arc::clone(follower);
        integrity::check_aside(&mut connection, watch, Arc::new(move || follower.is_in_vain())).map(|()| true)
    };
    check().unwrap_or(false)
}

/// What is in a copy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) catalog: Catalog,
    /// How many rows each table has; none of a copy that has the same bytes, and so the same rows.
    pub(super) rows: Option<BTreeMap<String, i64>>,
}

impl Content {
    /// Reads a copy that has the same bytes, and checks it to this level.
    pub(super) fn of_same(partial: &Path, level: Integrity, watch: &Watch) -> Result<Self, Error> {
        reading(partial, watch, |copy| Self::read(copy, level, watch))
    }

    /// Reads a copy whose pages are elsewhere, and checks all of it; also while another thread watches over something else.
    pub(super) fn of_rearranged(partial: &Path, watch: &Watch) -> Result<Self, Error> {
        reading(partial, watch, |copy| {
            let content = Self::read(copy, Integrity::Full, watch)?;
            Ok(Self { rows: Some(verify::row_counts(copy, &content.catalog)?), ..content })
        })
    }

    fn read(copy: &Connection, level: Integrity, watch: &Watch) -> Result<Self, Error> {
        integrity::check(copy, level, Companions::Nobody, watch)?;
        let catalog = Catalog::read(copy).map_err(|error| Error::from_reading("reading the copy", error))?;
        Ok(Self { catalog, rows: None })
    }
}

/// Opens a copy, and reads something in it.
pub(super) fn reading<T>(
    partial: &Path,
    watch: &Watch,
    read: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut copy = open_immutable(partial)?;
    watch.attach_helper(&mut copy, || false).map_err(|error| Error::from_sqlite("opening the copy", error))?;
    read(&copy).map_err(|error: Error| error.unless_unreadable(&copy))
}

/// A hash of every row of each table, in order, by which two databases can be compared whose bytes differ. Left out is what cannot
/// be read here, such as a generated column with a function that only another program has.
pub(super) fn rows_of(
    connection: &Connection,
    catalog: &Catalog,
    key: &RandomState,
) -> Result<BTreeMap<String, u64>, Error> {
    let mut hashes = BTreeMap::new();
    for (name, table) in catalog.tables.iter().filter(|(_, table)| !table.is_virtual) {
        match rows_of_table(connection, &quoted(&table.name), key) {
            Ok(hash) => drop(hashes.insert(name.clone(), hash)),
            Err(error) if is_refused_sql(&error) => {}
            Err(error) => return Err(Error::from_reading("comparing the copy", error)),
        }
    }
    Ok(hashes)
}

fn rows_of_table(connection: &Connection, table: &str, key: &RandomState) -> rusqlite::Result<u64> {
    // A table WITHOUT ROWID has no numbers.
    let numbered = connection.prepare(&format!("SELECT _rowid_, * FROM main.{table} NOT INDEXED"));
    let mut statement = numbered.or_else(|_| connection.prepare(&format!("SELECT * FROM main.{table}")))?;
    let columns = statement.column_count();
    let mut hasher = key.build_hasher();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => hasher.write_u8(0),
                ValueRef::Integer(integer) => hasher.write_i64(integer),
                ValueRef::Real(real) => hasher.write_u64(!real.to_bits()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    hasher.write_usize(bytes.len());
                    hasher.write(bytes);
                }
            }
        }
    }
    Ok(hasher.finish())
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

    /// A disk that gives half of what it was asked for, once: a copy with zeros in the place of the rest would pass for what was read.
    #[test]
    fn a_read_that_ends_early_is_no_copy() {
        use faulty_vfs::{Fault, Injection, Operation};
        faulty_vfs::install().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("original.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (randomblob(600000))").unwrap();
        drop(made);
        let content = std::fs::read(&path).unwrap();
        let mut refused = 0;
        for nth in 1..10 {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").unwrap();
            let partial = tempfile::NamedTempFile::new().unwrap();
            let (follower, watch) = (Follower::default(), Watch::new(&crate::options::Options::default()));
            let short = Injection { fault: Fault::ShortRead, operation: Some(Operation::Read), nth, lasting: false };
            let copy = || bytes(&connection, partial.as_file(), partial.path(), follower.writing(), &watch);
            let (copied, struck) = faulty_vfs::with_fault(short, copy);
            assert!(copied.is_err() || std::fs::read(partial.path()).unwrap() == content, "read {nth}");
            refused += usize::from(struck.is_some() && copied.is_err());
        }
        assert!(refused > 1, "{refused}");
    }

    #[test]
    fn a_uri_survives_any_name() {
        assert_eq!(uri(Path::new("/a b/50%?#.db"), "immutable=1"), "file:/a%20b/50%25%3F%23.db?immutable=1");
    }
}
