//! A copy that survives the power and is known to be good.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bootproof::Boot;
use rusqlite::Connection;

use super::{options, refused};
use crate::Result;
use crate::copies;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::shell;

pub(super) fn phase(scene: &Scene) -> Phase {
    Phase {
        name: "backup",
        title: "Durable, verified backup",
        about: "`Boot::back_up`: copied, flushed, the copy compared byte for byte with what was copied, as the system gives it \
                back, what `quick_check` asks of the file meanwhile, a BLAKE3 digest. In WAL mode the same, after the log was folded \
                into the file; here it is empty. The others make the copy durable and verify nothing.",
        grows: true,
        cases: vec![case(scene), in_wal_mode()],
    }
}

fn case(scene: &Scene) -> Case {
    let ours = Contender::new("bootproof", ours);
    let cp = Contender::new("cp + sync", |scene| {
        let (from, to) = (source(scene), scene.file("copy.db"));
        Measured::of_programs(|| copies::cp(&from, &to).and_then(|()| copies::sync(&to)))
    });
    let api = Contender::new("SQLite's backup API + sync", |scene| {
        let (from, to) = (source(scene), scene.file("copy.db"));
        Ok(Measured::of(|| through_the_api(&from, &to).and_then(|()| copies::sync(&to)))?.0)
    });
    let mut contenders = vec![ours.after(ready), cp.after(ready).aims_at(Goal::Ratio(1.1)), api.after(ready)];
    if let Some(program) = scene.shell.clone() {
        let in_shell = Contender::new(".backup in the sqlite3 shell + sync", move |scene| {
            let (from, to) = (source(scene), scene.file("copy.db"));
            let script = format!(".backup '{}'\n", to.display());
            Measured::of_programs(|| shell::run(&program, &from, &script).and_then(|()| copies::sync(&to)))
        });
        contenders.push(in_shell.after(ready));
    }
    Case { name: "at head".to_owned(), contenders, pace: Pace::Long }
}

fn in_wal_mode() -> Case {
    let ours = Contender::new("bootproof", ours);
    let api = Contender::new("SQLite's backup API + sync", |scene| {
        let (from, to) = (source(scene), scene.file("copy.db"));
        Ok(Measured::of(|| through_the_api(&from, &to).and_then(|()| copies::sync(&to)))?.0)
    });
    let ready = |scene: &Scene| {
        ready(scene)?;
        shell::run_plainly(&source(scene), "PRAGMA journal_mode = WAL")
    };
    Case {
        name: "at head, in WAL mode".to_owned(),
        contenders: vec![ours.after(ready), api.after(ready)],
        pace: Pace::Long,
    }
}

fn ours(scene: &Scene) -> Result<Measured> {
    let back_up =
        || Ok(Boot::new(&worklog_schema::SCHEMA, source(scene)).options(options()).back_up().map_err(refused)?);
    let (measured, report) = Measured::of(back_up)?;
    if report.verified { Ok(measured) } else { Err("the backup was not verified".into()) }
}

/// The database in the case's own directory: a backup lies beside what it is of.
fn source(scene: &Scene) -> PathBuf {
    scene.file("source.db")
}

/// Only the database itself, and all of it in the system's cache.
fn ready(scene: &Scene) -> Result<()> {
    for entry in fs::read_dir(&scene.scratch)? {
        let path = entry?.path();
        if path != source(scene) {
            databases::remove(&path)?;
        }
    }
    if !source(scene).exists() {
        databases::copy(&databases::head(scene)?, &source(scene))?;
    }
    databases::warm(&source(scene))
}

fn through_the_api(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    let (from, mut to) = (Connection::open(from)?, Connection::open(to)?);
    let backup = rusqlite::backup::Backup::new(&from, &mut to)?;
    Ok(backup.run_to_completion(i32::MAX, Duration::ZERO, None)?)
}
