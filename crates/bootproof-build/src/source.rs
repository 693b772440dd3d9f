//! Finds the files of a migrations directory and puts them in order.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::source::normalise;

use crate::diagnostic::{Diagnostic, Diagnostics};

const NAMING: &str =
    "name it `NNN_name.sql` or, for the way back, `NNN_name.down.sql`; a name has letters, digits and `_`";

/// A file with its normalised text.
#[derive(Debug)]
pub(crate) struct File {
    /// The path relative to the migrations directory, with `/` on every system.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
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
}

/// The files of a directory.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// In ascending order of version.
    pub(crate) migrations: Vec<Source>,
    /// In alphabetical order.
    pub(crate) queries: Vec<Arc<File>>,
}

/// A file name taken apart.
pub(crate) struct Numbered<'a> {
    pub(crate) digits: &'a str,
    pub(crate) name: &'a str,
    is_down: bool,
}

/// Reads a directory. What cannot be used is reported and left out.
pub(crate) fn read(directory: &Path, diagnostics: &mut Diagnostics) -> Sources {
    let entries = match list(directory) {
        Ok(entries) => entries,
        Err(error) => {
            diagnostics.push(
                Diagnostic::error("unreadable", format!("cannot read the migrations directory: {error}")).help(
                    "create the directory with a first migration such as `001_create_tables.sql`, \
                     or correct the path in build.rs",
                ),
            );
            return Sources::default();
        }
    };
    let mut sources = Sources::default();
    let mut names = Vec::new();
    for name in entries {
        let path = directory.join(&name);
        if path.is_dir() {
            if name == "queries" {
                sources.queries = read_queries(&path, diagnostics);
            } else {
                refuse_misplaced(&path, &name, diagnostics);
            }
        } else if is_sql(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        diagnostics.push(
            Diagnostic::error("no-migrations", "no migrations found")
                .help("write a first migration such as `001_create_tables.sql`"),
        );
    }
    sources.migrations = read_migrations(directory, &names, diagnostics);
    sources
}

fn read_migrations(directory: &Path, names: &[String], diagnostics: &mut Diagnostics) -> Vec<Source> {
    let mut ups: BTreeMap<i64, Source> = BTreeMap::new();
    let mut downs = Vec::new();
    let mut widths: BTreeMap<usize, &str> = BTreeMap::new();
    for file_name in names {
        let Some(numbered) = parse_name(file_name) else {
            diagnostics.push(
                Diagnostic::error("file-name", "this .sql file is not named as a migration")
                    .in_name(file_name)
                    .help(NAMING),
            );
            continue;
        };
        let Ok(version) = numbered.digits.parse::<i64>() else {
            diagnostics.push(
                Diagnostic::error("version-too-large", format!("version {} exceeds 64 bits", numbered.digits))
                    .in_name(file_name)
                    .help(format!("the largest version is {}", i64::MAX)),
            );
            continue;
        };
        let Some(file) = read_file(directory, file_name, diagnostics) else { continue };
        if numbered.is_down {
            downs.push((version, numbered.name, file));
            continue;
        }
        widths.entry(numbered.digits.len()).or_insert(file_name);
        if let Some(first) = ups.get(&version) {
            diagnostics.push(
                Diagnostic::error("duplicate-version", format!("version {version} is taken by `{}`", first.up.name))
                    .in_name(file_name)
                    .help("give one of the two the next free number; never renumber one that has been released"),
            );
            continue;
        }
        ups.insert(version, Source { version, name: numbered.name.to_owned(), up: file, down: None });
    }
    for (version, name, file) in downs {
        match ups.get_mut(&version) {
            Some(up) if up.name == name => up.down = Some(file),
            other => {
                let mut diagnostic =
                    Diagnostic::error("down-without-up", "this is the way back from a migration that does not exist")
                        .in_name(&file.name);
                if let Some(up) = other {
                    diagnostic = diagnostic.note(format!("version {version} is `{}`", up.up.name));
                }
                diagnostics.push(
                    diagnostic
                        .help(format!("name it after its migration, `{}`", file.name.replace(".down.sql", ".sql"))),
                );
            }
        }
    }
    if let (Some((shortest, short)), Some((longest, long))) = (widths.first_key_value(), widths.last_key_value())
        && shortest != longest
    {
        diagnostics.push(
            Diagnostic::warning(
                "mixed-widths",
                format!(
                    "versions have {shortest} to {longest} digits (`{short}`, `{long}`): \
                     other tools list the files in another order than the numbers"
                ),
            )
            .in_file(*long),
        );
    }
    ups.into_values().collect()
}

fn read_queries(directory: &Path, diagnostics: &mut Diagnostics) -> Vec<Arc<File>> {
    let mut files = Vec::new();
    for name in list_inside(directory, "queries", diagnostics) {
        let shown = format!("queries/{name}");
        if directory.join(&name).is_dir() {
            refuse_misplaced(&directory.join(&name), &shown, diagnostics);
        } else if is_sql(&name) {
            let stem = name.strip_suffix(".sql").unwrap_or_default();
            if stem.starts_with(|c: char| c.is_ascii_lowercase())
                && stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            {
                files.extend(directory.parent().and_then(|parent| read_file(parent, &shown, diagnostics)));
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
fn read_file(directory: &Path, name: &str, diagnostics: &mut Diagnostics) -> Option<Arc<File>> {
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
            let file = File { name: name.to_owned(), text: valid + &String::from_utf8_lossy(rest) };
            diagnostics.push(
                Diagnostic::error("invalid-utf-8", "this is not UTF-8")
                    .at(&Arc::new(file), offset..offset + char::REPLACEMENT_CHARACTER.len_utf8())
                    .help("save the file as UTF-8"),
            );
            return None;
        }
    };
    let file = Arc::new(File { name: name.to_owned(), text });
    if file.text.trim().is_empty() {
        let help = if name.starts_with("queries/") {
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

fn is_sql(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// SQL in a directory that nobody looks into was meant to be compiled.
fn refuse_misplaced(directory: &Path, shown: &str, diagnostics: &mut Diagnostics) {
    for name in list_inside(directory, shown, diagnostics) {
        let (path, shown) = (directory.join(&name), format!("{shown}/{name}"));
        // Links may lead round in circles.
        if path.is_dir() && !path.is_symlink() {
            refuse_misplaced(&path, &shown, diagnostics);
        } else if is_sql(&name) {
            diagnostics.push(
                Diagnostic::error("misplaced-file", "this .sql file stands where it would never be compiled")
                    .in_file(shown)
                    .help("migrations belong directly into the directory, query contracts into `queries/`"),
            );
        }
    }
}

pub(crate) fn parse_name(file_name: &str) -> Option<Numbered<'_>> {
    let stem = file_name.strip_suffix(".sql")?;
    let (stem, is_down) = stem.strip_suffix(".down").map_or((stem, false), |stem| (stem, true));
    let (digits, name) = stem.split_once('_')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_number && is_name).then_some(Numbered { digits, name, is_down })
}
