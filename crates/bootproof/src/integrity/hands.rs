//! What each thread of a check reads with.

use rusqlite::Connection;

/// What a thread reads with.
#[derive(Clone, Copy)]
pub(super) struct Hand<'c> {
    /// What SQLite reads with, where it can.
    pub(super) sql: Option<&'c Connection>,
    /// Through which the file is read as it is.
    pub(super) file: &'c Connection,
    /// Whether it is that of the thread that boots, which tells how far the check is.
    pub(super) tells: bool,
}

/// Who reads: one thread, and others that help it.
pub(super) struct Hands<'c> {
    pub(super) leader: Leader<'c>,
    pub(super) helpers: Vec<Helper>,
}

/// The thread that has begun a check.
pub(super) enum Leader<'c> {
    /// With the boot's connection.
    Boot(&'c Connection),
    /// With a companion, which sees what the boot's connection sees.
    Companion(Connection),
    /// With the boot's connection, and the file that it has written its work into.
    Writer(&'c Connection, Connection),
    /// With a connection of its own, beside a boot.
    Aside(&'c Connection),
}

/// A thread that helps.
pub(super) struct Helper {
    connection: Connection,
    /// Whether SQLite sees through it what the others see.
    has_sql: bool,
}

impl<'c> Hands<'c> {
    /// Companions, or the boot's connection where there are none.
    ///
    /// It may have a large page cache, which a single pass would only fill.
    pub(super) fn of_all(connection: &'c Connection, companions: Vec<Connection>) -> Self {
        let mut companions = companions.into_iter();
        let leader = companions.next().map_or(Leader::Boot(connection), Leader::Companion);
        let helpers = companions.map(|connection| Helper { connection, has_sql: true }).collect();
        Self { leader, helpers }
    }

    /// The connection of a transaction, with the file where its work is in it.
    pub(super) fn of_writer(connection: &'c Connection, files: Vec<Connection>) -> Self {
        let mut files = files.into_iter();
        let leader = files.next().map_or(Leader::Boot(connection), |file| Leader::Writer(connection, file));
        let helpers = files.map(|connection| Helper { connection, has_sql: false }).collect();
        Self { leader, helpers }
    }

    /// A connection of another thread than the one that boots, by itself.
    pub(super) fn aside(connection: &'c Connection) -> Self {
        Self { leader: Leader::Aside(connection), helpers: Vec::new() }
    }
}

impl Leader<'_> {
    pub(super) fn hand(&self) -> Hand<'_> {
        let (sql, file) = match self {
            Self::Boot(connection) | Self::Aside(connection) => (*connection, *connection),
            Self::Companion(connection) => (connection, connection),
            Self::Writer(connection, file) => (*connection, file),
        };
        Hand { sql: Some(sql), file, tells: !matches!(self, Self::Aside(_)) }
    }
}

impl Helper {
    pub(super) fn hand(&self) -> Hand<'_> {
        Hand { sql: self.has_sql.then_some(&self.connection), file: &self.connection, tells: false }
    }
}
