//! Commands on a directory of migrations, which need no database.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use bootproof_build::{Compiler, Diagnostic, Diagnostics, Dialect, LockError, SquashError, scaffold};
use serde::Serialize;

use crate::output::Answer;

/// The exit code of a directory that does not compile.
const FAILED: u8 = 1;

/// The exit code of an argument that means nothing.
const USAGE: u8 = 2;

/// The exit code of a file that cannot be written.
const ENVIRONMENT: u8 = 8;

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
        Ok(compilation) => {
            let notes = compilation.left_empty().iter().map(|left| format!("note: {left}\n"));
            let message = rendered(diagnostics) + &notes.collect::<String>();
            Answer { message, ..Answer::of_prose(format!("proven: {compilation}\n")) }
        }
        Err(_) => Answer { message: rendered(diagnostics), code, ..Answer::default() },
    }
}

/// What became of a lock file, as programs read it.
#[derive(Serialize)]
struct Locked<'a> {
    path: &'a Path,
    added: &'a [String],
    released: usize,
}

/// Lists what is in a directory as released.
pub(crate) fn lock(compiler: &Compiler, json: bool) -> Answer {
    match compiler.lock() {
        Ok(locked) if json => {
            Answer::of_json(&Locked { path: &locked.path, added: &locked.added, released: locked.released })
        }
        Ok(locked) => {
            let plural = if locked.released == 1 { "" } else { "s" };
            let head = format!("{}: {} released migration{plural}\n", locked.path.display(), locked.released);
            let added = locked.added.iter().map(|file| format!("  added      {file}\n"));
            Answer::of_prose(std::iter::once(head).chain(added).collect::<String>())
        }
        Err(LockError::NotCompiled(diagnostics)) if json => {
            Answer { code: FAILED, ..Answer::of_json(&findings(&diagnostics)) }
        }
        Err(LockError::NotCompiled(diagnostics)) => {
            Answer { message: rendered(&diagnostics), code: FAILED, ..Answer::default() }
        }
        Err(error) => Answer { message: format!("error: {error}\n"), code: ENVIRONMENT, ..Answer::default() },
    }
}

/// Writes one file in place of many migrations.
pub(crate) fn squash(compiler: &Compiler, to: i64, out: Option<&Path>, json: bool) -> Answer {
    let failed = |code, message: String| Answer { message, code, ..Answer::default() };
    let text = match compiler.squash(to) {
        Ok(text) => text,
        Err(SquashError::NotCompiled(diagnostics)) if json => {
            return Answer { code: FAILED, ..Answer::of_json(&findings(&diagnostics)) };
        }
        Err(SquashError::NotCompiled(diagnostics)) => return failed(FAILED, rendered(&diagnostics)),
        Err(error @ SquashError::NoSuchVersion { .. }) => return failed(USAGE, format!("error: {error}\n")),
        Err(error) => return failed(FAILED, format!("error: {error}\n")),
    };
    let Some(out) = out else { return Answer::of_text(text) };
    let written = OpenOptions::new().write(true).create_new(true).open(out);
    match written.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Answer::of_text(format!("{}\n", out.display())),
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::AlreadyExists { USAGE } else { ENVIRONMENT };
            failed(code, format!("error: cannot write {}: {error}\n", out.display()))
        }
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

/// The tool for which the files of a directory were written, as far as they tell.
fn dialect(migrations: &Path) -> Dialect {
    match Compiler::new(migrations).check() {
        Ok(compilation) => compilation.dialect(),
        Err(diagnostics) => diagnostics.dialect(),
    }
}

/// Writes the file of the next migration, or of a contract that an index has to serve.
pub(crate) fn new(migrations: &Path, name: &str, index: Option<&str>) -> Answer {
    let dialect = dialect(migrations);
    if index.is_none() && dialect != Dialect::Bootproof {
        return Answer {
            message: format!(
                "error: the files in `{}` were written for {dialect}, and this would be one of our own\n\
                 hint: begin the next one as {dialect} does\n",
                migrations.display()
            ),
            code: USAGE,
            ..Answer::default()
        };
    }
    let written = match index {
        Some(index) => scaffold::new_contract(migrations, name, index),
        None => scaffold::new_migration(migrations, name),
    };
    match written {
        Ok(file) => Answer::of_text(format!("{file}\n")),
        Err(error) => Answer {
            message: format!("error: {error}\nhint: {}\n", error.hint()),
            code: error.exit_code(),
            ..Answer::default()
        },
    }
}
