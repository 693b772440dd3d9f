//! Where a database stands and what a boot would do, for a person.

use std::fmt;

use super::report::{PendingMigration, PlanReport, PlannedAction, Status};
use crate::estimate::about;
use crate::figure::{bytes, grouped, one_line, to_the_second};
use crate::report::{ErrorReport, HeldMigration, write_ahead};

impl PlannedAction {
    fn in_words(self) -> &'static str {
        match self {
            Self::Create => "would create",
            Self::Adopt => "would adopt and migrate",
            Self::Migrate => "would migrate",
            Self::Repair => "would repair",
            Self::Nothing => "would only verify",
            Self::Refuse => "would refuse",
        }
    }
}

impl fmt::Display for PendingMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {}", self.version, self.name)?;
        match self.creates.as_slice() {
            [] => Ok(()),
            [only] => write!(f, ": {only}"),
            many => write!(f, ": {}", counted(many)),
        }
    }
}

/// `2 tables, 4 indexes`, from descriptions that begin with the kind.
fn counted(objects: &[String]) -> String {
    let kinds =
        [("table", "tables"), ("column", "columns"), ("index", "indexes"), ("trigger", "triggers"), ("view", "views")];
    let count = |kind: &str| objects.iter().filter(|object| object.split(' ').next() == Some(kind)).count();
    let counts = kinds.iter().map(|(one, many)| match count(one) {
        0 => String::new(),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    });
    counts.filter(|count| !count.is_empty()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match (self.exists, self.version) {
            (false, _) => "does not exist".to_owned(),
            (true, None) => format!("unmanaged, {}", bytes(self.bytes)),
            (true, Some(version)) => {
                let adopted = if self.adopted { ", adopted" } else { "" };
                let head = if version > self.head { ", ahead of" } else { " of" };
                format!("version {version}{head} {}{adopted}, {}", self.head, bytes(self.bytes))
            }
        };
        writeln!(f, "{}: {version}", self.database)?;
        for row in &self.history {
            writeln!(f, "  applied    {:03} {} on {}", row.version, row.name, to_the_second(&row.applied_on))?;
        }
        for migration in &self.pending {
            writeln!(f, "  pending    {migration}")?;
        }
        write_held(f, &self.held)?;
        write_ahead(f, &self.ahead)?;
        for difference in &self.differences {
            writeln!(f, "  difference {}", one_line(difference))?;
        }
        for backup in &self.backups {
            writeln!(f, "  backup     {} ({})", backup.path.display(), bytes(backup.bytes))?;
        }
        for row in &self.audit {
            writeln!(f, "  audit      {} {}\n             by {}", to_the_second(&row.at), row.event, row.binary)?;
        }
        write_error(f, self.error.as_ref())
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from_version.map_or_else(|| "unmanaged".to_owned(), |version| version.to_string());
        writeln!(f, "{}: boot {}, {from} -> {}", self.database, self.action.in_words(), self.to_version)?;
        for migration in &self.pending {
            writeln!(f, "  pending    {migration}")?;
        }
        write_held(f, &self.held)?;
        for repair in &self.repairs {
            writeln!(f, "  repair     {}", one_line(repair))?;
        }
        for index in &self.indexes {
            let (name, size, rows) = (&index.name, bytes(index.bytes), grouped(index.rows));
            writeln!(f, "  index      {name}: about {size} for {rows} rows")?;
        }
        if self.backup_bytes > 0 {
            writeln!(f, "  backup     {}", bytes(self.backup_bytes))?;
        }
        if self.disk_needed > 0 {
            writeln!(f, "  disk       about {} needed, {} free", bytes(self.disk_needed), bytes(self.disk_available))?;
            writeln!(f, "  temporary  about {} for sorting", bytes(self.temporary_bytes))?;
        }
        for step in &self.steps {
            writeln!(f, "  step       {:<42} {:>15}", step.step, about(step.duration_ms))?;
        }
        if self.duration_ms.0 > 0.0 {
            writeln!(f, "  in all     {:>58}", about(self.duration_ms))?;
        }
        for lock in &self.locks {
            writeln!(f, "  lock       {lock}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note       {}", one_line(note))?;
        }
        write_error(f, self.error.as_ref())
    }
}

fn write_held(f: &mut fmt::Formatter<'_>, held: &[HeldMigration]) -> fmt::Result {
    held.iter().try_for_each(|held| writeln!(f, "  held       {:03} {}: {}", held.version, held.name, held.why))
}

fn write_error(f: &mut fmt::Formatter<'_>, error: Option<&ErrorReport>) -> fmt::Result {
    error.map_or(Ok(()), |error| writeln!(f, "a boot would refuse: {}\nhint: {}", error.message, error.hint))
}
