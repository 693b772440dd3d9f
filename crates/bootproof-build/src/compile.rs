//! From a directory to a compilation: the only module that knows the order.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::Fingerprint;
use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::source::checksum;

use crate::compilation::{Compilation, Contract, LeftEmpty, Migration, Sample, added};
use crate::compiler::Settings;
use crate::contract::Head;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::Known;
use crate::parse::{self, ContractSource, Directives};
use crate::rehearse::Stage;
use crate::rows::{self, Rows, Runner, samples};
use crate::source::{self, File, Source};
use crate::{compatible, lint, outside, revert, writes};

/// Migrations that ran, and the database they left.
struct Rehearsal {
    stage: Stage,
    migrations: Vec<Migration>,
    /// The schema after every version.
    catalogs: Vec<(i64, Catalog)>,
    left_empty: Vec<LeftEmpty>,
}

/// A compilation as far as SQLite has a say in it.
struct Proven {
    migrations: Vec<Migration>,
    contracts: Vec<Contract>,
    head: Catalog,
    schema: Vec<String>,
    image: Vec<u8>,
    left_empty: Vec<LeftEmpty>,
    samples: Vec<Sample>,
}

/// Compiles a directory; messages show it under another name.
pub(crate) fn compile(directory: &Path, shown: &Path, settings: &Settings) -> Result<Compilation, Diagnostics> {
    with_draft(directory, shown, settings, None)
}

/// Compiles a directory as if a query contract that nobody has written yet were in it.
pub(crate) fn with_draft(
    directory: &Path,
    shown: &Path,
    settings: &Settings,
    draft: Option<Arc<File>>,
) -> Result<Compilation, Diagnostics> {
    let root = shown.display().to_string().replace('\\', "/");
    let mut diagnostics =
        Diagnostics::new(root.strip_suffix('/').filter(|root| !root.is_empty()).unwrap_or(&root).to_owned());
    settings.check(&mut diagnostics);
    let mut sources = source::read(directory, settings.dialect, &mut diagnostics);
    sources.queries.extend(draft);
    if let Some(version) = settings.up_to {
        sources.migrations.retain(|source| source.version <= version);
        sources.queries.clear();
    }
    // Without one file, everything behind it could fail for a reason that is none of its own.
    let is_complete = !diagnostics.has_errors();
    let mut directives = Vec::new();
    for source in &sources.migrations {
        directives.push(parse::migration(&source.up, &mut diagnostics));
        if let Some(down) = &source.down {
            parse::no_directives(down, &mut diagnostics);
        }
    }
    let contracts: Vec<_> = sources.queries.iter().filter_map(|file| parse::contract(file, &mut diagnostics)).collect();
    if !is_complete {
        return Err(diagnostics);
    }
    match rehearse_and_prove(&sources.migrations, directives, &contracts, settings, &mut diagnostics) {
        Ok(Some(Proven { migrations, contracts, head, schema, image, left_empty, samples }))
            if !diagnostics.has_errors() =>
        {
            let warnings = diagnostics;
            Ok(Compilation { migrations, contracts, head, schema, image, warnings, left_empty, samples })
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
    directives: Vec<Directives>,
    contracts: &[ContractSource],
    settings: &Settings,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Proven>> {
    let stage = Stage::open(&settings.stubs)?;
    let runner = Runner::of(diagnostics.dialect());
    let rows = Rows::open(&stage, &settings.stubs)?;
    let rehearsal = rehearse(stage, rows, sources, directives, runner, diagnostics)?;
    let Some(Rehearsal { stage, migrations, mut catalogs, left_empty }) = rehearsal else {
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
    // What does not compile needs no rows.
    let is_sound = !diagnostics.has_errors();
    let samples = if is_sound { samples::make(&migrations, &catalogs, &settings.stubs)? } else { Vec::new() };
    let head = catalogs.pop().map(|(_, catalog)| catalog).unwrap_or_default();
    let schema = stage.schema()?;
    Ok(Some(Proven { migrations, contracts: proven, head, schema, image: stage.image()?, left_empty, samples }))
}

/// Runs every migration in order, up to the first that fails: those behind it would fail because of it.
fn rehearse(
    stage: Stage,
    mut rows: Rows,
    sources: &[Source],
    directives: Vec<Directives>,
    runner: Runner,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Rehearsal>> {
    let nothing = Catalog::default();
    let mut migrations = Vec::new();
    let mut catalogs: Vec<(i64, Catalog)> = Vec::new();
    let mut mismatches = BTreeSet::new();
    for (position, (source, directives)) in sources.iter().zip(directives).enumerate() {
        let Directives { allows, maintenance, compatible, no_transaction, step, calls } = directives;
        let known = Known { earlier: &migrations, later: sources.get(position + 1..).unwrap_or_default() };
        let before = catalogs.last().map_or(&nothing, |(_, catalog)| catalog);
        let is_said = no_transaction.as_ref().map(|(_, span)| span.clone());
        let no_transaction = match no_transaction {
            Some((reason, _)) => Some(reason),
            None => outside::said_by_its_tool(&stage, source, known, &allows)?,
        };
        rows.keep(&stage)?;
        let script = match no_transaction {
            Some(_) => stage.run_outside(&source.up, known, &allows, diagnostics)?,
            None => stage.run(&source.up, known, &allows, diagnostics)?,
        };
        let Some(script) = script else { return Ok(None) };
        diagnostics.extend(is_said.and_then(|span| outside::needless(&source.up, &script, span)));
        let after = stage.catalog()?;
        for finding in lint::check(&source.up, &script, before, &after) {
            // The step is what happens.
            let is_of_a_step = calls && finding.rule() == "no-statements";
            if !is_of_a_step && !allows.permit(finding.rule()) {
                diagnostics.push(finding);
            }
        }
        let mismatches_after = stage.foreign_key_mismatches(&after)?;
        for mismatch in mismatches_after.difference(&mismatches) {
            diagnostics.push(lint::foreign_key_mismatch(&source.up, &script, mismatch));
        }
        mismatches = mismatches_after;
        if source.no_transaction && no_transaction.is_none() {
            diagnostics.push(lint::inside_a_transaction(&source.up));
        }
        let mut writes = writes::of(&source.up, &script, before, &after);
        let rehearsed = rows::Step {
            file: &source.up,
            script: &script,
            before,
            after: &after,
            writes: &writes,
            stage: &stage,
            runner: runner.of_file(source.no_transaction),
        };
        // What runs outside the transaction moves pages, not rows.
        if no_transaction.is_some() {
            rows.pass(&rehearsed)?;
        } else {
            for finding in rows.rehearse(&rehearsed, &allows)? {
                diagnostics.push(finding);
            }
        }
        allows.report_unused(&source.up, diagnostics);
        let step = step.map(|step| step.resolve(&stage, &source.up, &after, diagnostics)).transpose()?;
        writes.extend(step.iter().flat_map(|step| step.writes.iter().cloned()));
        let is_compatible = compatible::judge(&source.up, compatible, before, &after, &writes, diagnostics);
        let written = match &source.down {
            Some(down) => revert::written(&stage, down, before, &after, known, diagnostics)?,
            None => None,
        };
        let revert = match written {
            Some(revert) => Some(revert),
            // Nobody wants to lose every table because a version went back to nothing.
            None if position == 0 => None,
            // What was done to the file as a whole, dropping what was added does not undo.
            None if no_transaction.is_some() => None,
            None => revert::derived(&stage, before, &after, &writes, known)?,
        };
        migrations.push(Migration {
            version: source.version,
            name: source.name.clone(),
            checksum: checksum(source.version, &source.name, source.up.sql()),
            statements: script.into_iter().map(|performed| performed.statement).collect(),
            creates: added(before, &after),
            writes,
            fingerprint: Fingerprint::of(&after),
            revert,
            maintenance,
            is_compatible,
            step,
            no_transaction,
            file: source.up.clone(),
        });
        catalogs.push((source.version, after));
    }
    let (findings, left_empty) = rows.finish();
    for finding in findings {
        diagnostics.push(finding);
    }
    Ok(Some(Rehearsal { stage, migrations, catalogs, left_empty }))
}
