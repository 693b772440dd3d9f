//! One directory for each migration: diesel, prisma, and drizzle since its version 1.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Dialect, Named, is_digits, misnamed, misplaced, sanitised, version};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::is_sql;

pub(super) fn find(dialect: Dialect, directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    if dialect == Dialect::Prisma {
        refuse_another_database(directory, diagnostics);
    }
    let up = if dialect == Dialect::Diesel { "up.sql" } else { "migration.sql" };
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files {
        match path.split_once('/') {
            Some((folder, file)) => folders.entry(folder).or_default().push(file),
            None if is_sql(path) => diagnostics.push(misplaced(dialect, path)),
            None => {}
        }
    }
    let mut found = Vec::new();
    for (folder, files) in folders {
        let sql: Vec<&str> = files.iter().copied().filter(|file| is_sql(file)).collect();
        let Some((digits, name)) = parse(dialect, folder) else {
            diagnostics.extend(sql.iter().map(|file| misnamed(dialect, &format!("{folder}/{file}"))));
            continue;
        };
        if !sql.contains(&up) {
            diagnostics.push(
                Diagnostic::error("no-migration-file", format!("there is no `{up}` in this directory"))
                    .in_file(folder)
                    .help("write it, or remove the directory; never one that has been released"),
            );
        }
        let Some(version) = version(&digits, folder, diagnostics) else { continue };
        let no_transaction = dialect == Dialect::Diesel && is_configured(&directory.join(folder));
        for file in sql {
            let path = format!("{folder}/{file}");
            let is_down = dialect == Dialect::Diesel && file == "down.sql";
            if file != up && !is_down {
                diagnostics.push(misnamed(dialect, &path));
                continue;
            }
            let (width, name) = (digits.len(), sanitised(name));
            found.push(Named { path, version, width, name, is_down, no_transaction });
        }
    }
    found
}

/// The digits of a version, and the name behind them.
fn parse(dialect: Dialect, folder: &str) -> Option<(String, &str)> {
    let (version, name) = folder.split_once('_').unwrap_or((folder, ""));
    // Its history table has `2025-01-31-120000` as `20250131120000`.
    let digits = if dialect == Dialect::Diesel { version.replace('-', "") } else { version.to_owned() };
    is_digits(&digits).then_some((digits, name))
}

/// diesel reads `metadata.toml` beside the scripts.
fn is_configured(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join("metadata.toml")).unwrap_or_default();
    text.lines().any(|line| line.split_whitespace().collect::<String>() == "run_in_transaction=false")
}

/// prisma's lock file says for which database the migrations were written.
fn refuse_another_database(directory: &Path, diagnostics: &mut Diagnostics) {
    const LOCK: &str = "migration_lock.toml";
    let text = fs::read_to_string(directory.join(LOCK)).unwrap_or_default();
    let provider = text.lines().find_map(|line| line.trim().strip_prefix("provider")?.trim().strip_prefix('='));
    let provider = provider.map(|provider| provider.trim().trim_matches('"'));
    if let Some(provider) = provider.filter(|&provider| provider != "sqlite") {
        diagnostics.push(
            Diagnostic::error(
                "other-database",
                format!("these migrations were written for {provider}, not for SQLite"),
            )
            .in_file(LOCK)
            .help("check the directory of the SQLite schema"),
        );
    }
}
