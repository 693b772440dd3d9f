//! Finds the files of a migrations directory and puts them in order.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::source::normalise;
use bootproof_catalog::token;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::sections::BREAKPOINT;
use crate::dialect::{self, Dialect, order};
use crate::elsewhere;

/// Where the query contracts are, below the directory of the migrations,
const QUERIES: &str = "queries";
/// and below that, what several of them are sampled from.
const SAMPLES: &str = "samples";

/// A file with its normalised text, or a section of one: places are always those of the whole file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// The path relative to the migrations directory, with `/` on every system.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The part that counts, in bytes; all of it, unless the file holds both directions.
    pub(crate) part: Range<usize>,
    pub(crate) dialect: Dialect,
}

impl File {
    pub(crate) fn new(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), part: 0..text.len(), text, dialect: Dialect::default() }
    }

    /// The same file, of which only a section counts.
    pub(crate) fn section(&self, part: Range<usize>) -> Self {
        Self { part, ..self.clone() }
    }

    /// The text of the part that counts.
    pub(crate) fn sql(&self) -> &str {
        self.text.get(self.part.clone()).unwrap_or_default()
    }

    /// Where the part that begins at a byte ends for SQLite: no statement goes on behind a breakpoint of drizzle's.
    pub(crate) fn end_of_piece(&self, start: usize) -> usize {
        let rest = self.text.get(start..self.part.end).unwrap_or_default();
        let breakpoint = (self.dialect == Dialect::Drizzle).then(|| rest.find(BREAKPOINT)).flatten();
        // The breakpoint itself is a comment, with which the next piece begins.
        let breakpoint = match breakpoint {
            Some(0) => {
                rest.get(BREAKPOINT.len()..).and_then(|rest| rest.find(BREAKPOINT)).map(|at| at + BREAKPOINT.len())
            }
            other => other,
        };
        breakpoint.map_or(self.part.end, |at| start + at)
    }

    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(&self.text).matches('\n').count() + 1
    }

    /// Where the first word stands in a range of bytes, behind white space, comments and semicolons.
    pub(crate) fn first_word(&self, within: Range<usize>) -> Range<usize> {
        let mut rest = self.text.get(within.clone()).unwrap_or_default();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
            rest = if rest.starts_with("--") {
                rest.split_once('\n').map_or("", |(_, after)| after)
            } else if let Some(comment) = rest.strip_prefix("/*") {
                comment.split_once("*/").map_or("", |(_, after)| after)
            } else {
                break;
            };
        }
        let start = within.end - rest.len();
        let length = rest.find(|c: char| !is_part_of_word(c)).unwrap_or(rest.len());
        start..start + length
    }

    /// Where the first statement ends in a range of bytes, its semicolon included, if it has no others in its midst.
    pub(crate) fn end_of_statement(&self, within: Range<usize>) -> usize {
        let start = self.first_word(within.clone()).start;
        let tokens = token::tokens(self.text.get(start..within.end).unwrap_or_default());
        let semicolon = tokens.iter().find(|token| token.is_symbol(';'));
        semicolon.map_or(within.end, |token| start + token.span.end)
    }

    /// Where a word stands, without regard to case, inside a range of bytes.
    pub(crate) fn find_word(&self, word: &str, within: Range<usize>) -> Option<Range<usize>> {
        let text = self.text.get(within.clone())?.to_ascii_lowercase();
        let word = word.to_ascii_lowercase();
        text.match_indices(&word).map(|(start, _)| start..start + word.len()).find_map(|found| {
            let before = text.get(..found.start)?.chars().next_back();
            let after = text.get(found.end..)?.chars().next();
            let is_whole = !before.is_some_and(is_part_of_word) && !after.is_some_and(is_part_of_word);
            is_whole.then(|| within.start + found.start..within.start + found.end)
        })
    }
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A numbered file and its way back.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) up: Arc<File>,
    pub(crate) down: Option<Arc<File>>,
    /// Its own tool runs it outside a transaction.
    pub(crate) no_transaction: bool,
}

/// The files of a directory.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// In ascending order of version.
    pub(crate) migrations: Vec<Source>,
    /// In alphabetical order.
    pub(crate) queries: Vec<Arc<File>>,
    /// What several of the queries are sampled from, in alphabetical order.
    pub(crate) samples: Vec<Arc<File>>,
}

impl Sources {
    /// The names of the files in the order in which they are read: each migration, and its way back where that is a file of its own.
    pub(crate) fn files(&self) -> Vec<String> {
        let migrations = self.migrations.iter().flat_map(|source| std::iter::once(&source.up).chain(&source.down));
        migrations.chain(&self.queries).chain(&self.samples).map(|file| file.name.clone()).collect()
    }
}

/// Reads a directory, in the dialect it is in if nobody says. What cannot be used is reported and left out.
pub(crate) fn read(directory: &Path, dialect: Option<Dialect>, diagnostics: &mut Diagnostics) -> Sources {
    let entries = match list(directory) {
        Ok(entries) => entries,
        Err(error) => {
            report_unreadable(directory, &error, diagnostics);
            return Sources::default();
        }
    };
    let mut sources = Sources::default();
    let mut files = Vec::new();
    for name in entries {
        let path = directory.join(&name);
        if path.is_dir() && name == QUERIES {
            sources.queries = read_queries(directory, QUERIES, Some(SAMPLES), diagnostics);
            if path.join(SAMPLES).is_dir() {
                sources.samples = read_queries(directory, &format!("{QUERIES}/{SAMPLES}"), None, diagnostics);
            }
        } else if path.is_dir() {
            list_below(&path, &name, &mut files, diagnostics);
        } else {
            files.push(name);
        }
    }
    let Some(dialect) = dialect.or_else(|| dialect::detect(directory, &files, diagnostics)) else { return sources };
    diagnostics.read_as(dialect);
    let found = dialect::find(dialect, directory, &files, diagnostics);
    if found.is_empty() && !files.iter().any(|path| !path.contains('/') && is_sql(path)) {
        report_none(&elsewhere::below(&files), diagnostics);
    }
    sources.migrations = order::read(dialect, directory, found, diagnostics);
    sources
}

/// The versions for which a directory has files that can be read, in ascending order, whether or not they compile.
pub(crate) fn versions(directory: &Path, dialect: Option<Dialect>) -> Vec<i64> {
    let read = read(directory, dialect, &mut Diagnostics::new(String::new()));
    read.migrations.iter().map(|source| source.version).collect()
}

/// The directory cannot be read; where it does not exist, it may be one of the usual others.
fn report_unreadable(directory: &Path, error: &io::Error, diagnostics: &mut Diagnostics) {
    let unreadable = Diagnostic::error("unreadable", format!("cannot read the migrations directory: {error}"));
    let project = directory.parent().filter(|_| error.kind() == io::ErrorKind::NotFound);
    let places = project.map(elsewhere::usual).unwrap_or_default();
    let root = diagnostics.directory().rsplit_once('/').map_or("", |(root, _)| root);
    let create = "create the directory with a first migration such as `001_create_tables.sql`, or";
    let unreadable = if places.is_empty() {
        unreadable.help_to(&format!("{create} correct the path in build.rs"), &format!("{create} name another"))
    } else {
        unreadable.help(elsewhere::help(&joined(root, &places)))
    };
    diagnostics.push(unreadable);
}

/// The directory has no migrations; these below it have.
fn report_none(places: &[String], diagnostics: &mut Diagnostics) {
    // They are where they belong: what is wrong is where somebody looks for them.
    let is_there = |file: &str| places.iter().any(|place| Path::new(file).starts_with(place));
    diagnostics.retain(|found| found.rule() != "misplaced-file" || !found.file().is_some_and(is_there));
    let help = if places.is_empty() {
        "write a first migration such as `001_create_tables.sql`".to_owned()
    } else {
        elsewhere::help(&joined(diagnostics.directory(), places))
    };
    diagnostics.push(Diagnostic::error("no-migrations", "no migrations found").help(help));
}

/// The paths of directories below another, as messages show all of them.
fn joined(root: &str, below: &[String]) -> Vec<String> {
    let joined = |below: &String| match root.trim_end_matches('/') {
        "" if root.is_empty() => below.clone(),
        "." => below.clone(),
        root => format!("{root}/{below}"),
    };
    below.iter().map(joined).collect()
}

/// The queries in a directory below that of the migrations. What is in the one below it that belongs there is another's.
fn read_queries(
    migrations: &Path,
    directory: &str,
    below: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Vec<Arc<File>> {
    let mut files = Vec::new();
    for name in list_inside(&migrations.join(directory), directory, diagnostics) {
        let shown = format!("{directory}/{name}");
        let path = migrations.join(&shown);
        if path.is_dir() {
            if below == Some(&name) {
                continue;
            }
            let mut below = Vec::new();
            list_below(&path, &shown, &mut below, diagnostics);
            let misplaced = below.iter().filter(|path| is_sql(path));
            diagnostics.extend(misplaced.map(|path| dialect::misplaced(Dialect::Bootproof, path)));
        } else if is_sql(&name) {
            let stem = name.strip_suffix(".sql").unwrap_or_default();
            if stem.starts_with(|c: char| c.is_ascii_lowercase())
                && stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            {
                files.extend(read_file(Dialect::Bootproof, migrations, &shown, diagnostics));
            } else {
                diagnostics.push(
                    Diagnostic::error("file-name", "this file is not named as a query contract")
                        .in_name(shown)
                        .help("name it in lower case with digits and `_`, such as `orders_of_a_day.sql`"),
                );
            }
        }
    }
    files
}

/// The text of a file, or a diagnostic.
pub(crate) fn read_file(
    dialect: Dialect,
    directory: &Path,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Arc<File>> {
    diagnostics.count_file();
    let bytes = match fs::read(directory.join(name)) {
        Ok(bytes) => bytes,
        Err(error) => {
            diagnostics.push(unreadable("file", &error).in_file(name));
            return None;
        }
    };
    let text = match normalise(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
            let valid = normalise(valid).unwrap_or_default();
            let offset = valid.len();
            let file = File::new(name, valid + &String::from_utf8_lossy(rest));
            diagnostics.push(
                Diagnostic::error("invalid-utf-8", "this is not UTF-8")
                    .at(&Arc::new(file), offset..offset + char::REPLACEMENT_CHARACTER.len_utf8())
                    .help("save the file as UTF-8"),
            );
            return None;
        }
    };
    let file = Arc::new(File { dialect, ..File::new(name, text) });
    if file.text.trim().is_empty() && !dialect.is_foreign() {
        let help = if name.starts_with("queries/samples/") {
            "write one SELECT, whose first row has the values"
        } else if name.starts_with("queries/") {
            "write one SELECT, and above it the index it must use and its budget"
        } else if name.ends_with(".down.sql") {
            "if nothing is meant to happen, say so in a `--` comment"
        } else {
            "if nothing is meant to happen, say `-- bootproof: allow no-statements \"why\"`"
        };
        diagnostics.push(Diagnostic::error("empty-file", "this file is empty").in_file(name).help(help));
        return None;
    }
    if let Some(offset) = file.text.find('\0') {
        diagnostics.push(
            Diagnostic::error("nul-byte", "SQLite would ignore everything behind this NUL byte")
                .at(&file, offset..offset + 1)
                .help("remove it"),
        );
        return None;
    }
    Some(file)
}

/// The names in a directory, sorted; hidden ones (lock files of editors among them) are none of ours.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn list_inside(directory: &Path, shown: &str, diagnostics: &mut Diagnostics) -> Vec<String> {
    list(directory).unwrap_or_else(|error| {
        diagnostics.push(unreadable("directory", &error).in_file(shown));
        Vec::new()
    })
}

fn unreadable(what: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("unreadable", format!("cannot read this {what}: {error}"))
}

pub(crate) fn is_sql(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// The files below a directory, by their paths, sorted.
fn list_below(directory: &Path, shown: &str, files: &mut Vec<String>, diagnostics: &mut Diagnostics) {
    for name in list_inside(directory, shown, diagnostics) {
        let (path, shown) = (directory.join(&name), format!("{shown}/{name}"));
        // Links may lead round in circles.
        if path.is_dir() && !path.is_symlink() {
            list_below(&path, &shown, files, diagnostics);
        } else {
            files.push(shown);
        }
    }
}
