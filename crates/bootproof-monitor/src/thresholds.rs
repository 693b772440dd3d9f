//! The thresholds: what is too much. Defaults, and a TOML file where they do not fit.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// From where on an alert is raised; `None` never, which a file says as `"off"`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// The bytes of the database.
    #[serde(deserialize_with = "size")]
    pub database_size: Option<u64>,
    /// The bytes of its write-ahead log. SQLite folds it in when it has 4 MB; a log of sixteen times that means a reader
    /// that never ends, or a very large transaction.
    #[serde(deserialize_with = "size")]
    pub wal_size: Option<u64>,
    /// The share of pages that hold nothing.
    #[serde(deserialize_with = "share")]
    pub free_share: Option<f64>,
    /// The fragmentation of an index, where also [`Thresholds::unused_share`] is crossed. By itself it is how every index
    /// looks that grew along with its table, each in turn taking the next page of the file: with a million rows inserted
    /// in order, a UNIQUE index came to 100 %, 13 % of it unused, and answered as ever.
    #[serde(deserialize_with = "share")]
    pub fragmentation: Option<f64>,
    /// The share of a fragmented index that holds nothing. Random insertion leaves about 31 % (its pages are ln 2 full on
    /// average); more means that rows were deleted, and that making the index anew gives something back.
    #[serde(deserialize_with = "share")]
    pub unused_share: Option<f64>,
    /// Below so many pages neither free pages nor fragmentation matter.
    pub least_pages: u64,
    /// The median of a query contract, in budgets.
    #[serde(deserialize_with = "factor")]
    pub budget_factor: Option<f64>,
    /// A single run of a query.
    #[serde(deserialize_with = "duration")]
    pub query_time: Option<Duration>,
    /// Rows without a date.
    #[serde(deserialize_with = "count")]
    pub undated_rows: Option<u64>,
    /// Migrations that a boot would apply.
    #[serde(deserialize_with = "count")]
    pub pending_migrations: Option<u64>,
    /// The age of the newest backup.
    #[serde(deserialize_with = "duration")]
    pub backup_age: Option<Duration>,
    /// The rows of tables; for those not named what the application's schema says.
    pub rows: BTreeMap<String, Rows>,
}

/// The most rows of a table; `None` for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Rows(
    /// The number.
    #[serde(deserialize_with = "count")]
    pub Option<u64>,
);

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            database_size: Some(2_000_000_000),
            wal_size: Some(64_000_000),
            free_share: Some(0.25),
            fragmentation: Some(0.5),
            unused_share: Some(0.4),
            least_pages: 100,
            budget_factor: Some(1.0),
            query_time: Some(Duration::from_secs(5)),
            undated_rows: Some(0),
            pending_migrations: Some(0),
            backup_age: None,
            rows: BTreeMap::new(),
        }
    }
}

impl Thresholds {
    /// Reads a file; what it does not name keeps its default.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, or which key is wrong, where, and what is allowed there.
    pub fn read(path: &Path) -> Result<Self, String> {
        let failed = |reason: &dyn fmt::Display| format!("`{}`: {reason}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        Self::parse(&text).map_err(|error| failed(&error.trim_end()))
    }

    /// Reads a text, as [`Thresholds::read`] a file.
    ///
    /// # Errors
    ///
    /// Which key is wrong, where, and what is allowed there.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

/// An integer of bytes, or a text such as `2 GB`: decimal units, as on a disk, or `MiB` and its kin.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    const UNITS: [(&str, f64); 9] = [
        ("B", 1.0),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
    ];
    let limit = Limit { expected: "bytes, as a whole number or a text such as \"2 GB\", or \"off\"", units: &UNITS };
    whole(deserializer.deserialize_any(limit)?)
}

/// A whole number.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    whole(deserializer.deserialize_any(Limit { expected: "a whole number of 0 or more, or \"off\"", units: &[] })?)
}

/// A text such as `5 s` or `24 h`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)];
    let expected = "seconds, as a number or a text such as \"5 s\", \"24 h\", \"7 d\", or \"off\"";
    let seconds = deserializer.deserialize_any(Limit { expected, units: &UNITS })?;
    let duration = |seconds| Duration::try_from_secs_f64(seconds).map_err(de::Error::custom);
    seconds.map(duration).transpose()
}

/// A number from 0 to 1.
fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let expected = "a number from 0 to 1, or \"off\"";
    match deserializer.deserialize_any(Limit { expected, units: &[] })? {
        Some(share) if share > 1.0 => Err(de::Error::invalid_value(de::Unexpected::Float(share), &expected)),
        share => Ok(share),
    }
}

/// A number.
fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    deserializer.deserialize_any(Limit { expected: "a number of 0 or more, or \"off\"", units: &[] })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: whole, and not negative")]
fn whole<E: de::Error>(number: Option<f64>) -> Result<Option<u64>, E> {
    match number {
        Some(number) if number.fract() > 0.0 => Err(E::invalid_value(de::Unexpected::Float(number), &"a whole number")),
        number => Ok(number.map(|number| number as u64)),
    }
}

/// A number, one with a unit, or `off`.
struct Limit {
    expected: &'static str,
    units: &'static [(&'static str, f64)],
}

impl Visitor<'_> for Limit {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "nobody sets a limit of more than 2^53")]
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.is_finite() && number >= 0.0 {
            Ok(Some(number))
        } else {
            Err(E::invalid_value(de::Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == "off" {
            return Ok(None);
        }
        let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let factor =
            self.units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).map(|(_, factor)| factor);
        match (number.parse::<f64>(), factor) {
            (Ok(number), Some(factor)) => Ok(Some(number * factor)),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_holds_every_default() {
        let text = include_str!("../../../deploy/health.toml");
        let example = Thresholds::parse(text).unwrap();
        let rows = [("logs", 1_000_000), ("worklogs", 5_000_000)];
        let rows = rows.into_iter().map(|(table, rows)| (table.to_owned(), Rows(Some(rows)))).collect();
        assert_eq!(example, Thresholds { rows, ..Thresholds::default() });
        let keys = text.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
        assert_eq!(keys, 11 + 2, "every key, and two tables");
        assert_eq!(Thresholds::parse("").unwrap(), Thresholds::default());
    }

    #[test]
    fn sizes_and_durations_have_units() {
        let size = |value: &str| Thresholds::parse(&format!("database_size = {value}")).unwrap().database_size;
        assert_eq!(size("1024"), Some(1024));
        assert_eq!(size("\"1.5 GB\""), Some(1_500_000_000));
        assert_eq!(size("\"64 MiB\""), Some(67_108_864));
        assert_eq!(size("\"2gb\""), Some(2_000_000_000));
        assert_eq!(size("\"off\""), None);
        let age = |value: &str| Thresholds::parse(&format!("backup_age = {value}")).unwrap().backup_age;
        assert_eq!(age("\"24 h\""), Some(Duration::from_hours(24)));
        assert_eq!(age("\"250 ms\""), Some(Duration::from_millis(250)));
        assert_eq!(age("90"), Some(Duration::from_secs(90)));
    }

    #[test]
    fn what_means_nothing_is_refused_with_its_place() {
        for (name, text) in [
            ("unknown-key", "database_size = 1\nwall_size = 5\n"),
            ("unknown-unit", "database_size = \"2 Gigs\""),
            ("negative", "wal_size = -1"),
            ("fraction", "database_size = 1.5"),
            ("no-share", "free_share = 25"),
            ("no-rows", "[rows]\nlogs = \"many\""),
            ("no-toml", "database_size ="),
            ("no-duration", "query_time = true"),
        ] {
            insta::assert_snapshot!(format!("thresholds-{name}"), Thresholds::parse(text).unwrap_err());
        }
    }
}
