//! A note keeper for the command line.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bootproof::BootReport;
use clap::{Parser, Subcommand};
use notes::Notes;

/// Keeps notes
#[derive(Parser)]
struct Arguments {
    /// The file that the notes are kept in
    #[arg(long, value_name = "FILE", default_value = "notes.db")]
    db: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a note down
    Add {
        /// Its first line
        title: String,
        /// The rest of it
        #[arg(default_value = "")]
        body: String,
    },
    /// Show the newest notes
    List {
        /// Only those written since that day
        #[arg(long, value_name = "YYYY-MM-DD", default_value = "")]
        since: String,
        /// All those with that tag instead
        #[arg(long, conflicts_with = "since")]
        tag: Option<String>,
    },
    /// Find notes by their words
    Search {
        /// What a note must contain
        words: String,
    },
    /// Give a note a tag
    Tag {
        /// The number of the note
        note: i64,
        /// The tag
        tag: String,
    },
    /// Show every tag
    Tags,
    /// Take a note off the list
    Archive {
        /// The number of the note
        note: i64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // First thing: nothing below runs on a database that was not proven.
    match Notes::boot(&arguments.db) {
        Ok(report) => tell(&report),
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::from(failure.exit_code());
        }
    }
    match run(&arguments.db, arguments.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: there is no such note");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An upgrade is worth a line, and where the notes of before are.
fn tell(report: &BootReport) {
    if let (Some(from), Some(to), false) = (report.from_version, report.to_version, report.applied.is_empty()) {
        eprintln!("upgraded {} from version {from} to {to}", report.database);
    }
    if let Some(backup) = &report.backup {
        eprintln!("the file as it was: {}", backup.path.display());
    }
}

/// Returns whether there is what was asked for.
fn run(database: &Path, command: Command) -> rusqlite::Result<bool> {
    let mut notes = Notes::open(database)?;
    let found = match command {
        Command::Add { title, body } => {
            println!("{}", notes.add(&title, &body)?);
            return Ok(true);
        }
        Command::Tag { note, tag } => return notes.tag(note, &tag),
        Command::Archive { note } => return notes.archive(note),
        Command::Tags => {
            for (tag, count) in notes.tags()? {
                println!("{count:>5}  {tag}");
            }
            return Ok(true);
        }
        Command::List { tag: Some(tag), .. } => notes.tagged(&tag)?,
        Command::List { since, tag: None } => notes.recent(&since)?,
        Command::Search { words } => notes.search(&words)?,
    };
    for note in found {
        println!("{:>5}  {}  {}", note.id, note.created_at, note.title);
    }
    Ok(true)
}
