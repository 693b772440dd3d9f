//! Writes the files that an author begins with: the next migration, and a query contract for an index that exists.
//!
//! Nothing is ever overwritten, and nothing is written that would go unnoticed: a new migration fails [`check`] until
//! there is something in it, and a new contract has been proven before its file appears.
//!
//! [`check`]: crate::check

mod contract;
mod error;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub use error::ScaffoldError;

use crate::dialect::{Numbered, parse_name};
use crate::rehearse;
use crate::source;

/// What a migration begins with. Without a statement it does not compile.
const MIGRATION: &str = "\
-- Say here what this migration changes and why: whoever reads it in a year starts with this line.
--
-- It runs once in every database, inside a transaction, and is recorded with its checksum. Once it has been applied
-- anywhere it is never edited: the next change is the next file. Put plain SQL in place of these lines, such as
--
--     ALTER TABLE orders ADD COLUMN note TEXT;
--     CREATE INDEX idx_orders_note ON orders (note);
";

/// A file that was written. Displays as its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffolded {
    /// Where it is.
    pub path: PathBuf,
}

impl fmt::Display for Scaffolded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Writes the next migration: `NNN_name.sql`, with the number after the highest and the name in snake case.
///
/// The number is as wide as the highest. Where that is a timestamp of 14 digits, it is the current time,
/// `YYYYMMDDHHMMSS` in UTC. The directory is made where it does not exist; the first number is then `001`.
///
/// The file holds comments alone: `check` reports it by the rule `no-statements` until there is something in it.
///
/// # Errors
///
/// A name without letters or digits, a name that is taken, no number left, a file or directory that cannot be written.
pub fn new_migration(directory: impl AsRef<Path>, name: &str) -> Result<Scaffolded, ScaffoldError> {
    new_migration_at(directory, name, SystemTime::now())
}

/// As [`new_migration`], at another time than now.
///
/// # Errors
///
/// As [`new_migration`].
pub fn new_migration_at(directory: impl AsRef<Path>, name: &str, now: SystemTime) -> Result<Scaffolded, ScaffoldError> {
    let directory = directory.as_ref();
    let name = snake_case(name.strip_suffix(".sql").unwrap_or(name))
        .ok_or_else(|| ScaffoldError::Nameless { given: name.to_owned() })?;
    let files = match source::list(directory) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(ScaffoldError::io("read", directory, error)),
    };
    let numbered: Vec<_> = files.iter().filter_map(|file| Some((parse_name(file)?, file))).collect();
    if let Some((_, file)) = numbered.iter().find(|(other, _)| other.name.eq_ignore_ascii_case(&name)) {
        return Err(ScaffoldError::MigrationExists { name, path: directory.join(file) });
    }
    let number = next_number(numbered.into_iter().map(|(numbered, _)| numbered), now)
        .ok_or_else(|| ScaffoldError::NoNumberLeft { directory: directory.to_owned() })?;
    write(&directory.join(format!("{number}_{name}.sql")), MIGRATION)
}

/// Writes a query contract for an index of the schema at head: `queries/NAME.sql`.
///
/// The query compares every column of the index, or every expression, with a parameter named after it, and the sampling
/// query picks the sets of parameters with the most rows. Both have been proven as they stand; where SQLite prefers
/// another index for all columns, the query compares as many of the first as it takes.
///
/// # Errors
///
/// A name that does not begin with a letter, a contract that exists, a directory that does not compile, an index that
/// does not exist or that no such query searches, a file or directory that cannot be written.
pub fn new_contract(directory: impl AsRef<Path>, name: &str, index: &str) -> Result<Scaffolded, ScaffoldError> {
    let directory = directory.as_ref();
    let name = snake_case(name.strip_suffix(".sql").unwrap_or(name))
        .ok_or_else(|| ScaffoldError::Nameless { given: name.to_owned() })?;
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(ScaffoldError::ContractNumbered { name });
    }
    let path = directory.join("queries").join(format!("{name}.sql"));
    // Else the proof would be of two contracts of that name.
    if path.symlink_metadata().is_ok() {
        return Err(ScaffoldError::FileExists { path });
    }
    let text = contract::proven(directory, &format!("queries/{name}.sql"), index)?;
    write(&path, &text)
}

/// Lower-case letters and digits with `_` between the words, if there are any.
fn snake_case(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut is_after_lower = false;
    for c in text.chars() {
        let is_between_words = !c.is_ascii_alphanumeric() || (is_after_lower && c.is_ascii_uppercase());
        if is_between_words && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        }
        is_after_lower = c.is_ascii_lowercase();
    }
    name.truncate(name.trim_end_matches('_').len());
    (!name.is_empty()).then_some(name)
}

/// The number after the highest, as it stands in a file name.
fn next_number<'a>(numbered: impl Iterator<Item = Numbered<'a>>, now: SystemTime) -> Option<String> {
    // What exceeds 64 bits is no version; `check` says so.
    let versions = numbered.filter_map(|file| Some((file.digits.parse::<i64>().ok()?, file.digits.len())));
    let Some((highest, width)) = versions.max() else { return Some("001".to_owned()) };
    let after = highest.checked_add(1)?;
    let is_timestamp = highest.to_string().len() == 14;
    // A migration must come last, even if the clock of the one before it was ahead or this is the same second.
    let number = if is_timestamp { after.max(timestamp(now)) } else { after };
    Some(format!("{number:0width$}"))
}

/// `YYYYMMDDHHMMSS`; 0 where there is no calendar for the time.
fn timestamp(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.and_then(|seconds| rehearse::timestamp(seconds).ok()).unwrap_or_default()
}

/// Writes a file that does not exist yet, and the directories to it.
fn write(path: &Path, text: &str) -> Result<Scaffolded, ScaffoldError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|error| ScaffoldError::io("create", directory, error))?;
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(ScaffoldError::FileExists { path: path.to_owned() });
        }
        Err(error) => return Err(ScaffoldError::io("create", path, error)),
    };
    file.write_all(text.as_bytes()).map_err(|error| {
        // Half a file is worse than none, and it is surely ours.
        let _ = fs::remove_file(path);
        ScaffoldError::io("write", path, error)
    })?;
    Ok(Scaffolded { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (given, name) in [
            ("Add Billing Index", "add_billing_index"),
            ("add_billing_index", "add_billing_index"),
            ("  --add: the   2nd index!", "add_the_2nd_index"),
            ("AddBillingIndex", "add_billing_index"),
            ("addJSONColumn", "add_jsoncolumn"),
            ("../../etc/passwd", "etc_passwd"),
            ("2fa", "2fa"),
        ] {
            assert_eq!(snake_case(given).as_deref(), Some(name), "{given}");
        }
        for given in ["", " ", "…", "_-_", "новое"] {
            assert_eq!(snake_case(given), None, "{given}");
        }
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queries/q.sql");
        assert_eq!(write(&path, "first").unwrap().path, path);
        let error = write(&path, "second").unwrap_err();
        assert!(matches!(&error, ScaffoldError::FileExists { path: existing } if *existing == path), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn the_calendar_is_that_of_utc() {
        let at = |seconds| timestamp(UNIX_EPOCH + std::time::Duration::from_secs(seconds));
        assert_eq!(at(0), 19_700_101_000_000);
        assert_eq!(at(1_709_251_199), 20_240_229_235_959);
        // The last second that fits into 14 digits, and the one after it, for which SQLite has no date.
        assert_eq!(at(253_402_300_799), 99_991_231_235_959);
        assert_eq!(at(253_402_300_800), 0);
        assert_eq!(timestamp(UNIX_EPOCH - std::time::Duration::from_secs(1)), 0);
    }
}
