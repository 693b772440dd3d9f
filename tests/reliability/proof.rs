//! What must hold after every failure, whatever failed.

use std::collections::BTreeMap;
use std::path::Path;

use faulty_vfs::Fault;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::scene::{KEPT, Scene, Stage, Work};
use worklog_schema::bootproof::{Condition, Error};

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The versions of its history; `None` without one.
    pub(crate) history: Option<Vec<i64>>,
    /// Every table and index by name, and how it was made.
    pub(crate) schema: BTreeMap<String, String>,
    /// The rows of every table that is not the migrator's.
    pub(crate) rows: BTreeMap<String, Vec<u8>>,
}

impl State {
    /// What the database at this path holds; nothing where there is none.
    pub(crate) fn of(path: &Path) -> Self {
        if !path.exists() {
            return Self::default();
        }
        Self::read(&Connection::open(path).unwrap()).unwrap()
    }

    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT name, type || ' ' || ifnull(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'",
        )?;
        let schema: BTreeMap<String, String> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let history = if schema.contains_key("refinery_schema_history") {
            let mut statement = connection.prepare("SELECT version FROM refinery_schema_history ORDER BY version")?;
            Some(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        } else {
            None
        };
        let own = ["refinery_schema_history", "bootproof_audit"];
        let tables = schema.iter().filter(|(name, sql)| sql.starts_with("table ") && !own.contains(&name.as_str()));
        let rows =
            tables.map(|(name, _)| Ok((name.clone(), rows(connection, name)?))).collect::<rusqlite::Result<_>>()?;
        Ok(Self { history, schema, rows })
    }

    /// Whether another has every row of this one, unchanged.
    pub(crate) fn is_kept_by(&self, other: &Self) -> bool {
        self.rows.iter().all(|(table, rows)| other.rows.get(table) == Some(rows))
    }

    /// The version; `None` where it is unmanaged.
    pub(crate) fn version(&self) -> Option<i64> {
        self.history.as_ref().and_then(|history| history.last().copied())
    }
}

/// Everything in a table, in the order of its rows.
fn rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<u8>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\" NOT INDEXED"))?;
    let columns = statement.column_count();
    let mut content = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(number) => (1, &number.to_le_bytes()),
                ValueRef::Real(number) => (2, &number.to_le_bytes()),
                ValueRef::Text(bytes) => (3, bytes),
                ValueRef::Blob(bytes) => (4, bytes),
            };
            content.push(kind);
            content.extend_from_slice(&bytes.len().to_le_bytes());
            content.extend_from_slice(bytes);
        }
    }
    Ok(content)
}

/// Which states may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Old,
    New,
    Either,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    Old,
    New,
}

/// Proves the directory: the database is sound and in one of its two states with every row, the backups are real, the next
/// boot is ready, and nothing else stays behind.
pub(crate) fn prove(scene: &Scene, stage: &Stage, expected: Expected) -> Result<Found, String> {
    if scene.work == Work::Restore {
        end_restore(scene, stage)?;
    }
    let found = prove_state(scene, stage, expected)?;
    prove_backups(scene, stage)?;
    prove_replaced(scene, stage, found)?;
    stage.boots_again()?;
    if State::of(&stage.database).rows != *rows_expected(scene, found) {
        return Err("the next boot changed rows".to_owned());
    }
    let strays: Vec<String> = stage.files_beside().into_iter().filter(|name| !is_welcome(stage.path(), name)).collect();
    if strays.is_empty() { Ok(found) } else { Err(format!("left behind: {strays:?}")) }
}

/// A restore that was interrupted when it had begun to replace: nothing opens the database before another has ended it.
fn end_restore(scene: &Scene, stage: &Stage) -> Result<(), String> {
    if !stage.path().join("worklog.db.restoring").exists() {
        return Ok(());
    }
    let boot = worklog_schema::boot(&stage.database);
    match boot.run() {
        Err(failure) if matches!(failure.error, Error::RestoreInterrupted { .. }) => {}
        Err(failure) => return Err(format!("interrupted, a boot says {failure}")),
        Ok(_) => return Err("a boot opens what is between two files".to_owned()),
    }
    scene.work.carry_out(&boot, &stage.database).map_err(|failure| format!("another restore fails: {failure}"))
}

fn prove_state(scene: &Scene, stage: &Stage, expected: Expected) -> Result<Found, String> {
    let now = if stage.database.exists() { sound_state(&stage.database)? } else { State::default() };
    let found = if now == scene.after && expected != Expected::Old {
        Found::New
    } else if now == scene.before {
        Found::Old
    } else if now == scene.after {
        Found::New
    } else {
        let rows = now.rows != scene.before.rows && now.rows != scene.after.rows;
        let rows = if rows { ", and other rows" } else { "" };
        return Err(format!("neither old nor new: history {:?}{rows}", now.history));
    };
    match (expected, found) {
        (Expected::Old, Found::New) | (Expected::New, Found::Old) => {
            Err(format!("{expected:?} was expected, {found:?} was found, version {:?}", now.version()))
        }
        _ => Ok(found),
    }
}

/// A file that was to be made has no rows either way.
fn rows_expected(scene: &Scene, found: Found) -> &BTreeMap<String, Vec<u8>> {
    if found == Found::New || scene.before.rows.is_empty() { &scene.after.rows } else { &scene.before.rows }
}

/// What a database holds that an integrity check finds nothing wrong with; or what is wrong.
pub(crate) fn sound_state(path: &Path) -> Result<State, String> {
    let read = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok((integrity, State::read(&connection)?))
    };
    match read() {
        Ok((integrity, state)) if integrity == "ok" => Ok(state),
        Ok((integrity, _)) => Err(format!("integrity: {integrity}")),
        Err(error) => {
            let error: rusqlite::Error = error;
            Err(format!("the database cannot be read: {error}"))
        }
    }
}

/// A backup that has its name is whole, and its digest says so: what was there is as it was, what is new holds the old state.
fn prove_backups(scene: &Scene, stage: &Stage) -> Result<(), String> {
    let names: Vec<String> = stage.files_beside().into_iter().filter(|name| is_backup(name)).collect();
    for name in &names {
        let backup = stage.path().join(name);
        let bytes = std::fs::read(&backup).ok();
        let is_known = scene.file(name).is_some_and(|original| Some(original) == bytes);
        if !is_known && bytes != scene.file("worklog.db") && immutable_state(&backup).as_ref() != Ok(&scene.before) {
            return Err(format!("`{name}` is no backup"));
        }
    }
    let before = scene.files_beside().into_iter().filter(|name| is_backup(name));
    let mut all: Vec<String> = before.chain(names.iter().cloned()).collect();
    all.sort_unstable_by(|first, second| second.cmp(first));
    all.dedup();
    let must_stay = if scene.work == Work::Prune { KEPT } else { all.len() };
    if let Some(gone) = all.iter().take(must_stay).find(|name| !names.contains(name)) {
        return Err(format!("`{gone}` is gone"));
    }
    if names.is_empty() {
        return Ok(());
    }
    let listed = worklog_schema::boot(&stage.database).backups(true).map_err(|failure| failure.to_string())?;
    match listed.backups.iter().find(|backup| backup.condition != Some(Condition::Sound)) {
        Some(backup) => Err(format!("`{}`: {:?}", backup.path.display(), backup.problem)),
        None if listed.backups.len() == names.len() => Ok(()),
        None => Err(format!("{} of {names:?} are listed", listed.backups.len())),
    }
}

/// What a restore replaced is kept, with its newest row.
fn prove_replaced(scene: &Scene, stage: &Stage, found: Found) -> Result<(), String> {
    let mut replaced = stage.files_beside().into_iter().filter(|name| is_replaced(name)).peekable();
    match (scene.work, found) {
        (Work::Restore, Found::New) => {
            let holds_it = |name: String| immutable_state(&stage.path().join(name)).as_ref() == Ok(&scene.before);
            if replaced.any(holds_it) { Ok(()) } else { Err("what was replaced is gone".to_owned()) }
        }
        _ => replaced.next().map_or(Ok(()), |name| Err(format!("nothing was replaced, and there is `{name}`"))),
    }
}

/// What a file holds that nobody writes.
fn immutable_state(path: &Path) -> rusqlite::Result<State> {
    State::read(&immutable(path)?)
}

/// Opens a file that nobody writes.
pub(crate) fn immutable(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{}?immutable=1", path.display()), flags)
}

/// Whether the exit code sends the operator to the right place.
///
/// A disk that says a file ends where it does not cannot be told from a damaged file: what SQLite then misses is gone for
/// all it knows.
pub(crate) fn is_honest(fault: Fault, code: u8) -> bool {
    match fault {
        Fault::Busy => matches!(code, 3 | 8),
        Fault::ShortRead => matches!(code, 6 | 8),
        Fault::Io | Fault::Full | Fault::Denied => code == 8,
    }
}

/// `worklog.db.backup-YYYYMMDD_HHMMSS`
pub(crate) fn is_backup(name: &str) -> bool {
    name.strip_prefix("worklog.db.backup-").is_some_and(is_stamp)
}

/// `worklog.db.replaced-YYYYMMDD_HHMMSS`
pub(crate) fn is_replaced(name: &str) -> bool {
    name.strip_prefix("worklog.db.replaced-").is_some_and(is_stamp)
}

fn is_stamp(stamp: &str) -> bool {
    stamp.split_once('_').is_some_and(|(day, time)| {
        day.len() == 8 && time.len() == 6 && (day.to_owned() + time).bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What may stay beside the database. An empty journal is how SQLite keeps one for the next transaction.
pub(crate) fn is_welcome(directory: &Path, name: &str) -> bool {
    let is_empty = || directory.join(name).metadata().is_ok_and(|file| file.len() == 0);
    is_backup(name.strip_suffix(".b3").unwrap_or(name))
        || is_replaced(name)
        || (name == "worklog.db-journal" && is_empty())
}
