//! What every request needs: connections, the monitor, and what the boot said.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bootproof::{BootReport, Verdict};
use bootproof_monitor::{Checkup, Monitor};
use jiff::Timestamp;
use r2d2::{ManageConnection, Pool, PooledConnection};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use worklog_schema::SCHEMA;

use crate::Stop;
use crate::routes::Fault;
use crate::worklogs::Choices;

/// Enough that a short request does not wait for a long one; more would only share the same processors.
const CONNECTIONS: usize = 8;

/// One more, for whoever asks whether the program lives: however many requests wait for the database, the answer is yes.
const LOOKS: usize = 1;

/// Whoever tells how the database is may be the one who measures it: the others tell what was measured before.
const TELLERS: usize = 4;

/// A request that gets no connection in this time is told to try again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How often what reads the whole file, the sizes of indexes, is measured; and how soon again where that was not possible.
const SIZES: Duration = Duration::from_hours(24);
const SIZES_AGAIN: Duration = Duration::from_mins(1);

/// The application behind the server.
pub struct App {
    pool: Pool<Readers>,
    turns: Turns,
    pub(crate) choices: Choices,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) checkup: Arc<Checkup<'static>>,
    pub(crate) boot: BootReport,
    pub(crate) started: Timestamp,
}

impl App {
    /// Opens the connections to a database that was booted, and watches what is executed on them.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn open(database: &Path, report: BootReport) -> Result<Arc<Self>, Stop> {
        let monitor = Arc::new(Monitor::new(&SCHEMA));
        monitor.booted(&report);
        let observer = Arc::clone(&monitor);
        let installed = bootproof::query::observe(move |run| {
            observer.record(run.contract, run.elapsed, run.error.is_none());
        });
        if installed.is_err() {
            log::warn!("this process watches the queries of another dashboard already");
        }
        let checkup = Arc::new(Checkup::new(&SCHEMA, database));
        measure_sizes(Arc::clone(&checkup));
        Ok(Arc::new(Self {
            pool: pool(database)?,
            turns: Turns::default(),
            choices: Choices::default(),
            monitor,
            checkup,
            boot: report,
            started: Timestamp::now(),
        }))
    }

    /// `ready` or `degraded`. Nothing else is served, but by the tool that measures what a database was like before.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.boot.verdict {
            Verdict::Ready => "ready",
            Verdict::Degraded => "degraded",
            Verdict::Refused => "unproven",
        }
    }

    /// Does what reads the database, on a thread that may block, with a connection of the pool.
    pub(crate) async fn read<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self, &Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = Arc::clone(&self.turns.requests);
        in_turn(turn, move || work(&self, &*self.connection()?)).await
    }

    /// The same for whoever asks how the program is: however many requests wait, it finds a connection.
    pub(crate) async fn look<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self, &Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = Arc::clone(&self.turns.looks);
        in_turn(turn, move || work(&self, &*self.connection()?)).await
    }

    /// Does what needs no connection of the pool: it can be told also while nobody gets one.
    pub(crate) async fn tell<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = Arc::clone(&self.turns.tellers);
        in_turn(turn, move || work(&self)).await
    }

    fn connection(&self) -> Result<PooledConnection<Readers>, Fault> {
        self.pool.get().map_err(|error| {
            log::error!("no connection: {error}");
            Fault::Busy
        })
    }
}

/// How many of each kind work at the same time.
struct Turns {
    requests: Arc<Semaphore>,
    looks: Arc<Semaphore>,
    tellers: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let turns = |number| Arc::new(Semaphore::new(number));
        Self { requests: turns(CONNECTIONS), looks: turns(LOOKS), tellers: turns(TELLERS) }
    }
}

/// Waits for a turn, and works on a thread that may block. Whoever waits does so without a thread, and not for longer than his
/// client does.
async fn in_turn<T: Send + 'static>(
    turns: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let Ok(Ok(turn)) = timeout(PATIENCE, turns.acquire_owned()).await else { return Err(Fault::Busy) };
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        log::error!("a request ended unexpectedly: {error}");
        Err(Fault::Internal)
    })
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("boot", &self.boot.database).finish_non_exhaustive()
    }
}

/// Connections that only read, for r2d2.
#[derive(Debug)]
struct Readers(PathBuf);

impl ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> rusqlite::Result<Connection> {
        worklog_schema::open_reader(&self.0)
    }

    /// A file needs no ping: what is wrong with it, the query says.
    fn is_valid(&self, _: &mut Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// A transaction that was left open would show its reader the same moment for ever.
    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_autocommit()
    }
}

fn pool(database: &Path) -> Result<Pool<Readers>, Stop> {
    let failed = |reason: &dyn fmt::Display| Stop::environment(format!("`{}`: {reason}", database.display()));
    // r2d2 would say of a database that cannot be opened only that it waited.
    worklog_schema::open_reader(database).map_err(|error| failed(&error))?;
    Pool::builder()
        .max_size(u32::try_from(CONNECTIONS + LOOKS).unwrap_or(u32::MAX))
        .connection_timeout(PATIENCE)
        .test_on_check_out(false)
        .build(Readers(database.to_owned()))
        .map_err(|error| failed(&error))
}

/// Measures at the start and once a day. The thread ends with the process.
fn measure_sizes(checkup: Arc<Checkup<'static>>) {
    thread::spawn(move || {
        loop {
            let begun = Instant::now();
            let is_measured = match checkup.measure_sizes() {
                // Of a database that is held by somebody there are none, which is no failure.
                Ok(diagnosis) => diagnosis.sizes_at.is_some_and(|at| at >= begun),
                Err(failure) => {
                    log::warn!("the sizes of tables and indexes could not be measured: {failure}");
                    false
                }
            };
            thread::sleep(if is_measured { SIZES } else { SIZES_AGAIN });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asks_whether_it_lives_waits_for_no_request() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("worklog.db");
        let report = worklog_schema::migrate_on_boot(&database).unwrap();
        let app = App::open(&database, report).unwrap();
        // Every connection for requests is at work.
        let requests =
            Arc::clone(&app.turns.requests).acquire_many_owned(CONNECTIONS.try_into().unwrap()).await.unwrap();
        let connections: Vec<_> = (0..CONNECTIONS).map(|_| app.pool.get().unwrap()).collect();
        let begun = Instant::now();
        let looked = Arc::clone(&app).look(|_, connection| Ok(crate::worklogs::answers(connection)?)).await;
        assert!(looked.is_ok() && begun.elapsed() < PATIENCE / 2, "{looked:?} after {:?}", begun.elapsed());
        drop((requests, connections));
    }

    #[tokio::test]
    async fn nobody_waits_for_the_one_who_measures() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("worklog.db");
        let report = worklog_schema::migrate_on_boot(&database).unwrap();
        let app = App::open(&database, report).unwrap();
        let (done, measured) = std::sync::mpsc::channel::<()>();
        let measuring = tokio::spawn(Arc::clone(&app).tell(move |_| {
            // Longer than anybody waits, unless it is ended.
            let _ = measured.recv_timeout(PATIENCE * 4);
            Ok(())
        }));
        while app.turns.tellers.available_permits() == TELLERS {
            tokio::task::yield_now().await;
        }
        let told = Arc::clone(&app).tell(|app| Ok(app.verdict())).await;
        assert!(matches!(told, Ok("ready")), "{told:?}");
        drop(done);
        assert!(measuring.await.unwrap().is_ok());
    }
}
