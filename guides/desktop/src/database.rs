//! The state that commands share, and its boot.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bootproof::{Boot, Condition, Event, Failure, Observer};
use rusqlite::Connection;
use tasks::{SCHEMA, connect};

use crate::notice::Notice;

/// The program may be open twice; whoever waits for the other is told soon.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database of the person who started the program; in Tauri, `app.manage(database)`.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    phase: Mutex<Phase>,
}

/// Where it is.
#[derive(Debug)]
enum Phase {
    /// It boots; a window shows how far it is.
    Starting(String),
    /// Commands are answered.
    Ready(Connection),
    /// Nothing is done with the file before the person has chosen something.
    Refused(Notice),
}

impl Database {
    /// That of a user's directory.
    pub(crate) fn in_directory(data: &Path) -> Arc<Self> {
        let phase = Mutex::new(Phase::Starting("Opening your tasks …".to_owned()));
        Arc::new(Self { path: data.join("tasks.db"), phase })
    }

    /// Boots on a thread of its own: an upgrade of a big file takes its time, and the window must not freeze.
    pub(crate) fn boot(self: &Arc<Self>) -> JoinHandle<()> {
        let database = Arc::clone(self);
        thread::spawn(move || {
            let phase = match database.run() {
                Ok(connection) => Phase::Ready(connection),
                Err(notice) => Phase::Refused(notice),
            };
            *database.phase() = phase;
        })
    }

    fn run(self: &Arc<Self>) -> Result<Connection, Notice> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory).map_err(|error| Notice::of_directory(directory, &error))?;
        }
        self.booting().observer(Arc::new(Progress(Arc::clone(self)))).run().map_err(|failure| Notice::of(&failure))?;
        connect::writer(&self.path).map_err(|error| Notice::of_query(&error))
    }

    fn booting(&self) -> Boot<'static> {
        Boot::new(&SCHEMA, &self.path).lock_timeout(PATIENCE)
    }

    /// What every command goes through.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Notice> {
        match &*self.phase() {
            Phase::Ready(connection) => work(connection).map_err(|error| Notice::of_query(&error)),
            Phase::Starting(progress) => Err(Notice::wait(progress)),
            Phase::Refused(notice) => Err(notice.clone()),
        }
    }

    /// Puts the newest sound backup that this program can use in the place of a database that was refused, and keeps that file.
    pub(crate) fn restore(self: &Arc<Self>) -> Result<String, Notice> {
        if let Phase::Ready(_) | Phase::Starting(_) = &*self.phase() {
            return Err(Notice::nothing_to_restore());
        }
        let failed = |failure: Failure| Notice::of(&failure);
        let boot = self.booting();
        let usable = |version: i64| version <= SCHEMA.head();
        let backups = boot.backups(true).map_err(failed)?.backups;
        let newest = backups
            .into_iter()
            .find(|backup| backup.condition.is_some_and(Condition::is_sound) && backup.version.is_none_or(usable));
        let backup = newest.ok_or_else(Notice::no_backup)?;
        boot.restore(&backup.path).map_err(failed)?;
        if self.boot().join().is_err() {
            return Err(Notice::no_backup());
        }
        self.with(|_| Ok(format!("Your tasks are as they were at {}", backup.made_at.unwrap_or_default())))
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the window up to date. In Tauri it also emits an event.
#[derive(Debug)]
struct Progress(Arc<Database>);

impl Observer for Progress {
    fn notice(&self, event: Event) {
        if let Event::Progress { step, done, .. } = event {
            *self.0.phase() = Phase::Starting(format!("Updating your tasks: {step}, {:.0} %", done * 100.0));
        }
    }
}
