//! Processes to kill: this very test, which kills itself at a given step, and the operator's command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, raise};
use worklog_schema::bootproof::{Event, Observer};

use crate::scene::Work;
use crate::tally::size;

const DATABASE: &str = "CRASH_DATABASE";
const WORK: &str = "CRASH_WORK";
const AT: &str = "CRASH_AT";

/// How many worklogs the operator's database has: enough to be killed in the middle of everything.
pub(super) fn rows() -> usize {
    size(2_000, 5_000)
}

/// The beginnings and the ends of the steps of some work, in words.
pub(super) fn events(work: Work, database: &Path) -> Vec<String> {
    let observer = Arc::new(Notes::default());
    work.carry_out(&worklog_schema::boot(database).observer(observer.clone()), database).unwrap();
    observer.0.lock().unwrap().clone()
}

/// Does the work in a process that kills itself at the given event, counted from 1. Returns whether it was killed.
pub(super) fn killed_at(at: usize, work: Work, database: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crashes::child::works", "--ignored", "--nocapture"]);
    let (at, work) = (at.to_string(), format!("{work:?}"));
    let environment: [(&str, &OsStr); 3] = [(DATABASE, database.as_os_str()), (WORK, work.as_ref()), (AT, at.as_ref())];
    command.envs(environment).stdout(Stdio::null()).stderr(Stdio::null());
    !command.status().unwrap().success()
}

#[test]
#[ignore = "a process that others start"]
fn works() {
    let Some(database) = std::env::var_os(DATABASE).map(PathBuf::from) else { return };
    let work = std::env::var(WORK).unwrap();
    let work = Work::ALL.into_iter().find(|known| format!("{known:?}") == work).unwrap();
    let at = std::env::var(AT).unwrap().parse().unwrap();
    let observer = Arc::new(KilledAt(AtomicUsize::new(at)));
    work.carry_out(&worklog_schema::boot(&database).observer(observer), &database).unwrap();
}

/// The operator's command at work.
pub(super) fn operator(work: Work, database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    command.arg("--db").arg(database).args(work.arguments(database));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A child that does not outlive its test.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What an event says; `None` of progress, which depends on the clock.
fn words(event: Event) -> Option<String> {
    match event {
        Event::Started(step) => Some(format!("the beginning of {step}")),
        Event::Finished { step, .. } => Some(format!("the end of {step}")),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn notice(&self, event: Event) {
        self.0.lock().unwrap().extend(words(event));
    }
}

/// Kills its own process, as suddenly as it would be killed from outside: a signal to oneself has arrived when sending it
/// returns.
#[derive(Debug)]
struct KilledAt(AtomicUsize);

impl Observer for KilledAt {
    fn notice(&self, event: Event) {
        if words(event).is_some() && self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            raise(Signal::SIGKILL).unwrap();
        }
    }
}
