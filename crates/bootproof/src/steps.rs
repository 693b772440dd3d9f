//! Migrations in Rust: functions of the application that run inside the transaction, and what they may not do there.
//!
//! SQLite asks before it prepares a statement whether it may
//! (<https://sqlite.org/c3ref/set_authorizer.html>): that is where a step is held to the tables that its migration names.

use std::any::Any;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::ffi::{SQLITE_ATTACH, SQLITE_DETACH};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::compiled::{Migration, RustStep};
use crate::error::Error;

/// What a step in Rust returns; any error rolls the boot back.
pub type StepResult = Result<(), Box<dyn StdError + Send + Sync>>;

type Function = Box<dyn Fn(&Connection) -> StepResult + Send + Sync>;

/// The functions that an application has registered, by name.
#[derive(Default)]
pub(crate) struct Steps(Vec<(&'static str, Function)>);

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Steps {
    /// A name that is registered twice is the later function's.
    pub(crate) fn register(
        &mut self,
        name: &'static str,
        step: impl Fn(&Connection) -> StepResult + Send + Sync + 'static,
    ) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, Box::new(step)));
    }

    fn find(&self, name: &str) -> Option<&Function> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, function)| function)
    }

    /// Refuses migrations that call what is not registered.
    pub(crate) fn require<'m>(&self, migrations: impl Iterator<Item = &'m Migration>) -> Result<(), Error> {
        let missing = |migration: &Migration| {
            let step = migration.step.filter(|step| self.find(step.name).is_none())?;
            Some(format!("{} calls `{}`", migration.title(), step.name))
        };
        let missing: Vec<String> = migrations.filter_map(missing).collect();
        if missing.is_empty() { Ok(()) } else { Err(Error::StepsMissing { steps: missing }) }
    }

    /// Calls the step of a migration, if it has one.
    pub(crate) fn run(
        &self,
        connection: &Connection,
        guard: Option<&Guard>,
        migration: &'static Migration,
    ) -> Result<(), Error> {
        let Some(step) = migration.step else { return Ok(()) };
        let (Some(function), Some(guard)) = (self.find(step.name), guard) else {
            return self.require(std::iter::once(migration));
        };
        log::info!("calling `{}`", step.name);
        let failed = |message: String| Error::StepFailed {
            migration: migration.title(),
            file: migration.file,
            line: step.line,
            step: step.name,
            message,
        };
        guard.watch(connection, &step).map_err(|error| Error::from_sqlite("calling a step", error))?;
        // What a panic leaves behind in the application is its own; what it leaves in the transaction is rolled back.
        let returned = catch_unwind(AssertUnwindSafe(|| function(connection)));
        let offence = guard.release();
        match (returned, offence) {
            (_, Some(offence)) => Err(failed(offence)),
            (Err(panic), None) => Err(failed(format!("it panicked: {}", panic_message(&*panic)))),
            (Ok(Err(error)), None) => Err(classified(error, failed)),
            (Ok(Ok(())), None) => Ok(()),
        }
    }
}

/// A disk that is full or a boot that was called off is not the step's fault.
fn classified(error: Box<dyn StdError + Send + Sync>, failed: impl FnOnce(String) -> Error) -> Error {
    match error.downcast::<rusqlite::Error>() {
        Ok(error) => match Error::from_sqlite("running a step in Rust", *error) {
            Error::Unexpected { source, .. } => failed(source.to_string()),
            // A row that the step expected and did not find is no damage.
            Error::Integrity { problems } => failed(problems.join("; ")),
            other => other,
        },
        Err(other) => failed(other.to_string()),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why")
}

/// Stands between a step and SQLite. While no step runs it lets everything pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Arc<Mutex<Option<Watched>>>);

/// What is known of the step that runs.
#[derive(Debug)]
struct Watched {
    /// The tables that it may write, in lower case.
    tables: BTreeSet<String>,
    /// The first thing that it tried and may not do.
    offence: Option<String>,
}

/// PRAGMAs that only tell.
const TELLING: [&str; 12] = [
    "collation_list",
    "compile_options",
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// What SQLite writes to change a schema.
const SCHEMA_TABLES: [&str; 4] = ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];

impl Guard {
    /// Takes its place on a connection, of which it is the only authorizer from here on.
    pub(crate) fn install(connection: &mut Connection) -> Result<Self, Error> {
        let guard = Self::default();
        let asked = guard.clone();
        let answer = move |context: AuthContext<'_>| asked.judge(&context);
        connection.authorizer(Some(answer)).map_err(|error| Error::from_sqlite("preparing the connection", error))?;
        Ok(guard)
    }

    /// Leaves its place.
    pub(crate) fn remove(connection: &mut Connection) -> rusqlite::Result<()> {
        connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
    }

    fn watch(&self, connection: &Connection, step: &RustStep) -> rusqlite::Result<()> {
        let mut tables: BTreeSet<String> = step.writes.iter().map(|table| (*table).to_owned()).collect();
        // A virtual table keeps its rows in tables of its own.
        let mut statement = connection
            .prepare("SELECT lower(name) FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'")?;
        for shadow in statement.query_map([], |row| row.get::<_, String>(0))? {
            let shadow = shadow?;
            let is_of = |table: &&str| shadow.strip_prefix(*table).is_some_and(|rest| rest.starts_with('_'));
            if step.writes.iter().any(is_of) {
                tables.insert(shadow);
            }
        }
        *self.lock() = Some(Watched { tables, offence: None });
        Ok(())
    }

    fn release(&self) -> Option<String> {
        self.lock().take().and_then(|watched| watched.offence)
    }

    fn judge(&self, context: &AuthContext<'_>) -> Authorization {
        let mut watched = self.lock();
        let Some(watched) = watched.as_mut() else { return Authorization::Allow };
        match watched.offence_of(context) {
            None => Authorization::Allow,
            Some(offence) => {
                watched.offence.get_or_insert(offence);
                Authorization::Deny
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn offence_of(&self, context: &AuthContext<'_>) -> Option<String> {
        let is_main = context.database_name.is_none_or(|name| name == "main");
        match context.action {
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Function { .. } | AuthAction::Recursive => None,
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => {
                if is_main && self.tables.contains(&table_name.to_ascii_lowercase()) {
                    return None;
                }
                if SCHEMA_TABLES.contains(&table_name) {
                    return Some(changes_schema());
                }
                let by = context.accessor.map_or_else(String::new, |by| format!(" through `{by}`"));
                Some(format!(
                    "it writes `{table_name}`{by}, which its migration does not name: `-- bootproof: writes …`"
                ))
            }
            AuthAction::Pragma { pragma_name, .. } => {
                let is_telling = TELLING.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
                (!is_telling).then(|| format!("it uses `PRAGMA {pragma_name}`"))
            }
            AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
                Some("it begins or ends a transaction, which is the boot's".to_owned())
            }
            // A file name that is an expression reaches the hook as no name at all.
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Unknown { code: SQLITE_ATTACH | SQLITE_DETACH, .. } => {
                Some("it attaches or detaches a database".to_owned())
            }
            _ => Some(changes_schema()),
        }
    }
}

fn changes_schema() -> String {
    "it changes the schema, which only the statements of a migration do".to_owned()
}
