//! What an application or an operator can choose about a boot.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::event::{Cancellation, Observer};

/// How a boot goes about its work. The defaults are the safe choice.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch")]
pub struct Options {
    /// How long to wait for another process that holds the database.
    pub lock_timeout: Duration,
    /// How much of the file is checked.
    pub integrity: Integrity,
    /// Which rows without a parent are acceptable.
    pub foreign_keys: ForeignKeys,
    /// Whether a migrating boot backs the database up first.
    pub backup: bool,
    /// How many backups to keep beside the database.
    pub keep_backups: usize,
    /// Whether the query contracts are timed, before and after.
    pub benchmark: bool,
    /// The newest version to migrate to; `None` for the head of the binary. A database beyond it is left where it is.
    pub target: Option<i64>,
    /// Whether a migration that waits for the operator's permission, by `-- bootproof: maintenance`, may run.
    pub maintenance: bool,
    /// Who is told how far the work is.
    pub observer: Option<Arc<dyn Observer>>,
    /// What calls the work off.
    pub cancellation: Cancellation,
    /// Whether the environment of the process overrules these options; see [`Options::with_environment`].
    pub environment: bool,
}

/// How much of a database file is checked before it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every page, every row, and every index against its table: finds what [`Integrity::Sqlite`] finds, in a tenth of the
    /// time with a million rows, on as many threads as there are processors, four at most.
    Full,
    /// `PRAGMA integrity_check`: SQLite's own check of the same (<https://sqlite.org/pragma.html#pragma_integrity_check>).
    Sqlite,
    /// Every page and every row, but no index against its table: finds what `PRAGMA quick_check` finds.
    Quick,
    /// Nothing. And of a database that carries the seal of an earlier boot, set when it was proven to be at head and broken by
    /// any change of the schema, a boot with nothing else to do reads no more than the header: foreign keys and query plans
    /// are not checked again either. Where the header has none, because its number is the application's or somebody ran
    /// `VACUUM`, the words of the schema are compared with those that were proven, and the same holds.
    Off,
}

/// Which violations of foreign keys are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKeys {
    /// None.
    Strict,
    /// Those that were there before the migration; they are reported. New ones refuse.
    NoNew,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_mins(5),
            integrity: Integrity::Full,
            foreign_keys: ForeignKeys::Strict,
            backup: true,
            keep_backups: 3,
            benchmark: false,
            target: None,
            maintenance: false,
            observer: None,
            cancellation: Cancellation::default(),
            environment: true,
        }
    }
}

impl Options {
    /// Lets the environment of the process overrule the program, so that an operator can start tonight without a
    /// rebuild.
    ///
    /// | variable | values |
    /// |---|---|
    /// | `BOOTPROOF_LOCK_TIMEOUT` | seconds |
    /// | `BOOTPROOF_INTEGRITY` | `full`, `sqlite`, `quick`, `off` |
    /// | `BOOTPROOF_FOREIGN_KEYS` | `strict`, `no-new` |
    /// | `BOOTPROOF_BACKUP` | `on`, `off` |
    /// | `BOOTPROOF_TARGET` | the newest version to migrate to |
    /// | `BOOTPROOF_MAINTENANCE` | `on` lets migrations run that wait for permission, `off` |
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] for a value that is none of these: a misspelt wish must not be ignored.
    pub fn with_environment(mut self, get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        if let Some(value) = get("BOOTPROOF_LOCK_TIMEOUT") {
            self.lock_timeout = parse("BOOTPROOF_LOCK_TIMEOUT", &value, parse_seconds, "a number of seconds")?;
        }
        if let Some(value) = get("BOOTPROOF_INTEGRITY") {
            self.integrity =
                parse("BOOTPROOF_INTEGRITY", &value, Integrity::parse, "`full`, `sqlite`, `quick` or `off`")?;
        }
        if let Some(value) = get("BOOTPROOF_FOREIGN_KEYS") {
            self.foreign_keys = parse("BOOTPROOF_FOREIGN_KEYS", &value, ForeignKeys::parse, "`strict` or `no-new`")?;
        }
        if let Some(value) = get("BOOTPROOF_BACKUP") {
            self.backup = parse("BOOTPROOF_BACKUP", &value, parse_switch, "`on` or `off`")?;
        }
        if let Some(value) = get("BOOTPROOF_TARGET") {
            self.target = Some(parse("BOOTPROOF_TARGET", &value, |text| text.parse().ok(), "a version")?);
        }
        if let Some(value) = get("BOOTPROOF_MAINTENANCE") {
            self.maintenance = parse("BOOTPROOF_MAINTENANCE", &value, parse_switch, "`on` or `off`")?;
        }
        Ok(self)
    }
}

impl Integrity {
    /// The level of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "sqlite" => Some(Self::Sqlite),
            "quick" => Some(Self::Quick),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

impl ForeignKeys {
    /// The policy of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "strict" => Some(Self::Strict),
            "no-new" => Some(Self::NoNew),
            _ => None,
        }
    }
}

fn parse<T>(
    variable: &'static str,
    value: &str,
    read: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<T, Error> {
    read(value).ok_or_else(|| Error::Environment { variable, value: value.to_owned(), expected })
}

fn parse_seconds(text: &str) -> Option<Duration> {
    text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_overrules_the_program() {
        let environment = |name: &str| match name {
            "BOOTPROOF_FOREIGN_KEYS" => Some("no-new".to_owned()),
            "BOOTPROOF_LOCK_TIMEOUT" => Some("1.5".to_owned()),
            _ => None,
        };
        let options = Options::default().with_environment(environment).unwrap();
        assert_eq!(options.foreign_keys, ForeignKeys::NoNew);
        assert_eq!(options.lock_timeout, Duration::from_millis(1500));
        assert_eq!(options.integrity, Integrity::Full);
    }

    #[test]
    fn a_misspelt_wish_is_not_ignored() {
        for value in ["", "none", "STRICT"] {
            let wish = |name: &str| (name == "BOOTPROOF_FOREIGN_KEYS").then(|| value.to_owned());
            assert_eq!(Options::default().with_environment(wish).unwrap_err().exit_code(), 2);
        }
    }
}
