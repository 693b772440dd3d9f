//! What is said where, and the exit code: data on standard output, everything else on standard error.

use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use bootproof::{BootReport, Error, ErrorReport, Failure, Outcome, Verdict};
use serde::Serialize;

use crate::paint::paint;

/// The exit code for a standard output that cannot be written: the machine's fault, like a full disk.
const STORAGE: u8 = 8;

/// All that a command says.
#[derive(Debug, Default)]
pub struct Answer {
    /// For standard output.
    pub(crate) data: Vec<u8>,
    /// Whether that is text of ours for people, which may have colour, and not something to pass on byte for byte.
    pub(crate) is_prose: bool,
    /// For standard error.
    pub(crate) message: String,
    /// The exit code.
    pub(crate) code: u8,
}

impl Answer {
    /// What goes to standard output.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// What goes to standard error.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn of_bytes(data: Vec<u8>) -> Self {
        Self { data, ..Self::default() }
    }

    pub(crate) fn of_text(text: impl Into<String>) -> Self {
        Self::of_bytes(text.into().into_bytes())
    }

    pub(crate) fn of_prose(text: impl Into<String>) -> Self {
        Self { is_prose: true, ..Self::of_text(text) }
    }

    /// One object on one line.
    pub(crate) fn of_json(value: &impl Serialize) -> Self {
        match serde_json::to_string(value) {
            Ok(json) => Self::of_text(json + "\n"),
            Err(error) => Self { message: format!("error: {error}\n"), code: 1, ..Self::default() },
        }
    }

    /// A boot, or the validations and measurements of one.
    pub(crate) fn of_boot(result: Result<BootReport, Failure>, json: bool) -> Self {
        match result {
            Ok(report) => Self::of_report(&report, json),
            Err(failure) => Self::of_failure(&failure, json),
        }
    }

    /// The state of a database, or its plan.
    pub(crate) fn of_inspection<T: Display + Serialize>(result: Result<T, Failure>, json: bool) -> Self {
        match result {
            Ok(inspection) => Self::of_value(&inspection, json),
            Err(failure) => Self::of_failure(&failure, json),
        }
    }

    /// An error before the engine was asked, in the shape of every other refusal.
    pub(crate) fn of_error(error: &Error, database: &Path, json: bool) -> Self {
        let answer = if json { Self::of_json(&refusal(error, database)) } else { Self::default() };
        Self { message: format!("error: {error}\nhint: {}\n", error.hint()), code: error.exit_code(), ..answer }
    }

    /// The same, and something more for a person: beside the report, or beside the error.
    pub(crate) fn and(mut self, more: &str) -> Self {
        if self.data.is_empty() {
            self.message.push_str(more);
        } else {
            self.data.extend_from_slice(more.as_bytes());
        }
        self
    }

    /// The same, and that the page about it could not be written. What was done stays done: the exit code of a boot that
    /// succeeded does not become another for that.
    pub(crate) fn after(mut self, page: Result<(), Error>) -> Self {
        if let Err(error) = page {
            let _ = writeln!(self.message, "warning: {error}");
        }
        self
    }

    fn of_value(value: &(impl Display + Serialize), json: bool) -> Self {
        if json { Self::of_json(value) } else { Self::of_prose(value.to_string()) }
    }

    /// A boot that the application may follow.
    fn of_report(report: &BootReport, json: bool) -> Self {
        let answer = Self::of_value(report, json);
        match report.verdict {
            Verdict::Degraded => Self { message: format!("degraded: {}\n", degradation(report)), ..answer },
            Verdict::Ready | Verdict::Refused => answer,
        }
    }

    /// A boot that it may not: why, on standard error; and what was found until then.
    fn of_failure(failure: &Failure, json: bool) -> Self {
        let answer = if json {
            Self::of_json(&failure.report)
        } else if failure.report.checks.is_empty() {
            Self::default()
        } else {
            // The reason follows on standard error; once is enough.
            Self::of_prose(BootReport { error: None, ..BootReport::clone(&failure.report) }.to_string())
        };
        Self { message: format!("error: {failure}\n"), code: failure.exit_code(), ..answer }
    }

    /// Says it, and returns the exit code. What is painted loses its colour again on anything but a terminal, or with
    /// `NO_COLOR`.
    pub(crate) fn deliver(mut self) -> ExitCode {
        self.message = paint(&self.message);
        let mut stderr = anstream::stderr().lock();
        ExitCode::from(match std::str::from_utf8(&self.data) {
            Ok(prose) if self.is_prose => {
                self.data = paint(prose).into_bytes();
                self.write(&mut anstream::stdout().lock(), &mut stderr)
            }
            _ => self.write(&mut io::stdout().lock(), &mut stderr),
        })
    }

    fn write(&self, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
        let written = stdout.write_all(&self.data).and_then(|()| stdout.flush());
        // Nobody is left to be told that standard error is closed.
        let _ = stderr.write_all(self.message.as_bytes());
        match written {
            // A reader that has seen enough, such as `head`, is no failure.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let _ = writeln!(stderr, "error: standard output cannot be written: {error}");
                if self.code == 0 {
                    let _ =
                        writeln!(stderr, "hint: the command itself has done its work; only what it had to say is lost");
                }
                if self.code == 0 { STORAGE } else { self.code }
            }
            _ => self.code,
        }
    }
}

/// What is slower than agreed, or behind, in a line.
fn degradation(report: &BootReport) -> String {
    let failed = report.checks.iter().filter(|check| check.outcome == Outcome::Failed);
    let behind =
        report.notes.iter().filter(|note| note.starts_with("not at head") || note.starts_with("not as compiled"));
    let details: Vec<_> = failed.map(|check| &check.detail).chain(behind).map(String::as_str).collect();
    if details.is_empty() { "a hot query is slower than agreed".to_owned() } else { details.join("; ") }
}

/// A report that says nothing but why.
fn refusal(error: &Error, database: &Path) -> BootReport {
    BootReport { error: Some(ErrorReport::of(error)), ..BootReport::new(database.display().to_string()) }
}

#[cfg(test)]
mod tests {
    use bootproof::{Check, CheckName, Milliseconds};

    use super::*;

    /// A standard output that fails in this way.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn misspelt() -> Error {
        Error::Environment { variable: "BOOTPROOF_BACKUP", value: "no".to_owned(), expected: "`on` or `off`" }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let answer = Answer::of_text("one\ntwo\n");
        let mut stderr = Vec::new();
        assert_eq!(answer.write(&mut Broken(ErrorKind::BrokenPipe), &mut stderr), 0);
        assert!(stderr.is_empty());
    }

    #[test]
    fn a_full_disk_under_standard_output_is_a_failure() {
        let answer = Answer::of_text("one\ntwo\n");
        let mut stderr = Vec::new();
        assert_eq!(answer.write(&mut Broken(ErrorKind::StorageFull), &mut stderr), 8);
        assert!(!stderr.is_empty());
        let refused = Answer { code: 4, ..answer };
        assert_eq!(refused.write(&mut Broken(ErrorKind::StorageFull), &mut stderr), 4);
    }

    #[test]
    fn an_error_without_a_report_has_the_shape_of_a_refusal() {
        let answer = Answer::of_error(&misspelt(), Path::new("worklog.db"), true);
        assert_eq!(answer.code, 2);
        insta::assert_snapshot!("refusal-text", answer.message);
        insta::assert_snapshot!("refusal-json", String::from_utf8(answer.data).unwrap());
    }

    #[test]
    fn a_refusal_shows_what_was_checked_and_says_why_once() {
        let mut report = refusal(&misspelt(), Path::new("worklog.db"));
        report.checks.push(Check {
            name: CheckName::Integrity,
            outcome: Outcome::Passed,
            detail: "ok".to_owned(),
            duration_ms: Milliseconds(1.5),
        });
        let answer = Answer::of_boot(Err(Failure { error: misspelt(), report: Box::new(report) }), false);
        let data = String::from_utf8(answer.data).unwrap();
        assert!(data.contains("integrity") && !data.contains("error:"), "{data}");
        assert!(answer.message.starts_with("error: the environment variable"), "{}", answer.message);
        assert_eq!(answer.code, 2);
    }

    #[test]
    fn a_degraded_boot_succeeds_and_says_why() {
        let mut report = refusal(&misspelt(), Path::new("worklog.db"));
        report.verdict = Verdict::Degraded;
        report.checks.push(Check {
            name: CheckName::QueryPlans,
            outcome: Outcome::Failed,
            detail: "`instance_sync` uses `idx_worklogs_started_date`".to_owned(),
            duration_ms: Milliseconds::default(),
        });
        let answer = Answer::of_boot(Ok(report), true);
        assert_eq!(answer.code, 0);
        assert_eq!(answer.message, "degraded: `instance_sync` uses `idx_worklogs_started_date`\n");
    }
}
