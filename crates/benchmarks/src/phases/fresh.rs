//! New databases: the compiled image against the migrations one by one.

use std::iter;
use std::path::Path;
use std::time::Duration;

use bootproof::{Boot, Schema};
use rusqlite::Connection;

use super::{options, refused, steps};
use crate::Result;
use crate::databases;
use crate::history;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::schemas;

/// How often a database in memory is made in one process,
const TIMES: usize = 50;
/// and how often by or beside a replay that takes a second.
const FEW_TIMES: usize = 3;

pub(super) fn phase() -> Phase {
    let histories = history::LENGTHS.iter().map(|&length| Carried::History(length));
    let carried = iter::once(Carried::Worklogs).chain(histories).chain(iter::once(Carried::Corrected));
    let mut cases: Vec<Case> = carried.flat_map(|carried| [on_disk(carried), in_memory(carried)]).collect();
    cases.extend([first_in_memory(), many_in_memory()]);
    Phase {
        name: "fresh",
        title: "Fresh databases",
        about: "On disk: a file that was not there, complete, with its history, proven, flushed and read back. In memory, until \
                the first statement has been answered, for which SQLite reads the schema: the median of fifty in one process \
                (of three with 2,000 migrations), or the first. *Replay* is the least that running the migrations costs: a \
                plain connection, one transaction, no history, nothing proven.",
        grows: false,
        cases,
    }
}

/// Which schema the databases have.
#[derive(Clone, Copy, Debug)]
enum Carried {
    Worklogs,
    History(usize),
    Corrected,
}

impl Carried {
    fn name(self) -> String {
        match self {
            Self::Worklogs => "worklog schema".to_owned(),
            Self::History(length) => format!("{length} migrations"),
            Self::Corrected => {
                format!("{} migrations that make the tables of {}", history::CORRECTED, history::EARLIEST)
            }
        }
    }

    fn times(self) -> usize {
        match self {
            Self::History(2_000..) => FEW_TIMES,
            _ => TIMES,
        }
    }

    /// The targets are for the worklog schema; the others show what the number of migrations does.
    fn aims_at(self, contender: Contender, ratio: f64) -> Contender {
        match self {
            Self::Worklogs => contender.aims_at(Goal::Ratio(ratio)),
            Self::History(_) | Self::Corrected => contender,
        }
    }

    /// Hands the schema to whoever needs it: one is borrowed for ever, the others are made.
    fn with<T>(self, act: impl FnOnce(&Schema) -> Result<T>) -> Result<T> {
        match self {
            Self::Worklogs => act(&worklog_schema::SCHEMA),
            Self::History(length) => act(&schemas::of_length(length)?),
            Self::Corrected => act(&schemas::corrected()),
        }
    }
}

fn on_disk(carried: Carried) -> Case {
    let path = |scene: &Scene| scene.file("fresh.db");
    let gone = move |scene: &Scene| databases::remove(&path(scene));
    let ours = Contender::new("bootproof", move |scene| {
        carried.with(|schema| {
            let boot = || Ok(Boot::new(schema, path(scene)).options(options()).run().map_err(refused)?);
            let (measured, report) = Measured::of(boot)?;
            Ok(Measured { steps: steps(&report), ..measured })
        })
    });
    let replay = Contender::new("replay", move |scene| {
        carried.with(|schema| Ok(Measured::of(|| replay_on_disk(schema, &path(scene)))?.0))
    });
    let replay = carried.aims_at(replay, 0.4);
    Case {
        name: format!("{}, on disk", carried.name()),
        contenders: vec![ours.after(gone), replay.after(gone)],
        pace: Pace::Quick,
    }
}

fn in_memory(carried: Carried) -> Case {
    let ours = Contender::new("bootproof", move |_| {
        carried.with(|schema| Measured::of_many(carried.times(), || answer(&bootproof::fresh(schema)?)))
    });
    let replay = Contender::new("replay", move |_| {
        carried.with(|schema| Measured::of_many(carried.times(), || replay_in_memory(schema)))
    });
    let contenders = vec![ours, carried.aims_at(replay, 0.25)];
    Case { name: format!("{}, in memory", carried.name()), contenders, pace: Pace::Quick }
}

/// What a test that has a process of its own pays.
fn first_in_memory() -> Case {
    let ours = Contender::new("bootproof", |_| Ok(Measured::of(|| answer(&worklog_schema::fresh()?))?.0));
    let replay = Contender::new("replay", |_| Ok(Measured::of(|| replay_in_memory(&worklog_schema::SCHEMA))?.0));
    let name = "worklog schema, in memory, first in a process".to_owned();
    Case { name, contenders: vec![ours, replay], pace: Pace::Quick }
}

/// What a test suite does.
fn many_in_memory() -> Case {
    let ours = Contender::new("bootproof", |_| {
        let work = || (0..1_000).try_for_each(|_| answer(&worklog_schema::fresh()?));
        Ok(Measured::of(work)?.0)
    });
    let contenders = vec![ours.aims_at(Goal::Time(Duration::from_secs(2)))];
    Case { name: "worklog schema, 1,000 in memory".to_owned(), contenders, pace: Pace::Long }
}

fn replay_on_disk(schema: &Schema, path: &Path) -> Result<()> {
    replay(schema, &Connection::open(path)?)
}

fn replay_in_memory(schema: &Schema) -> Result<()> {
    let connection = Connection::open_in_memory()?;
    replay(schema, &connection)?;
    answer(&connection)
}

/// Asks the first question, for which SQLite has to know the schema.
fn answer(connection: &Connection) -> Result<()> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects > 0 { Ok(()) } else { Err("there is no schema".into()) }
}

fn replay(schema: &Schema, connection: &Connection) -> Result<()> {
    connection.execute_batch("BEGIN")?;
    for migration in schema.compiled().migrations {
        connection.execute_batch(migration.sql)?;
    }
    Ok(connection.execute_batch("COMMIT")?)
}
