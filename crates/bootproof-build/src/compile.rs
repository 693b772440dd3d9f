//! From a directory to a compilation: the only module that knows the order.

use std::path::Path;

use bootproof_catalog::Fingerprint;
use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::source::checksum;

use crate::compilation::{Compilation, Contract, Migration, added};
use crate::contract::Head;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::Known;
use crate::parse::{self, Allows, ContractSource};
use crate::rehearse::Stage;
use crate::source::{self, Source};
use crate::{lint, revert};

/// Migrations that ran, and the database they left.
struct Rehearsal {
    stage: Stage,
    migrations: Vec<Migration>,
    /// The schema after every version.
    catalogs: Vec<(i64, Catalog)>,
}

/// A compilation as far as SQLite has a say in it.
struct Proven {
    migrations: Vec<Migration>,
    contracts: Vec<Contract>,
    head: Catalog,
    image: Vec<u8>,
}

/// Compiles a directory; messages show it under another name.
pub(crate) fn compile(directory: &Path, shown: &Path) -> Result<Compilation, Diagnostics> {
    let mut diagnostics = Diagnostics::new(shown.display().to_string().replace('\\', "/"));
    let sources = source::read(directory, &mut diagnostics);
    // Without one file, everything behind it could fail for a reason that is none of its own.
    let is_complete = !diagnostics.has_errors();
    let mut allows = Vec::new();
    for source in &sources.migrations {
        allows.push(parse::allows(&source.up, &mut diagnostics));
        if let Some(down) = &source.down {
            parse::no_directives(down, &mut diagnostics);
        }
    }
    let contracts: Vec<_> = sources.queries.iter().filter_map(|file| parse::contract(file, &mut diagnostics)).collect();
    if !is_complete {
        return Err(diagnostics);
    }
    match rehearse_and_prove(&sources.migrations, &allows, &contracts, &mut diagnostics) {
        Ok(Some(Proven { migrations, contracts, head, image })) if !diagnostics.has_errors() => {
            Ok(Compilation { migrations, contracts, head, image, warnings: diagnostics })
        }
        Ok(_) => Err(diagnostics),
        Err(error) => {
            diagnostics.push(
                Diagnostic::error("rehearsal", format!("SQLite failed outside any statement of a file: {error}"))
                    .help("this is a fault of bootproof-build: please report it"),
            );
            Err(diagnostics)
        }
    }
}

fn rehearse_and_prove(
    sources: &[Source],
    allows: &[Allows],
    contracts: &[ContractSource],
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Proven>> {
    let Some(Rehearsal { stage, migrations, mut catalogs }) = rehearse(sources, allows, diagnostics)? else {
        return Ok(None);
    };
    let mut proven = Vec::new();
    if let Some((_, catalog)) = catalogs.last() {
        let known = Known { earlier: &migrations, later: &[] };
        let head = Head { stage: &stage, catalogs: &catalogs, catalog, known };
        for contract in contracts {
            proven.extend(head.prove(contract, diagnostics)?);
        }
    }
    let head = catalogs.pop().map(|(_, catalog)| catalog).unwrap_or_default();
    Ok(Some(Proven { migrations, contracts: proven, head, image: stage.image()? }))
}

/// Runs every migration in order, up to the first that fails: those behind it would fail because of it.
fn rehearse(
    sources: &[Source],
    allows: &[Allows],
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Rehearsal>> {
    let stage = Stage::open()?;
    let nothing = Catalog::default();
    let mut migrations = Vec::new();
    let mut catalogs: Vec<(i64, Catalog)> = Vec::new();
    for (position, (source, allows)) in sources.iter().zip(allows).enumerate() {
        let known = Known { earlier: &migrations, later: sources.get(position + 1..).unwrap_or_default() };
        let before = catalogs.last().map_or(&nothing, |(_, catalog)| catalog);
        let Some(script) = stage.run(&source.up, known, allows, diagnostics)? else { return Ok(None) };
        let after = stage.catalog()?;
        for finding in lint::check(&source.up, &script, before, &after) {
            if !allows.permit(finding.rule()) {
                diagnostics.push(finding);
            }
        }
        allows.report_unused(&source.up, diagnostics);
        // Neither SQLite's own tables, nor views, nor tables that came and went.
        let is_table = |name: &&String| before.tables.contains_key(*name) || after.tables.contains_key(*name);
        let writes = script.iter().flat_map(|performed| &performed.effects.writes).filter(is_table).cloned().collect();
        let revert = match &source.down {
            Some(down) => revert::written(&stage, down, before, known, diagnostics)?,
            // Nobody wants to lose every table because a version went back to nothing.
            None if position == 0 => None,
            None => revert::derived(&stage, before, &after, &writes, known)?,
        };
        migrations.push(Migration {
            version: source.version,
            name: source.name.clone(),
            checksum: checksum(source.version, &source.name, &source.up.text),
            statements: script.into_iter().map(|performed| performed.statement).collect(),
            creates: added(before, &after),
            writes,
            fingerprint: Fingerprint::of(&after),
            revert,
            file: source.up.clone(),
        });
        catalogs.push((source.version, after));
    }
    Ok(Some(Rehearsal { stage, migrations, catalogs }))
}
