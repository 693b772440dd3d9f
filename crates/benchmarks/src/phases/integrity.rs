//! Is every page and every index entry sound?

use std::path::Path;

use bootproof::{Boot, CheckName, Integrity, Options};
use rusqlite::Connection;

use super::{options, refused};
use crate::Result;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::shell;

const MOST_MEMORY: u64 = 64_000_000;

pub(super) fn phase(scene: &Scene) -> Phase {
    let mut cases = vec![on_all_cores(scene)];
    // Only there a process can be kept to one core.
    if cfg!(target_os = "linux") {
        cases.push(on_one_core());
    }
    Phase {
        name: "integrity",
        title: "Full integrity",
        about: "The integrity check of `Boot::verify` on a database at head, timed by the engine, with the memory of the whole \
                verification; against the PRAGMA on a connection as it is opened, with SQLite's own 2 MB for pages. \
                `Integrity::Sqlite` is the PRAGMA with the 64 MB that the engine gives it.",
        grows: true,
        cases,
    }
}

fn on_all_cores(scene: &Scene) -> Case {
    let ours = Contender::new("bootproof", |scene| ours(&databases::head(scene)?)).after(ready);
    let pragma = Contender::new("PRAGMA integrity_check", |scene| pragma(&databases::head(scene)?)).after(ready);
    let quick = Contender::new("PRAGMA quick_check, which proves as much as that", |scene| {
        let path = databases::head(scene)?;
        Ok(Measured::of(|| expect_ok(&path, "quick_check"))?.0)
    });
    let sqlite =
        Contender::new("Integrity::Sqlite", |scene| checked(&databases::head(scene)?, Integrity::Sqlite)).after(ready);
    let ours_quick =
        Contender::new("Integrity::Quick", |scene| checked(&databases::head(scene)?, Integrity::Quick)).after(ready);
    let mut contenders = vec![
        ours.aims_at(Goal::Memory(MOST_MEMORY)),
        pragma.aims_at(Goal::Ratio(0.2)),
        sqlite,
        ours_quick,
        quick.after(ready),
    ];
    if let Some(program) = scene.shell.clone() {
        let in_shell = Contender::new("the same PRAGMA in the sqlite3 shell", move |scene| {
            let path = databases::head(scene)?;
            Measured::of_programs(|| shell::run(&program, &path, "PRAGMA integrity_check;"))
        });
        contenders.push(in_shell.after(ready));
    }
    Case { name: "all cores".to_owned(), contenders, pace: Pace::Long }
}

fn on_one_core() -> Case {
    let ours = Contender::new("bootproof", |scene| {
        keep_to_one_core()?;
        ours(&databases::head(scene)?)
    });
    let pragma = Contender::new("PRAGMA integrity_check", |scene| {
        keep_to_one_core()?;
        pragma(&databases::head(scene)?)
    });
    let contenders =
        vec![ours.after(ready).aims_at(Goal::Memory(MOST_MEMORY)), pragma.after(ready).aims_at(Goal::Ratio(0.35))];
    Case { name: "one core".to_owned(), contenders, pace: Pace::Long }
}

fn ready(scene: &Scene) -> Result<()> {
    databases::warm(&databases::head(scene)?)
}

fn ours(path: &Path) -> Result<Measured> {
    checked(path, Integrity::Full)
}

fn checked(path: &Path, integrity: Integrity) -> Result<Measured> {
    let options = Options { integrity, ..options() };
    let verify = || Ok(Boot::new(&worklog_schema::SCHEMA, path).options(options).verify().map_err(refused)?);
    let (measured, report) = Measured::of(verify)?;
    let check = report.check(CheckName::Integrity).ok_or("no integrity check was made")?;
    Ok(Measured { took: std::time::Duration::from_secs_f64(check.duration_ms.0 / 1e3), ..measured })
}

fn pragma(path: &Path) -> Result<Measured> {
    Ok(Measured::of(|| expect_ok(path, "integrity_check"))?.0)
}

fn expect_ok(path: &Path, pragma: &str) -> Result<()> {
    let connection = Connection::open(path)?;
    let answer: String = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(format!("{pragma}: {answer}").into()) }
}

/// As on a machine with one: threads that the engine starts share it.
#[cfg(target_os = "linux")]
fn keep_to_one_core() -> Result<()> {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let first = (0..CpuSet::count()).find(|core| allowed.is_set(*core).unwrap_or(false)).ok_or("no core to run on")?;
    let mut one = CpuSet::new();
    one.set(first)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}

#[cfg(not(target_os = "linux"))]
fn keep_to_one_core() -> Result<()> {
    Err("only Linux is asked to keep a process to one core".into())
}
