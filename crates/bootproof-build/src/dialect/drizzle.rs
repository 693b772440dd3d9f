//! drizzle: `0000_name.sql`, in the order of a journal; since its version 1 a directory for each migration.

use std::fs;
use std::path::Path;

use super::{Dialect, Named, folders, is_digits, misnamed, misplaced, sanitised, version};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rehearse::{self, JournalEntry};
use crate::source::is_sql;

pub(super) const JOURNAL: &str = "meta/_journal.json";

pub(super) fn find(directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    let journal = fs::read(directory.join(JOURNAL));
    if journal.is_err() && files.iter().any(|path| path.ends_with("/migration.sql")) {
        return folders::find(Dialect::Drizzle, directory, files, diagnostics);
    }
    for path in files.iter().filter(|path| path.contains('/') && is_sql(path)) {
        diagnostics.push(misplaced(Dialect::Drizzle, path));
    }
    let scripts: Vec<_> = files.iter().filter(|path| !path.contains('/') && is_sql(path)).collect();
    // Other tools run drizzle's files without its journal, by their numbers.
    let Ok(bytes) = journal else { return by_number(&scripts, diagnostics) };
    let journal = match rehearse::journal(&String::from_utf8_lossy(&bytes)) {
        Ok(journal) => journal,
        Err(error) => {
            diagnostics.push(
                Diagnostic::error("journal", format!("this is not drizzle's journal: {error}"))
                    .in_file(JOURNAL)
                    .help("let drizzle-kit write it again"),
            );
            return Vec::new();
        }
    };
    report_order(&journal, diagnostics);
    for path in &scripts {
        if !journal.iter().any(|entry| path.strip_suffix(".sql") == Some(&entry.tag)) {
            diagnostics.push(misnamed(Dialect::Drizzle, path));
        }
    }
    let mut found = Vec::new();
    for entry in journal {
        let path = format!("{}.sql", entry.tag);
        if scripts.iter().any(|script| **script == path) {
            let (_, name) = entry.tag.split_once('_').unwrap_or(("", &entry.tag));
            found.push(named(path, entry.index, 0, name));
        } else {
            diagnostics.push(
                Diagnostic::error("journal", format!("the journal lists `{path}`, which does not exist"))
                    .in_file(JOURNAL)
                    .help("bring the file back, or let drizzle-kit drop the entry"),
            );
        }
    }
    found
}

fn by_number(scripts: &[&String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    let mut found = Vec::new();
    for path in scripts {
        match path.strip_suffix(".sql").and_then(|stem| stem.split_once('_')).filter(|(digits, _)| is_digits(digits)) {
            Some((digits, name)) => {
                let Some(version) = version(digits, path, diagnostics) else { continue };
                found.push(named((*path).clone(), version, digits.len(), name));
            }
            None => diagnostics.push(misnamed(Dialect::Drizzle, path)),
        }
    }
    found
}

fn named(path: String, version: i64, width: usize, name: &str) -> Named {
    Named { path, version, width, name: sanitised(name), is_down: false, no_transaction: false }
}

/// drizzle applies what is younger than the newest it has applied: an entry with an earlier time is skipped wherever the
/// one before it ran in another deployment.
fn report_order(journal: &[JournalEntry], diagnostics: &mut Diagnostics) {
    for pair in journal.windows(2) {
        let [before, entry] = pair else { continue };
        if entry.when <= before.when {
            let message = format!("`{}` is dated before `{}`, which precedes it", entry.tag, before.tag);
            diagnostics.push(
                Diagnostic::warning("journal-order", message)
                    .in_file(JOURNAL)
                    .note("drizzle skips it in every database that has the other already; here versions decide"),
            );
        }
    }
}
