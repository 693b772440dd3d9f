//! The four indexes of migration 001 and the statistics, committed.

use std::path::PathBuf;
use std::time::Duration;

use bootproof::{Boot, Integrity, Options};

use super::{options, refused, steps};
use crate::Result;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::shell;

/// The migration that builds the four.
const VERSION: i64 = 1;

pub(super) fn phase(scene: &Scene) -> Phase {
    Phase {
        name: "indexes",
        title: "Four indexes and statistics",
        about: "Ours: the steps *applying*, *gathering statistics* and *committing* of a boot to version 1, with statistics of \
                400 entries of each index. The others: the same file, `ANALYZE` and `COMMIT` in one transaction, settings as \
                they are by default, where `ANALYZE` reads every entry; in one of them it reads 400 as well.",
        grows: true,
        cases: vec![case(scene)],
    }
}

fn case(scene: &Scene) -> Case {
    let goal = Goal::Ratio(0.5);
    let ours = Contender::new("bootproof", |scene| {
        let options = Options { integrity: Integrity::Off, backup: false, target: Some(VERSION), ..options() };
        let boot = || Ok(Boot::new(&worklog_schema::SCHEMA, target(scene)).options(options).run().map_err(refused)?);
        let (measured, report) = Measured::of(boot)?;
        let steps = steps(&report);
        Ok(Measured { took: counted(&steps), steps, ..measured })
    });
    let plain = Contender::new("rusqlite", |scene| {
        let (path, script) = (target(scene), script()?);
        Ok(Measured::of(|| shell::run_plainly(&path, &script))?.0)
    });
    let mut contenders = vec![ours.after(ready)];
    match scene.shell.clone() {
        Some(program) => {
            let in_shell = |name: &str, setting: &'static str| {
                let program = program.clone();
                Contender::new(name, move |scene| {
                    let (path, script) = (target(scene), format!("{setting}{}", script()?));
                    Measured::of_programs(|| shell::run(&program, &path, &script))
                })
            };
            let usual = in_shell("the sqlite3 shell", "").aims_at(goal);
            let sampling = in_shell("the same, statistics of 400 entries", "PRAGMA analysis_limit = 400;\n");
            contenders.extend([usual.after(ready), sampling.after(ready), plain.after(ready)]);
        }
        None => contenders.push(plain.after(ready).aims_at(goal)),
    }
    Case { name: "from production".to_owned(), contenders, pace: Pace::Long }
}

fn target(scene: &Scene) -> PathBuf {
    scene.file("target.db")
}

fn ready(scene: &Scene) -> Result<()> {
    databases::copy(&databases::production(scene)?, &target(scene))
}

fn script() -> Result<String> {
    let migration = worklog_schema::SCHEMA.migration(VERSION).ok_or("the schema has no version 1")?;
    Ok(format!("BEGIN IMMEDIATE;\n{}\nANALYZE;\nCOMMIT;\n", migration.sql))
}

fn counted(steps: &[(String, f64)]) -> Duration {
    let is_counted = |step: &str| {
        ["applying ", "gathering statistics", "committing"].iter().any(|beginning| step.starts_with(beginning))
    };
    let milliseconds: f64 = steps.iter().filter(|(step, _)| is_counted(step)).map(|(_, took)| took).sum();
    Duration::from_secs_f64(milliseconds / 1e3)
}
