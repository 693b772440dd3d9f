//! Which migrations have been released: `migrations.lock`, beside them and committed with them.
//!
//! What has been applied somewhere must never change, and no other file tells what has been: the build's own proof starts
//! from nothing every time. Without this file nothing of it is checked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bootproof_catalog::source::{checksum, normalise};

use crate::compilation::Replaced;
use crate::compile::compile;
use crate::compiler::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parse;
use crate::source::{self, File, Source};

/// Its name in the directory of the migrations.
pub(crate) const FILE: &str = "migrations.lock";

const HEADER: &str = "\
# The migrations that have been released. A build fails where one of them is edited, renamed or removed: databases
# exist to which it has been applied as it is here. `lock` adds the new ones before a release; nobody edits this file.
#
# version checksum file
";

/// The released migrations by version.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// Whether some line of the file could not be read: then nothing is concluded from the others.
    is_broken: bool,
    released: BTreeMap<i64, Entry>,
    /// The version of the baseline that stands for others, which comes late and is in its place.
    baseline: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    checksum: u64,
    file: String,
}

/// What [`lock`](crate::lock()) did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Locked {
    /// The lock file.
    pub path: PathBuf,
    /// The files that it lists since now.
    pub added: Vec<String>,
    /// How many it lists in all.
    pub released: usize,
}

/// Why a directory cannot be locked; the lock file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// What does not compile is not to be released, nor is what was released to be changed.
    #[error("{0}")]
    NotCompiled(Diagnostics),
    /// The lock file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Adds every migration that is not in the lock file.
pub(crate) fn lock(directory: &Path, settings: &Settings) -> Result<Locked, LockError> {
    let settings = Settings { releases_all: true, ..settings.clone() };
    compile(directory, directory, &settings).map_err(LockError::NotCompiled)?;
    // It has just been read without a complaint.
    let mut ignored = Diagnostics::new(String::new());
    let mut lock = Lock::read(directory, &mut ignored);
    let sources = source::read(directory, settings.dialect, &mut ignored).migrations;
    lock.forget(&sources.first().map(|first| parse::replaces(&first.up)).unwrap_or_default());
    let added = lock.add(&sources);
    let path = directory.join(FILE);
    if !added.is_empty() {
        write(&path, &lock.to_string()).map_err(|source| LockError::Io { path: path.clone(), source })?;
    }
    Ok(Locked { path, added, released: lock.released.len() })
}

impl Lock {
    /// The lock file of a directory; nothing is released where there is none.
    pub(crate) fn read(directory: &Path, diagnostics: &mut Diagnostics) -> Self {
        let mut lock = Self::default();
        let bytes = match fs::read(directory.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return lock,
            Err(error) => {
                diagnostics
                    .push(Diagnostic::error("unreadable", format!("cannot read this file: {error}")).in_file(FILE));
                return lock;
            }
        };
        let text = normalise(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned());
        let file = Arc::new(File::new(FILE, text));
        let mut start = 0;
        for line in file.text.split_inclusive('\n') {
            let content = line.trim_end();
            let span = start..start + content.len();
            start += line.len();
            if content.trim_start().starts_with('#') || content.trim().is_empty() {
                continue;
            }
            let message = match parse(content) {
                Some((version, entry)) => match lock.released.insert(version, entry) {
                    None => continue,
                    Some(first) => format!("version {version} is listed twice, also as `{}`", first.file),
                },
                None => "this line is not `version checksum file`".to_owned(),
            };
            let help = "take the file of the last release; after a merge, keep the lines of both sides, once each";
            lock.is_broken = true;
            diagnostics.push(Diagnostic::error("lock-file", message).at(&file, span).help(help));
        }
        lock
    }

    /// Whether a version has been released.
    pub(crate) fn holds(&self, version: i64) -> bool {
        self.released.contains_key(&version)
    }

    /// Forgets what a squashed baseline stands for, and with which checksums: that is released in its place.
    pub(crate) fn forget(&mut self, replaces: &[Replaced]) {
        let is_replaced = |version: i64, checksum: u64| {
            replaces.iter().any(|replaced| replaced.version == version && replaced.checksum == checksum)
        };
        self.released.retain(|version, entry| !is_replaced(*version, entry.checksum));
        self.baseline = replaces.iter().map(|replaced| replaced.version).max();
    }

    /// Whether nothing that was released is gone.
    pub(crate) fn is_whole_with(&self, sources: &[Source]) -> bool {
        self.released.keys().all(|version| sources.iter().any(|source| source.version == *version))
    }

    /// Reports what is not as it was released, and what comes too late to be in its place.
    pub(crate) fn check(&self, sources: &[Source], diagnostics: &mut Diagnostics) {
        if self.is_broken {
            return;
        }
        for (version, entry) in &self.released {
            match sources.iter().find(|source| source.version == *version) {
                Some(source) if source.up.name != entry.file => diagnostics.push(renamed(source, entry)),
                Some(source) if checksum_of(source) != entry.checksum => diagnostics.push(changed(source)),
                Some(_) => {}
                None => diagnostics.push(
                    Diagnostic::error("released-missing", format!("`{}` has been released, and is gone", entry.file))
                        .in_file(FILE)
                        .note("a database to which it was applied would be refused")
                        .help("restore it; to undo what it did, write a new migration"),
                ),
            }
        }
        let Some((newest, last)) = self.released.last_key_value() else { return };
        let late = sources.iter().filter(|source| {
            source.version < *newest && !self.holds(source.version) && self.baseline != Some(source.version)
        });
        for source in late {
            let message = format!("version {} is new, and below the released `{}`", source.version, last.file);
            diagnostics.push(
                Diagnostic::error("out-of-order", message)
                    .in_name(&source.up.name)
                    .note("a database at the released version would never get it, or be refused")
                    .help(format!("give it a number above {newest}")),
            );
        }
    }

    /// Takes in what is not yet released, and tells which files that are.
    pub(crate) fn add(&mut self, sources: &[Source]) -> Vec<String> {
        let mut added = Vec::new();
        for source in sources {
            self.released.entry(source.version).or_insert_with(|| {
                added.push(source.up.name.clone());
                Entry { checksum: checksum_of(source), file: source.up.name.clone() }
            });
        }
        added
    }
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = HEADER.to_owned();
        for (version, Entry { checksum, file }) in &self.released {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{version} {checksum:016x} {file}");
        }
        f.write_str(&text)
    }
}

fn parse(line: &str) -> Option<(i64, Entry)> {
    let mut parts = line.splitn(3, ' ');
    let version = parts.next()?.parse().ok()?;
    let checksum = parts.next().filter(|digits| digits.len() == 16)?;
    let checksum = u64::from_str_radix(checksum, 16).ok()?;
    let file = parts.next().filter(|file| !file.trim().is_empty())?;
    Some((version, Entry { checksum, file: file.to_owned() }))
}

fn checksum_of(source: &Source) -> u64 {
    checksum(source.version, &source.name, source.up.sql())
}

fn changed(source: &Source) -> Diagnostic {
    let file = &source.up;
    Diagnostic::error("released-changed", "this migration has been released, and was edited since")
        .at(file, file.first_word(file.part.clone()))
        .note("a database to which it was applied would be refused, and a new one would get another schema")
        .help(format!("restore the file as it was released: `git log -p -- {}` shows what was edited", file.name))
        .help("write what it was edited for as a new migration")
}

fn renamed(source: &Source, entry: &Entry) -> Diagnostic {
    Diagnostic::error("released-missing", format!("`{}` has been released, and is renamed", entry.file))
        .in_name(&source.up.name)
        .note("the name is part of what databases record, and they would be refused")
        .help(format!("name it `{}` again", entry.file))
}

/// Writes a file whole or not at all: beside its place, and renamed into it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("lock.new");
    let written = fs::File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
        // It holds nothing that is not to be had again.
        let _ = fs::remove_file(&draft);
    })
}
