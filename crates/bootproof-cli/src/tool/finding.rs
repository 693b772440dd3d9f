//! A diagnostic as programs read it, whatever the format.

use bootproof_build::{Diagnostic, Diagnostics, Severity};
use serde::Serialize;

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
    pub(super) is_error: bool,
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
            is_error: diagnostic.severity() == Severity::Error,
            notes: diagnostic.notes().to_vec(),
        }
    }

    /// Everything it says, in lines.
    pub(super) fn text(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("help: {}", self.help));
        let lines = std::iter::once(self.message.clone()).chain(self.notes.iter().map(|note| format!("note: {note}")));
        lines.chain(help).collect::<Vec<_>>().join("\n")
    }
}
