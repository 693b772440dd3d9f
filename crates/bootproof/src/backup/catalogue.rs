//! What there is to restore: every backup beside a database, and whether it is still what was written.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::digest::{self, Digest, Recorded};
use super::{copy, names};
use crate::audit;
use crate::connection::{self, Session};
use crate::error::{Error, storage};
use crate::event::Step;
use crate::files::{self, beside, directory};
use crate::history;
use crate::integrity;
use crate::options::{Integrity, Options};
use crate::report::displayed;
use crate::watch::Watch;

/// Who made which backup is worth a moment of waiting, not more: the list is wanted most when the database is stuck.
const PATIENCE: Duration = Duration::from_secs(1);

/// The backups beside a database; serialises to the JSON of `backups --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Backups {
    /// The database file, as it was given.
    pub database: String,
    /// The directory that all of them are in.
    #[serde(serialize_with = "displayed")]
    pub directory: PathBuf,
    /// The backups, the newest first.
    pub backups: Vec<KnownBackup>,
}

/// One backup.
#[derive(Clone, Debug, Serialize)]
pub struct KnownBackup {
    /// Where it is.
    #[serde(serialize_with = "displayed")]
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was made, in RFC 3339 with the local offset: by its name, or where that has no time, when it was last
    /// written.
    pub made_at: Option<String>,
    /// How long ago that is; 0 for a time to come.
    pub age_seconds: u64,
    /// The version of its history; `None` where it has none, or cannot be read.
    pub version: Option<i64>,
    /// Whether a digest was recorded beside it.
    pub has_digest: bool,
    /// Who made it.
    pub origin: Origin,
    /// What an examination found; `None` where none was asked for.
    pub condition: Option<Condition>,
    /// What is wrong with it, in a sentence.
    pub problem: Option<String>,
}

/// Who made a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A boot, before it migrated: the audit table of the database says so.
    Boot,
    /// Somebody, with this library's command or function: it has a digest.
    Operator,
    /// Somebody, in another way.
    HandMade,
}

/// Whether a backup can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It is what was written, and a sound database.
    Sound,
    /// It is a sound database; what was written, nobody recorded.
    NoDigestButSound,
    /// It is not what was written.
    DigestDiffers,
    /// It is not a sound database, or cannot be read.
    Damaged,
}

impl Condition {
    /// Whether it is a database that can be relied on.
    #[must_use]
    pub fn is_sound(self) -> bool {
        matches!(self, Self::Sound | Self::NoDigestButSound)
    }
}

impl Backups {
    /// The list as one JSON object on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers, lists: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Lists the backups of a database, which itself may be missing or damaged; examined on request.
pub(crate) fn of(path: &Path, name: String, options: &Options, examine: bool, watch: &Watch) -> Result<Backups, Error> {
    let by_boots = made_by_boots(path, options, watch);
    let now = Timestamp::now();
    let mut backups = Vec::new();
    for (made, file) in newest_first(path) {
        let mut backup = describe(path, &file, made, now, &by_boots);
        if examine {
            let (condition, problem) = watch.step(Step::VerifyBackup, 0, || self::examine(&file, watch))?;
            (backup.condition, backup.problem) = (Some(condition), problem);
        }
        backups.push(backup);
    }
    Ok(Backups { database: name, directory: directory(path).to_owned(), backups })
}

/// The files that are backups by their names, and when they were made.
fn newest_first(path: &Path) -> Vec<(Option<Zoned>, PathBuf)> {
    let is_backup = |file: &PathBuf| {
        let is_file = file.symlink_metadata().is_ok_and(|file| file.is_file());
        // A hard link to the database is no copy of it, and opening it would drop the database's locks.
        is_file && !names::is_companion(path, file) && !files::same(path, file)
    };
    let mut found: Vec<_> =
        beside(path, names::BACKUP).into_iter().filter(is_backup).map(|file| (made_at(path, &file), file)).collect();
    found.sort_by(|(first, first_file), (second, second_file)| {
        let time = |made: &Option<Zoned>| made.as_ref().map(Zoned::timestamp);
        time(second).cmp(&time(first)).then_with(|| second_file.cmp(first_file))
    });
    found
}

/// The time in the name, or of the last change.
fn made_at(path: &Path, file: &Path) -> Option<Zoned> {
    let stamped = || {
        let time = jiff::civil::DateTime::strptime("%Y%m%d_%H%M%S", names::stamp_of(path, file)?).ok()?;
        time.to_zoned(TimeZone::system()).ok()
    };
    let written = || -> Option<Zoned> {
        let written: SystemTime = file.metadata().ok()?.modified().ok()?;
        Some(Timestamp::try_from(written).ok()?.to_zoned(TimeZone::system()))
    };
    stamped().or_else(written)
}

fn describe(path: &Path, file: &Path, made: Option<Zoned>, now: Timestamp, by_boots: &[String]) -> KnownBackup {
    let has_digest = matches!(digest::recorded(file), Ok(Recorded::Digest(_)));
    let has_our_name = names::stamp_of(path, file).is_some();
    let name = file.file_name().unwrap_or_default();
    let origin = match () {
        () if by_boots.iter().any(|made| made.as_str() == name) => Origin::Boot,
        () if has_digest && has_our_name => Origin::Operator,
        () => Origin::HandMade,
    };
    let age = made.as_ref().map(|made| now.duration_since(made.timestamp()).as_secs());
    KnownBackup {
        path: file.to_owned(),
        bytes: file.metadata().map(|file| file.len()).unwrap_or_default(),
        made_at: made.map(|made| made.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        age_seconds: age.and_then(|age| u64::try_from(age).ok()).unwrap_or_default(),
        version: version(file),
        has_digest,
        origin,
        condition: None,
        problem: None,
    }
}

/// The version in the history of a backup.
fn version(file: &Path) -> Option<i64> {
    let entries = history::read(&copy::open_immutable(file).ok()?).ok()??;
    Some(entries.last()?.version)
}

/// Reads a backup from beginning to end. Fails only where that was called off.
pub(super) fn examine(file: &Path, watch: &Watch) -> Result<(Condition, Option<String>), Error> {
    let unread = |error| storage("read", file, &error);
    let examined = || {
        let recorded = digest::recorded(file)?;
        if recorded != Recorded::Nothing {
            let found = Digest::of(file, watch).map_err(|stopped| stopped.or(unread))?;
            if recorded != Recorded::Digest(found.clone()) {
                return Ok((Condition::DigestDiffers, Some(format!("its digest is {found}, and another is recorded"))));
            }
        }
        let mut connection = copy::open_immutable(file)?;
        watch.attach(&mut connection).map_err(|error| Error::from_sqlite("examining a backup", error))?;
        integrity::by_sqlite(&connection, Integrity::Quick)?;
        let is_recorded = recorded != Recorded::Nothing;
        Ok((if is_recorded { Condition::Sound } else { Condition::NoDigestButSound }, None))
    };
    match examined() {
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(error) => Ok((Condition::Damaged, Some(error.to_string()))),
        examined => examined,
    }
}

/// The names that the audit table of the database has recorded, as far as that can be read.
fn made_by_boots(path: &Path, options: &Options, watch: &Watch) -> Vec<String> {
    let read = || {
        if !files::exists(path)? {
            return Ok(Vec::new());
        }
        let mut connection = connection::open_to_look(path)?;
        let session = Session::new(&mut connection, path, options.lock_timeout.min(PATIENCE), watch)?;
        session.begin_read()?;
        let made = audit::backups(session.connection);
        session.rollback();
        made
    };
    read().unwrap_or_else(|error: Error| {
        log::debug!("who made which backup is not known: {error}");
        Vec::new()
    })
}
