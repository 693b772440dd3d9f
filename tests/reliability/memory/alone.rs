//! A process of its own: SQLite takes an allocator only before it is first used, and has one limit for the whole process.

use std::process::Command;

use faulty_vfs::memory;

/// Tells a process that it is the one.
const ALONE: &str = "RELIABILITY_ALONE";

/// Runs a test of this binary, named in full, in a process that does nothing else.
pub(super) fn alone(name: &str, run: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        memory::install().expect("SQLite was not used before");
        return run();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = || format!("{}\n{told}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", failed());
    assert!(told.contains("1 passed"), "no test is called {name}: {told}");
    println!("{told}");
}
