//! `V`, a version, `__`, a name: refinery and flyway. Both look into subdirectories.

use std::fs;
use std::path::Path;

use super::{Dialect, Named, is_digits, misnamed, sanitised, version, written_in_code};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::is_sql;

/// The digits of each part of a version such as `1.2.3`; flyway's may have three.
const PART: usize = 3;

struct Versioned<'a> {
    prefix: char,
    version: &'a str,
    name: &'a str,
}

pub(super) fn find(dialect: Dialect, directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    let is_dotted = files.iter().filter_map(|path| parse(path)).any(|file| !is_digits(file.version));
    let mut found = Vec::new();
    for path in files {
        if dialect == Dialect::Refinery && is_rust_migration(path) {
            diagnostics.push(written_in_code(path, "Rust"));
        }
        if !is_sql(path) {
            continue;
        }
        let file = match parse(path) {
            Some(file) if is_known(dialect, &file) => file,
            file => {
                diagnostics.push(refusal(dialect, path, file.as_ref()));
                continue;
            }
        };
        let numbered = if is_dotted && dialect == Dialect::Flyway {
            from_parts(file.version, path, diagnostics).map(|version| (version, file.version.len()))
        } else {
            version(file.version, path, diagnostics).map(|version| (version, file.version.len()))
        };
        let Some((version, width)) = numbered else { continue };
        found.push(Named {
            path: path.clone(),
            version,
            width,
            name: sanitised(file.name),
            // refinery's `U` is a migration that may be applied out of order, flyway's takes one back.
            is_down: dialect == Dialect::Flyway && file.prefix == 'U',
            no_transaction: dialect == Dialect::Flyway && is_configured(&directory.join(path)),
        });
    }
    found
}

fn parse(path: &str) -> Option<Versioned<'_>> {
    let file_name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let stem = file_name.strip_suffix(".sql")?;
    let prefix = stem.chars().next().filter(|prefix| "VURB".contains(*prefix))?;
    let (version, name) = stem.get(1..)?.split_once("__")?;
    let is_version = version.is_empty() || version.split(['.', '_']).all(is_digits);
    is_version.then_some(Versioned { prefix, version, name })
}

fn is_known(dialect: Dialect, file: &Versioned<'_>) -> bool {
    let is_named = !file.name.is_empty() && !file.version.is_empty();
    let is_word = || file.name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match dialect {
        Dialect::Refinery => "VU".contains(file.prefix) && is_named && is_word() && is_digits(file.version),
        _ => "VU".contains(file.prefix) && is_named && !file.name.ends_with('.'),
    }
}

fn refusal(dialect: Dialect, path: &str, file: Option<&Versioned<'_>>) -> Diagnostic {
    let file_name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let is_callback = || ["before", "after", "create"].iter().any(|event| file_name.starts_with(event));
    match file {
        Some(Versioned { prefix: 'R', version: "", .. }) if dialect == Dialect::Flyway => {
            Diagnostic::error("repeatable-migration", "flyway runs this file again whenever it changes")
                .in_name(path)
                .help("here a migration runs once: name it `V…__name.sql`, and let the next change drop and make again what it makes")
        }
        Some(Versioned { prefix: 'B', .. }) if dialect == Dialect::Flyway => {
            Diagnostic::error("baseline-migration", "flyway runs this file instead of all before it, in a new database only")
                .in_name(path)
                .help("remove the file or those it stands for: every database runs the same migrations here")
        }
        None if dialect == Dialect::Flyway && is_callback() => {
            Diagnostic::error("callback", "flyway runs this file around the others; here it would be skipped")
                .in_name(path)
                .help("write what it does into a migration")
        }
        _ => misnamed(dialect, path),
    }
}

/// The number of a version with dots: `1.2.3` is 1 002 003. As soon as one file has such a version, all are read like that.
fn from_parts(version: &str, path: &str, diagnostics: &mut Diagnostics) -> Option<i64> {
    let mut parts: Vec<&str> = version.split(['.', '_']).collect();
    let fits = |(position, part): (usize, &&str)| position == 0 || part.trim_start_matches('0').len() <= PART;
    let number = if parts.len() <= 3 && parts.iter().enumerate().all(fits) {
        parts.resize(3, "0");
        parts
            .into_iter()
            .try_fold(0_i64, |number, part| number.checked_mul(10_i64.pow(3))?.checked_add(part.parse().ok()?))
    } else {
        None
    };
    if number.is_none() {
        diagnostics.push(
            Diagnostic::error("version-too-large", format!("version {version} does not fit into 64 bits"))
                .in_name(path)
                .note("where versions have dots, each is read as `major.minor.patch`, the last two of three digits at most")
                .help("use whole numbers in all names"),
        );
    }
    number
}

/// `V1__name.rs`, beside the SQL of refinery.
fn is_rust_migration(path: &str) -> bool {
    path.strip_suffix(".rs")
        .is_some_and(|stem| parse(&format!("{stem}.sql")).is_some_and(|file| is_known(Dialect::Refinery, &file)))
}

/// flyway reads `V1__name.sql.conf` beside a script.
fn is_configured(path: &Path) -> bool {
    let mut configuration = path.as_os_str().to_owned();
    configuration.push(".conf");
    let text = fs::read_to_string(configuration).unwrap_or_default();
    text.lines().any(|line| line.split_whitespace().collect::<String>() == "executeInTransaction=false")
}
