//! Databases in memory, as strict as a boot.

use rusqlite::backup::Backup;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Null;
use rusqlite::{Connection, MAIN_DB};

use super::quotes;
use crate::budget::Budget;
use crate::compiler::Stub;

/// A database in memory, without anything in it, that is as strict as a boot.
pub(crate) fn database(stubs: &[Stub]) -> rusqlite::Result<(Connection, Budget)> {
    let mut connection = Connection::open_in_memory()?;
    // As at boot. What is to be judged is prepared without that first, by the stage.
    quotes::are_texts(&connection, true)?;
    // Boot turns them off too, or the DROP TABLE of a rebuild would delete the rows of other tables through CASCADE.
    connection.pragma_update(None, "foreign_keys", false)?;
    for stub in stubs {
        // As views, triggers, indexes and generated columns may call it.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function(&*stub.name, stub.arguments, flags, |_| Ok(Null))?;
    }
    let budget = Budget::install(&mut connection)?;
    Ok((connection, budget))
}

/// Makes one database equal to another, page by page.
pub(crate) fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    Backup::new(from, to)?.step(-1).map(|_| ())
}

/// The database of an image, to read from.
pub(crate) fn open_image(image: &[u8], stubs: &[Stub]) -> rusqlite::Result<Connection> {
    let (mut connection, _) = database(stubs)?;
    connection.deserialize_read_exact(MAIN_DB, image, image.len(), true)?;
    Ok(connection)
}
