//! A number, `_`, a name: bootproof, sqlx, goose, dbmate and golang-migrate.

use std::fs;
use std::path::Path;

use super::{Dialect, Named, is_digits, misnamed, misplaced, sanitised, version, written_in_code};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::is_sql;

/// A file name taken apart.
pub(crate) struct Numbered<'a> {
    pub(crate) digits: &'a str,
    pub(crate) name: &'a str,
    pub(crate) is_down: bool,
    /// It has no `.up` or `.down`.
    is_plain: bool,
}

pub(super) fn find(dialect: Dialect, directory: &Path, files: &[String], diagnostics: &mut Diagnostics) -> Vec<Named> {
    let is_in_pairs = files.iter().any(|file| file.ends_with(".up.sql"));
    let mut found = Vec::new();
    for path in files {
        if path.contains('/') {
            if is_sql(path) {
                diagnostics.push(misplaced(dialect, path));
            }
            continue;
        }
        if dialect == Dialect::Goose && is_go_migration(path) {
            diagnostics.push(written_in_code(path, "Go"));
        }
        if !is_sql(path) {
            continue;
        }
        let Some(numbered) = parse(dialect, path) else {
            diagnostics.push(misnamed(dialect, path));
            continue;
        };
        if dialect.is_foreign() && is_misread(&numbered, is_in_pairs) {
            let message = "this file would be skipped or misread: its name ends as no migration's should";
            let diagnostic = Diagnostic::error("file-name", message).in_name(path);
            diagnostics.push(diagnostic.help(dialect.naming()));
            continue;
        }
        if dialect.is_foreign() && is_slip(&numbered) {
            let message = format!("{dialect} reads this file, but its name ends as no migration's should");
            diagnostics.push(Diagnostic::warning("file-name", message).in_name(path).help(dialect.naming()));
        }
        let Some(version) = version(numbered.digits, path, diagnostics) else { continue };
        if dialect == Dialect::Goose && version == 0 {
            diagnostics.push(misnamed(dialect, path));
            continue;
        }
        found.push(Named {
            path: path.clone(),
            version,
            width: numbered.digits.len(),
            name: if dialect.is_foreign() { sanitised(numbered.name) } else { numbered.name.to_owned() },
            is_down: numbered.is_down,
            no_transaction: dialect == Dialect::Sqlx && is_marked_by_sqlx(&directory.join(path)),
        });
    }
    found
}

fn parse(dialect: Dialect, file_name: &str) -> Option<Numbered<'_>> {
    if dialect == Dialect::Bootproof {
        return parse_name(file_name);
    }
    let stem = file_name.strip_suffix(".sql")?;
    let end = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
    let (digits, rest) = stem.split_at_checked(end)?;
    if dialect == Dialect::Dbmate {
        let name = rest.trim_start_matches(['_', '-', '.', ' ']);
        return is_digits(digits).then_some(Numbered { digits, name, is_down: false, is_plain: true });
    }
    let rest = rest.strip_prefix('_')?;
    let (name, is_up, is_down) = if let Some(name) = rest.strip_suffix(".up") {
        (name, true, false)
    } else if let Some(name) = rest.strip_suffix(".down") {
        (name, false, true)
    } else {
        (rest, false, false)
    };
    match dialect {
        // Its names end where the extension begins, whatever is before it.
        Dialect::Goose => is_digits(digits).then_some(Numbered { digits, name: rest, is_down: false, is_plain: true }),
        Dialect::GolangMigrate if !is_up && !is_down => None,
        _ => is_digits(digits).then_some(Numbered { digits, name, is_down, is_plain: !is_up && !is_down }),
    }
}

/// A name by which a tool takes the file for something else than its author did: `1_a.up..sql`, and `1_a_up.sql` or
/// `1_a_down.sql` where the others are in pairs.
fn is_misread(numbered: &Numbered<'_>, is_in_pairs: bool) -> bool {
    let is_half = is_in_pairs && ["_up", "_down"].iter().any(|suffix| numbered.name.ends_with(suffix));
    numbered.is_plain && (is_half || is_slip(numbered))
}

/// A name with one part too many: `1_a..up.sql`, `1_a.up.up.sql`.
fn is_slip(numbered: &Numbered<'_>) -> bool {
    [".", ".up", ".down"].iter().any(|suffix| numbered.name.ends_with(suffix))
}

/// `001_name.go`, beside the SQL of goose.
fn is_go_migration(file_name: &str) -> bool {
    let Some((digits, _)) = file_name.split_once('_') else { return false };
    let extension = Path::new(file_name).extension();
    is_digits(digits) && extension.is_some_and(|extension| extension == "go") && !file_name.ends_with("_test.go")
}

/// sqlx runs a file that begins with these words outside a transaction.
fn is_marked_by_sqlx(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"-- no-transaction"))
}

/// A file name in our own layout.
pub(crate) fn parse_name(file_name: &str) -> Option<Numbered<'_>> {
    let stem = file_name.strip_suffix(".sql")?;
    let (stem, is_down) = stem.strip_suffix(".down").map_or((stem, false), |stem| (stem, true));
    let (digits, name) = stem.split_once('_')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_digits(digits) && is_name).then_some(Numbered { digits, name, is_down, is_plain: !is_down })
}
