//! The things that SQLite tells or does and rusqlite does not pass on.
#![expect(
    unsafe_code,
    reason = "rusqlite 0.41 wraps neither sqlite3_db_status nor sqlite3_file_control nor imposters nor layers over the \
              system nor the methods of a file, with a connection or without, and no path that is not Unicode"
)]

pub(crate) mod header;
mod read_ahead;
mod temporary;

use std::ffi::{CStr, c_int};
use std::path::PathBuf;

use rusqlite::{Connection, ffi};

pub(crate) use read_ahead::{install as read_ahead, is_known as has_known_layer};
pub(crate) use temporary::layer as temporary_files;

/// The layers over the system of which it is known that they read and write many pages as they do one, and what the one for
/// [`temporary_files`] over each is called. Others decipher or verify each page by itself. The second is that of the tests with
/// disks that fail.
const LAYERS: [(&CStr, &CStr); 2] = [(c"unix", c"bootproof-unix"), (c"faulty", c"bootproof-faulty")];

/// The length of the header of a database file (<https://sqlite.org/fileformat2.html#the_database_header>).
pub(crate) const HEADER: usize = 100;

/// How many pages this connection has read into its cache so far
/// (<https://sqlite.org/c3ref/c_dbstatus_options.html>, `SQLITE_DBSTATUS_CACHE_MISS`).
pub(crate) fn pages_read(connection: &Connection) -> u64 {
    let (mut current, mut highest) = (0, 0);
    // SAFETY: the handle is valid while `connection` is borrowed, and both out-pointers are to live integers.
    let code = unsafe {
        ffi::sqlite3_db_status(
            connection.handle(),
            ffi::SQLITE_DBSTATUS_CACHE_MISS,
            &raw mut current,
            &raw mut highest,
            0,
        )
    };
    if code == ffi::SQLITE_OK { u64::try_from(current).unwrap_or_default() } else { 0 }
}

/// The file of a connection, whatever bytes its name has; `None` for a database in memory.
#[cfg(unix)]
pub(crate) fn file_of(connection: &Connection) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    // SAFETY: the handle is valid while `connection` is borrowed; the name, if there is one, ends with a NUL byte and lives
    // as long as the connection.
    let name = unsafe {
        let name = ffi::sqlite3_db_filename(connection.handle(), c"main".as_ptr());
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name)
    };
    (!name.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

/// The file of a connection; `None` for a database in memory. SQLite's names are UTF-8 here.
#[cfg(not(unix))]
pub(crate) fn file_of(connection: &Connection) -> Option<PathBuf> {
    connection.path().filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether the file that is open is no longer the one at its path: it was renamed or deleted, or another took its name
/// (<https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html>, `SQLITE_FCNTL_HAS_MOVED`). False where SQLite cannot tell.
pub(crate) fn has_moved(connection: &Connection) -> bool {
    let mut moved: c_int = 0;
    // SAFETY: the handle is valid while `connection` is borrowed, and what is stored is an integer, in a live one.
    let code = unsafe {
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_HAS_MOVED,
            (&raw mut moved).cast(),
        )
    };
    code == ffi::SQLITE_OK && moved != 0
}

/// The error with which the system last refused to read the file or its log, where SQLite calls that damage: its layer for
/// Unix takes these three for a file system that is broken (`SQLITE_IOERR_CORRUPTFS` in `os_unix.c`), and a statement that
/// meets one ends with `SQLITE_CORRUPT`.
#[cfg(unix)]
pub(crate) fn read_error(connection: &Connection) -> Option<std::io::Error> {
    const EIO: c_int = 5;
    const ENXIO: c_int = 6;
    const ERANGE: c_int = 34;
    let last_error = |file: *mut ffi::sqlite3_file| {
        let mut number: c_int = 0;
        // SAFETY: a file that has methods is open; what is stored is an integer, in a live one.
        let code = unsafe {
            let methods = (!file.is_null()).then(|| (*file).pMethods).filter(|methods| !methods.is_null())?;
            (*methods).xFileControl?(file, ffi::SQLITE_FCNTL_LAST_ERRNO, (&raw mut number).cast())
        };
        (code == ffi::SQLITE_OK && matches!(number, EIO | ENXIO | ERANGE)).then_some(number)
    };
    let numbers = [ffi::SQLITE_FCNTL_FILE_POINTER, ffi::SQLITE_FCNTL_JOURNAL_POINTER]
        .map(|which| file_pointer(connection, which).and_then(last_error));
    numbers.into_iter().flatten().next().map(std::io::Error::from_raw_os_error)
}

/// Elsewhere SQLite calls it what it is.
#[cfg(not(unix))]
pub(crate) fn read_error(_connection: &Connection) -> Option<std::io::Error> {
    None
}

/// SQLite's open file: that of the database, or of its journal or log.
fn file_pointer(connection: &Connection, which: c_int) -> Option<*mut ffi::sqlite3_file> {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: the handle is valid while `connection` is borrowed; what is stored is a pointer to a file that lives as long as
    // the connection.
    let code =
        unsafe { ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), which, (&raw mut file).cast()) };
    (code == ffi::SQLITE_OK && !file.is_null()).then_some(file)
}

/// The header as it stands in the database file.
pub(crate) fn file_header(connection: &Connection) -> Option<[u8; HEADER]> {
    let mut header = [0_u8; HEADER];
    // A new file has none yet.
    matches!(read_code(connection, &mut header, 0), ffi::SQLITE_OK | ffi::SQLITE_IOERR_SHORT_READ).then_some(header)
}

/// How long the journal or the log is that this connection has open: not what lies by its name now. `None` where it has none
/// open, or the system does not tell.
pub(crate) fn log_length(connection: &Connection) -> Option<u64> {
    let file = file_pointer(connection, ffi::SQLITE_FCNTL_JOURNAL_POINTER)?;
    let mut length: i64 = 0;
    // SAFETY: a file that has methods is open; what is stored is a 64-bit integer, in a live one.
    let code = unsafe {
        let methods = (*file).pMethods;
        methods.as_ref()?.xFileSize?(file, &raw mut length)
    };
    if code == ffi::SQLITE_OK { u64::try_from(length).ok() } else { None }
}

/// Whether the file alone is what a connection in a transaction reads, for as long as that lasts: nobody writes into the file
/// then, and it can be read as it is.
///
/// With a rollback journal a writer waits for readers to end before it writes. In WAL mode the newest pages may be in the log,
/// and are folded into the file at any time, but never a page that is newer than what some reader sees
/// (<https://sqlite.org/wal.html#concurrency>). What a transaction has found in the log stays there until it ends: as long as
/// somebody reads frames of the log, nobody begins it anew or cuts it off. So where the log is empty after the transaction
/// has begun, it has found nothing there. Whatever is committed since is newer, and stays out of the file until it ends.
pub(crate) fn reads_the_file_alone(connection: &Connection) -> rusqlite::Result<bool> {
    let mode: String = connection.pragma_query_value(Some("main"), "journal_mode", |row| row.get(0))?;
    Ok(mode != "wal" || log_length(connection) == Some(0))
}

/// Whether a connection has the file for itself, as one does that has begun to write into it with a rollback journal
/// (<https://sqlite.org/lockingv3.html>). False where the system does not tell.
pub(crate) fn is_exclusive(connection: &Connection) -> bool {
    let mut level: c_int = 0;
    // SAFETY: the handle is valid while `connection` is borrowed; what is stored is an integer, in a live one.
    let code = unsafe {
        let level = (&raw mut level).cast();
        ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_LOCKSTATE, level)
    };
    code == ffi::SQLITE_OK && level == ffi::SQLITE_LOCK_EXCLUSIVE
}

/// Writes the changed pages of a transaction into the file or the log, but for the first, which a connection in a transaction holds
/// (<https://sqlite.org/c3ref/db_cacheflush.html>). Nobody is waited for who stands in the way.
pub(crate) fn write_out(connection: &Connection) -> rusqlite::Result<()> {
    // SAFETY: the handle is valid while `connection` is borrowed.
    let code = unsafe { ffi::sqlite3_db_cacheflush(connection.handle()) };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)) }
}

/// Flushes the database file itself, through SQLite's own descriptor; also on a connection that only reads, and from any thread that
/// has it. Where the system flushes nothing for one that only reads, nothing is done.
pub(crate) fn flush(connection: &Connection) -> rusqlite::Result<()> {
    let failed = |code| Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    let Some(file) = file_pointer(connection, ffi::SQLITE_FCNTL_FILE_POINTER) else {
        return failed(ffi::SQLITE_MISUSE);
    };
    // SAFETY: a file that has methods is open.
    let code = unsafe {
        let methods = (*file).pMethods;
        match methods.as_ref().and_then(|methods| methods.xSync) {
            Some(sync) => sync(file, ffi::SQLITE_SYNC_NORMAL),
            None => ffi::SQLITE_MISUSE,
        }
    };
    if code == ffi::SQLITE_OK || !can_flush(file) { Ok(()) } else { failed(code) }
}

/// Whether a failure to flush a file that is only read is one of the disk: what the system says of such a file, or of a file system that
/// is only read, is told apart.
#[cfg(unix)]
fn can_flush(file: *mut ffi::sqlite3_file) -> bool {
    const EBADF: c_int = 9;
    const EINVAL: c_int = 22;
    const EROFS: c_int = 30;
    let mut number: c_int = 0;
    // SAFETY: a file that has methods is open; what is stored is an integer, in a live one.
    unsafe {
        let methods = (*file).pMethods;
        if let Some(control) = methods.as_ref().and_then(|methods| methods.xFileControl) {
            control(file, ffi::SQLITE_FCNTL_LAST_ERRNO, (&raw mut number).cast());
        }
    }
    !matches!(number, EBADF | EINVAL | EROFS)
}

/// Elsewhere a file has to be open for writing.
#[cfg(not(unix))]
fn can_flush(_file: *mut ffi::sqlite3_file) -> bool {
    false
}

/// Reads the database file itself, through SQLite's own descriptor. What ends before the buffer is full is an error: SQLite would go
/// on with zeros.
pub(crate) fn read_file(connection: &Connection, buffer: &mut [u8], offset: i64) -> rusqlite::Result<()> {
    match read_code(connection, buffer, offset) {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

/// What SQLite's own method says of it. What is not there is filled with zeros.
///
/// Opening the file a second time would do for reading, but closing it again would drop every lock this process holds on
/// the file (<https://sqlite.org/howtocorrupt.html>, section 2.2).
fn read_code(connection: &Connection, buffer: &mut [u8], offset: i64) -> c_int {
    let Some(file) = file_pointer(connection, ffi::SQLITE_FCNTL_FILE_POINTER) else {
        return ffi::SQLITE_MISUSE;
    };
    let Ok(length) = c_int::try_from(buffer.len()) else { return ffi::SQLITE_TOOBIG };
    // SAFETY: a file that has methods is open. xRead writes at most as many bytes as the buffer has.
    unsafe {
        let methods = (*file).pMethods;
        match methods.as_ref().and_then(|methods| methods.xRead) {
            Some(read) => read(file, buffer.as_mut_ptr().cast(), length, offset),
            None => ffi::SQLITE_MISUSE,
        }
    }
}

/// Makes a table that exists in this connection only, and has the tree that begins with this page for its own; nothing is written,
/// not through it either (<https://sqlite.org/imposter.html>).
pub(crate) fn create_imposter(connection: &Connection, root: i64, sql: &str) -> rusqlite::Result<()> {
    const READ_ONLY: c_int = 2;
    let root = c_int::try_from(root).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, root))?;
    // While an imposter is made SQLite takes the schema for known.
    connection.execute_batch("SELECT 1 FROM main.sqlite_schema LIMIT 0")?;
    imposters(connection, READ_ONLY, root);
    let created = connection.execute_batch(sql);
    imposters(connection, 0, 0);
    created
}

/// Lets the connection read its schema again, and know of no imposter.
pub(crate) fn forget_imposters(connection: &Connection) {
    imposters(connection, 0, 1);
}

fn imposters(connection: &Connection, mode: c_int, root: c_int) {
    // SAFETY: the handle is valid while `connection` is borrowed, and these are the arguments that this operation takes; it
    // sets three numbers of the connection, or has it read its schema again.
    unsafe {
        ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_IMPOSTER, connection.handle(), c"main".as_ptr(), mode, root);
    }
}
