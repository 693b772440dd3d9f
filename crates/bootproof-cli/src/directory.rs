//! Commands on a directory of migrations, which need no database.

use std::fmt::Write as _;
use std::path::Path;

use bootproof_build::{Compilation, Diagnostic, Diagnostics, scaffold};
use serde::Serialize;

use crate::output::Answer;

/// The exit code of a directory that does not compile.
const FAILED: u8 = 1;
/// The exit code of a wish that cannot be granted, such as a name that is taken.
const USAGE: u8 = 2;

/// One diagnostic, as programs read it.
#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    severity: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    help: String,
}

/// Compiles a directory as the build would.
pub(crate) fn check(directory: &Path, json: bool) -> Answer {
    let checked = bootproof_build::check(directory);
    let (diagnostics, code) = match &checked {
        Ok(compilation) => (compilation.warnings(), 0),
        Err(diagnostics) => (diagnostics, FAILED),
    };
    if json {
        return Answer { code, ..Answer::of_json(&findings(diagnostics)) };
    }
    match &checked {
        Ok(compilation) => Answer { message: rendered(diagnostics), ..Answer::of_prose(summary(compilation)) },
        Err(_) => Answer { message: rendered(diagnostics), code, ..Answer::default() },
    }
}

fn findings(diagnostics: &Diagnostics) -> Vec<Finding<'_>> {
    diagnostics.iter().map(finding).collect()
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    Finding {
        rule: diagnostic.rule(),
        severity: diagnostic.severity().name(),
        file: diagnostic.file(),
        line: diagnostic.line(),
        column: diagnostic.column(),
        message: diagnostic.message(),
        help: diagnostic.helps().join("; "),
    }
}

fn rendered(diagnostics: &Diagnostics) -> String {
    if diagnostics.iter().next().is_some() { diagnostics.to_string() } else { String::new() }
}

fn summary(compilation: &Compilation) -> String {
    let mut summary = String::from("proven: ");
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let (migrations, contracts) = (compilation.migrations(), compilation.contracts());
    // Writing to a String cannot fail.
    let _ = writeln!(
        summary,
        "{} up to version {}, {}",
        count(migrations, "migration", "migrations"),
        compilation.head_version(),
        count(contracts, "query contract", "query contracts")
    );
    summary
}

/// Writes the file of the next migration, or of a contract that an index has to serve.
pub(crate) fn new(migrations: &Path, name: &str, index: Option<&str>) -> Answer {
    let written = match index {
        Some(index) => scaffold::new_contract(migrations, name, index),
        None => scaffold::new_migration(migrations, name),
    };
    match written {
        Ok(file) => Answer::of_text(format!("{file}\n")),
        Err(error) => {
            Answer { message: format!("error: {error}\nhint: {}\n", error.hint()), code: USAGE, ..Answer::default() }
        }
    }
}
