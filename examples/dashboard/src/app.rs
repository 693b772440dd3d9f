//! What every request needs: connections, the monitor, and what the boot said.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bootproof::{BootReport, Verdict};
use bootproof_monitor::{Checkup, Monitor};
use jiff::Timestamp;
use r2d2::{ManageConnection, Pool};
use rusqlite::Connection;
use worklog_schema::SCHEMA;

use crate::Stop;
use crate::routes::Fault;
use crate::worklogs::Choices;

/// Enough that a short request does not wait for a long one; more would only share the same processors.
const CONNECTIONS: u32 = 8;

/// A request that gets no connection in this time is told to try again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often what reads the whole file, the sizes of indexes, is measured.
const SIZES: Duration = Duration::from_hours(24);

/// The application behind the server.
pub struct App {
    pool: Pool<Readers>,
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
        let watched = bootproof::query::observe(move |run| {
            observer.record(run.contract, run.elapsed, run.error.is_none());
        });
        if watched.is_err() {
            log::warn!("this process watches the queries of another dashboard already");
        }
        let checkup = Arc::new(Checkup::new(&SCHEMA, database));
        measure_sizes(Arc::clone(&checkup));
        Ok(Arc::new(Self {
            pool: pool(database)?,
            choices: Choices::default(),
            monitor,
            checkup,
            boot: report,
            started: Timestamp::now(),
        }))
    }

    /// `ready` or `degraded`: what was not proven is not served.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.boot.verdict {
            Verdict::Degraded => "degraded",
            Verdict::Ready | Verdict::Refused => "ready",
        }
    }

    /// Does what reads the database, on a thread that may block, with a connection of the pool.
    pub(crate) async fn read<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self, &Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let work = move || {
            let connection = self.pool.get().map_err(|error| {
                log::error!("no connection: {error}");
                Fault::Busy
            })?;
            work(&self, &connection)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            log::error!("a request ended unexpectedly: {error}");
            Err(Fault::Internal)
        })
    }
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
        .max_size(CONNECTIONS)
        .connection_timeout(PATIENCE)
        .test_on_check_out(false)
        .build(Readers(database.to_owned()))
        .map_err(|error| failed(&error))
}

/// Measures at the start and once a day. The thread ends with the process.
fn measure_sizes(checkup: Arc<Checkup<'static>>) {
    thread::spawn(move || {
        loop {
            if let Err(failure) = checkup.measure_sizes() {
                log::warn!("the sizes of tables and indexes could not be measured: {failure}");
            }
            thread::sleep(SIZES);
        }
    });
}
