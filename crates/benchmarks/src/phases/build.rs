//! What `build.rs` costs: reading, rehearsing and proving a directory of migrations, and writing the code.

use std::fs;
use std::iter;
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::history;
use crate::phase::{Case, Contender, Goal, Measured, Pace, Phase};
use crate::schemas;

pub(super) fn phase() -> Phase {
    Phase {
        name: "build",
        title: "Compiling the migrations",
        about: "`bootproof_build::check` and the generated code as text, optimised. The note has what the build script of this \
                crate, which is not optimised, took for the same when it was last run: once, beside whatever was built with it.",
        grows: false,
        cases: iter::once(worklogs()).chain(history::LENGTHS.iter().map(|&length| generated(length))).collect(),
    }
}

fn worklogs() -> Case {
    let ours = Contender::new("bootproof", |_| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        Ok(Measured::of(|| compile(&directory))?.0)
    });
    let contenders = vec![ours.aims_at(Goal::Time(Duration::from_millis(300)))];
    Case { name: "worklog schema".to_owned(), contenders, pace: Pace::Quick }
}

fn generated(length: usize) -> Case {
    let ours = Contender::new("bootproof", move |scene| {
        let directory = scene.file("migrations");
        let unoptimised = schemas::milliseconds_in_the_build_script(length);
        let note = unoptimised.map(|milliseconds| format!("{milliseconds} ms in the build script"));
        Ok(Measured { note, ..Measured::of(|| compile(&directory))?.0 })
    });
    let ours = ours.after(move |scene| {
        let directory = scene.file("migrations");
        if !directory.exists() {
            fs::create_dir(&directory)?;
            for (name, text) in history::files(length) {
                fs::write(directory.join(name), text)?;
            }
        }
        Ok(())
    });
    let ours = if length == 200 { ours.aims_at(Goal::Time(Duration::from_secs(1))) } else { ours };
    let pace = if length > 200 { Pace::Long } else { Pace::Quick };
    Case { name: format!("{length} migrations"), contenders: vec![ours], pace }
}

fn compile(directory: &Path) -> Result<()> {
    let compilation = bootproof_build::check(directory).map_err(|diagnostics| diagnostics.to_string())?;
    std::hint::black_box(compilation.emit());
    Ok(())
}
