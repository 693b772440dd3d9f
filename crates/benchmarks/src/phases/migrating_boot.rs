//! A boot from production as far as a restart goes, with everything that it proves, against the script that it replaces.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use bootproof::{Boot, compiled::ObjectKind};

use super::{options, refused, steps};
use crate::Result;
use crate::copies;
use crate::databases;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::scene::Scene;
use crate::shell;

pub(super) fn phase(scene: &Scene) -> Phase {
    Phase {
        name: "migrating-boot",
        title: "The whole migrating boot",
        about: "Ours: integrity of the whole file before, verified backup, indexes, statistics, all validations, among them the \
                integrity of what was written, commit. The incumbent script's work: `cp` without a flush, the same SQL, `PRAGMA \
                integrity_check` of the whole file afterwards, the rows of every table counted; it gathers no statistics.",
        grows: true,
        cases: vec![case(scene)],
    }
}

fn case(scene: &Scene) -> Case {
    let ours = Contender::new("bootproof", |scene| {
        let boot =
            || Ok(Boot::new(&worklog_schema::SCHEMA, target(scene)).options(options()).run().map_err(refused)?);
        let (measured, report) = Measured::of(boot)?;
        Ok(Measured { steps: steps(&report), ..measured })
    });
    let incumbent = match scene.shell.clone() {
        Some(program) => Contender::new("the script's work in the sqlite3 shell", move |scene| {
            let (path, copy, script) = (target(scene), scene.file("target.db.copy"), script());
            Measured::of_programs(|| copies::cp(&path, &copy).and_then(|()| shell::run(&program, &path, &script)))
        }),
        None => Contender::new("the script's work over rusqlite", |scene| {
            let (path, copy, script) = (target(scene), scene.file("target.db.copy"), script());
            Ok(Measured::of(|| copies::cp(&path, &copy).and_then(|()| shell::run_plainly(&path, &script)))?.0)
        }),
    };
    let contenders = vec![ours.after(ready), incumbent.after(ready).aims_at(Goal::Ratio(0.3))];
    Case { name: "from production".to_owned(), contenders, pace: Pace::Long }
}

fn target(scene: &Scene) -> PathBuf {
    scene.file("target.db")
}

/// The database alone: neither backups nor copies of the one before.
fn ready(scene: &Scene) -> Result<()> {
    for entry in fs::read_dir(&scene.scratch)? {
        databases::remove(&entry?.path())?;
    }
    databases::copy(&databases::production(scene)?, &target(scene))
}

/// The migrations above the baseline that wait for nobody, as in the boot, then what the script looks at.
fn script() -> String {
    let migrations = worklog_schema::COMPILED.migrations;
    let pending = migrations.iter().skip(1).take_while(|migration| migration.maintenance.is_none());
    let mut script = pending.fold(String::from("BEGIN;\n"), |script, migration| format!("{script}{}\n", migration.sql));
    script.push_str("COMMIT;\nPRAGMA integrity_check;\n");
    let tables = migrations.iter().flat_map(|migration| migration.creates);
    for table in tables.filter(|object| object.kind == ObjectKind::Table) {
        // Writing to a String cannot fail.
        let _ = writeln!(script, "SELECT count(*) FROM {};", bootproof_catalog::quoted(table.name));
    }
    script
}
