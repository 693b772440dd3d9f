//! The list of backups, for a person at a terminal of 80 columns.

use std::fmt;

use super::catalogue::{Backups, Condition, KnownBackup, Origin};
use crate::figure::{bytes, one_line, shown};

/// What the columns after the name take of 80.
const NAME: usize = 34;

impl fmt::Display for Backups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backups.is_empty() {
            return writeln!(f, "no backups of {} in {}", one_line(&self.database), shown(&self.directory));
        }
        writeln!(f, "{}", shown(&self.directory))?;
        let [name, size, version, age, origin, condition] = ["backup", "size", "at", "age", "made by", "condition"];
        writeln!(f, "{name:<NAME$} {size:>8} {version:>4} {age:>6} {origin:<8} {condition}")?;
        self.backups.iter().try_for_each(|backup| backup.write_row(f))
    }
}

impl KnownBackup {
    fn write_row(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = one_line(&self.path.file_name().unwrap_or_default().to_string_lossy());
        // A long name is needed whole, to restore by it: it gets a line of its own.
        if name.chars().count() > NAME {
            write!(f, "{name}\n{:NAME$}", "")?;
        } else {
            write!(f, "{name:<NAME$}")?;
        }
        let version = self.version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        let origin = match self.origin {
            Origin::Boot => "boot",
            Origin::Operator => "operator",
            Origin::HandMade => "hand",
        };
        let condition = match self.condition {
            Some(Condition::Sound) => "sound",
            Some(Condition::NoDigestButSound) => "sound/no digest",
            Some(Condition::DigestDiffers) => "NOT AS MADE",
            Some(Condition::Damaged) => "DAMAGED",
            None if self.has_digest => "not examined",
            None => "no digest",
        };
        writeln!(f, " {:>8} {version:>4} {:>6} {origin:<8} {condition}", bytes(self.bytes), age(self.age_seconds))
    }
}

/// In the largest unit of which there are at least two.
fn age(seconds: u64) -> String {
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("min", 60)] {
        if seconds >= 2 * length {
            return format!("{} {unit}", seconds / length);
        }
    }
    format!("{seconds} s")
}
