//! A command-line tool: every command boots, and says nothing of it where there was nothing to do.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bootproof::{Boot, BootReport, Event, Observer, Step};
use tasks::{SCHEMA, SOME_DAY, connect};

const USAGE: &str = "usage: guide-cli FILE add TITLE [DAY] | list [DAY] | done NUMBER";

/// A person waits at the terminal.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let Some((database, command)) = arguments.split_first().and_then(|(file, rest)| Some((*file, Command::of(rest)?)))
    else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // Nothing below runs on a database that was not proven.
    let boot = Boot::new(&SCHEMA, database).lock_timeout(PATIENCE).observer(Arc::new(Progress));
    match boot.run() {
        Ok(report) => tell(&report),
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::from(failure.exit_code());
        }
    }
    match command.run(Path::new(database)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: there is no such task on the list");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An upgrade is worth a line, on standard error: standard output is for the answer.
fn tell(report: &BootReport) {
    if let (Some(from), Some(to), false) = (report.from_version, report.to_version, report.applied.is_empty()) {
        eprintln!("upgraded {} from version {from} to {to}", report.database);
    }
    if let Some(backup) = &report.backup {
        eprintln!("the file as it was: {}", backup.path.display());
    }
}

/// Whoever waits longer than a moment is told for what.
#[derive(Debug)]
struct Progress;

impl Observer for Progress {
    fn notice(&self, event: Event) {
        if let Event::Progress { step, remaining: Some(remaining), .. } = event
            && (remaining > Duration::from_secs(2) || step == Step::Lock)
        {
            eprint!("\r{step}: {} s \r", remaining.as_secs());
        }
    }
}

enum Command<'a> {
    Add { title: &'a str, due: &'a str },
    List { until: &'a str },
    Done { id: i64 },
}

impl<'a> Command<'a> {
    fn of(words: &[&'a str]) -> Option<Self> {
        match *words {
            ["add", title] => Some(Self::Add { title, due: SOME_DAY }),
            ["add", title, due] => Some(Self::Add { title, due }),
            ["list"] => Some(Self::List { until: SOME_DAY }),
            ["list", until] => Some(Self::List { until }),
            ["done", id] => Some(Self::Done { id: id.parse().ok()? }),
            _ => None,
        }
    }

    /// Returns whether there is what was asked for.
    fn run(self, database: &Path) -> rusqlite::Result<bool> {
        match self {
            Self::Add { title, due } => println!("{}", tasks::add(&connect::writer(database)?, title, due)?),
            Self::List { until } => {
                for task in tasks::open(&connect::reader(database)?, until)? {
                    println!("{:>5}  {}  {}", task.id, task.due, task.title);
                }
            }
            Self::Done { id } => return tasks::finish(&connect::writer(database)?, id),
        }
        Ok(true)
    }
}
