//! What is wrong, where, and what to do: collected while compiling, printed as rustc prints.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::dialect::Dialect;
use crate::source::File;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The build fails.
    Error,
    /// The build goes on.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong with a directory of migrations.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    severity: Severity,
    rule: &'static str,
    message: String,
    place: Place,
    label: Option<String>,
    notes: Vec<String>,
    helps: Vec<String>,
    /// What to do, where it depends on who asks.
    ways: Option<Ways>,
}

/// What to do in build.rs, and what on the command line.
#[derive(Clone, Debug)]
struct Ways {
    in_build: String,
    on_command_line: String,
}

/// Who reads what is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Somebody with a build.rs, which is where options of the compiler are.
    #[default]
    Build,
    /// Somebody with a command, whose options they are.
    CommandLine,
}

#[derive(Clone, Debug)]
enum Place {
    /// The directory as a whole.
    Directory,
    /// A file by its name relative to the directory.
    File(String),
    /// The name of a file, which is what is wrong.
    Name(String),
    /// Some bytes of a file's text.
    Span(Arc<File>, Range<usize>),
}

impl Diagnostic {
    pub(crate) fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            rule,
            // Names and texts of a schema can be of several lines.
            message: message.into().replace(['\n', '\r'], " "),
            place: Place::Directory,
            label: None,
            notes: Vec::new(),
            helps: Vec::new(),
            ways: None,
        }
    }

    pub(crate) fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, message) }
    }

    /// With another severity.
    pub(crate) fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn at(mut self, file: &Arc<File>, span: Range<usize>) -> Self {
        self.place = Place::Span(Arc::clone(file), span);
        self
    }

    pub(crate) fn in_file(mut self, name: impl Into<String>) -> Self {
        self.place = Place::File(name.into());
        self
    }

    pub(crate) fn in_name(mut self, name: impl Into<String>) -> Self {
        self.place = Place::Name(name.into());
        self
    }

    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// As [`Diagnostic::help`], in the words of who has a build.rs and of who has the command.
    pub(crate) fn help_to(mut self, in_build: &str, on_command_line: &str) -> Self {
        self.ways = Some(Ways { in_build: in_build.to_owned(), on_command_line: on_command_line.to_owned() });
        self
    }

    /// How grave it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The rule that is broken, such as `if-not-exists`; `sqlite` where SQLite itself complains.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file, relative to the directory, if the diagnostic is about one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.place {
            Place::Directory => None,
            Place::File(name) | Place::Name(name) => Some(name),
            Place::Span(file, _) => Some(&file.name),
        }
    }

    /// The line and the column in characters, counted from 1, if the diagnostic is about a part of a file; the first of
    /// both if it is about the file's name.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        let (file, span) = match &self.place {
            Place::Span(file, span) => (file, span),
            Place::Name(_) => return Some((1, 1)),
            Place::Directory | Place::File(_) => return None,
        };
        let before = file.text.get(..span.start).unwrap_or(&file.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Some((file.line(span.start), column))
    }

    /// The line, counted from 1, as in [`Diagnostic::position`].
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position().map(|(line, _)| line)
    }

    /// The column in characters, counted from 1, as in [`Diagnostic::position`].
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.position().map(|(_, column)| column)
    }

    /// What else SQLite or the schema tells about it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What to do: one or more ways, none where nobody knows.
    #[must_use]
    pub fn helps(&self) -> &[String] {
        &self.helps
    }

    /// Where it is in the text of a file, if it is about a part of one.
    pub(crate) fn span(&self) -> Option<&Range<usize>> {
        match &self.place {
            Place::Span(_, span) => Some(span),
            Place::Directory | Place::File(_) | Place::Name(_) => None,
        }
    }

    fn path(&self, root: &str) -> String {
        self.file().map_or_else(|| root.to_owned(), |name| format!("{root}/{name}"))
    }

    /// `path:line:column: message`, for where only one line fits.
    fn one_line(&self, root: &str) -> String {
        let path = self.path(root);
        match self.position() {
            Some((line, column)) => format!("{path}:{line}:{column}: {} [{}]", self.message, self.rule),
            None => format!("{path}: {} [{}]", self.message, self.rule),
        }
    }

    fn render(&self, root: &str) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&self.message).id(self.rule);
        let group = match &self.place {
            Place::Span(file, span) => title.element(
                Snippet::source(&file.text)
                    .path(self.path(root))
                    .annotation(AnnotationKind::Primary.span(span.clone()).label(self.label.as_deref())),
            ),
            // The name stands where a line of text would: it is what has to be changed.
            Place::Name(name) => title.element(
                Snippet::source(name)
                    .path(self.path(root))
                    .annotation(AnnotationKind::Primary.span(0..name.len()).label("the name of the file")),
            ),
            Place::Directory | Place::File(_) => title.element(Origin::path(self.path(root))),
        };
        let group = group
            .elements(self.notes.iter().map(|note| Level::NOTE.message(note)))
            .elements(self.helps.iter().map(|help| Level::HELP.message(help)));
        Renderer::plain().render(&[group])
    }
}

/// Everything that is wrong with a directory of migrations: what is about the directory first, then file by file in the order
/// in which they run, query contracts behind them, files that would not run last; within a file from its first line to its
/// last.
///
/// Displays as rustc would print it, plain, without colour.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// The directory as messages show it.
    root: String,
    list: Vec<Diagnostic>,
    dialect: Dialect,
    files: usize,
}

impl Diagnostics {
    pub(crate) fn new(root: String) -> Self {
        Self { root, list: Vec::new(), dialect: Dialect::default(), files: 0 }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(diagnostics);
    }

    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(is_kept);
    }

    /// That the directory is read in this dialect.
    pub(crate) fn read_as(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    pub(crate) fn count_file(&mut self) {
        self.files += 1;
    }

    /// Puts them in the order in which somebody reads the files: these in their order, any others behind them by name. What is
    /// about the same place stays in the order it was found.
    pub(crate) fn in_order_of(mut self, files: &[String]) -> Self {
        let places: BTreeMap<&str, usize> = files.iter().map(String::as_str).zip(0..).collect();
        self.list.sort_by_cached_key(|diagnostic| {
            let file = diagnostic.file().map(ToOwned::to_owned);
            let place = file.as_deref().map(|file| places.get(file).copied().unwrap_or(usize::MAX));
            (place, file, diagnostic.position())
        });
        self
    }

    /// Says what to do in the words of one audience.
    pub(crate) fn spoken_to(mut self, audience: Audience) -> Self {
        for diagnostic in &mut self.list {
            let way = diagnostic.ways.take().map(|ways| match audience {
                Audience::Build => ways.in_build,
                Audience::CommandLine => ways.on_command_line,
            });
            diagnostic.helps.extend(way);
        }
        self
    }

    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// The directory that they are about, as messages show it: the files of diagnostics are relative to it.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.root
    }

    /// The dialect in which the directory was read.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many files of SQL were read.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Each on one line: `path:line:column: message [rule]`.
    pub fn one_liners(&self) -> impl Iterator<Item = String> {
        self.list.iter().map(|diagnostic| diagnostic.one_line(&self.root))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.list {
            writeln!(f, "{}\n", diagnostic.render(&self.root))?;
        }
        match self.errors() {
            0 => Ok(()),
            1 => writeln!(f, "error: could not compile `{}`: 1 error", self.root),
            count => writeln!(f, "error: could not compile `{}`: {count} errors", self.root),
        }
    }
}

impl std::error::Error for Diagnostics {}
