//! From a directory to a compilation: the only module that knows the order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::Fingerprint;
use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::source::checksum;

use crate::compilation::{Compilation, Contract, Migration, added};
use crate::contract::Head;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::Known;
use crate::lint::head::{self, History};
use crate::lint::{self, Layout, Ran};
use crate::lock::Lock;
use crate::parse::{self, Allows, ContractSource, Directives};
use crate::rehearse::Stage;
use crate::source::{self, File, Source};
use crate::{compatible, revert, writes};

/// Migrations that ran, and the database they left.
struct Rehearsal {
    stage: Stage,
    migrations: Vec<Migration>,
    /// The schema after every version.
    catalogs: Vec<(i64, Catalog)>,
    /// What every migration allows itself.
    allows: Vec<Allows>,
}

/// What is asked of the migrations of a directory.
struct Terms<'a> {
    layout: Layout,
    lock: &'a Lock,
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
    with_draft(directory, shown, None)
}

/// Compiles a directory as if a query contract that nobody has written yet were in it.
pub(crate) fn with_draft(directory: &Path, shown: &Path, draft: Option<Arc<File>>) -> Result<Compilation, Diagnostics> {
    let given = Given { draft, ..Given::default() };
    compile_given(directory, shown, given)
}

/// What a compilation goes by besides the files.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) draft: Option<Arc<File>>,
    pub(crate) layout: Layout,
    /// Whether everything counts as released that a lock file could list.
    pub(crate) releases_all: bool,
    /// The last version to compile; then no query contract is, which belong to the head.
    pub(crate) until: Option<i64>,
}

pub(crate) fn compile_given(directory: &Path, shown: &Path, given: Given) -> Result<Compilation, Diagnostics> {
    let mut diagnostics = Diagnostics::new(shown.display().to_string().replace('\\', "/"));
    let mut sources = source::read(directory, &mut diagnostics);
    sources.queries.extend(given.draft);
    let mut lock = Lock::read(directory, &mut diagnostics);
    // Without one file, everything behind it could fail for a reason that is none of its own.
    let is_complete = !diagnostics.has_errors() && lock.is_whole_with(&sources.migrations);
    lock.check(&sources.migrations, &mut diagnostics);
    if let Some(until) = given.until {
        sources.migrations.retain(|source| source.version <= until);
        sources.queries.clear();
    }
    if given.releases_all {
        lock.add(&sources.migrations);
    }
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
    diagnostics.retain(|found| !(found.rule() == "mixed-widths" && allows(&sources.migrations, &directives, found)));
    let terms = Terms { layout: given.layout, lock: &lock };
    match rehearse_and_prove(&sources.migrations, directives, &contracts, &terms, &mut diagnostics) {
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

/// Whether the file that a warning is about allows it.
fn allows(sources: &[Source], directives: &[Directives], found: &Diagnostic) -> bool {
    let mut files = sources.iter().zip(directives);
    let its = files.find(|(source, _)| Some(source.up.name.as_str()) == found.file());
    its.is_some_and(|(_, directives)| directives.allows.permit(found.rule()))
}

fn rehearse_and_prove(
    sources: &[Source],
    directives: Vec<Directives>,
    contracts: &[ContractSource],
    terms: &Terms<'_>,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Proven>> {
    let Some(rehearsal) = rehearse(sources, directives, terms, diagnostics)? else { return Ok(None) };
    judge_head(&rehearsal, contracts, terms, diagnostics);
    let Rehearsal { stage, migrations, mut catalogs, .. } = rehearsal;
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

/// What is only judged at the end, once nothing is wrong on the way.
fn judge_head(rehearsal: &Rehearsal, contracts: &[ContractSource], terms: &Terms<'_>, diagnostics: &mut Diagnostics) {
    if diagnostics.has_errors() {
        return;
    }
    let Rehearsal { migrations, catalogs, allows, .. } = rehearsal;
    let contracted = contracts.iter().map(|contract| contract.index.to_ascii_lowercase()).collect();
    let history = History { migrations, catalogs, contracted, layout: terms.layout };
    for (position, finding) in history.check() {
        let (Some(migration), Some(allows)) = (migrations.get(position), allows.get(position)) else { continue };
        diagnostics.extend(lint::settle(finding, allows, terms.lock.holds(migration.version)));
    }
    for (migration, allows) in migrations.iter().zip(allows) {
        if !terms.lock.holds(migration.version) {
            allows.report_unused(|rule| head::RULES.contains(&rule), &migration.file, diagnostics);
        }
    }
}

/// Runs every migration in order, up to the first that fails: those behind it would fail because of it.
fn rehearse(
    sources: &[Source],
    directives: Vec<Directives>,
    terms: &Terms<'_>,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Rehearsal>> {
    let stage = Stage::open()?;
    let nothing = Catalog::default();
    let mut migrations = Vec::new();
    let mut catalogs: Vec<(i64, Catalog)> = Vec::new();
    let mut mismatches = BTreeSet::new();
    let mut unkeyed = Vec::new();
    let mut unreadable = BTreeMap::new();
    let mut broken: Vec<(String, Diagnostic)> = Vec::new();
    let mut all_allows = Vec::new();
    for (position, (source, directives)) in sources.iter().zip(directives).enumerate() {
        let Directives { allows, maintenance, compatible } = directives;
        let known = Known { earlier: &migrations, later: sources.get(position + 1..).unwrap_or_default() };
        let before = catalogs.last().map_or(&nothing, |(_, catalog)| catalog);
        let Some(script) = stage.run(&source.up, known, &allows, diagnostics)? else { return Ok(None) };
        let after = stage.catalog()?;
        let is_released = terms.lock.holds(source.version);
        let ran = Ran::new(&source.up, &script, before, &after, terms.layout);
        diagnostics
            .extend(lint::check(&ran).into_iter().filter_map(|finding| lint::settle(finding, &allows, is_released)));
        let mismatches_after = stage.foreign_key_mismatches(&after)?;
        unkeyed.retain(|(mismatch, _)| mismatches_after.contains(mismatch));
        for mismatch in mismatches_after.difference(&mismatches) {
            unkeyed.push((mismatch.clone(), lint::foreign_key_mismatch(&source.up, &script, mismatch)));
        }
        mismatches = mismatches_after;
        let unreadable_after = stage.broken_views(before, &after, &unreadable);
        broken.retain(|(view, _)| unreadable_after.contains_key(view));
        for (name, reason) in unreadable_after.iter().filter(|(name, _)| !unreadable.contains_key(*name)) {
            let Some(view) = after.views.get(name) else { continue };
            let finding = lint::broken_view(&source.up, &script, view, reason);
            broken.extend(lint::settle(finding, &allows, is_released).map(|finding| (name.clone(), finding)));
        }
        unreadable = unreadable_after;
        if terms.layout == Layout::Own {
            diagnostics.extend(unkeyed.drain(..).map(|(_, finding)| finding));
            diagnostics.extend(broken.drain(..).map(|(_, finding)| finding));
        }
        // A file that has been released cannot be rid of a line that a later compiler finds needless.
        if !is_released {
            allows.report_unused(|rule| !head::RULES.contains(&rule), &source.up, diagnostics);
        }
        let writes = writes::of(&source.up, &script, before, &after);
        let is_compatible = compatible::judge(&source.up, compatible, before, &after, &writes, diagnostics);
        let revert = match &source.down {
            Some(down) => revert::written(&stage, down, before, &after, known, diagnostics)?,
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
            maintenance,
            is_compatible,
            file: source.up.clone(),
        });
        catalogs.push((source.version, after));
        all_allows.push(allows);
    }
    // With another tool a later migration may make what is missing: here is what none made.
    diagnostics.extend(unkeyed.into_iter().map(|(_, finding)| finding));
    diagnostics.extend(broken.into_iter().map(|(_, finding)| finding));
    Ok(Some(Rehearsal { stage, migrations, catalogs, allows: all_allows }))
}
