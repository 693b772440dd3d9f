//! Whether it matters to views and triggers how ALTER TABLE works (`PRAGMA legacy_alter_table`).
//!
//! In the old way SQLite leaves them as they are when a table gets another name; in its own it rewrites those that name the table,
//! and refuses where one of them names what is not there: <https://sqlite.org/lang_altertable.html#altertabrename>.

use std::collections::BTreeSet;

use bootproof_catalog::token::{self, Token};

use super::Stage;

impl Stage {
    /// Whether what stands behind a `PRAGMA legacy_alter_table` leaves the same views and triggers without it.
    pub(super) fn alters_alike(&self, rest: &str) -> bool {
        let rest = token::tokens(rest);
        // What is made there is not known yet.
        if rest.iter().any(|token| token.is_keyword("view") || token.is_keyword("trigger")) {
            return false;
        }
        let named = tables_named(&rest);
        let is_apart = |sql: &str| !token::tokens(sql).iter().any(|token| named.contains(&token.as_name()));
        let catalog = self.catalog();
        let are_apart = catalog.is_ok_and(|catalog| {
            let mut found = catalog.views.values().chain(catalog.triggers.values());
            found.all(|definition| is_apart(&definition.sql))
        });
        are_apart && self.renames().unwrap_or(false)
    }

    /// Whether SQLite, in its own way, gives a table another name as things are.
    fn renames(&self) -> rusqlite::Result<bool> {
        let was_old: bool = self.connection.pragma_query_value(None, "legacy_alter_table", |row| row.get(0))?;
        self.connection.pragma_update(None, "legacy_alter_table", false)?;
        self.connection.execute_batch("SAVEPOINT renamed")?;
        self.budget.renew();
        let tried =
            "CREATE TABLE bootproof_renamed(x); ALTER TABLE bootproof_renamed RENAME TO bootproof_renamed_again";
        let renames = self.connection.execute_batch(tried).is_ok();
        self.connection.execute_batch("ROLLBACK TO renamed; RELEASE renamed")?;
        self.connection.pragma_update(None, "legacy_alter_table", was_old)?;
        Ok(renames)
    }
}

/// The tables that statements make, drop or alter, by their names before and after.
fn tables_named(tokens: &[Token]) -> BTreeSet<String> {
    const BEFORE: [&str; 3] = ["exists", "table", "to"];
    let is_before = |token: &Token| BEFORE.iter().any(|word| token.is_keyword(word));
    let behind =
        tokens.iter().enumerate().filter(|(_, token)| is_before(token)).filter_map(|(position, _)| {
            match tokens.get(position + 1..)? {
                [_, point, name, ..] if point.is_symbol('.') => Some(name),
                [name, ..] => Some(name),
                [] => None,
            }
        });
    behind.map(Token::as_name).filter(|name| name != "if").collect()
}
