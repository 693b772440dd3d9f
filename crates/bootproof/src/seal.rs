//! A seal in the header of the file: the schema is the one that was proven, and nobody has changed it since.
//!
//! Reading any table makes SQLite read the whole schema, which takes longer than all the rest of a boot with nothing to do. The
//! header can be read alone. SQLite counts every change of the schema there, whoever makes it (`schema_version`), and keeps a
//! number that is free for applications (`user_version`): <https://sqlite.org/pragma.html#pragma_schema_version>. The seal is
//! a digest of the compiled migrations, as far as the file has them, and that count, in that number.
//!
//! It is set in the transaction that proves the schema, where boots leave a database: at head, or below a migration that waits for
//! permission; and where the number is free: one that the application or a migration has set stays. Rows are not sealed: who
//! deletes rows of the history by hand breaks no seal.

use std::ops::Range;
use std::path::Path;

use bootproof_catalog::Fingerprint;
use rusqlite::Connection;

use crate::audit;
use crate::error::Error;
use crate::ffi::header::LoneFile;
use crate::ffi::{self, HEADER};
use crate::schema::{Resting, Schema};

/// What the header of every database begins with, and where it has what else a connection would ask for first
/// (<https://sqlite.org/fileformat2.html#the_database_header>): the size of a page,
const MAGIC: &[u8] = b"SQLite format 3\0";
const PAGE_SIZE: Range<usize> = 16..18;
/// the versions of the format that writing and reading need,
const FORMATS: Range<usize> = 18..20;
/// which are these without a WAL,
const WITHOUT_WAL: [u8; 2] = [1, 1];
/// and these with one;
const WITH_WAL: [u8; 2] = [2, 2];
/// how much of a page is used for something else, and three numbers that never change;
const RESERVED: usize = 20;
const FRACTIONS: Range<usize> = 21..24;
/// how many pages there are, if that was written together with the newest change;
const CHANGES: Range<usize> = 24..28;
const PAGES: Range<usize> = 28..32;
const PAGES_AS_OF: Range<usize> = 92..96;
/// the count of changes of the schema, the format of the schema, and the number that is free for applications.
const COUNT: Range<usize> = 40..44;
const SCHEMA_FORMAT: Range<usize> = 44..48;
const NUMBER: Range<usize> = 60..64;

/// The schema format in which a statement means what it says: in earlier ones an index that descends does not
/// (<https://sqlite.org/fileformat2.html#schema_format_number>). Every SQLite of the last years writes it.
const MEANS_WHAT_IT_SAYS: [u8; 4] = [0, 0, 0, 4];

/// Whether two schemas of the same words are the same: as far as it depends on this file.
pub(crate) fn means_what_it_says(connection: &Connection) -> bool {
    let header = ffi::file_header(connection);
    header.is_some_and(|header| header.get(SCHEMA_FORMAT) == Some(MEANS_WHAT_IT_SAYS.as_slice()))
}

/// What the header says, of one state of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Of changes of the schema.
    count: i32,
    /// What may be a seal.
    seal: i32,
}

impl Numbers {
    /// Those of a regular file that lies alone, without a connection. `None` where only a connection can tell: where somebody
    /// commits just then, or what SQLite keeps beside a file is there; or where the header is not what SQLite accepts, so that it
    /// says why; or where nobody could read the file, because a log has no place beside it.
    pub(crate) fn of_lone_file(path: &Path) -> Option<Self> {
        let LoneFile { header, length, takes_neighbours } = ffi::header::of_lone_file(path)?;
        let can_be_read = takes_neighbours || header.get(FORMATS) == Some(WITHOUT_WAL.as_slice());
        Self::of_whole(&header, length).filter(|_| can_be_read)
    }

    /// Those of a header that a file of this length can have: as strict as SQLite is before it reads anything else.
    fn of_whole(header: &[u8; HEADER], length: u64) -> Option<Self> {
        let has = |place: Range<usize>, bytes: &[u8]| header.get(place) == Some(bytes);
        let number = |place: Range<usize>| Some(u32::from_be_bytes(header.get(place)?.try_into().ok()?));
        let page = match u16::from_be_bytes(header.get(PAGE_SIZE)?.try_into().ok()?) {
            1 => 1 << 16,
            bytes => u64::from(bytes),
        };
        let used = page.checked_sub(u64::from(*header.get(RESERVED)?))?;
        let pages = u64::from(number(PAGES)?);
        let is_whole = header.starts_with(MAGIC)
            && (has(FORMATS, &WITHOUT_WAL) || has(FORMATS, &WITH_WAL))
            && has(FRACTIONS, &[64, 32, 32])
            && has(SCHEMA_FORMAT, &MEANS_WHAT_IT_SAYS)
            && page.is_power_of_two()
            && used >= 480
            && header.get(CHANGES) == header.get(PAGES_AS_OF)
            && pages > 0
            && pages * page <= length;
        is_whole.then_some(Self { count: number(COUNT)?.cast_signed(), seal: number(NUMBER)?.cast_signed() })
    }

    /// Those of an open file, whatever lies beside it: the statement that reads the one holds the lock until both are read.
    ///
    /// Without a WAL the count is where the header has it, which takes a quarter of the time that a second statement does.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("PRAGMA main.user_version")?;
        let mut rows = statement.query([])?;
        let seal = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        let header = ffi::file_header(connection);
        let stands = header.as_ref().filter(|header| header.get(FORMATS) == Some(WITHOUT_WAL.as_slice()));
        match stands.and_then(|header| header.get(COUNT)?.try_into().ok()) {
            Some(count) => Ok(Self { count: i32::from_be_bytes(count), seal }),
            None => Ok(Self { count: number(connection, "schema_version")?, seal }),
        }
    }

    /// The version that a whole seal says the file is at, its schema as it was proven then. `None` where nobody can tell, or where
    /// a boot that `may_pass` what waits for permission would go on.
    pub(crate) fn version(self, schema: &Schema, may_pass: bool) -> Option<i64> {
        may_rest(schema, may_pass).find(|resting| of(resting, self.count) == self.seal).map(|resting| resting.version)
    }
}

/// The version at which the newest row of the audit table says that the schema was proven, if it is word for word what it was
/// then. Inside a read transaction.
///
/// The header says it at once, where its number is free, and only as long as nobody has as much as touched the schema: `VACUUM`
/// and a table that is made and dropped again count as changes.
pub(crate) fn recorded(schema: &Schema, connection: &Connection, may_pass: bool) -> Option<i64> {
    if !audit::exists(connection).ok()? || !means_what_it_says(connection) {
        return None;
    }
    let proof = audit::newest_proof(connection).ok()??;
    let texts = texts(connection).ok()?;
    may_rest(schema, may_pass).find(|resting| self::proof(resting, texts) == proof).map(|resting| resting.version)
}

/// Where boots leave a database, but for those that this boot would go on from.
fn may_rest(schema: &Schema, may_pass: bool) -> impl Iterator<Item = &Resting> {
    schema.resting().iter().take(if may_pass { 1 } else { usize::MAX })
}

/// Every statement that the schema consists of, in 128 bits, in whatever order. SQLite's own tables are not among them: they come
/// and go with `ANALYZE`.
fn texts(connection: &Connection) -> rusqlite::Result<u128> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_schema")?;
    let mut rows = statement.query([])?;
    let mut texts = 0_u128;
    while let Some(row) = rows.next()? {
        let of = |column: usize| -> rusqlite::Result<&[u8]> {
            Ok(row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default())
        };
        let parts: [&[u8]; 4] = [of(0)?, of(1)?, of(2)?, of(3)?];
        if !parts[1].starts_with(b"sqlite_") {
            // No part holds a NUL.
            let Fingerprint(text) = Fingerprint::of_bytes(parts.into_iter().flat_map(|part| [part, b"\0".as_slice()]));
            texts = texts.wrapping_add(text);
        }
    }
    Ok(texts)
}

fn proof(resting: &Resting, texts: u128) -> String {
    Fingerprint::of_bytes([resting.identity.to_le_bytes().as_slice(), &texts.to_le_bytes()]).to_string()
}

/// Seals the file, in the transaction that has proven it to be at a version where boots leave it; at any other, and without one,
/// takes the seal off. The newest row of the audit table is that transaction's.
pub(crate) fn renew(schema: &Schema, connection: &Connection, version: Option<i64>) -> Result<(), Error> {
    let resting = schema.resting().iter().find(|resting| Some(resting.version) == version);
    let write = || -> rusqlite::Result<()> {
        let present = number(connection, "user_version")?;
        let is_free = present == 0 || audit::seals(connection)?.contains(&present);
        let count = number(connection, "schema_version")?;
        let seal = resting.map_or(0, |resting| of(resting, count));
        if is_free {
            connection.pragma_update(Some("main"), "user_version", seal)?;
        }
        let proof = resting.map(|resting| Ok::<_, rusqlite::Error>(proof(resting, texts(connection)?))).transpose()?;
        audit::record_seal(connection, seal, proof)
    };
    write().map_err(|error| Error::from_sqlite("sealing the schema", error))
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(Some("main"), pragma, |row| row.get(0))
}

/// Never 0, which is what nobody has set.
fn of(resting: &Resting, count: i32) -> i32 {
    let identity = resting.identity.to_le_bytes();
    let Fingerprint(digest) = Fingerprint::of_bytes([identity.as_slice(), &count.to_le_bytes()]);
    #[expect(clippy::cast_possible_truncation, reason = "as much of it as the header has room for")]
    let seal = digest as u32;
    seal.max(1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file, and a connection that has executed this on it.
    fn opened(sql: &str) -> (tempfile::TempDir, std::path::PathBuf, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        (directory, path, connection)
    }

    /// A header, and how long its file is.
    fn made() -> ([u8; HEADER], u64) {
        let (_directory, path, connection) = opened("CREATE TABLE t(a); PRAGMA user_version = -7");
        (ffi::file_header(&connection).unwrap(), path.metadata().unwrap().len())
    }

    #[test]
    fn the_header_tells_what_a_connection_would() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w.db");
        for mode in ["delete", "wal"] {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch(&format!("PRAGMA journal_mode = {mode}; CREATE TABLE t_{mode}(a)")).unwrap();
            connection.execute_batch("PRAGMA user_version = -7").unwrap();
            let numbers = Numbers::of(&connection).unwrap();
            assert_eq!(numbers.seal, -7);
            // Whoever has it in WAL mode has a log beside it.
            assert_eq!(Numbers::of_lone_file(&path).is_some(), mode == "delete");
            drop(connection);
            assert_eq!(Numbers::of_lone_file(&path), Some(numbers), "{mode}");
        }
    }

    #[test]
    fn a_header_that_sqlite_would_not_take_tells_nothing() {
        let (header, length) = made();
        assert!(Numbers::of_whole(&header, length).is_some());
        assert_eq!(Numbers::of_whole(&header, length - 1), None, "pages that are not there");
        let places = (0..20).chain(FRACTIONS).chain(SCHEMA_FORMAT).chain(CHANGES).chain(PAGES).chain(PAGES_AS_OF);
        for place in places {
            let mut damaged = header;
            damaged[place] ^= 0x41;
            assert_eq!(Numbers::of_whole(&damaged, length), None, "byte {place}");
        }
        assert_eq!(Numbers::of_whole(&[0; HEADER], length), None);
    }

    #[test]
    fn whatever_lies_beside_a_file_or_holds_it_leaves_it_to_a_connection() {
        let (directory, path, connection) = opened("CREATE TABLE t(a)");
        for suffix in ["-journal", "-wal"] {
            let beside = crate::files::sidecar(&path, suffix);
            std::fs::write(&beside, "x").unwrap();
            assert_eq!(Numbers::of_lone_file(&path), None, "{suffix}");
            std::fs::remove_file(&beside).unwrap();
        }
        assert!(Numbers::of_lone_file(&path).is_some());
        connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_eq!(Numbers::of_lone_file(&path), None, "somebody commits");
        connection.execute_batch("ROLLBACK").unwrap();
        assert!(Numbers::of_lone_file(&path).is_some());
        assert_eq!(Numbers::of_lone_file(&directory.path().join("none.db")), None);
    }

    /// Closing any descriptor of a file drops every lock that the process has on it, unless SQLite's own layer closes it.
    #[cfg(target_os = "linux")]
    #[test]
    fn looking_at_the_header_leaves_the_locks_of_this_process_alone() {
        let (_directory, path, _connection) = opened("CREATE TABLE t(a); BEGIN IMMEDIATE");
        let inode = format!(":{} ", std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap()));
        let locks = || {
            let all = std::fs::read_to_string("/proc/locks").unwrap();
            all.lines().filter(|line| line.contains(&inode)).count()
        };
        // The list is read in pieces, and other tests change it meanwhile.
        let settled = || {
            let mut reads = std::iter::repeat_with(|| (locks(), locks()));
            reads.find(|(one, another)| one == another).map(|(locks, _)| locks)
        };
        let before = settled();
        assert!(before > Some(0));
        assert!(Numbers::of_lone_file(&path).is_some());
        assert_eq!(settled(), before);
    }
}
