//! A compiled schema together with what else the binary knows of itself.

use std::sync::OnceLock;

use bootproof_catalog::{Fingerprint, source};

use crate::compiled::{Compiled, Contract, Migration, ObjectKind, Replaced};
use crate::error::Error;
pub use crate::steps::StepResult;
use crate::steps::Steps;

/// What a binary carries: the compiled migrations, the files they were compiled from, and who it is.
///
/// Built once, when first used, by the application's crate:
///
/// ```ignore
/// pub static SCHEMA: Lazy<Schema> = Lazy::new(|| {
///     Schema::new("my-app", &generated::COMPILED)
///         .with_sources(files(&MIGRATIONS))
///         .with_build(concat!("my-app ", env!("CARGO_PKG_VERSION"), ", built ", build_time_utc!()))
/// });
/// ```
#[derive(Debug)]
pub struct Schema {
    name: &'static str,
    build: &'static str,
    database: Option<&'static str>,
    history_table: Option<&'static str>,
    compiled: &'static Compiled,
    contracts: &'static [Contract],
    sources: Vec<Source>,
    steps: Steps,
    row_limits: Vec<(&'static str, u64)>,
    resting: OnceLock<Vec<Resting>>,
    disagreements: OnceLock<Vec<String>>,
    template: OnceLock<Vec<u8>>,
}

/// A version at which boots of this binary leave a database: head, or the version below a migration that waits for permission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    pub(crate) version: i64,
    /// What tells the migrations up to it from all others, in 128 bits. Those above it have no part in it: a program that brings
    /// new ones, and may not run them yet, knows the file again that the program before it has left.
    pub(crate) identity: u128,
}

/// One file of the migrations directory, as it was embedded in the binary.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Its path relative to the migrations directory, with `/` between the parts.
    pub path: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

impl Schema {
    /// A compiled schema without embedded sources.
    #[must_use]
    pub fn new(name: &'static str, compiled: &'static Compiled) -> Self {
        Self {
            name,
            build: name,
            database: None,
            history_table: None,
            compiled,
            contracts: &[],
            sources: Vec::new(),
            steps: Steps::default(),
            row_limits: Vec::new(),
            resting: OnceLock::new(),
            disagreements: OnceLock::new(),
            template: OnceLock::new(),
        }
    }

    /// Adds the raw files, so that boot can check that the generated code was made from them.
    #[must_use]
    pub fn with_sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self.sources.sort_by_key(|source| source.path);
        self
    }

    /// Adds the stamp of the build, which every audit row carries.
    #[must_use]
    pub fn with_build(mut self, build: &'static str) -> Self {
        self.build = build;
        self
    }

    /// Adds the file that the operator's command takes when it is given none.
    #[must_use]
    pub fn with_default_database(mut self, path: &'static str) -> Self {
        self.database = Some(path);
        self
    }

    /// Names the table in which another tool has recorded what it applied, where it was told to use another one than it does by
    /// itself: goose's `-table`, golang-migrate's `x-migrations-table`, `set_migration_table_name` of refinery, and so on.
    ///
    /// Only this table is then looked for. A database that has tables, and neither this one nor a history of ours, is refused
    /// ([`Error::Malformed`]): it would otherwise be adopted as one that nobody has migrated.
    #[must_use]
    pub fn with_history_table(mut self, table: &'static str) -> Self {
        self.history_table = Some(table);
        self
    }

    /// The name of another tool's table, if it was given.
    pub(crate) fn history_table(&self) -> Option<&'static str> {
        self.history_table
    }

    /// Adds query contracts that were not compiled from the directory, such as those of a plug-in.
    #[must_use]
    pub fn with_contracts(mut self, contracts: &'static [Contract]) -> Self {
        self.contracts = contracts;
        self
    }

    /// Registers the function that migrations call by this name, `-- bootproof: rust name "why"`: for what SQL cannot express.
    /// The generated code has a constant for every name, so that a misspelt one does not compile.
    ///
    /// It is called with the open transaction, behind the statements of its migration, and takes part in the same proof: it
    /// commits with everything else, or not at all. It reads what it likes and writes the tables that its migration names;
    /// another write, a change of the schema, `PRAGMA`, `ATTACH`, and whatever begins or ends a transaction or a savepoint are
    /// refused, and so fails the boot, whatever the function makes of the refusal. An error that it returns and a panic roll the
    /// boot back ([`Error::StepFailed`](crate::Error::StepFailed)). For a new database it is called as well, on what the
    /// migrations before it have inserted.
    ///
    /// The checksum of the migration covers the name and not the function: like the file, it is not changed once released.
    ///
    /// # Examples
    ///
    /// ```
    /// use bootproof::{Schema, StepResult};
    /// use rusqlite::Connection;
    ///
    /// fn lower_emails(transaction: &Connection) -> StepResult {
    ///     let mut read = transaction.prepare("SELECT id, email FROM users")?;
    ///     let mut write = transaction.prepare("UPDATE users SET email = ?2 WHERE id = ?1")?;
    ///     for row in read.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))? {
    ///         let (id, email) = row?;
    ///         // SQLite's lower() knows ASCII only.
    ///         write.execute((id, email.to_lowercase()))?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # fn schema(compiled: &'static bootproof::compiled::Compiled) -> Schema {
    /// Schema::new("my-app", compiled).with_step("lower_emails", lower_emails)
    /// # }
    /// ```
    #[must_use]
    pub fn with_step(
        mut self,
        name: &'static str,
        step: impl Fn(&rusqlite::Connection) -> StepResult + Send + Sync + 'static,
    ) -> Self {
        self.steps.register(name, step);
        self
    }

    /// The functions that migrations call.
    pub(crate) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// Adds how many rows the application expects a table to have at most: [`Boot::measure`](crate::Boot::measure) tells it
    /// beside the rows there are, and the operator's command `health` warns where there are more.
    #[must_use]
    pub fn with_row_limit(mut self, table: &'static str, rows: u64) -> Self {
        self.row_limits.push((table, rows));
        self
    }

    /// How many rows the application expects its tables to have at most, for those of which it knows.
    #[must_use]
    pub fn row_limits(&self) -> &[(&'static str, u64)] {
        &self.row_limits
    }

    /// Every query contract: those compiled, then those added.
    pub fn contracts(&self) -> impl Iterator<Item = &'static Contract> + use<> {
        self.compiled.contracts.iter().chain(self.contracts)
    }

    /// The file that the operator's command takes when it is given none.
    #[must_use]
    pub fn default_database(&self) -> Option<&'static str> {
        self.database
    }

    /// The name of the schema, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The stamp of the build.
    #[must_use]
    pub fn build(&self) -> &'static str {
        self.build
    }

    /// The generated data.
    #[must_use]
    pub fn compiled(&self) -> &'static Compiled {
        self.compiled
    }

    /// The embedded files, by path.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where boots leave a database, head first.
    pub(crate) fn resting(&self) -> &[Resting] {
        self.resting.get_or_init(|| {
            let migrations = self.compiled.migrations;
            let is_below_a_gate =
                |after: usize| migrations.get(after).is_none_or(|migration| migration.maintenance.is_some());
            let ends = (1..=migrations.len()).rev().filter(|after| is_below_a_gate(*after));
            ends.filter_map(|after| migrations.get(..after)).filter_map(Resting::after).collect()
        })
    }

    /// The bytes of a new database, for those that a process makes in memory after the first.
    pub(crate) fn template(&self) -> &OnceLock<Vec<u8>> {
        &self.template
    }

    /// The newest version compiled; -1, below every version, where there is none.
    #[must_use]
    pub fn head(&self) -> i64 {
        self.compiled.migrations.last().map_or(-1, |migration| migration.version)
    }

    /// Whether a migration calls a function of the application: the image of an empty database lacks what that did.
    pub(crate) fn has_steps(&self) -> bool {
        self.compiled.migrations.iter().any(|migration| migration.step.is_some())
    }

    /// Whether a migration has inserted what a function of the application gives: the image has NULL there.
    pub(crate) fn has_stand_ins(&self) -> bool {
        !self.compiled.image.stand_ins.is_empty()
    }

    /// Whether a migration runs outside the transaction.
    pub(crate) fn goes_outside(&self) -> bool {
        self.compiled.migrations.iter().any(|migration| migration.no_transaction.is_some())
    }

    /// The migration that an existing database without history is recognised by.
    #[must_use]
    pub fn baseline(&self) -> Option<&'static Migration> {
        self.compiled.migrations.first()
    }

    /// The migration of this version.
    #[must_use]
    pub fn migration(&self, version: i64) -> Option<&'static Migration> {
        self.compiled.migrations.iter().find(|migration| migration.version == version)
    }

    /// What the baseline stands for of this version, since it was made of several migrations.
    pub(crate) fn replaced(&self, version: i64) -> impl Iterator<Item = &'static Replaced> {
        self.compiled.replaces.iter().filter(move |replaced| replaced.version == version)
    }

    /// Refuses a database that is on the way to a baseline which stands for the whole of it.
    pub(crate) fn refuse_below_baseline(&self, version: i64) -> Result<(), Error> {
        let Some(baseline) = self.baseline().filter(|baseline| version < baseline.version) else { return Ok(()) };
        if self.replaced(version).next().is_none() {
            return Ok(());
        }
        let last = self.replaced(baseline.version).next().map_or("", |replaced| replaced.name);
        Err(Error::BelowBaseline {
            version,
            baseline: baseline.title(),
            last: format!("{:03}_{last}", baseline.version),
        })
    }

    /// Whether some migration creates a table of this name, given in lower case.
    #[must_use]
    pub fn declares(&self, table: &str) -> bool {
        let creates = self.compiled.migrations.iter().flat_map(|migration| migration.creates);
        creates.filter(|object| object.kind == ObjectKind::Table).any(|object| object.name.eq_ignore_ascii_case(table))
    }

    /// Where the generated code and the embedded files disagree, in words; empty where no files were embedded.
    ///
    /// A disagreement means that the build was mixed from two states of the directory.
    #[must_use]
    pub fn disagreements(&self) -> &[String] {
        if self.sources.is_empty() {
            return &[];
        }
        // Whatever a boot would find out of a constant, the first has found.
        self.disagreements.get_or_init(|| self.compare_sources())
    }

    fn compare_sources(&self) -> Vec<String> {
        let mut disagreements = Vec::new();
        for migration in self.compiled.migrations {
            let source = self.sources.iter().find(|source| source.path == migration.file);
            match source.map(|source| source::normalise(source.bytes)) {
                None => disagreements.push(format!("`{}` was compiled but is not embedded", migration.file)),
                Some(Ok(text)) if is_way_there(&text, migration.sql) => {}
                Some(_) => disagreements.push(format!("`{}` differs from what was compiled", migration.file)),
            }
        }
        for source in &self.sources {
            let is_compiled = self.compiled.migrations.iter().any(|migration| migration.file == source.path);
            if !is_compiled && is_named_as_migration(source.path) {
                disagreements.push(format!("`{}` is embedded but was not compiled", source.path));
            }
        }
        disagreements
    }
}

impl Resting {
    fn after(migrations: &[Migration]) -> Option<Self> {
        let parts: Vec<_> = migrations
            .iter()
            .map(|migration| {
                let (version, checksum) = (migration.version.to_le_bytes(), migration.checksum.to_le_bytes());
                (version, checksum, migration.fingerprint.to_le_bytes())
            })
            .collect();
        let bytes = parts.iter().flat_map(|(version, checksum, schema)| [version.as_slice(), checksum, schema]);
        let identity = Fingerprint::of_bytes(std::iter::once(env!("CARGO_PKG_VERSION").as_bytes()).chain(bytes)).0;
        migrations.last().map(|last| Self { version: last.version, identity })
    }
}

/// Whether a file is what was compiled: all of it, or all before the way back where goose or dbmate have both in one file.
/// The way back may be mended after the release.
fn is_way_there(text: &str, compiled: &str) -> bool {
    text.strip_prefix(compiled).is_some_and(|rest| {
        let marker = rest.lines().next().unwrap_or_default().trim().strip_prefix("--").unwrap_or_default();
        let words: Vec<_> = marker.split_whitespace().map(str::to_ascii_lowercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        rest.is_empty() || matches!(words.as_slice(), ["+goose", "down"] | ["migrate:down", ..])
    })
}

/// Whether the compiler, in whatever layout, would have compiled an SQL file or refused it: every one but contracts, ways
/// back, and what is hidden.
fn is_named_as_migration(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(stem) = name.strip_suffix(".sql") else { return false };
    let is_way_back = stem.rsplit('.').next() == Some("down") || is_flyways_way_back(stem);
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    !(is_way_back || is_hidden || folder == "queries" || folder.starts_with("queries/"))
}

/// `U1__name`, which refinery would compile.
fn is_flyways_way_back(stem: &str) -> bool {
    stem.strip_prefix('U').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__"))
}

impl Migration {
    /// Its version and name as the file is called, or its directory: `001_add_composite_indexes`.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let title = self.file.strip_suffix(".sql").unwrap_or(self.file);
        ["/migration", "/up", ".up"].iter().find_map(|end| title.strip_suffix(end)).unwrap_or(title)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_named_as_migration, is_way_there};

    #[test]
    fn a_file_is_what_was_compiled_up_to_its_way_back() {
        assert!(is_way_there("A;\n", "A;\n"));
        assert!(!is_way_there("A;\nB;\n", "A;\n"));
        assert!(!is_way_there("A;\n-- B\n", "A;\n"));
        assert!(is_way_there("-- +goose Up\nA;\n--  +goose  down\nB;\n", "-- +goose Up\nA;\n"));
        assert!(is_way_there("-- migrate:up\nA;\n-- migrate:down transaction:false\nB;\n", "-- migrate:up\nA;\n"));
        assert!(!is_way_there("-- +goose Up\nB;\n-- +goose Down\n", "-- +goose Up\nA;\n"));
    }

    #[test]
    fn migrations_are_embedded_in_any_layout() {
        for path in ["1_a.sql", "1_a.up.sql", "2025-01-31-120000_a/up.sql", "2025_a/migration.sql", "sub/V1.2__a.sql"] {
            assert!(is_named_as_migration(path), "{path}");
        }
        for path in ["1_a.down.sql", "2025_a/down.sql", "U1__a.sql", "queries/a.sql", ".old/1_a.sql", "meta/a.json"] {
            assert!(!is_named_as_migration(path), "{path}");
        }
    }
}
