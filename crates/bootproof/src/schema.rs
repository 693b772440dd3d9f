//! A compiled schema together with what else the binary knows of itself.

use std::sync::OnceLock;

use bootproof_catalog::{Fingerprint, source};

use crate::compiled::{Compiled, Contract, Migration, ObjectKind};

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
    compiled: &'static Compiled,
    contracts: &'static [Contract],
    sources: Vec<Source>,
    row_limits: Vec<(&'static str, u64)>,
    identity: OnceLock<u128>,
    disagreements: OnceLock<Vec<String>>,
    template: OnceLock<Vec<u8>>,
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
            compiled,
            contracts: &[],
            sources: Vec::new(),
            row_limits: Vec::new(),
            identity: OnceLock::new(),
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

    /// Adds query contracts that were not compiled from the directory, such as those of a plug-in.
    #[must_use]
    pub fn with_contracts(mut self, contracts: &'static [Contract]) -> Self {
        self.contracts = contracts;
        self
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

    /// What tells these migrations from all others, in 128 bits.
    pub(crate) fn identity(&self) -> u128 {
        *self.identity.get_or_init(|| {
            let migrations = self.compiled.migrations.iter();
            let parts = migrations.map(|migration| {
                let (version, checksum) = (migration.version.to_le_bytes(), migration.checksum.to_le_bytes());
                (version, checksum, migration.fingerprint.to_le_bytes())
            });
            let parts: Vec<_> = parts.collect();
            let bytes = parts.iter().flat_map(|(version, checksum, schema)| [version.as_slice(), checksum, schema]);
            Fingerprint::of_bytes(std::iter::once(env!("CARGO_PKG_VERSION").as_bytes()).chain(bytes)).0
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
        // Whatever a boot would find out of a constant, the first has found.
        self.disagreements.get_or_init(|| self.compare_sources())
    }

    fn compare_sources(&self) -> Vec<String> {
        if self.sources.is_empty() {
            return Vec::new();
        }
        let mut disagreements = Vec::new();
        for migration in self.compiled.migrations {
            let source = self.sources.iter().find(|source| source.path == migration.file);
            match source.map(|source| source::normalise(source.bytes)) {
                None => disagreements.push(format!("`{}` was compiled but is not embedded", migration.file)),
                Some(Ok(text)) if text == migration.sql => {}
                Some(_) => disagreements.push(format!("`{}` differs from what was compiled", migration.file)),
            }
        }
        for source in &self.sources {
            let is_migration =
                !source.path.contains('/') && source.path.strip_suffix(".sql").is_some_and(|name| !name.contains('.'));
            if is_migration && !self.compiled.migrations.iter().any(|migration| migration.file == source.path) {
                disagreements.push(format!("`{}` is embedded but was not compiled", source.path));
            }
        }
        disagreements
    }
}

impl Migration {
    /// Its version and name as the file is called: `001_add_composite_indexes`.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.file.strip_suffix(".sql").unwrap_or(self.file)
    }
}
