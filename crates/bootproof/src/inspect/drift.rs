//! How the schema of a database differs from the compiled one, whatever its history says.

use std::fmt;

use bootproof_catalog::{Catalog, Difference};
use rusqlite::Connection;
use serde::Serialize;

use super::{DifferenceReport, DifferenceSeverity};
use crate::boot::{Boot, Run};
use crate::connection::{self, Session};
use crate::error::{Error, Failure};
use crate::event::Step;
use crate::figure::one_line;
use crate::history;
use crate::look;
use crate::plan::no_such_version;
use crate::schema::Schema;
use crate::takeover;

/// How a live schema differs from the one compiled for a version; serialises to the JSON of `diff --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The database file.
    pub database: String,
    /// The version it was compared with.
    pub version: i64,
    /// Every difference, the gravest first. Tables in which other tools keep their history are none.
    pub differences: Vec<DifferenceReport>,
}

impl Boot<'_> {
    /// How the schema of an existing file differs from the one compiled for a version: without one, for the version that its
    /// history names, ours or another tool's, or, where nothing tells, for the head. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchVersion`] for a version that is not compiled; [`Error::Locked`], [`Error::Storage`],
    /// [`Error::Integrity`] if the file cannot be read.
    pub fn drift(&self, at: Option<i64>) -> Result<Drift, Failure> {
        self.act(|run| {
            if let Some(version) = at.filter(|version| run.schema.migration(*version).is_none()) {
                return Err(no_such_version(run.schema.compiled().migrations, version, "directory"));
            }
            run.must_exist()?;
            let mut connection = connection::open_to_look(run.path)?;
            let session = Session::new(&mut connection, run.path, run.options.lock_timeout, &run.watch)?;
            session.begin_read()?;
            let compared = compare(run, session.connection, at).map_err(|error| session.blame(error));
            session.rollback();
            let (version, differences) = compared?;
            let differences = differences.iter().map(DifferenceReport::from).collect();
            Ok(Drift { database: self.name.clone(), version, differences })
        })
    }
}

fn compare(run: &Run<'_>, connection: &Connection, at: Option<i64>) -> Result<(i64, Vec<Difference>), Error> {
    run.watch.step(Step::Look, 0, || {
        let live = Catalog::read(connection).map_err(|error| Error::from_reading("reading the schema", error))?;
        let version = match at {
            Some(version) => version,
            None => recorded(run.schema, connection, &live)?.unwrap_or(run.schema.head()),
        };
        Ok((version, look::differences(run.schema, version, &live)?))
    })
}

/// The newest version compiled that the history names, also where a boot would refuse what it says.
fn recorded(schema: &Schema, connection: &Connection, live: &Catalog) -> Result<Option<i64>, Error> {
    let known = |version: &i64| schema.migration(*version).is_some();
    match history::read(connection)?.and_then(|entries| entries.last().map(|entry| entry.version)) {
        Some(version) => Ok(Some(version).filter(known)),
        // A foreign history that is not to be continued is no measure; what it says is told by `status`.
        None => match takeover::find(schema, connection, live) {
            Ok(found) => Ok(found.map(|foreign| foreign.version)),
            Err(error) if error.exit_code() == 4 => Ok(None),
            Err(error) => Err(error),
        },
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (database, version) = (one_line(&self.database), self.version);
        match self.differences.len() {
            0 => return writeln!(f, "{database}: as compiled for version {version}"),
            1 => writeln!(f, "{database}: 1 difference from version {version}")?,
            count => writeln!(f, "{database}: {count} differences from version {version}")?,
        }
        self.differences.iter().try_for_each(|difference| {
            let severity = match difference.severity {
                DifferenceSeverity::Missing => "missing",
                DifferenceSeverity::Differs => "differs",
                DifferenceSeverity::Repairable => "repairable",
                DifferenceSeverity::Extra => "extra",
            };
            writeln!(f, "  {severity:<10} {}", one_line(&difference.message))
        })
    }
}
