//! Whether programs of the version before can go on with the schema after a migration, as a rolling deploy needs it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::{Severity, difference};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::File;

/// Judges a migration, which may claim to be compatible.
///
/// Without a claim, only new indexes that refuse no row are: no query of an older program reads or writes anything else than
/// before. A claim is believed of everything that was added, since whether an older `INSERT` or `SELECT *` minds it only the
/// author knows; it is an error where an older program would not even start on the schema.
pub(crate) fn judge(
    file: &Arc<File>,
    claim: Option<Range<usize>>,
    before: &Catalog,
    after: &Catalog,
    writes: &BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let differences = difference::between(before, after);
    let lost = differences.iter().find(|difference| difference.severity != Severity::Extra);
    match (claim, lost) {
        (Some(span), Some(lost)) => {
            let message = "programs of the version before cannot go on after this migration";
            diagnostics.push(
                Diagnostic::error("not-compatible", message)
                    .at(file, span)
                    .note(format!("they would find: {lost}"))
                    .help("remove the line; or only add in this migration, and take away in a later one"),
            );
            false
        }
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => writes.is_empty() && adds_only_indexes(before, after),
    }
}

/// Indexes, and none of them UNIQUE.
fn adds_only_indexes(before: &Catalog, after: &Catalog) -> bool {
    let without_indexes = |catalog: &Catalog| Catalog { indexes: before.indexes.clone(), ..catalog.clone() };
    let mut new = after.indexes.iter().filter(|(key, _)| !before.indexes.contains_key(*key)).peekable();
    new.peek().is_some() && new.all(|(_, index)| !index.unique) && without_indexes(after) == *before
}
