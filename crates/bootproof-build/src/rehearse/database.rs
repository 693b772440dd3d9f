//! Databases in memory, as strict as a boot.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::backup::Backup;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Null;
use rusqlite::{Connection, MAIN_DB};

use super::quotes;
use crate::budget::Budget;
use crate::compiler::Stub;

/// Which of the functions that stand in for the application's were called.
#[derive(Clone, Debug, Default)]
pub(crate) struct StandIns(Arc<Mutex<BTreeSet<String>>>);

impl StandIns {
    /// Registers them on a connection, in place of those that are there.
    pub(crate) fn register(&self, connection: &Connection, stubs: &[Stub]) -> rusqlite::Result<()> {
        for stub in stubs {
            // As views, triggers, indexes and generated columns may call it.
            let flags =
                FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
            let (called, name) = (Arc::clone(&self.0), stub.name.clone());
            connection.create_scalar_function(&*stub.name, stub.arguments, flags, move |_| {
                let mut called = called.lock().unwrap_or_else(PoisonError::into_inner);
                if !called.contains(&name) {
                    called.insert(name.clone());
                }
                Ok(Null)
            })?;
        }
        Ok(())
    }

    /// Their names, in alphabetical order.
    pub(crate) fn called(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A database in memory, without anything in it, that is as strict as a boot.
pub(crate) fn database(stubs: &[Stub]) -> rusqlite::Result<(Connection, Budget)> {
    let mut connection = Connection::open_in_memory()?;
    // As at boot. What is to be judged is prepared without that first, by the stage.
    quotes::are_texts(&connection, true)?;
    // Boot turns them off too, or the DROP TABLE of a rebuild would delete the rows of other tables through CASCADE.
    connection.pragma_update(None, "foreign_keys", false)?;
    StandIns::default().register(&connection, stubs)?;
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
