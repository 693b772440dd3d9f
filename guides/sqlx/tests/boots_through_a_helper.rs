//! The real program and the real helper, which is built from the workspace beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the helper is. `cargo build` says nothing where it is built already.
fn helper() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_guide-sqlx"));
    let target = program.ancestors().nth(2).expect("the target directory");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "-p", "guide-cli", "--manifest-path"]);
    assert!(build.arg(manifest).arg("--target-dir").arg(target).status().expect("cargo").success());
    program.with_file_name("guide-boot")
}

fn run(helper: &Path, database: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guide-sqlx")).args([helper, database]).output().expect("the program")
}

#[test]
fn sqlx_reads_what_the_helper_has_proven() {
    let (helper, directory) = (helper(), tempfile::tempdir().expect("a directory"));
    let database = directory.path().join("tasks.db");
    let first = run(&helper, &database);
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(0), "{said}");
    assert!(said.starts_with("ready at version 2"), "{said}");
    let tool = helper.with_file_name("guide-cli");
    assert!(Command::new(tool).arg(&database).args(["add", "Sweep"]).status().expect("the tool").success());
    assert_eq!(String::from_utf8_lossy(&run(&helper, &database).stdout), "Sweep\n");

    std::fs::write(&database, "a long text that is no database ".repeat(64)).expect("a file");
    let refused = run(&helper, &database);
    assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(6), [].as_slice()));
}
