mod boots_at_once;
mod copies;
mod holder;
mod readers;
mod replaced_files;
mod stopped_and_killed;
mod writers;

use std::process::{Child, Stdio};

use crate::support::{Run, Sandbox};
use crate::tally::share;

/// How long anybody waits here who is not to wait for ever.
const PATIENCE: &str = "120";

/// Whether this is the long form.
fn is_long() -> bool {
    share(0) > 0
}

/// Boots in a process of its own.
fn spawn_boot(sandbox: &Sandbox, lock_timeout: &str) -> Child {
    let mut command = sandbox.command();
    command.args(["boot", "--lock-timeout", lock_timeout]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end_of(boot: Child) -> Run {
    Run::of(&boot.wait_with_output().unwrap())
}
