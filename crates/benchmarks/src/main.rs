//! Compares, and prints or writes the tables:
//!
//! ```console
//! $ cargo run --release -p benchmarks -- --rows 100000 --runs 5 integrity backup
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to the person who started it")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use benchmarks::cache::Cache;
use benchmarks::compare::{self, Comparison};
use benchmarks::phase::{Case, Phase};
use benchmarks::scaling::{self, Point};
use benchmarks::scene::{self, Scene};
use benchmarks::table::{self, Outcome};
use benchmarks::{Result, at, chart, document, machine, phases};
use bootproof::figure::grouped;
use clap::Parser;
use clap::builder::RangedU64ValueParser;

/// Measures the engine, its peers and SQLite itself in turn, phase by phase.
#[derive(Debug, Parser)]
struct Arguments {
    /// The phases; all of them if none is named
    #[arg(value_name = "PHASE")]
    phases: Vec<String>,
    /// Worklogs in the databases; several numbers show how a phase grows
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100000", value_parser = at_least_one())]
    rows: Vec<usize>,
    /// Turns; quick cases take five times as many
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = at_least_one())]
    runs: usize,
    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Where generated databases are kept
    #[arg(long, value_name = "DIRECTORY", default_value = "target/benchmarks")]
    cache: PathBuf,
    /// The program of the workspace `peers`
    #[arg(long, value_name = "PROGRAM")]
    peers: Option<PathBuf>,
    /// Leaves the sqlite3 shell out
    #[arg(long)]
    no_shell: bool,
    /// Replaces the results in this page
    #[arg(long, value_name = "PAGE", conflicts_with = "case")]
    write: Option<PathBuf>,
    /// Writes every figure to this file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draws how the phases grow with the rows
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Lists phases and cases
    #[arg(long)]
    list: bool,
}

impl Arguments {
    fn wants(&self, case: &Case) -> bool {
        self.case.as_ref().is_none_or(|part| case.name.contains(part.as_str()))
    }
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

fn main() -> ExitCode {
    // Before anything else: what measures the first call in a process must not have made another.
    let arguments: Vec<String> = env::args().collect();
    let done = match arguments.get(1) {
        Some(first) if first == compare::MEASURE => {
            compare::measure_here(arguments.get(2..).unwrap_or_default()).map(|answer| println!("{answer}"))
        }
        _ => run(&Arguments::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let scene = scene(arguments)?;
    let phases = chosen(phases::all(&scene), &arguments.phases)?;
    if arguments.list {
        for phase in &phases {
            println!("{}: {}", phase.name, phase.title);
            phase.cases.iter().for_each(|case| println!("    {}", case.name));
        }
        return Ok(());
    }
    refuse_early(arguments, &phases)?;
    let _cache = Cache::take(&scene.cache)?;
    let machine = machine::description();
    let (mut points, mut outcomes) = (Vec::new(), Vec::new());
    for phase in &phases {
        println!("### {}\n\n{}\n", phase.title, phase.about);
        let mut results = format!("{}\n\n{machine}; {}.", phase.about, beside(&scene));
        for rows in sizes(phase, &arguments.rows) {
            let measured = measure(&Scene { rows, ..scene.clone() }, phase, arguments)?;
            let text = described(phase, rows, &measured);
            println!("{text}");
            results = format!("{results}\n\n{text}");
            for (case, comparison) in &measured {
                points.extend(scaling::points(phase, case, rows, comparison));
                for (contender, series) in case.contenders.iter().zip(&comparison.series) {
                    let of = format!("{}, {}", case.name, contender.name);
                    let reached = table::outcomes(contender, series, comparison);
                    outcomes.extend(reached.map(|outcome| summary(phase, rows, &of, &outcome)));
                }
            }
        }
        if let Some(page) = &arguments.write {
            let replaced = document::replace(&read(page)?, phase.name, &results)?;
            fs::write(page, replaced).map_err(|error| at(page, &error))?;
        }
    }
    for outcome in &outcomes {
        println!("{outcome}");
    }
    write_figures(arguments, &points, &machine)
}

/// Measuring takes long: what cannot end well is refused before.
fn refuse_early(arguments: &Arguments, phases: &[Phase]) -> Result<()> {
    let is_wanted = |phase: &Phase| phase.cases.iter().any(|case| arguments.wants(case));
    if let Some(case) = arguments.case.as_ref().filter(|_| !phases.iter().any(is_wanted)) {
        return Err(format!("no case of these phases has `{case}` in its name").into());
    }
    if let Some(page) = &arguments.write {
        let text = read(page)?;
        phases.iter().try_for_each(|phase| document::replace(&text, phase.name, "").map(drop))?;
        File::options().write(true).open(page).map_err(|error| at(page, &error))?;
    }
    if arguments.svg.is_some() && !phases.iter().any(|phase| phase.grows) {
        return Err("none of these phases grows with the rows: there is nothing to draw".into());
    }
    for path in arguments.csv.iter().chain(&arguments.svg) {
        File::options().append(true).create(true).open(path).map_err(|error| at(path, &error))?;
    }
    Ok(())
}

fn read(page: &Path) -> Result<String> {
    fs::read_to_string(page).map_err(|error| at(page, &error))
}

/// The databases lie under an absolute path: a measuring process may look at them from elsewhere.
fn scene(arguments: &Arguments) -> Result<Scene> {
    let shell = if arguments.no_shell { None } else { scene::find_program("sqlite3") };
    let peers = arguments.peers.as_ref().map(std::path::absolute).transpose()?;
    if let Some(missing) = peers.as_ref().filter(|program| !program.is_file()) {
        return Err(format!("no program `{}`: build it in peers/", missing.display()).into());
    }
    Ok(Scene { rows: 0, cache: std::path::absolute(&arguments.cache)?, scratch: PathBuf::new(), shell, peers })
}

/// What else took part, with its version, and what did not.
fn beside(scene: &Scene) -> String {
    let version = |shell: &PathBuf| {
        let answer = std::process::Command::new(shell).arg("--version").output().ok()?;
        String::from_utf8(answer.stdout).ok()?.split_whitespace().next().map(str::to_owned)
    };
    match &scene.shell {
        Some(shell) => format!("sqlite3 shell {}", version(shell).unwrap_or_default()),
        None => "no sqlite3 shell: the same SQL over rusqlite".to_owned(),
    }
}

fn chosen(known: Vec<Phase>, names: &[String]) -> Result<Vec<Phase>> {
    if let Some(unknown) = names.iter().find(|name| !known.iter().any(|phase| phase.name == *name)) {
        let known: Vec<_> = known.iter().map(|phase| phase.name).collect();
        return Err(format!("no phase `{unknown}`; there are {}", known.join(", ")).into());
    }
    Ok(known.into_iter().filter(|phase| names.is_empty() || names.iter().any(|name| name == phase.name)).collect())
}

/// What does not grow is measured once.
fn sizes(phase: &Phase, rows: &[usize]) -> Vec<usize> {
    let sizes = if phase.grows { rows } else { rows.get(..1).unwrap_or_default() };
    sizes.to_vec()
}

fn measure<'p>(scene: &Scene, phase: &'p Phase, arguments: &Arguments) -> Result<Vec<(&'p Case, Comparison)>> {
    let program = env::current_exe()?;
    let measured = phase.cases.iter().filter(|case| arguments.wants(case)).map(|case| {
        eprintln!("{}, {}", phase.name, case.name);
        Ok((case, compare::compare(&program, scene, phase, case, compare::turns(case, arguments.runs))?))
    });
    measured.collect()
}

/// So wide are the bars of a page.
const BARS: usize = 50;

/// The table, and where the time went where the engine told it.
fn described(phase: &Phase, rows: usize, measured: &[(&Case, Comparison)]) -> String {
    let mut text = table::table(measured.iter().map(|(case, comparison)| (*case, comparison)));
    if phase.grows {
        text = format!("#### {} worklogs\n\n{text}", grouped(rows as u64));
    }
    for (case, comparison) in measured.iter().filter(|_| phase.grows) {
        let ours = comparison.series.first().and_then(compare::Series::typical);
        if let Some(steps) = ours.map(|measured| &measured.steps).filter(|steps| !steps.is_empty()) {
            let bars = bootproof::timeline_bars(steps, BARS);
            text = format!("{text}\nWhere the time of ours went ({}):\n\n```text\n{bars}```\n", case.name);
        }
    }
    text
}

fn summary(phase: &Phase, rows: usize, of: &str, outcome: &Outcome) -> String {
    let size = if phase.grows { format!(" ({} worklogs)", grouped(rows as u64)) } else { String::new() };
    let end = if outcome.met { "met   " } else { "MISSED" };
    format!("{end} {}{size}: {of}: {}, target {}", phase.name, outcome.found, outcome.target)
}

fn write_figures(arguments: &Arguments, points: &[Point], machine: &str) -> Result<()> {
    let write = |path: &Path, text: String| fs::write(path, text).map_err(|error| at(path, &error));
    if let Some(path) = &arguments.csv {
        write(path, scaling::csv(points))?;
    }
    if let Some(path) = &arguments.svg {
        let growing: Vec<Point> = points.iter().filter(|point| point.grows).cloned().collect();
        write(path, chart::svg(&scaling::panels(&growing), machine))?;
    }
    Ok(())
}
