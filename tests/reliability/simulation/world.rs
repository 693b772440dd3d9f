//! A directory with a database in which everything happens, and the model of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use faulty_vfs::{Random, with_fault, with_power_cut};
use rusqlite::Connection;
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::bootproof::{Boot, Cancellation, Condition, Event, Failure, Observer};
use worklog_schema::{HEAD, fresh};

use super::model::{Content, Expectation, Model, Rows};
use super::operation::{Operation, Other, Work};
use super::release::release;
use super::resolve::{Disturbance, content, content_of};
use crate::proof::{State, is_backup, is_welcome, sound_state};
use crate::scene::{directory, names_in};

/// Few enough for thousands of sequences.
const ROWS: usize = 60;
/// Nobody holds a lock for long but a reader, who never lets go.
const BRIEF: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_mins(1);

/// What the engine told: the name of the backup it made.
pub(super) type Told = Result<Option<String>, Failure>;

pub(super) struct World {
    directory: TempDir,
    pub(super) database: PathBuf,
    pub(super) model: Model,
    /// The rows of a new database.
    empty: Rows,
    /// Whether nothing can have been left by a crash.
    pub(super) is_tidy: bool,
}

impl World {
    /// An unmanaged database in either journal mode, or none.
    pub(super) fn new(seed: u64) -> Self {
        faulty_vfs::install().unwrap();
        let directory = directory();
        let database = directory.path().canonicalize().unwrap().join("worklog.db");
        let kind = seed % 4;
        if kind > 0 {
            Fixture::new(ROWS).seed(seed).wal(kind == 1).create(&database).unwrap();
        }
        let new = State::read(&fresh().unwrap()).unwrap();
        let model = Model { database: content(&database).unwrap(), ..Model::default() };
        Self { directory, database, model, empty: content_of(new, Vec::new()).rows, is_tidy: true }
    }

    pub(super) fn words(&self) -> String {
        let version = self.model.database.as_ref().map(|database| database.version);
        format!("before it was at {version:?} with backups {:?}", self.model.backups.keys())
    }

    /// Makes it, and compares what became of it with the model. Returns what that was.
    pub(super) fn make(&mut self, operation: &Operation) -> Result<String, String> {
        match *operation {
            Operation::Work(work) => self.undisturbed(work),
            Operation::Crash(work, at, seed) => {
                let boot = self.boot(work, BRIEF);
                let cut = with_power_cut(self.directory.path(), at, || self.run(work, &boot));
                let (told, cut) = cut.map_err(|error| error.to_string())?;
                cut.restore_power(seed).map_err(|error| error.to_string())?;
                self.settle(work, &told, Disturbance::Crash)
            }
            Operation::Fail(work, injection) => {
                let boot = self.boot(work, BRIEF);
                let (told, struck) = with_fault(injection, || self.run(work, &boot));
                let disturbance = struck.map_or(Disturbance::None, |_| Disturbance::Fault(injection.fault));
                self.settle(work, &told, disturbance)
            }
            Operation::CallOff(work, nth) => {
                let cancellation = Cancellation::default();
                let observer = Arc::new(CallsOff(AtomicUsize::new(nth + 1), cancellation.clone()));
                let boot = self.boot(work, BRIEF).cancellation(cancellation).observer(observer);
                self.settle(work, &self.run(work, &boot), Disturbance::CalledOff)
            }
            Operation::Beside(other, work) => self.beside(other, work),
            Operation::Crowd { release } => self.crowd(release),
            Operation::Write { seed } => self.write(seed),
            Operation::SwitchJournal => self.as_application(|connection| {
                let mode = if is_wal(connection)? { "delete" } else { "wal" };
                connection.pragma_update(None, "journal_mode", mode)
            }),
            Operation::DropIndex => self.drop_index(),
            Operation::Corrupt { seed } => self.corrupt(seed),
        }
    }

    /// Everything that must hold at any time.
    pub(super) fn prove(&self) -> Result<(), String> {
        if content(&self.database)? != self.model.database {
            return Err("the database is not what it was".to_owned());
        }
        let listed = worklog_schema::boot(&self.database).backups(true).map_err(|failure| failure.to_string())?;
        if let Some(unsound) = listed.backups.iter().find(|backup| backup.condition != Some(Condition::Sound)) {
            return Err(format!("`{}`: {:?}", unsound.path.display(), unsound.problem));
        }
        let names = self.backups();
        if listed.backups.len() != names.len() || !names.iter().eq(self.model.backups.keys()) {
            return Err(format!("there are {names:?}"));
        }
        let is_stray = |name: &String| {
            let name = name.as_str();
            name != "worklog.db"
                && !name.starts_with("worklog.db.replaced-")
                && !is_welcome(self.directory.path(), name)
        };
        let strays: Vec<String> = names_in(self.directory.path()).into_iter().filter(is_stray).collect();
        if self.is_tidy && !strays.is_empty() { Err(format!("left behind: {strays:?}")) } else { Ok(()) }
    }

    pub(super) fn backups(&self) -> BTreeSet<String> {
        names_in(self.directory.path()).into_iter().filter(|name| is_backup(name)).collect()
    }

    fn boot(&self, work: Work, timeout: Duration) -> Boot<'static> {
        let head = if let Work::Boot { release, .. } = work { release } else { HEAD };
        let backup = !matches!(work, Work::Boot { backup: false, .. });
        Boot::new(release(head), &self.database).backup(backup).lock_timeout(timeout)
    }

    pub(super) fn run(&self, work: Work, boot: &Boot<'_>) -> Told {
        let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let reported = |report: worklog_schema::bootproof::BootReport| report.backup.map(|backup| name(&backup.path));
        match work {
            Work::Boot { .. } => boot.run().map(reported),
            Work::Revert { to } => boot.revert(to).map(reported),
            Work::BackUp => boot.back_up().map(|backup| Some(name(&backup.path))),
            Work::Prune { keep } => boot.prune_backups(keep).map(|_| None),
            Work::Restore { .. } => {
                let Some(backup) = self.model.nth_backup(work) else { return Ok(None) };
                boot.restore(&self.directory.path().join(backup)).map(|_| None)
            }
        }
    }

    pub(super) fn expect(&self, work: Work) -> Expectation {
        self.model.expect(work, &self.empty)
    }

    pub(super) fn undisturbed(&mut self, work: Work) -> Result<String, String> {
        let told = self.run(work, &self.boot(work, BRIEF));
        self.settle(work, &told, Disturbance::None)
    }

    /// While somebody else of this process has the database open.
    fn beside(&mut self, other: Other, work: Work) -> Result<String, String> {
        if self.model.database.is_none() {
            return self.undisturbed(work);
        }
        let connection = Connection::open(&self.database).unwrap();
        let begin = if matches!(other, Other::Reader) { "BEGIN;" } else { "" };
        connection.execute_batch(&format!("{begin} SELECT count(*) FROM sqlite_schema")).unwrap();
        let is_wal = is_wal(&connection).unwrap();
        let told = self.run(work, &self.boot(work, BRIEF));
        drop(connection);
        self.settle(work, &told, Disturbance::Beside { other, is_wal })
    }

    fn crowd(&mut self, release: i64) -> Result<String, String> {
        let work = Work::Boot { release, backup: true };
        let boot = self.boot(work, LONG);
        let run = || self.run(work, &boot);
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join())
        });
        let second = second.map_err(|_| "a boot panicked".to_owned())?;
        let told = match (first, second) {
            (Ok(Some(first)), Ok(Some(second))) => return Err(format!("both made a backup: {first} and {second}")),
            (Ok(first), Ok(second)) => Ok(first.or(second)),
            (Err(first), Err(second)) if first.exit_code() == second.exit_code() => Err(first),
            (first, second) => return Err(format!("one boot ends with {first:?}, the other with {second:?}")),
        };
        self.settle(work, &told, Disturbance::None).map(|outcome| format!("two at once, {outcome}"))
    }

    /// What an application does to its own database.
    fn as_application(&mut self, act: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<String, String> {
        let Some(old) = &self.model.database else { return Ok("nothing to write to".to_owned()) };
        act(&Connection::open(&self.database).unwrap()).map_err(|error| format!("the application cannot: {error}"))?;
        let new = content(&self.database)?.ok_or("the database is gone")?;
        if (new.version, &new.recorded) != (old.version, &old.recorded) {
            return Err("an application changed more than its rows".to_owned());
        }
        self.model.database = Some(new);
        Ok("the application writes".to_owned())
    }

    fn write(&mut self, seed: u64) -> Result<String, String> {
        self.as_application(|connection| {
            connection.execute_batch(&match seed % 4 {
                0 => format!("INSERT OR IGNORE INTO companies(name) VALUES ('{seed}')"),
                1 => format!(
                    "INSERT INTO logs(timestamp, level, message) VALUES ('2026-02-10T09:30:00', 'INFO', '{seed}')"
                ),
                2 => format!("UPDATE worklogs SET time_spent_seconds = {seed} WHERE rowid % 7 = {}", seed / 4 % 7),
                _ => format!("DELETE FROM worklogs WHERE rowid % 31 = {}", seed / 4 % 31),
            })
        })
    }

    fn drop_index(&mut self) -> Result<String, String> {
        let index = match self.model.database.as_ref().and_then(|database| database.version) {
            Some(2..) => "idx_worklogs_company_day",
            Some(1) => "idx_worklogs_user_range",
            _ => return Ok("no index to drop".to_owned()),
        };
        self.as_application(|connection| connection.execute_batch(&format!("DROP INDEX IF EXISTS {index}")))
    }

    /// What SQLite finds is refused, and the file left as it is; then somebody restores.
    fn corrupt(&mut self, seed: u64) -> Result<String, String> {
        if self.model.database.is_none() {
            return Ok("nothing to corrupt".to_owned());
        }
        let intact = fs::read(&self.database).unwrap();
        let damaged = damage(&intact, seed);
        fs::write(&self.database, &damaged).unwrap();
        let is_found = is_damaged(&damaged);
        let boot = worklog_schema::boot(&self.database).lock_timeout(BRIEF);
        let told = if is_found { boot.run() } else { boot.verify() };
        let code = told.as_ref().map_or_else(Failure::exit_code, |_| 0);
        if (is_found && code != 6) || !matches!(code, 0 | 4..=6 | 8) {
            return Err(format!("damage {} ends with {code}: {}", found(is_found), told.unwrap_err()));
        }
        if fs::read(&self.database).unwrap() != damaged {
            return Err("the damaged file was changed".to_owned());
        }
        let newest = Work::Restore { backup: self.model.backups.len().wrapping_sub(1) };
        if is_found && self.model.nth_backup(newest).is_some() {
            return self.undisturbed(newest).map(|outcome| format!("damage found, {outcome}"));
        }
        for log in ["-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(self.directory.path().join(format!("worklog.db{log}")));
        }
        fs::write(&self.database, intact).unwrap();
        Ok(format!("damage {}, code {code}", found(is_found)))
    }
}

/// Calls the work off when so many steps have begun.
#[derive(Debug)]
struct CallsOff(AtomicUsize, Cancellation);

impl Observer for CallsOff {
    fn notice(&self, event: Event) {
        if matches!(event, Event::Started(_)) && self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.1.cancel();
        }
    }
}

fn found(is_found: bool) -> &'static str {
    if is_found { "found" } else { "not found" }
}

fn is_wal(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).map(|mode| mode == "wal")
}

/// Some bytes of one page are others, of the first as often as of all the rest.
fn damage(intact: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut damaged = intact.to_vec();
    let end = if random.one_in(4) { 100 } else { intact.len() as u64 };
    let position = usize::try_from(random.below(end)).unwrap();
    let length = 1 + usize::try_from(random.below(16)).unwrap();
    let end = damaged.len().min(position + length);
    random.fill(&mut damaged[position..end]);
    damaged
}

/// What SQLite itself says of it, asked in a place of its own.
fn is_damaged(bytes: &[u8]) -> bool {
    let directory = directory();
    let copy = directory.path().join("copy.db");
    fs::write(&copy, bytes).unwrap();
    sound_state(&copy).is_err()
}

impl Content {
    /// The version in words.
    pub(super) fn words(database: Option<&Self>) -> String {
        match database.map(|database| database.version) {
            None => "none".to_owned(),
            Some(None) => "unmanaged".to_owned(),
            Some(Some(version)) => version.to_string(),
        }
    }
}
