//! Which tables may have more or fewer rows after a script: all others are counted, before and after.

use std::collections::BTreeSet;

use bootproof_catalog::catalog::Catalog;
use bootproof_catalog::token;

use crate::rehearse::Performed;
use crate::source::File;

/// The tables whose rows may be more or fewer afterwards: those written or dropped, and those that change names.
pub(crate) fn of(file: &File, script: &[Performed], before: &Catalog, after: &Catalog) -> BTreeSet<String> {
    let written = script.iter().flat_map(|performed| performed.effects.writes.iter().cloned());
    let renamed = script.iter().filter_map(|performed| renamed(file, performed)).flatten();
    // Neither SQLite's own tables, nor views, nor tables that came and went.
    let is_table = |name: &String| before.tables.contains_key(name) || after.tables.contains_key(name);
    written.chain(renamed).filter(is_table).collect()
}

/// The old and the new name of a table: the authorizer tells the old one only, and not that this is a renaming.
pub(crate) fn renamed(file: &File, performed: &Performed) -> Option<[String; 2]> {
    if performed.effects.alters.is_empty() {
        return None;
    }
    let tokens = token::tokens(file.text.get(performed.statement.span.clone())?);
    match tokens.split(|token| token.is_symbol(';')).next()? {
        [alter, .., old, rename, to, new]
            if alter.is_keyword("alter") && rename.is_keyword("rename") && to.is_keyword("to") =>
        {
            Some([old.as_name(), new.as_name()])
        }
        _ => None,
    }
}
