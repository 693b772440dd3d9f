//! Puts the files that were found in order: one source for each version.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Dialect, Named, sections};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{File, Source, read_file};

/// Reads the files. What cannot be used is reported and left out.
pub(crate) fn read(
    dialect: Dialect,
    directory: &Path,
    found: Vec<Named>,
    diagnostics: &mut Diagnostics,
) -> Vec<Source> {
    let mut ups: BTreeMap<i64, Source> = BTreeMap::new();
    let mut downs = Vec::new();
    let mut widths = Vec::new();
    for named in found {
        let Some(file) = read_file(dialect, directory, &named.path, diagnostics) else { continue };
        if named.is_down {
            downs.push((named, file));
            continue;
        }
        widths.push((named.width, named.path.clone()));
        if let Some(first) = ups.get(&named.version) {
            diagnostics.push(
                Diagnostic::error(
                    "duplicate-version",
                    format!("version {} is taken by `{}`", named.version, first.up.name),
                )
                .in_name(&named.path)
                .help("give one of the two the next free number; never renumber one that has been released"),
            );
            continue;
        }
        let Some(source) = divided(dialect, named, file, diagnostics) else { continue };
        ups.insert(source.version, source);
    }
    for (named, file) in downs {
        // Only our own layout and the folders of diesel hold that a pair has one name.
        match ups.get_mut(&named.version) {
            Some(up) if dialect.is_foreign() || up.name == named.name => up.down = Some(file),
            up => diagnostics.push(down_without_up(&named, up.as_deref(), &file)),
        }
    }
    let sources: Vec<_> = ups.into_values().collect();
    report_widths(dialect, &widths, &sources, diagnostics);
    sources
}

/// A migration whose file may hold both directions.
fn divided(dialect: Dialect, named: Named, file: Arc<File>, diagnostics: &mut Diagnostics) -> Option<Source> {
    let Named { version, name, mut no_transaction, .. } = named;
    let (mut up, mut down) = (file, None);
    if matches!(dialect, Dialect::Goose | Dialect::Dbmate) {
        let sections = sections::divide(dialect, &up, diagnostics)?;
        no_transaction |= sections.no_transaction;
        down = sections.down.map(|section| Arc::new(up.section(section)));
        up = Arc::new(up.section(sections.up));
    }
    Some(Source { version, name, up, down, no_transaction })
}

fn down_without_up(named: &Named, up: Option<&Source>, file: &File) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error("down-without-up", "this is the way back from a migration that does not exist")
            .in_name(&file.name);
    if let Some(up) = up {
        diagnostic = diagnostic.note(format!("version {} is `{}`", named.version, up.up.name));
    }
    let help = if file.dialect.is_foreign() {
        "bring its migration back, or remove the file".to_owned()
    } else {
        format!("name it after its migration, `{}`", file.name.replace(".down.sql", ".sql"))
    };
    diagnostic.help(help)
}

/// Where versions have different numbers of digits, their order as numbers may not be the one in which files are listed.
fn report_widths(dialect: Dialect, widths: &[(usize, String)], sources: &[Source], diagnostics: &mut Diagnostics) {
    // `V2` before `V10` is what these tools are used to, and the journal decides in drizzle's directories.
    if matches!(dialect, Dialect::Refinery | Dialect::Flyway | Dialect::Drizzle) {
        return;
    }
    let is_listed_in_order = sources.windows(2).all(|pair| matches!(pair, [a, b] if a.up.name < b.up.name));
    let first = |width: usize| widths.iter().find(|(other, _)| *other == width).map(|(_, path)| path);
    let (shortest, longest) =
        (widths.iter().map(|(width, _)| *width).min(), widths.iter().map(|(width, _)| *width).max());
    let (Some(shortest), Some(longest)) = (shortest, longest) else { return };
    if shortest == longest || (dialect.is_foreign() && is_listed_in_order) {
        return;
    }
    let (Some(short), Some(long)) = (first(shortest), first(longest)) else { return };
    diagnostics.push(
        Diagnostic::warning(
            "mixed-widths",
            format!(
                "versions have {shortest} to {longest} digits (`{short}`, `{long}`): \
                 other tools list the files in another order than the numbers"
            ),
        )
        .in_file(long),
    );
}
