//! The databases that are damaged.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use rusqlite::Connection;
use worklog_fixture::Fixture;

use crate::scene;

/// Ten times what any of these databases has.
const LONGEST: u64 = 1 << 26;

/// Few enough for thousands of boots. Every table has some.
const ROWS: usize = 60;

/// How a database came to be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it was before phase 1: a boot migrates it.
    Unmanaged,
    /// A boot finds nothing to do.
    Current,
    /// Its newest rows are in a write-ahead log.
    Logged,
    /// Rows on overflow pages, and pages that nothing is on.
    Freed,
    /// Tables and indexes of every kind that there is, several pages deep.
    Varied,
    /// With pointer maps: `auto_vacuum`.
    Mapped,
    /// Of pages of this size, in bytes.
    Paged(u32),
}

impl Shape {
    /// The file and, where it has one, its log, by what follows the name of the database.
    pub(crate) fn make(self) -> Files {
        let directory = scene::directory();
        let path = directory.path().join("worklog.db");
        Fixture::new(ROWS).wal(self == Self::Logged).create(&path).unwrap();
        if !matches!(self, Self::Unmanaged | Self::Freed) {
            worklog_schema::boot(&path).backup(false).run().unwrap();
        }
        let connection = Connection::open(&path).unwrap();
        execute(&connection, BALLAST);
        match self {
            Self::Unmanaged | Self::Current => {}
            Self::Logged => execute(&connection, LOGGED),
            Self::Freed => execute(&connection, FREED),
            Self::Varied => execute(&connection, VARIED),
            Self::Mapped => execute(&connection, "PRAGMA auto_vacuum = FULL; VACUUM"),
            Self::Paged(size) => execute(&connection, &format!("PRAGMA page_size = {size}; VACUUM")),
        }
        // While it is open: closing it would fold the log in.
        Files::read(&path)
    }
}

/// A small file is left to SQLite's own check, which has nothing to prove here.
const BALLAST: &str = "CREATE TABLE ballast(content); INSERT INTO ballast VALUES (zeroblob(2500000))";

/// Pages of tables and indexes, old and new, in the log alone.
const LOGGED: &str = "PRAGMA wal_autocheckpoint = 0;
    UPDATE worklogs SET issue_summary = 'in the log' WHERE rowid % 7 = 0;
    INSERT INTO logs(timestamp, level, logger_name, message, created_at)
    SELECT timestamp, level, logger_name, 'in the log', created_at FROM logs LIMIT 40";

/// About a hundred pages without use, and rows of several pages each.
const FREED: &str = "CREATE TABLE passing(content);
    INSERT INTO passing SELECT randomblob(3000) FROM worklogs LIMIT 100;
    UPDATE logs SET message = hex(zeroblob(6000)) WHERE id IN (SELECT id FROM logs LIMIT 3);
    DROP TABLE passing";

/// An operator's own: descending, by another collation, of an expression, of a part of the rows, of real numbers, of nothing
/// repeated, and of a table that is an index itself.
const VARIED: &str = "CREATE TABLE varied(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, code TEXT COLLATE RTRIM, amount REAL, bytes);
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 600)
    INSERT INTO varied SELECT n, 'Name ' || (n * 7919 % 600) || ' of somebody', 'code ' || (n % 50) || '  ', n / 8.0,
        CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN n WHEN 2 THEN hex(n) ELSE zeroblob(n % 40) END FROM number;
    CREATE INDEX varied_down ON varied(name DESC, amount);
    CREATE INDEX varied_codes ON varied(code, name COLLATE BINARY DESC);
    CREATE INDEX varied_lower ON varied(lower(name), id DESC);
    CREATE INDEX varied_some ON varied(bytes, name) WHERE amount > 20;
    CREATE UNIQUE INDEX varied_once ON varied(amount, name);
    CREATE TABLE without_rowid(a TEXT, b INTEGER, c, PRIMARY KEY (a DESC, b)) WITHOUT ROWID;
    INSERT INTO without_rowid SELECT name, id, bytes FROM varied;
    CREATE INDEX without_rowid_c ON without_rowid(c, b DESC)";

fn execute(connection: &Connection, sql: &str) {
    connection.execute_batch(sql).unwrap();
}

/// A database as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) database: Vec<u8>,
    pub(crate) wal: Option<Vec<u8>>,
    pub(crate) journal: Option<Vec<u8>>,
}

impl Files {
    /// Not of a database that this process has open and goes on using: reading it drops the locks.
    pub(crate) fn read(path: &Path) -> Self {
        let beside = |suffix: &str| fs::read(sidecar(path, suffix)).ok().filter(|bytes| !bytes.is_empty());
        Self { database: contents(path), wal: beside("-wal"), journal: beside("-journal") }
    }

    /// Puts them at a path.
    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, &self.database).unwrap();
        for (suffix, bytes) in [("-wal", &self.wal), ("-journal", &self.journal)] {
            if let Some(bytes) = bytes {
                fs::write(sidecar(path, suffix), bytes).unwrap();
            }
        }
    }
}

/// A journal that says so makes SQLite lengthen a file to any size: of what no test makes, the beginning and the length.
fn contents(path: &Path) -> Vec<u8> {
    let mut file = fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let mut bytes = Vec::new();
    (&mut file).take(LONGEST).read_to_end(&mut bytes).unwrap();
    if length > LONGEST {
        bytes.extend(length.to_be_bytes());
    }
    bytes
}

fn sidecar(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
