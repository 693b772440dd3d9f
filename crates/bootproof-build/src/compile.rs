//! From a directory to a compilation: the only module that knows the order.

use std::path::Path;

use bootproof_catalog::Fingerprinter;
use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::source::checksum;

use crate::compilation::{Compilation, Contract, LeftEmpty, Migration, Replaced, Seedbed, added};
use crate::compiler::Settings;
use crate::contract::{Head, Shared};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::explain::Known;
use crate::lint::head::{self, History};
use crate::lint::{self, Ran, Terms};
use crate::lock::Lock;
use crate::parse::{self, Allows, ContractSource, Directives};
use crate::rehearse::Stage;
use crate::revert::Apart;
use crate::rows::{self, Rows, Runner};
use crate::source::{self, Source, Sources};
use crate::unkeyed::Unkeyed;
use crate::{compatible, outside, revert, writes};

/// Migrations that ran, and the database they left.
struct Rehearsal {
    stage: Stage,
    migrations: Vec<Migration>,
    /// The schema after every version.
    catalogs: Vec<(i64, Catalog)>,
    /// What every migration allows itself.
    allows: Vec<Allows>,
    left_empty: Vec<LeftEmpty>,
}

/// A compilation as far as SQLite has a say in it.
struct Proven {
    migrations: Vec<Migration>,
    contracts: Vec<Contract>,
    head: Catalog,
    schema: Vec<String>,
    image: Vec<u8>,
    stand_ins: Vec<String>,
    left_empty: Vec<LeftEmpty>,
    catalogs: Vec<(i64, Catalog)>,
}

/// Compiles a directory; messages show it under another name.
pub(crate) fn compile(directory: &Path, shown: &Path, settings: &Settings) -> Result<Compilation, Diagnostics> {
    let root = shown.display().to_string().replace('\\', "/");
    let mut diagnostics =
        Diagnostics::new(root.strip_suffix('/').filter(|root| !root.is_empty()).unwrap_or(&root).to_owned());
    settings.check(&mut diagnostics);
    let mut sources = source::read(directory, settings.dialect, &mut diagnostics);
    sources.queries.extend(settings.draft.clone());
    let files = sources.files();
    let compiled = compile_sources(directory, sources, settings, &mut diagnostics);
    // Names, directives, statements and the whole are looked at one after another, each in all files; who reads what was found
    // goes through the files.
    let diagnostics = diagnostics.in_order_of(&files).spoken_to(settings.audience);
    match compiled.filter(|_| !diagnostics.has_errors()) {
        Some((proven, replaces)) => {
            let Proven { migrations, contracts, head, schema, image, stand_ins, left_empty, catalogs } = proven;
            let warnings = diagnostics;
            let seedbed = Seedbed { catalogs, stubs: settings.stubs.clone() };
            Ok(Compilation {
                migrations,
                contracts,
                head,
                schema,
                image,
                stand_ins,
                warnings,
                left_empty,
                replaces,
                seedbed,
            })
        }
        None => Err(diagnostics),
    }
}

fn compile_sources(
    directory: &Path,
    mut sources: Sources,
    settings: &Settings,
    diagnostics: &mut Diagnostics,
) -> Option<(Proven, Vec<Replaced>)> {
    let mut lock = Lock::read(directory, diagnostics);
    let replaces = sources.migrations.first().map(|first| parse::replaces(&first.up)).unwrap_or_default();
    lock.forget(&replaces);
    // Without one file, everything behind it could fail for a reason that is none of its own.
    let is_complete = !diagnostics.has_errors() && lock.is_whole_with(&sources.migrations);
    lock.check(&sources.migrations, diagnostics);
    if let Some(version) = settings.up_to {
        sources.migrations.retain(|source| source.version <= version);
        sources.queries.clear();
        sources.samples.clear();
    }
    if settings.releases_all {
        lock.add(&sources.migrations);
    }
    let mut directives = Vec::new();
    for source in &sources.migrations {
        directives.push(parse::migration(&source.up, diagnostics));
        if let Some(down) = &source.down {
            parse::no_directives(down, "a `.down.sql` file", diagnostics);
        }
    }
    for sample in &sources.samples {
        parse::no_directives(sample, "what contracts are sampled from", diagnostics);
    }
    let contracts: Vec<_> = sources.queries.iter().filter_map(|file| parse::contract(file, diagnostics)).collect();
    if !is_complete {
        return None;
    }
    misplaced_replacement(&sources.migrations, &replaces, diagnostics);
    diagnostics.retain(|found| !(found.rule() == "mixed-widths" && allows(&sources.migrations, &directives, found)));
    match rehearse_and_prove(settings, &sources, directives, &contracts, &lock, diagnostics) {
        Ok(proven) => Some((proven?, replaces)),
        Err(error) => {
            diagnostics.push(
                Diagnostic::error("rehearsal", format!("SQLite failed outside any statement of a file: {error}"))
                    .help("this is a fault of bootproof-build: please report it"),
            );
            None
        }
    }
}

/// A baseline stands for what would be before it, up to its own version, and nothing else stands for anything.
fn misplaced_replacement(sources: &[Source], replaces: &[Replaced], diagnostics: &mut Diagnostics) {
    let Some((first, others)) = sources.split_first() else { return };
    let help =
        "take the file as `squash` wrote it, under the version that it was made for, and remove those that it replaces";
    if let Some(newest) =
        replaces.iter().map(|replaced| replaced.version).max().filter(|newest| *newest != first.version)
    {
        let message =
            format!("this stands for the migrations up to version {newest}, and has version {}", first.version);
        diagnostics.push(Diagnostic::error("directive", message).in_name(&first.up.name).help(help));
    }
    for source in others.iter().filter(|source| !parse::replaces(&source.up).is_empty()) {
        let message = "this stands for migrations before it, and there are such";
        diagnostics.push(Diagnostic::error("directive", message).in_name(&source.up.name).help(help));
    }
}

/// Whether the file that a warning is about allows it.
fn allows(sources: &[Source], directives: &[Directives], found: &Diagnostic) -> bool {
    let mut files = sources.iter().zip(directives);
    let its = files.find(|(source, _)| Some(source.up.name.as_str()) == found.file());
    its.is_some_and(|(_, directives)| directives.allows.permit(found.rule()))
}

fn rehearse_and_prove(
    settings: &Settings,
    sources: &Sources,
    directives: Vec<Directives>,
    contracts: &[ContractSource],
    lock: &Lock,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Proven>> {
    let Some(rehearsal) = rehearse(settings, &sources.migrations, directives, lock, diagnostics)? else {
        return Ok(None);
    };
    let stand_ins = rehearsal.stage.stand_ins();
    judge_head(&rehearsal, contracts, lock, diagnostics);
    let Rehearsal { stage, migrations, catalogs, left_empty, .. } = rehearsal;
    let mut proven = Vec::new();
    if let Some((_, catalog)) = catalogs.last() {
        let known = Known { earlier: &migrations, later: &[] };
        let head = Head { stage: &stage, catalogs: &catalogs, catalog, known };
        let shared: Vec<_> = sources.samples.iter().map(|file| Shared::prepare(&head, file, diagnostics)).collect();
        for contract in contracts {
            proven.extend(head.prove(contract, &shared, diagnostics)?);
        }
        diagnostics.extend(shared.iter().filter_map(Shared::report_unused));
    }
    let head = catalogs.last().map(|(_, catalog)| catalog.clone()).unwrap_or_default();
    let schema = stage.schema()?;
    let image = stage.image()?;
    Ok(Some(Proven { migrations, contracts: proven, head, schema, image, stand_ins, left_empty, catalogs }))
}

/// What is only judged at the end: what is wrong there, and what is questionable once nothing is wrong on the way.
fn judge_head(rehearsal: &Rehearsal, contracts: &[ContractSource], lock: &Lock, diagnostics: &mut Diagnostics) {
    let is_sound = !diagnostics.has_errors();
    let Rehearsal { migrations, catalogs, allows, .. } = rehearsal;
    let contracted = contracts.iter().map(|contract| contract.index.to_ascii_lowercase()).collect();
    let history = History { migrations, catalogs, contracted, dialect: diagnostics.dialect() };
    for (position, finding) in if is_sound { history.check() } else { history.broken() } {
        if diagnostics.iter().any(|known| known.rule() == finding.rule() && known.file() == finding.file() && !is_sound)
        {
            continue;
        }
        let (Some(migration), Some(allows)) = (migrations.get(position), allows.get(position)) else { continue };
        diagnostics.extend(Terms { allows, is_released: lock.holds(migration.version) }.settle(finding));
    }
    for (migration, allows) in migrations.iter().zip(allows).filter(|_| is_sound) {
        if !lock.holds(migration.version) {
            allows.report_unused(|rule| head::RULES.contains(&rule), &migration.file, diagnostics);
        }
    }
}

/// Runs every migration in order, up to the first that fails: those behind it would fail because of it.
fn rehearse(
    settings: &Settings,
    sources: &[Source],
    directives: Vec<Directives>,
    lock: &Lock,
    diagnostics: &mut Diagnostics,
) -> rusqlite::Result<Option<Rehearsal>> {
    let stage = Stage::open(&settings.stubs)?;
    let apart = Apart::open(&settings.stubs)?;
    let mut rows = Rows::open(&stage, &settings.stubs)?;
    let dialect = diagnostics.dialect();
    let runner = Runner::of(dialect, sources);
    let nothing = Catalog::default();
    let mut migrations = Vec::new();
    let mut catalogs: Vec<(i64, Catalog)> = Vec::new();
    let mut unkeyed = Unkeyed::default();
    let mut all_allows = Vec::new();
    let mut fingerprinter = Fingerprinter::default();
    for (position, (source, directives)) in sources.iter().zip(directives).enumerate() {
        let Directives { allows, maintenance, compatible, no_transaction, step, calls } = directives;
        let terms = Terms { allows: &allows, is_released: lock.holds(source.version) };
        let known = Known { earlier: &migrations, later: sources.get(position + 1..).unwrap_or_default() };
        let before = catalogs.last().map_or(&nothing, |(_, catalog)| catalog);
        let runner = runner.of_file(source);
        let is_said = no_transaction.as_ref().map(|(_, span)| span.clone());
        let no_transaction = match no_transaction {
            Some((reason, _)) => Some(reason),
            None => outside::said_by_its_tool(&stage, source, runner, known, terms)?,
        };
        let script = match no_transaction {
            Some(_) => stage.run_outside(&source.up, runner, known, terms, diagnostics)?,
            None => stage.run(&source.up, runner, known, terms, diagnostics)?,
        };
        let Some(script) = script else { return Ok(None) };
        let needless = is_said.and_then(|span| outside::needless(&source.up, &script, span));
        diagnostics.extend(needless.and_then(|finding| terms.settle(finding)));
        let after = stage.catalog()?;
        let mut writes = writes::of(&source.up, &script, before, &after);
        let rehearsed = rows::Step {
            file: &source.up,
            script: &script,
            before,
            after: &after,
            writes: &writes,
            stage: &stage,
            runner,
        };
        let mut found = lint::check(&Ran::new(&source.up, &script, before, &after));
        // The step is what happens.
        found.retain(|finding| !(calls && finding.rule() == "no-statements"));
        let mut revealed = match no_transaction {
            // What runs outside the transaction moves pages, not rows.
            Some(_) => rows.pass(&rehearsed).map(|()| Vec::new())?,
            None => rows.rehearse(&rehearsed, terms)?,
        };
        lint::tell_once(&mut found, &mut revealed, &script, &allows);
        if revealed.iter().any(|finding| finding.rule() == "rows-dangle") {
            // The statement that did it says more than the check behind it.
            let file = Some(source.up.name.as_str());
            diagnostics.retain(|known| known.rule() != "foreign-key-check" || known.file() != file);
        }
        diagnostics.extend(found.into_iter().filter_map(|finding| terms.settle(finding)));
        unkeyed.follow(&stage, &source.up, &script, before, &after)?;
        // With another tool a later migration may make the key that is missing.
        if !dialect.is_foreign() {
            diagnostics.extend(unkeyed.tell());
        }
        if source.no_transaction && no_transaction.is_none() {
            diagnostics.extend(terms.settle(lint::inside_a_transaction(&source.up)));
        }
        diagnostics.extend(revealed.into_iter().filter_map(|finding| terms.settle(finding)));
        // A file that has been released cannot be rid of a line that a later compiler finds needless.
        if !terms.is_released {
            allows.report_unused(|rule| !head::RULES.contains(&rule), &source.up, diagnostics);
        }
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
            None => revert::derived(&stage, &apart, before, &after, &writes, known)?,
        };
        migrations.push(Migration {
            version: source.version,
            name: source.name.clone(),
            checksum: checksum(source.version, &source.name, source.up.sql()),
            statements: script.into_iter().map(|performed| performed.statement).collect(),
            creates: added(before, &after),
            writes,
            fingerprint: fingerprinter.of(&after),
            revert,
            maintenance,
            is_compatible,
            step,
            no_transaction,
            file: source.up.clone(),
        });
        catalogs.push((source.version, after));
        all_allows.push(allows);
    }
    // Here is what no migration made.
    diagnostics.extend(unkeyed.tell());
    let (broken, left_empty) = rows.finish();
    diagnostics.extend(broken);
    Ok(Some(Rehearsal { stage, migrations, catalogs, allows: all_allows, left_empty }))
}
