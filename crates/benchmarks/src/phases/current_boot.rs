//! A boot with nothing to do that proves every page and index all the same.

use std::path::Path;

use bootproof::{Boot, Integrity, Options};
use rusqlite::Connection;

use super::{options, refused, steps};
use crate::Result;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;

pub(super) fn phase() -> Phase {
    let ours = Contender::new("bootproof", |scene| {
        let path = databases::head(scene)?;
        let (measured, report) = Measured::of(|| boot(&path, Integrity::Full))?;
        Ok(Measured { steps: steps(&report), ..measured })
    });
    let pragma = Contender::new("PRAGMA integrity_check", |scene| {
        let path = databases::head(scene)?;
        Ok(Measured::of(|| integrity_check(&path))?.0)
    });
    let contenders = vec![ours.after(ready), pragma.after(ready).aims_at(Goal::Ratio(0.2))];
    Phase {
        name: "current-boot",
        title: "A boot with nothing to do, full integrity",
        about: "`Boot::run` with its default options on a database at head: every validation, nothing to migrate.",
        grows: true,
        cases: vec![Case { name: "at head".to_owned(), contenders, pace: Pace::Long }],
    }
}

/// A boot before: whatever this version of the engine notes for the next one, it has noted.
fn ready(scene: &Scene) -> Result<()> {
    let path = databases::head(scene)?;
    boot(&path, Integrity::Off)?;
    databases::warm(&path)
}

fn boot(path: &Path, integrity: Integrity) -> Result<bootproof::BootReport> {
    let options = Options { integrity, ..options() };
    let report = Boot::new(&worklog_schema::SCHEMA, path).options(options).run().map_err(refused)?;
    if report.applied.is_empty() { Ok(report) } else { Err("there was something to migrate".into()) }
}

fn integrity_check(path: &Path) -> Result<()> {
    let answer: String = Connection::open(path)?.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(answer.into()) }
}
