//! Where a database stands and what a boot would do, for a person.

use std::fmt;

use super::report::{HistoryReport, ManagedBy, PendingMigration, PlanReport, PlannedAction, Status};
use crate::estimate::about;
use crate::figure::{bytes, grouped, one_line, short_line, shown, to_the_second};
use crate::report::{ErrorReport, HeldMigration, write_ahead, write_list};

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

impl fmt::Display for ManagedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "managed by {} at version {}: would be taken over", self.tool, self.version)
    }
}

impl fmt::Display for PendingMigration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {}", self.version, self.name)?;
        match self.creates.as_slice() {
            [] => {}
            [only] => write!(f, ": {only}")?,
            many => write!(f, ": {}", counted(many))?,
        }
        if let Some(step) = self.step {
            write!(f, ", calls `{step}`")?;
        }
        self.no_transaction.map_or(Ok(()), |why| write!(f, ", outside the transaction: {why}"))
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
            (true, None) => match &self.managed_by {
                Some(managed) => format!("{managed}, {}", bytes(self.bytes)),
                None => format!("unmanaged, {}", bytes(self.bytes)),
            },
            (true, Some(version)) => {
                let adopted = if self.adopted { ", adopted" } else { "" };
                let head = if version > self.head { ", ahead of" } else { " of" };
                format!("version {version}{head} {}{adopted}, {}", self.head, bytes(self.bytes))
            }
        };
        writeln!(f, "{}: {version}", one_line(&self.database))?;
        // What refinery alone has written is our own history already.
        if let Some(managed) = self.managed_by.as_ref().filter(|_| self.version.is_some()) {
            writeln!(f, "  {managed}")?;
        }
        let applied =
            |row: &HistoryReport| format!("{:03} {} on {}", row.version, row.name, to_the_second(&row.applied_on));
        write_list(f, "applied", &self.history.iter().map(applied).collect::<Vec<_>>())?;
        for migration in &self.pending {
            writeln!(f, "  pending    {migration}")?;
        }
        write_held(f, &self.held)?;
        write_ahead(f, &self.ahead)?;
        write_list(f, "difference", &self.differences)?;
        let backups: Vec<String> =
            self.backups.iter().map(|backup| format!("{} ({})", shown(&backup.path), bytes(backup.bytes))).collect();
        write_list(f, "backup", &backups)?;
        for row in &self.audit {
            let what =
                format!("{} {}{}", to_the_second(&row.at), row.event, versions(row.from_version, row.to_version));
            writeln!(f, "  audit      {}\n             by {}", short_line(&what), short_line(&row.binary))?;
        }
        write_error(f, self.error.as_ref())
    }
}

/// ` 2 -> 3`, as far as they are known.
fn versions(from: Option<i64>, to: Option<i64>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!(" {from} -> {to}"),
        (None, Some(to)) => format!(" -> {to}"),
        (_, None) => String::new(),
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: boot {}", one_line(&self.database), self.action.in_words())?;
        // A refused boot goes nowhere, and a history that cannot be continued may name no version to begin with.
        if self.action == PlannedAction::Refuse {
            writeln!(f)?;
        } else {
            let from = self.from_version.map_or_else(|| "unmanaged".to_owned(), |version| version.to_string());
            writeln!(f, ", {from} -> {}", self.to_version)?;
        }
        if let Some(managed) = &self.managed_by {
            writeln!(f, "  {managed}")?;
        }
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
        write_list(f, "note", &self.notes)?;
        write_error(f, self.error.as_ref())
    }
}

fn write_held(f: &mut fmt::Formatter<'_>, held: &[HeldMigration]) -> fmt::Result {
    held.iter().try_for_each(|held| writeln!(f, "  held       {:03} {}: {}", held.version, held.name, held.why))
}

fn write_error(f: &mut fmt::Formatter<'_>, error: Option<&ErrorReport>) -> fmt::Result {
    error.map_or(Ok(()), |error| writeln!(f, "a boot would refuse: {}\nhint: {}", error.message, error.hint))
}
