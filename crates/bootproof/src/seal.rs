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

use bootproof_catalog::Fingerprint;
use rusqlite::Connection;

use crate::audit;
use crate::error::Error;
use crate::ffi;
use crate::schema::{Resting, Schema};

/// Where the header has the versions of the format that writing and reading need,
const FORMATS: Range<usize> = 18..20;
/// which are these, unless the newest pages may be in a WAL;
const WITHOUT_WAL: [u8; 2] = [1, 1];
/// and where it has the count of changes of the schema.
const COUNT: Range<usize> = 40..44;

/// The version that a whole seal says the file is at, its schema as it was proven then. `None` where nobody can tell, or where
/// a boot that `may_pass` what waits for permission would go on.
pub(crate) fn version(schema: &Schema, connection: &Connection, may_pass: bool) -> Option<i64> {
    let (count, seal) = read(connection).ok()?;
    let mut resting = schema.resting().iter().take(if may_pass { 1 } else { usize::MAX });
    resting.find(|resting| of(resting, count) == seal).map(|resting| resting.version)
}

/// The count of changes and the number that may be a seal, both of one state: the statement that reads the one holds the lock
/// until both are read.
///
/// Without a WAL the count is where the header has it (<https://sqlite.org/fileformat2.html#the_database_header>), which takes a
/// quarter of the time that a second statement does.
fn read(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
    let mut statement = connection.prepare("PRAGMA main.user_version")?;
    let mut rows = statement.query([])?;
    let seal = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
    let header = ffi::file_header(connection);
    let stands = header.as_ref().filter(|header| header.get(FORMATS) == Some(WITHOUT_WAL.as_slice()));
    match stands.and_then(|header| header.get(COUNT)?.try_into().ok()) {
        Some(count) => Ok((i32::from_be_bytes(count), seal)),
        None => Ok((number(connection, "schema_version")?, seal)),
    }
}

/// Seals the file, in the transaction that has proven it to be at a version where boots leave it; at any other, and without one,
/// takes the seal off. The newest row of the audit table is that transaction's.
pub(crate) fn renew(schema: &Schema, connection: &Connection, version: Option<i64>) -> Result<(), Error> {
    let resting = schema.resting().iter().find(|resting| Some(resting.version) == version);
    let write = || -> rusqlite::Result<()> {
        let present = number(connection, "user_version")?;
        if present != 0 && audit::seals(connection)?.iter().all(|seal| *seal != present) {
            return Ok(());
        }
        let count = number(connection, "schema_version")?;
        let seal = resting.map_or(0, |resting| of(resting, count));
        connection.pragma_update(Some("main"), "user_version", seal)?;
        audit::record_seal(connection, seal)
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
