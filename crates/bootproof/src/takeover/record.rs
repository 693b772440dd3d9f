//! What another tool's history says, and whether this binary can continue it. Pure.

use crate::compiled::Migration;
use crate::error::Error;
use crate::figure::one_line;
use crate::schema::Schema;

use super::text;

/// What a history is read with.
pub(super) struct Reading<'r> {
    pub(super) schema: &'r Schema,
    /// Whether the files are in the layout of the tool: then they have to be those that it applied. Whoever has brought
    /// them into another layout had to change them.
    pub(super) is_own: bool,
}

impl Reading<'_> {
    /// A migration with its checksum compared, by what this one says of a text.
    pub(super) fn compared(&self, version: i64, title: &str, is_checksum_of: impl Fn(&[u8]) -> bool) -> Record {
        // The text of what a baseline stands for is gone; what it did to the structure is not.
        if self.schema.replaced(version).next().is_some() {
            return Record::applied(version, title);
        }
        let is_edited = |migration: &&Migration| !text::any(self.schema, migration, &is_checksum_of);
        let state = match self.schema.migration(version).filter(is_edited) {
            Some(_) => State::Edited,
            None => State::Applied,
        };
        Record { state, ..Record::applied(version, title) }
    }

    /// Every migration up to a version, and that one whether it is known here or not.
    pub(super) fn up_to(&self, version: i64) -> Vec<Record> {
        let migrations = self.schema.compiled().migrations.iter().filter(|migration| migration.version < version);
        let before = migrations.map(|migration| Record::applied(migration.version, migration.title()));
        before.chain([Record::applied(version, "")]).collect()
    }
}

/// One migration in a history.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its version, as ours are counted; none where nobody can tell.
    pub(super) version: Option<i64>,
    /// What else the history says of it.
    pub(super) title: String,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Applied,
    /// Applied, with another text.
    Edited,
    /// Begun, or failed, or being taken back, and why that is known.
    Unfinished(String),
}

impl Record {
    /// A migration that is known by its version.
    pub(super) fn applied(version: i64, title: &str) -> Self {
        Self { version: Some(version), title: one_line(title), state: State::Applied }
    }

    pub(super) fn unknown(title: &str) -> Self {
        Self { version: None, title: one_line(title), state: State::Applied }
    }

    pub(super) fn unfinished(self, why: impl Into<String>) -> Self {
        Self { state: State::Unfinished(why.into()), ..self }
    }

    /// `3 add_index`
    fn shown(&self) -> String {
        let version = self.version.map(|version| version.to_string()).unwrap_or_default();
        format!("{version} {}", self.title).trim().to_owned()
    }
}

/// A whole history.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) records: Vec<Record>,
    /// What of it cannot be understood.
    pub(super) problems: Vec<String>,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}

impl History {
    /// One of each row; the reason why a row cannot be understood is a problem of the history.
    pub(super) fn of<T>(rows: &[T], record: impl Fn(&T) -> Result<Option<Record>, String>) -> Self {
        let mut history = Self::default();
        for row in rows {
            match record(row) {
                Ok(record) => history.records.extend(record),
                Err(problem) => history.problems.push(problem),
            }
        }
        history
    }

    /// The version that it names, or why it cannot be continued; `None` where it says nothing, or nothing of these
    /// migrations, whose numbers may be counted otherwise.
    pub(super) fn judge(
        &self,
        reading: &Reading<'_>,
        tool: &'static str,
        table: &'static str,
    ) -> Result<Option<i64>, Error> {
        let schema = reading.schema;
        let is_known = |record: &&Record| {
            let is_here =
                |version: i64| schema.migration(version).is_some() || schema.replaced(version).next().is_some();
            record.version.is_some_and(is_here)
        };
        if !reading.is_own && !self.records.iter().any(|record| is_known(&record)) {
            return Ok(None);
        }
        if !self.problems.is_empty() {
            return Err(Error::Malformed { table, problems: self.problems.clone() });
        }
        let unfinished = self.records.iter().filter_map(|record| match &record.state {
            State::Unfinished(why) => Some(format!("{}: {why}", record.shown())),
            State::Applied | State::Edited => None,
        });
        let unfinished: Vec<String> = unfinished.collect();
        if !unfinished.is_empty() {
            return Err(Error::HalfMigrated { tool, table, migrations: unfinished });
        }
        let Some(last) = self.records.iter().map(|record| record.version.unwrap_or(i64::MIN)).max() else {
            return Ok(None);
        };
        schema.refuse_below_baseline(last)?;
        let unknown: Vec<&Record> = self.records.iter().filter(|record| !is_known(record)).collect();
        if let Some(newest) = unknown.iter().find(|record| record.version == Some(last) && last > schema.head()) {
            let obstacle = format!("{} ({tool})", newest.shown());
            return Err(Error::Newer { version: last, head: schema.head(), obstacle });
        }
        self.refuse_missing(schema, tool, last, &unknown)?;
        self.refuse_edited(reading, tool)?;
        Ok(Some(last))
    }

    fn refuse_missing(&self, schema: &Schema, tool: &str, last: i64, unknown: &[&Record]) -> Result<(), Error> {
        let foreign = unknown
            .iter()
            .map(|record| format!("{} was applied by {tool}, and this binary does not have it", record.shown()));
        let is_recorded =
            |migration: &Migration| self.records.iter().any(|record| record.version == Some(migration.version));
        let migrations = schema.compiled().migrations.iter();
        let skipped = migrations
            .filter(|migration| migration.version < last && !is_recorded(migration))
            .map(|migration| format!("{} was never applied by {tool}, although {last} was", migration.title()));
        let migrations: Vec<String> = foreign.chain(skipped).collect();
        if migrations.is_empty() { Ok(()) } else { Err(Error::Missing { migrations }) }
    }

    fn refuse_edited(&self, reading: &Reading<'_>, tool: &str) -> Result<(), Error> {
        let migrations = self.edited(reading.schema).map(|title| {
            format!("{title} was applied by {tool} with another text: the checksum that it recorded is not the file's")
        });
        let migrations: Vec<String> = migrations.collect();
        if migrations.is_empty() || !reading.is_own { Ok(()) } else { Err(Error::Divergent { migrations }) }
    }

    /// The migrations whose text was another.
    pub(super) fn edited(&self, schema: &Schema) -> impl Iterator<Item = &'static str> {
        let edited = self.records.iter().filter(|record| record.state == State::Edited);
        edited.filter_map(|record| Some(schema.migration(record.version?)?.title()))
    }
}
