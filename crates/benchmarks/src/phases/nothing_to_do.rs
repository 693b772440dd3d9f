//! A boot that finds everything done: what an application pays at every start.

use std::fs;
use std::path::Path;
use std::process::Command;

use bootproof::{Boot, Integrity, Options, Schema};
use rusqlite::Connection;

use super::{options, refused};
use crate::databases;
use crate::history;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::schemas;
use crate::shell;
use crate::{Result, at};

/// How often the work is done in a process that measures it warm.
const TIMES: usize = 100;

pub(super) fn phase(scene: &Scene) -> Phase {
    let cases = history::LENGTHS
        .iter()
        .flat_map(|&length| [When::First, When::Warm].map(|when| case(scene, length, when)))
        .collect();
    Phase {
        name: "nothing-to-do",
        title: "A boot with nothing to do, integrity off",
        about: "From the path of a database at head to the word that it is. A *sealed* file, as boots leave it, tells in two \
                numbers of its header that nobody has changed the schema since it was proven; rows of the history are not read \
                again, whether or not the file is in WAL mode. *Its number taken*: the application keeps one of its own there, \
                and the words of the schema are compared with those that the audit table has on record. *Not sealed*, because \
                somebody has added a view since: history and schema are read and compared, and the query contracts proven. \
                refinery and diesel_migrations read their history; \
                rusqlite_migration reads one number. With the default integrity a boot costs what *full integrity* costs. \
                *First*: once, in a process that has not touched SQLite before. *Warm*: the median of a hundred in one \
                process.",
        grows: false,
        cases,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    First,
    Warm,
}

fn case(scene: &Scene, length: usize, when: When) -> Case {
    let ours = |name: &str, file: &'static str, script: &'static str| {
        let boot_it = move |scene: &Scene| {
            let (schema, path) = (schemas::of_length(length)?, scene.file(file));
            measured(when, || boot(&schema, &path))
        };
        Contender::new(name, boot_it).after(move |scene| {
            let path = scene.file(file);
            databases::fresh(&schemas::of_length(length)?, &path)?;
            shell::run_plainly(&path, script)
        })
    };
    let sealed = ours("bootproof", "history.db", "");
    let in_wal_mode = ours("the same in WAL mode", "in-wal-mode.db", "PRAGMA journal_mode = WAL");
    let number_taken = ours("the same, its number taken", "number-taken.db", "PRAGMA user_version = 1");
    let not_sealed = ours("the same, not sealed", "not-sealed.db", "CREATE VIEW IF NOT EXISTS additions AS SELECT 1");

    let least = Contender::new("open + PRAGMA user_version", move |scene| {
        let path = scene.file("history.db");
        measured(when, || user_version(&path))
    });

    let refinery = Contender::new("refinery", move |scene| {
        let (schema, path) = (schemas::of_length(length)?, scene.file("history.db"));
        measured(when, || run_refinery(&schema, &path))
    });

    let (least, refinery) = match when {
        When::First => (least, refinery.aims_at(Goal::Ratio(0.25))),
        When::Warm => (least.aims_at(Goal::Ratio(1.3)), refinery),
    };
    let mut contenders = vec![sealed, in_wal_mode, number_taken, not_sealed, least, refinery];
    if scene.peers.is_some() {
        let diesel = peer("diesel_migrations", length, when);
        let diesel = if when == When::First { diesel.aims_at(Goal::Ratio(0.6)) } else { diesel };
        contenders.extend([diesel, peer("rusqlite_migration", length, when)]);
    }
    let when = if when == When::First { "first in a process" } else { "warm" };
    Case { name: format!("{length} migrations, {when}"), contenders, pace: Pace::Quick }
}

fn measured(when: When, work: impl FnMut() -> Result<()>) -> Result<Measured> {
    match when {
        When::First => Ok(Measured::of(work)?.0),
        When::Warm => Measured::of_many(TIMES, work),
    }
}

fn boot(schema: &Schema, path: &Path) -> Result<()> {
    let options = Options { integrity: Integrity::Off, ..options() };
    let report = Boot::new(schema, path).options(options).run().map_err(refused)?;
    if report.applied.is_empty() && !report.created { Ok(()) } else { Err("there was something to do".into()) }
}

fn user_version(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    let _: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(())
}

/// As the code does that refinery's macro writes: the list of migrations is made at every start.
fn run_refinery(schema: &Schema, path: &Path) -> Result<()> {
    let migrations: Vec<refinery::Migration> = schema
        .compiled()
        .migrations
        .iter()
        .map(|migration| {
            refinery::Migration::unapplied(&format!("V{}__{}", migration.version, migration.name), migration.sql)
        })
        .collect::<std::result::Result<_, _>>()?;
    let mut connection = Connection::open(path)?;
    let report = refinery::Runner::new(&migrations).run(&mut connection)?;
    if report.applied_migrations().is_empty() { Ok(()) } else { Err("refinery found something to do".into()) }
}

/// One that brings its own SQLite, in its own program.
fn peer(name: &'static str, length: usize, when: When) -> Contender {
    let act = move |scene: &Scene, act: &str| {
        let program = scene.peers.as_ref().ok_or("no program of the peers")?;
        let database = scene.file(&format!("{name}.db"));
        let answer = Command::new(program).args([name, act]).arg(scene.file("migrations")).arg(database).output();
        let answer = answer.map_err(|error| at(program, &error))?;
        let failed = || String::from_utf8_lossy(&answer.stderr).into_owned();
        let succeeded = answer.status.success().then_some(()).ok_or_else(failed);
        succeeded.map(|()| answer.stdout).map_err(Box::<dyn std::error::Error + Send + Sync>::from)
    };
    Contender::new(name, move |scene| {
        let answer = act(scene, if when == When::First { "first" } else { "warm" })?;
        Ok(serde_json::from_slice(&answer)?)
    })
    .after(move |scene| {
        let directory = scene.file("migrations");
        if !directory.exists() {
            fs::create_dir(&directory)?;
            for (name, text) in history::files(length) {
                fs::write(directory.join(name), text)?;
            }
        }
        act(scene, "prepare").map(|_| ())
    })
}
