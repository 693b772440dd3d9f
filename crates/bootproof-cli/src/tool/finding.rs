//! A diagnostic as programs read it, whatever the format.

use bootproof_build::{Diagnostic, Diagnostics, LeftEmpty};
use serde::Serialize;

/// What takes the place of a rule where nothing is wrong.
const LEFT_EMPTY: &str = "left-empty";

/// One thing that is wrong or doubtful.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) rule: &'static str,
    pub(super) severity: &'static str,
    /// From where the command was called, so that an editor can open it; the directory where no one file is to blame.
    pub(super) file: String,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    pub(super) message: String,
    pub(super) help: String,
    #[serde(skip)]
    notes: Vec<String>,
}

impl Finding {
    pub(super) fn all(diagnostics: &Diagnostics) -> Vec<Self> {
        diagnostics.iter().map(|diagnostic| Self::of(diagnostic, diagnostics.directory())).collect()
    }

    fn of(diagnostic: &Diagnostic, directory: &str) -> Self {
        let file = diagnostic.file();
        // A file as a whole is pointed out at its beginning.
        let position = diagnostic.position().or_else(|| file.map(|_| (1, 1)));
        Self {
            rule: diagnostic.rule(),
            severity: diagnostic.severity().name(),
            file: file
                .map_or_else(|| directory.to_owned(), |file| format!("{}/{file}", directory.trim_end_matches('/'))),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            message: diagnostic.message().to_owned(),
            help: diagnostic.helps().join("; "),
            notes: diagnostic.notes().to_vec(),
        }
    }

    /// That a migration was rehearsed without rows in a table: nothing is wrong with it, and nothing was seen of it.
    pub(super) fn of_left_empty(left: &LeftEmpty, directory: &str) -> Self {
        Self {
            rule: LEFT_EMPTY,
            severity: "note",
            file: format!("{}/{}", directory.trim_end_matches('/'), left.file()),
            line: Some(1),
            column: Some(1),
            message: format!("rehearsed without a row in `{}`: {}", left.table(), left.reason()),
            help: String::new(),
            notes: Vec::new(),
        }
    }

    /// Everything it says, in lines.
    pub(super) fn text(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("help: {}", self.help));
        let lines = std::iter::once(self.message.clone()).chain(self.notes.iter().map(|note| format!("note: {note}")));
        lines.chain(help).collect::<Vec<_>>().join("\n")
    }
}
