//! Opening a database as something that may be damaged, hostile or in use.

use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Error;
use crate::ffi;
use crate::files::{Neighbours, has_content, sidecar};
use crate::lock::Patience;
use crate::watch::Watch;

/// The page cache of a transaction that writes, in KiB. What fits in need not be written before the commit, and in
/// rollback-journal mode readers go on until then.
const WRITING_CACHE: i64 = 32 * 1024;
/// That of a statement that builds an index, in KiB, where each thread that sorts takes as much. What a processor has close by is
/// sorted in two thirds of the time, with a tenth of the memory: measured were 2 to 300 MB with a million rows.
const SORTING_CACHE: i64 = 2 * 1024;
/// That of one that only reads: what is read once need not be kept.
const READING_CACHE: i64 = 8 * 1024;
/// SQLite's own default in KiB: what an application has that does not choose (<https://sqlite.org/compile.html#default_cache_size>).
const DEFAULT_CACHE: i64 = 2_000;

/// An index is sorted by so many threads at most, each with some memory of its own.
const MOST_SORTERS: usize = 2;

/// Where the header says which version of the file format is needed to write the file, and the newest there is.
const WRITE_VERSION: usize = 18;
const NEWEST_VERSION: u8 = 2;
/// That of a file in WAL mode.
const OF_WAL: u8 = 2;

/// A connection prepared for a boot, and how it waits for others.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) patience: Patience,
}

impl<'c> Session<'c> {
    /// Prepares a connection: patience, and no trust in what the file says about itself.
    ///
    /// `trusted_schema` and defensive mode: <https://sqlite.org/security.html>. What is in double quotes and no column is a text, as
    /// by SQLite's default (<https://sqlite.org/quirks.html#dblquote>): files of other tools count on it, and triggers that
    /// somebody added. The build has refused, or warned of, what would be one here; the columns that it found are proven to be
    /// there.
    pub(crate) fn new(
        connection: &'c mut Connection,
        path: &Path,
        timeout: Duration,
        watch: &Watch,
    ) -> Result<Self, Error> {
        let failed = |error| Error::from_sqlite("preparing the connection", error);
        let patience = Patience::install(connection, path, timeout, watch).map_err(failed)?;
        watch.attach(connection).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, true).map_err(failed)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true).map_err(failed)?;
        // Migrations were rehearsed without; one that needs it says so itself.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false).map_err(failed)?;
        connection.pragma_update(None, "cell_size_check", true).map_err(failed)?;
        Ok(Self { connection, patience })
    }

    /// Sets the size of the page cache, in KiB. Reads the schema if that is still to be done, so it may have to wait.
    fn set_cache(&self, kibibytes: i64) -> Result<(), Error> {
        // Negative numbers are KiB, positive ones pages (https://sqlite.org/pragma.html#pragma_cache_size).
        self.connection
            .pragma_update(None, "cache_size", -kibibytes)
            .map_err(|error| Error::from_sqlite("preparing the connection", error))
    }

    /// Goes back to the page cache that an application would have.
    pub(crate) fn shrink_cache(&self) -> Result<(), Error> {
        self.patience.waiting(|| self.set_cache(DEFAULT_CACHE).map_err(|error| self.patience.explain(error)))
    }

    /// Whether the journal mode is WAL.
    pub(crate) fn is_wal(&self) -> Result<bool, Error> {
        let mode = self.connection.query_row("PRAGMA main.journal_mode", [], |row| row.get::<_, String>(0));
        mode.map(|mode| mode == "wal").map_err(|error| Error::from_sqlite("asking for the journal mode", error))
    }

    /// Refuses a file that is no longer at its path: what is done to it nobody would see, and the log beside the path is
    /// another file's, which closing the last connection would fold into this one.
    pub(crate) fn refuse_moved(&self) -> Result<(), Error> {
        if !ffi::has_moved(self.connection) {
            return Ok(());
        }
        fold_wal_on_close(self.connection, false)?;
        Err(Error::Moved)
    }

    /// The better reason for an error: that the disk would not read, or that the file is no longer at its path, and whatever
    /// goes by the path since, a journal or a second connection, is of another file.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match (error.unless_unreadable(self.connection), self.refuse_moved()) {
            (error @ (Error::CommitUncertain { .. } | Error::Cancelled), _) => error,
            (_, Err(moved @ Error::Moved)) => moved,
            (error, _) => error,
        }
    }

    /// Starts reading: everything read until [`Session::rollback`] is of one state.
    ///
    /// `BEGIN` alone takes no lock; the first read does, and may have to wait.
    pub(crate) fn begin_read(&self) -> Result<(), Error> {
        self.execute("starting to read", "BEGIN; SELECT count(*) FROM main.sqlite_schema").inspect_err(|_| {
            // Nothing was read, so there is nothing to end but the wish to.
            self.connection.execute_batch("ROLLBACK").ok();
        })
        .map_err(|error| match error {
            // https://sqlite.org/wal.html#read_only_databases
            Error::Storage { action: "written", message } => Error::Storage {
                action: "read",
                message: format!("{message}: in WAL mode SQLite makes `-shm` beside the file, also to read; give permission to write its directory, or look at a copy"),
            },
            other => other,
        })?;
        self.refuse_newer_format()?;
        self.begun(READING_CACHE)
    }

    /// What every transaction begins with. Where that fails nothing was done: there is nothing to end but the wish to.
    fn begun(&self, cache: i64) -> Result<(), Error> {
        self.refuse_moved().and_then(|()| self.set_cache(cache)).inspect_err(|_| {
            self.connection.execute_batch("ROLLBACK").ok();
        })
    }

    /// A header that names a later format for writing lets SQLite read the file and nobody write it
    /// (<https://sqlite.org/fileformat2.html#file_format_version_numbers>). There is no such format: the header is damaged.
    fn refuse_newer_format(&self) -> Result<(), Error> {
        let is_read_only = self.connection.is_readonly("main").unwrap_or_default();
        match ffi::file_header(self.connection).as_ref().and_then(|header| header.get(WRITE_VERSION)) {
            Some(version) if is_read_only && *version > NEWEST_VERSION => {
                let problem = format!("the header names version {version} of the file format, which nobody can write");
                Err(Error::Integrity { problems: vec![problem] })
            }
            _ => Ok(()),
        }
    }

    /// Becomes the one writer. Foreign keys are off from here on: inside a transaction the switch does nothing, and with
    /// them on, dropping a table during a rebuild would delete its children (<https://sqlite.org/lang_altertable.html>).
    ///
    /// What is told to be committed must be so after a power cut. With SQLite's default the deleted journal may be back, and
    /// take the commit back (<https://sqlite.org/pragma.html#pragma_synchronous>, `EXTRA`).
    pub(crate) fn begin_write(&self) -> Result<(), Error> {
        let sql = format!(
            "PRAGMA foreign_keys = OFF; PRAGMA main.synchronous = EXTRA; PRAGMA threads = {}; BEGIN IMMEDIATE",
            available_parallelism().map_or(1, NonZero::get).min(MOST_SORTERS)
        );
        self.execute("taking the write lock", &sql).map_err(|error| match error {
            Error::Storage { action: "written", .. } => self.refuse_newer_format().err().unwrap_or(error),
            other => other,
        })?;
        self.begun(WRITING_CACHE)
    }

    /// Lets nothing be written early that a page cache of the usual size holds, also while it is smaller
    /// (<https://sqlite.org/pragma.html#pragma_cache_spill>). For connections of ours: nobody can tell how another's was set.
    pub(crate) fn spill_late(&self) -> Result<(), Error> {
        let failed = |error| Error::from_sqlite("preparing the connection", error);
        let page: i64 = self.connection.query_row("PRAGMA main.page_size", [], |row| row.get(0)).map_err(failed)?;
        let pages = WRITING_CACHE * 1024 / page.max(1);
        self.connection.pragma_update(Some("main"), "cache_spill", pages).map_err(failed)
    }

    /// Becomes the only one connected, until the connection is closed: in this mode SQLite keeps its locks after a
    /// transaction, and in WAL mode too it gets them only when nobody else is connected, not even idle
    /// (<https://sqlite.org/pragma.html#pragma_locking_mode>).
    ///
    /// There the mode has to be set before the log is opened. With a rollback journal it must not be set while waiting: in this
    /// mode a reader's lock is kept too, and whoever holds the other lock would wait for that one to commit.
    pub(crate) fn exclude_others(&self) -> Result<(), Error> {
        const FIRST: &str =
            "PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT count(*) FROM main.sqlite_schema; ROLLBACK";
        const LAST: &str =
            "BEGIN EXCLUSIVE; PRAGMA main.locking_mode = EXCLUSIVE; SELECT count(*) FROM main.sqlite_schema; ROLLBACK";
        let header = ffi::file_header(self.connection);
        let is_wal = header.as_ref().and_then(|header| header.get(WRITE_VERSION)) == Some(&OF_WAL);
        self.execute("taking the database alone", if is_wal { FIRST } else { LAST })?;
        self.refuse_moved()
    }

    /// Refuses to go on where SQLite has taken the transaction back, as it does when the system would not read or write in the middle
    /// of a statement, also one whose error says nothing else: each further statement would be a transaction of its own.
    pub(crate) fn still_open(&self) -> Result<(), Error> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), None);
        Err(Error::from_sqlite("working in the transaction", error))
    }

    /// Commits, after readers have left where they stand in the way. After [`Error::Locked`] the transaction is open as
    /// before; after any other error nobody knows before the file is opened again.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        self.execute("committing", "COMMIT")
    }

    /// Folds the log into the file; to be called outside a transaction. Returns whether it is empty now, which it stays until
    /// somebody commits.
    ///
    /// Most of it is folded while others write. For what is left it has to be the one writer for a moment, nobody else may be
    /// folding it, and nobody reading from it (<https://sqlite.org/c3ref/wal_checkpoint_v2.html>). It waits for none of that: while
    /// it waited, nobody could write.
    pub(crate) fn fold_wal(&self) -> rusqlite::Result<bool> {
        let fold = |mode| {
            let sql = format!("PRAGMA main.wal_checkpoint({mode})");
            self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        fold("PASSIVE")?;
        fold("TRUNCATE").map(|is_busy| is_busy == 0)
    }

    /// Runs SQL that may have to wait for another process.
    fn execute(&self, doing: &'static str, sql: &str) -> Result<(), Error> {
        self.patience.waiting(|| {
            let executed = self.connection.execute_batch(sql);
            executed.map_err(|error| {
                let error = Error::from_reading(doing, error).unless_unreadable(self.connection);
                self.patience.explain(error)
            })
        })
    }

    /// Removes a journal whose header never got to the disk, because its writer was killed before: SQLite has nothing to play
    /// back from it, and leaves it until somebody writes again. A transaction that is taken back lets SQLite remove it, under
    /// its own lock; whoever writes now has the lock, and the journal is theirs.
    pub(crate) fn remove_dead_journal(&self) -> rusqlite::Result<()> {
        let mode: String = self.connection.pragma_query_value(Some("main"), "journal_mode", |row| row.get(0))?;
        let is_there = self.connection.path().is_some_and(|path| has_content(&sidecar(Path::new(path), "-journal")));
        if mode != "delete" || !is_there {
            return Ok(());
        }
        let written = self.connection.execute_batch("BEGIN IMMEDIATE; PRAGMA main.user_version = 0");
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        written
    }

    /// Ends a transaction without a trace, if one is open. Returns whether the file is known to be as it was.
    ///
    /// After an I/O error or a full disk, `ROLLBACK` alone leaves the file to the next opener, with a journal to play back;
    /// reading from it makes this connection the next opener (<https://sqlite.org/atomiccommit.html#_rollback>).
    pub(crate) fn rollback(&self) -> bool {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            log::warn!("rollback: {error}");
        }
        let restored = self.patience.waiting_regardless(|| {
            let read = self.connection.execute_batch("SELECT count(*) FROM main.sqlite_schema");
            read.map_err(|error| Error::from_reading("rolling back", error))
        });
        if let Err(error) = &restored {
            log::warn!("{error}");
        }
        restored.is_ok()
    }
}

/// Whether a database has less than 2 MiB: SQLite's own checks of it are done before any cleverer one has begun.
pub(crate) fn is_small(connection: &Connection) -> rusqlite::Result<bool> {
    const BYTES: i64 = 2 << 20;
    Ok(bytes(connection)? < BYTES)
}

/// The size of a database.
pub(crate) fn bytes(connection: &Connection) -> rusqlite::Result<i64> {
    let number = |pragma| connection.pragma_query_value(Some("main"), pragma, |row| row.get::<_, i64>(0));
    Ok(number("page_count")?.saturating_mul(number("page_size")?))
}

/// Runs a statement that builds an index, with the memory that suits sorting.
pub(crate) fn sorting<T>(connection: &Connection, run: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let cache: i64 = connection.query_row("PRAGMA main.cache_size", [], |row| row.get(0))?;
    connection.pragma_update(Some("main"), "cache_size", -SORTING_CACHE)?;
    let ran = run()?;
    connection.pragma_update(Some("main"), "cache_size", cache)?;
    Ok(ran)
}

/// What [`Session::new`] and a boot change about a connection that belongs to the application.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch of SQLite")]
pub(crate) struct Settings {
    foreign_keys: bool,
    defensive: bool,
    trusted_schema: bool,
    quoted_texts: bool,
    quoted_texts_in_schema: bool,
    legacy_alter_table: bool,
    cell_size_check: bool,
    keep_wal: bool,
    busy_timeout: u32,
    cache_size: i64,
    synchronous: i64,
    threads: i64,
}

impl Settings {
    pub(crate) fn save(connection: &Connection) -> Result<Self, Error> {
        let read = || -> rusqlite::Result<Self> {
            Ok(Self {
                foreign_keys: connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY)?,
                defensive: connection.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE)?,
                trusted_schema: connection.db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA)?,
                quoted_texts: connection.db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML)?,
                quoted_texts_in_schema: connection.db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL)?,
                legacy_alter_table: connection.db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE)?,
                keep_wal: connection.db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)?,
                cell_size_check: connection.pragma_query_value(None, "cell_size_check", |row| row.get(0))?,
                busy_timeout: connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?,
                cache_size: connection.pragma_query_value(None, "cache_size", |row| row.get(0))?,
                synchronous: connection.pragma_query_value(None, "synchronous", |row| row.get(0))?,
                threads: connection.pragma_query_value(None, "threads", |row| row.get(0))?,
            })
        };
        read().map_err(|error| Error::from_sqlite("reading the connection's settings", error))
    }

    /// Sets everything back; tells of the first that could not be, after having tried the rest. First of all the application
    /// gets its patience back.
    pub(crate) fn restore(self, connection: &mut Connection) -> Result<(), Error> {
        let switch = |connection: &Connection, which, on| connection.set_db_config(which, on).map(|_| ());
        let restored = [
            connection.busy_timeout(Duration::from_millis(self.busy_timeout.into())),
            connection.progress_handler(0, None::<fn() -> bool>),
            switch(connection, DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, self.foreign_keys),
            switch(connection, DbConfig::SQLITE_DBCONFIG_DEFENSIVE, self.defensive),
            switch(connection, DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, self.trusted_schema),
            switch(connection, DbConfig::SQLITE_DBCONFIG_DQS_DML, self.quoted_texts),
            switch(connection, DbConfig::SQLITE_DBCONFIG_DQS_DDL, self.quoted_texts_in_schema),
            switch(connection, DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, self.legacy_alter_table),
            switch(connection, DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, self.keep_wal),
            connection.pragma_update(None, "cell_size_check", self.cell_size_check),
            connection.pragma_update(None, "cache_size", self.cache_size),
            connection.pragma_update(None, "synchronous", self.synchronous),
            connection.pragma_update(None, "threads", self.threads),
        ];
        restored
            .into_iter()
            .collect::<rusqlite::Result<()>>()
            .map_err(|error| Error::from_sqlite("restoring the connection's settings", error))
    }
}

/// Opens an existing file for reading and writing, or only for reading where the system allows no more.
pub(crate) fn open(path: &Path, create: bool) -> Result<Connection, Error> {
    open_among(path, create, &Neighbours::unknown(path))
}

/// As [`open`], where it is known what lies beside the file.
pub(crate) fn open_among(path: &Path, create: bool, neighbours: &Neighbours<'_>) -> Result<Connection, Error> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let opened = match ffi::temporary_files() {
        Some(layer) => Connection::open_with_flags_and_vfs(path, flags, layer),
        None => Connection::open_with_flags(path, flags),
    };
    let connection = opened.map_err(|error| unopened(path, error))?;
    ffi::read_ahead(&connection);
    // SQLite would fold a WAL left by another process into the file on closing, also after a refusal that promises to
    // leave the file as it was.
    let has_wal = neighbours.may_have("-wal") && has_content(&sidecar(path, "-wal"));
    fold_wal_on_close(&connection, !has_wal)?;
    Ok(connection)
}

/// Opens a file that this boot has open already, to read it at the same time.
pub(crate) fn open_companion(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let companion = Connection::open_with_flags(path, flags).map_err(|error| unopened(path, error))?;
    ffi::read_ahead(&companion);
    Ok(companion)
}

/// Makes a companion as mistrustful as the connection of the boot. It waits for nobody, who might be waiting for the boot.
pub(crate) fn distrust(companion: &mut Connection) -> rusqlite::Result<()> {
    companion.busy_timeout(Duration::ZERO)?;
    companion.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    companion.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    companion.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    companion.pragma_update(None, "cell_size_check", true)
}

/// Opens an existing file to look at it. SQLite may still roll back what a killed process left in a journal, which a
/// read-only connection could not, and without which there is nothing to look at.
pub(crate) fn open_to_look(path: &Path) -> Result<Connection, Error> {
    let connection = open(path, false)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| Error::from_sqlite("preparing the connection", error))?;
    Ok(connection)
}

/// Whether closing the last connection may fold the WAL into the file.
pub(crate) fn fold_wal_on_close(connection: &Connection, fold: bool) -> Result<(), Error> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !fold)
        .map(|_| ())
        .map_err(|error| Error::from_sqlite("preparing the connection", error))
}

/// SQLite says only "unable to open database file"; the system knows why. Opening the file outside SQLite just to ask
/// would drop the locks that other connections of this process hold on it, so only the directory entry is examined.
fn unopened(path: &Path, error: rusqlite::Error) -> Error {
    match Error::from_sqlite("opening the database", error) {
        Error::Storage { action, message } => {
            let reason = match std::fs::metadata(path) {
                Ok(_) => "no permission to read it, or to write its directory".to_owned(),
                Err(error) => error.to_string(),
            };
            Error::Storage { action, message: format!("{message}: {reason}") }
        }
        other => other,
    }
}
