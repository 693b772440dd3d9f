//! For which tool a directory was written, where nobody says.

use std::fs;
use std::path::Path;

use super::{Dialect, drizzle, is_digits, parse_name, sections};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::is_sql;

const PRISMAS_LOCK: &str = "migration_lock.toml";

/// The dialect of a directory, by the names of its files and the markers in them; our own where nothing speaks for
/// another. None where what speaks contradicts itself, which is reported.
///
/// `N_name.sql` alone is our own layout and sqlx's: it is ours. Pairs of `.up.sql` and `.down.sql` are golang-migrate's and
/// sqlx's: both are read the same, so it does not matter that they are called golang-migrate's.
pub(crate) fn detect(directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Option<Dialect> {
    let mut signs: Vec<(Dialect, &str)> = Vec::new();
    for path in files {
        if let Some(dialect) = by_name(path)
            && !signs.iter().any(|(other, _)| *other == dialect)
        {
            signs.push((dialect, path));
        }
    }
    // Every name of refinery's is one of flyway's, and some of flyway's are not refinery's.
    let has = |signs: &[(Dialect, &str)], dialect| signs.iter().any(|(other, _)| *other == dialect);
    if has(&signs, Dialect::Refinery)
        && !has(&signs, Dialect::Flyway)
        && let Some(path) = files.iter().find(|path| takes_back(path, files))
    {
        signs.push((Dialect::Flyway, path));
    }
    if has(&signs, Dialect::Flyway) {
        signs.retain(|(dialect, _)| *dialect != Dialect::Refinery);
    }
    // The directories of both look the same but for one file.
    if has(&signs, Dialect::Drizzle) && !files.iter().any(|path| path == PRISMAS_LOCK) {
        signs.retain(|(dialect, _)| *dialect != Dialect::Prisma);
    }
    if signs.is_empty() {
        signs = by_marker(directory, files);
    }
    if signs.is_empty() && is_in_pairs(files) {
        return Some(Dialect::GolangMigrate);
    }
    match signs.as_slice() {
        [] => Some(Dialect::Bootproof),
        [(dialect, _)] => Some(*dialect),
        [(dialect, _), ..] => {
            let mut diagnostic =
                Diagnostic::error("ambiguous-dialect", "these files were written for more than one tool");
            for (dialect, path) in &signs {
                diagnostic = diagnostic.note(format!("`{path}` is {dialect}'s"));
            }
            let rest = "what belongs to the other goes to another directory";
            diagnostics.push(diagnostic.help_to(
                &format!("say which one, `Compiler::new(…).dialect(…)` in build.rs; {rest}"),
                &format!("say which one, `--dialect {dialect}` for instance; {rest}"),
            ));
            None
        }
    }
}

fn by_name(path: &str) -> Option<Dialect> {
    if path == drizzle::JOURNAL {
        return Some(Dialect::Drizzle);
    }
    if path == PRISMAS_LOCK {
        return Some(Dialect::Prisma);
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let is_numbered = || is_digits(&folder.split('_').next().unwrap_or_default().replace('-', ""));
    match file {
        "up.sql" if is_numbered() => return Some(Dialect::Diesel),
        "snapshot.json" if is_numbered() => return Some(Dialect::Drizzle),
        "migration.sql" if is_numbered() => return Some(Dialect::Prisma),
        _ => {}
    }
    let stem = file.strip_suffix(".sql").or_else(|| file.strip_suffix(".rs"))?;
    if stem.starts_with("R__") {
        return Some(Dialect::Flyway);
    }
    let (version, name) = stem.strip_prefix(['V', 'U'])?.split_once("__")?;
    let is_refinerys = is_digits(version) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_flyways = version.split(['.', '_']).all(is_digits);
    is_refinerys.then_some(Dialect::Refinery).or_else(|| is_flyways.then_some(Dialect::Flyway))
}

/// Whether a file has the prefix `U` and the version of another with `V`: to flyway a way back, to refinery a mistake.
fn takes_back(path: &str, files: &[String]) -> bool {
    let of = |path: &str, prefix| {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        Some(name.strip_prefix(prefix)?.split_once("__")?.0.to_owned())
    };
    of(path, 'U').is_some_and(|version| files.iter().any(|other| of(other, 'V').as_ref() == Some(&version)))
}

fn by_marker<'a>(directory: &Path, files: &'a [String]) -> Vec<(Dialect, &'a str)> {
    let mut signs: Vec<(Dialect, &str)> = Vec::new();
    for path in files.iter().filter(|path| !path.contains('/') && is_sql(path)) {
        let bytes = fs::read(directory.join(path)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let is_of = |dialect| match dialect {
            Dialect::Drizzle => text.contains(sections::BREAKPOINT),
            _ => sections::is_marked(dialect, &text),
        };
        for dialect in [Dialect::Goose, Dialect::Dbmate, Dialect::Drizzle] {
            if !signs.iter().any(|(other, _)| *other == dialect) && is_of(dialect) {
                signs.push((dialect, path));
            }
        }
    }
    signs
}

/// Whether most ways there are an `.up.sql`. One among others is rather a slip in our own layout, and one that is none
/// among many rather a slip in the other.
fn is_in_pairs(files: &[String]) -> bool {
    let pairs = files.iter().filter(|path| path.ends_with(".up.sql")).count();
    let is_ours = |path: &&String| parse_name(path).is_some_and(|numbered| !numbered.is_down);
    pairs > files.iter().filter(is_ours).count()
}
