//! What a restore did, for a person and for a program.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::copy::Proof;
use crate::backup::digest::{self, Digest, Recorded};
use crate::error::Error;
use crate::figure::{bytes, one_line, shown};
use crate::report::{Check, Milliseconds, displayed};

/// The result of a restore; serialises to the JSON of `restore --json`.
#[derive(Clone, Debug, Serialize)]
pub struct RestoreReport {
    /// The database file, as it was given.
    pub database: String,
    /// The backup that it is now, byte for byte.
    #[serde(serialize_with = "displayed")]
    pub backup: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its version; `None` where it is unmanaged.
    pub version: Option<i64>,
    /// The file that was replaced; `None` where there was none.
    pub replaced: Option<Replaced>,
    /// Whether the backup was what was once written.
    pub digest: DigestCheck,
    /// What was proven of it before it took the database's place.
    pub checks: Vec<Check>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// How long it took.
    pub duration_ms: Milliseconds,
}

/// A file that was replaced, with what of its log could not be folded in beside it, as `-wal` or `-journal`.
#[derive(Clone, Debug, Serialize)]
pub struct Replaced {
    /// Where it is kept.
    #[serde(serialize_with = "displayed")]
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// What became of comparing a backup with its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestCheck {
    /// It has the digest recorded beside it.
    Matched,
    /// None is recorded.
    NotRecorded,
}

impl Replaced {
    /// The file that is kept there, if there is one.
    pub(super) fn at(path: PathBuf) -> Option<Self> {
        let bytes = path.metadata().ok()?.len();
        Some(Self { path, bytes })
    }
}

impl RestoreReport {
    pub(super) fn new(database: String, backup: PathBuf) -> Self {
        Self {
            database,
            backup,
            bytes: 0,
            version: None,
            replaced: None,
            digest: DigestCheck::NotRecorded,
            checks: Vec::new(),
            notes: Vec::new(),
            duration_ms: Milliseconds::default(),
        }
    }

    /// Compares the digest that a backup has with the one beside it.
    pub(super) fn compare(&mut self, backup: &Path, found: Option<&Digest>) -> Result<(), Error> {
        let found = found.map(ToString::to_string).unwrap_or_default();
        let differs =
            |recorded| Err(Error::DigestDiffers { backup: backup.to_owned(), recorded, found: found.clone() });
        match digest::recorded(backup)? {
            Recorded::Nothing => {
                self.digest = DigestCheck::NotRecorded;
                self.notes
                    .push("no digest is recorded beside the backup: it was checked as a database only".to_owned());
            }
            Recorded::Digest(recorded) if recorded.to_string() == found => self.digest = DigestCheck::Matched,
            Recorded::Digest(recorded) => return differs(recorded.to_string()),
            Recorded::Nonsense => return differs("something that is none".to_owned()),
        }
        Ok(())
    }

    pub(super) fn accept(&mut self, proof: Proof) {
        self.version = proof.version;
        self.checks = proof.checks;
    }

    /// The report as one JSON object on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers, lists: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.map_or_else(|| "unmanaged".to_owned(), |version| format!("version {version}"));
        writeln!(f, "restored {version} in {}: {}", self.duration_ms, one_line(&self.database))?;
        let digest = match self.digest {
            DigestCheck::Matched => "digest matched",
            DigestCheck::NotRecorded => "no digest recorded",
        };
        writeln!(f, "  backup     {} ({}, {digest})", shown(&self.backup), bytes(self.bytes))?;
        if let Some(replaced) = &self.replaced {
            writeln!(f, "  replaced   {} ({})", shown(&replaced.path), bytes(replaced.bytes))?;
        }
        for check in &self.checks {
            let (name, took) = (check.name.name(), check.duration_ms);
            writeln!(f, "  passed     {name:<13} {took:>9}  {}", check.detail)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note       {note}"))
    }
}
