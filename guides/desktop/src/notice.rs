//! What a person is shown where the database is not there to be used: what happened, in their words, and what they can choose.

use std::fmt;
use std::io;
use std::path::Path;

use bootproof::{Error, Failure};

/// A dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) choices: &'static [Choice],
    /// For whoever helps them: behind a button, and in the clipboard.
    pub(crate) details: String,
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    TryAgain,
    RestoreBackup,
    GetUpdate,
    Quit,
}

use Choice::{GetUpdate, Quit, RestoreBackup, TryAgain};

impl Notice {
    /// What a refused boot or restore means for the person in front of it.
    pub(crate) fn of(failure: &Failure) -> Self {
        let (title, text, choices): (_, _, &[_]) = match (&failure.error, failure.exit_code()) {
            (_, 3) => (
                "Tasks is busy",
                "Another window or program is using your tasks. Close it, then try again.",
                &[TryAgain, Quit],
            ),
            (Error::Newer { .. }, _) => (
                "Tasks is out of date",
                "A newer version of Tasks has used your tasks. Nothing was changed. Install that version to go on.",
                &[GetUpdate, RestoreBackup, Quit],
            ),
            (_, 6) => (
                "Your tasks are damaged",
                "The file with your tasks is damaged, and was not touched. Tasks can go back to the last backup and keep the \
                 damaged file.",
                &[RestoreBackup, Quit],
            ),
            (_, 8) => (
                "Your tasks cannot be opened",
                "The disk is full, or Tasks may not write to it. Make room, then try again.",
                &[TryAgain, Quit],
            ),
            _ => (
                "Your tasks cannot be opened",
                "Something is wrong that Tasks cannot put right. Please send us the details.",
                &[TryAgain, RestoreBackup, Quit],
            ),
        };
        Self { title, text: text.to_owned(), choices, details: failure.to_string() }
    }

    /// There is no place for the file.
    pub(crate) fn of_directory(directory: &Path, error: &io::Error) -> Self {
        Self {
            title: "Your tasks cannot be opened",
            text: format!("Tasks cannot use the folder {}.", directory.display()),
            choices: &[TryAgain, Quit],
            details: error.to_string(),
        }
    }

    /// A command failed.
    pub(crate) fn of_query(error: &rusqlite::Error) -> Self {
        let text = if error.sqlite_error_code() == Some(tasks::CONSTRAINT) {
            "That is not a task."
        } else {
            "Your tasks did not answer."
        };
        Self { title: "That did not work", text: text.to_owned(), choices: &[], details: error.to_string() }
    }

    /// It is not ready yet.
    pub(crate) fn wait(progress: &str) -> Self {
        Self { title: "One moment", text: progress.to_owned(), choices: &[], details: String::new() }
    }

    pub(crate) fn no_backup() -> Self {
        let text = "There is no backup that can be used.".to_owned();
        Self { title: "Nothing was restored", text, choices: &[TryAgain, Quit], details: String::new() }
    }

    pub(crate) fn nothing_to_restore() -> Self {
        let text = "Your tasks are all right.".to_owned();
        Self { title: "Nothing was restored", text, choices: &[], details: String::new() }
    }
}

/// The stand-in's dialog.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "! {} | {} |", self.title, self.text)?;
        self.choices.iter().try_for_each(|choice| write!(f, " [{choice:?}]"))
    }
}
