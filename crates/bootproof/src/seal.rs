//! A seal in the header of the file: the schema is the one that was proven, and nobody has changed it since.
//!
//! Reading any table makes SQLite read the whole schema, which takes longer than all the rest of a boot with nothing to do. The
//! header can be read alone. SQLite counts every change of the schema there, whoever makes it (`schema_version`), and keeps a
//! number that is free for applications (`user_version`): <https://sqlite.org/pragma.html#pragma_schema_version>. The seal is
//! a digest of the compiled migrations and that count, in that number.
//!
//! It is set in the transaction that proves the schema, and where the number is free: one that the application or a migration
//! has set stays. Rows are not sealed: who deletes rows of the history by hand breaks no seal.

use bootproof_catalog::Fingerprint;
use rusqlite::Connection;

use crate::audit;
use crate::error::Error;
use crate::schema::Schema;

/// Whether the file is at head as this program knows it, and its schema as it was proven then. False where nobody can tell.
///
/// Leaves the connection in the transaction that it has read in.
pub(crate) fn is_whole(schema: &Schema, connection: &Connection) -> bool {
    let read = || -> rusqlite::Result<bool> {
        connection.execute_batch("BEGIN")?;
        let count = number(connection, "schema_version")?;
        Ok(number(connection, "user_version")? == of(schema, count))
    };
    read().unwrap_or_default()
}

/// Seals the file, in the transaction that has proven it to be at head; of any other version, takes the seal off. The newest
/// row of the audit table is that transaction's.
pub(crate) fn renew(schema: &Schema, connection: &Connection, is_at_head: bool) -> Result<(), Error> {
    let write = || -> rusqlite::Result<()> {
        let present = number(connection, "user_version")?;
        if present != 0 && audit::seals(connection)?.iter().all(|seal| *seal != present) {
            return Ok(());
        }
        let seal = if is_at_head { of(schema, number(connection, "schema_version")?) } else { 0 };
        connection.pragma_update(Some("main"), "user_version", seal)?;
        audit::record_seal(connection, seal)
    };
    write().map_err(|error| Error::from_sqlite("sealing the schema", error))
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(Some("main"), pragma, |row| row.get(0))
}

/// Never 0, which is what nobody has set.
fn of(schema: &Schema, count: i32) -> i32 {
    let identity = schema.identity().to_le_bytes();
    let Fingerprint(digest) = Fingerprint::of_bytes([identity.as_slice(), &count.to_le_bytes()]);
    #[expect(clippy::cast_possible_truncation, reason = "as much of it as the header has room for")]
    let seal = digest as u32;
    seal.max(1).cast_signed()
}
