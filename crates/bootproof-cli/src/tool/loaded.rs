//! What was compiled just now, as a program would carry it that was built from it.
//!
//! The engine asks for data that lives as long as the program. Here it is leaked: a process compiles one directory, uses it
//! for its one command and ends.

use std::fs;
use std::path::Path;

use bootproof::compiled::{self, Compiled, Image, ObjectKind};
use bootproof::{Schema, Source};
use bootproof_build::{Compilation, Contract, Migration, Object, Replaced, Revert, Statement};

/// Where drizzle has the times by which its history names a migration.
const JOURNAL: &str = "meta/_journal.json";

/// The schema of a directory that compiled.
pub(super) fn schema(compilation: &Compilation, directory: &Path) -> Schema {
    let (migrations, contracts) = compilation.parts();
    let migrations: &[compiled::Migration] = migrations.iter().map(migration).collect::<Vec<_>>().leak();
    let compiled = Compiled {
        migrations,
        contracts: contracts.iter().map(contract).collect::<Vec<_>>().leak(),
        image: Image {
            compressed: compilation.compressed_image().leak(),
            size: compilation.image().len(),
            stand_ins: compilation.stand_ins().iter().map(|name| text(name)).collect::<Vec<_>>().leak(),
        },
        sqlite_version: compilation.sqlite_version(),
        dialect: compilation.dialect().name(),
        replaces: compilation.replaces().iter().map(replaced).collect::<Vec<_>>().leak(),
    };
    let files = migrations.iter().map(|migration| migration.file).chain([JOURNAL]);
    // One that is gone since is missed by the boot itself.
    let sources = files.filter_map(|path| Some(Source { path, bytes: fs::read(directory.join(path)).ok()?.leak() }));
    let build = format!("bootproof {}, {}", env!("CARGO_PKG_VERSION"), directory.display());
    Schema::new("bootproof", Box::leak(Box::new(compiled))).with_sources(sources).with_build(text(&build))
}

/// The schema, told where another tool has its history.
pub(super) fn with_history(schema: Schema, table: Option<&str>) -> Schema {
    table.map(text).into_iter().fold(schema, Schema::with_history_table)
}

fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn texts<'t>(names: impl IntoIterator<Item = &'t String>) -> &'static [&'static str] {
    names.into_iter().map(|name| text(name)).collect::<Vec<_>>().leak()
}

fn migration(migration: &Migration) -> compiled::Migration {
    compiled::Migration {
        version: migration.version,
        name: text(&migration.name),
        file: text(migration.path()),
        sql: text(migration.sql()),
        checksum: migration.checksum,
        statements: statements(&migration.statements),
        creates: migration.creates.iter().map(object).collect::<Vec<_>>().leak(),
        writes: texts(&migration.writes),
        fingerprint: migration.fingerprint.0,
        revert: migration.revert.as_ref().map(revert),
        maintenance: migration.maintenance.as_deref().map(text),
        compatible: migration.is_compatible,
        step: migration.step.as_ref().map(|step| compiled::RustStep {
            name: text(&step.name),
            line: u32::try_from(step.line).unwrap_or(u32::MAX),
            writes: texts(&step.writes),
        }),
        no_transaction: migration.no_transaction.as_deref().map(text),
    }
}

fn replaced(replaced: &Replaced) -> compiled::Replaced {
    compiled::Replaced { version: replaced.version, checksum: replaced.checksum, name: text(&replaced.name) }
}

fn revert(revert: &Revert) -> compiled::Revert {
    compiled::Revert {
        sql: text(&revert.sql),
        file: revert.file.as_deref().map(text),
        statements: statements(&revert.statements),
        writes: texts(&revert.writes),
    }
}

fn statements(statements: &[Statement]) -> &'static [compiled::Statement] {
    let statement = |statement: &Statement| compiled::Statement {
        start: statement.span.start,
        end: statement.span.end,
        line: u32::try_from(statement.line).unwrap_or(u32::MAX),
    };
    statements.iter().map(statement).collect::<Vec<_>>().leak()
}

fn object(object: &Object) -> compiled::Object {
    let (kind, name) = match object {
        Object::Table(name) => (ObjectKind::Table, name.clone()),
        Object::Column { table, column } => (ObjectKind::Column, format!("{table}.{column}")),
        Object::Index(name) => (ObjectKind::Index, name.clone()),
        Object::Trigger(name) => (ObjectKind::Trigger, name.clone()),
        Object::View(name) => (ObjectKind::View, name.clone()),
    };
    compiled::Object { kind, name: name.leak() }
}

fn contract(contract: &Contract) -> compiled::Contract {
    compiled::Contract {
        name: text(&contract.name),
        file: text(&contract.file),
        description: text(&contract.description),
        sql: text(&contract.sql),
        parameters: texts(&contract.parameters),
        index: text(&contract.index),
        budget: contract.budget,
        since: contract.since,
        sample: contract.sample.as_deref().map(text),
        sample_from: contract.sample_from.as_deref().map(text),
    }
}
