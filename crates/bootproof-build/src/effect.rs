//! What a statement does, as SQLite's authorizer tells while it prepares it.
//!
//! The authorizer sees through views, triggers and common table expressions, which no reading of the text could
//! (<https://sqlite.org/c3ref/set_authorizer.html>).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bootproof_catalog::HISTORY_TABLE;
use rusqlite::Connection;
use rusqlite::ffi;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

/// What one statement does; names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    /// It is or contains a SELECT.
    pub(crate) selects: bool,
    /// Tables and views whose rows it writes, those it drops included.
    pub(crate) writes: BTreeSet<String>,
    /// Columns that it reads, by table; the column is empty where rows are only counted.
    pub(crate) reads: BTreeSet<(String, String)>,
    /// Tables and views that it drops.
    pub(crate) drops_tables: BTreeSet<String>,
    /// Indexes and triggers that it drops; the triggers of a dropped table or view are among them.
    pub(crate) drops: BTreeSet<String>,
    /// Tables that it creates, temporary ones not among them.
    pub(crate) creates_tables: BTreeSet<String>,
    /// Tables that it alters: of a renamed one, the old name.
    pub(crate) alters: BTreeSet<String>,
    /// Tables and views into which it inserts, as it says itself: not what a trigger does.
    pub(crate) inserts: BTreeSet<String>,
    /// Columns that it updates, as it says itself, each behind its table.
    pub(crate) updates: BTreeSet<(String, String)>,
    /// Tables and views from which it deletes, as it says itself.
    pub(crate) deletes: BTreeSet<String>,
    /// Columns that it or a trigger updates, each behind its table.
    pub(crate) changes: BTreeSet<(String, String)>,
    /// Tables from which it or a trigger deletes.
    pub(crate) removes: BTreeSet<String>,
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT or RELEASE.
    pub(crate) controls_transaction: bool,
    /// Which of them.
    pub(crate) control: Option<Control>,
    /// ATTACH or DETACH.
    pub(crate) attaches: bool,
    pub(crate) pragma: Option<Pragma>,
    /// A table of the migrator's own that it touches.
    pub(crate) reserved: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pragma {
    pub(crate) name: String,
    pub(crate) has_value: bool,
    pub(crate) value: Option<String>,
}

/// A statement about transactions. END is COMMIT to SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Begin,
    Commit,
    /// Also to a savepoint.
    Rollback,
    Savepoint,
    Release,
}

/// Collects effects from a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Effects>>);

impl Recorder {
    /// Starts to record everything that the connection prepares.
    pub(crate) fn install(connection: &mut Connection) -> rusqlite::Result<Self> {
        let recorder = Self::default();
        let effects = Arc::clone(&recorder.0);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            effects.lock().unwrap_or_else(PoisonError::into_inner).record(&context);
            Authorization::Allow
        }))?;
        Ok(recorder)
    }

    /// What was recorded since the last call.
    pub(crate) fn take(&self) -> Effects {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Effects {
    fn record(&mut self, context: &AuthContext<'_>) {
        // Inside a trigger or a view, SQLite names it.
        if context.accessor.is_none() {
            self.record_target(context.action);
        }
        match context.action {
            AuthAction::Select => self.selects = true,
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => {
                self.touch(table_name);
                self.writes.insert(table_name.to_ascii_lowercase());
                if let AuthAction::Update { column_name, .. } = context.action {
                    self.changes.insert((table_name.to_ascii_lowercase(), column_name.to_ascii_lowercase()));
                } else if let AuthAction::Delete { .. } = context.action {
                    self.removes.insert(table_name.to_ascii_lowercase());
                }
            }
            AuthAction::DropTable { table_name }
            | AuthAction::DropVtable { table_name, .. }
            | AuthAction::DropView { view_name: table_name } => {
                self.touch(table_name);
                self.drops_tables.insert(table_name.to_ascii_lowercase());
            }
            AuthAction::DropIndex { index_name: name, .. } | AuthAction::DropTrigger { trigger_name: name, .. } => {
                self.drops.insert(name.to_ascii_lowercase());
            }
            AuthAction::Read { table_name, column_name } => {
                self.touch(table_name);
                self.reads.insert((table_name.to_ascii_lowercase(), column_name.to_ascii_lowercase()));
            }
            AuthAction::CreateTable { table_name }
            | AuthAction::CreateVtable { table_name, .. }
            | AuthAction::CreateIndex { table_name, .. }
            | AuthAction::CreateTrigger { table_name, .. }
            | AuthAction::AlterTable { table_name, .. }
            | AuthAction::CreateView { view_name: table_name } => self.touch(table_name),
            AuthAction::Transaction { operation } => {
                self.controls_transaction = true;
                self.control = Some(match operation {
                    TransactionOperation::Begin => Control::Begin,
                    TransactionOperation::Rollback => Control::Rollback,
                    // rusqlite has no name for COMMIT.
                    _ => Control::Commit,
                });
            }
            AuthAction::Savepoint { operation, .. } => {
                self.controls_transaction = true;
                self.control = Some(match operation {
                    TransactionOperation::Begin => Control::Savepoint,
                    TransactionOperation::Rollback => Control::Rollback,
                    _ => Control::Release,
                });
            }
            // A file name that is an expression reaches the hook as no name at all.
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Unknown { code: ffi::SQLITE_ATTACH | ffi::SQLITE_DETACH, .. } => self.attaches = true,
            AuthAction::Pragma { pragma_name, pragma_value } => {
                let (name, value) = (pragma_name.to_ascii_lowercase(), pragma_value.map(str::to_owned));
                let pragma = Pragma { name, has_value: value.is_some(), value };
                self.pragma = Some(pragma);
            }
            _ => {}
        }
    }

    fn record_target(&mut self, action: AuthAction<'_>) {
        match action {
            AuthAction::Insert { table_name } => {
                self.inserts.insert(table_name.to_ascii_lowercase());
            }
            AuthAction::Update { table_name, column_name } => {
                self.updates.insert((table_name.to_ascii_lowercase(), column_name.to_ascii_lowercase()));
            }
            AuthAction::Delete { table_name } => {
                self.deletes.insert(table_name.to_ascii_lowercase());
            }
            AuthAction::CreateTable { table_name } => {
                self.creates_tables.insert(table_name.to_ascii_lowercase());
            }
            AuthAction::AlterTable { table_name, .. } => {
                self.alters.insert(table_name.to_ascii_lowercase());
            }
            _ => {}
        }
    }

    fn touch(&mut self, table: &str) {
        let table = table.to_ascii_lowercase();
        if table == HISTORY_TABLE || table.starts_with("bootproof_") {
            self.reserved = Some(table);
        }
    }
}
