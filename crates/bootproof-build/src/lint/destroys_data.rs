//! Rows and values that a migration takes away for good. Nothing gives them back but a backup, so the file says that it
//! means it.
//!
//! What was copied elsewhere by the same file is not gone, nor is what the file itself has made; the rest of a rebuild is
//! judged by what its rows became, in the rehearsal with rows.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::Table;
use bootproof_catalog::token;

use super::ran::{Alteration, Statement};
use super::{Ran, unless_foreign};
use crate::diagnostic::Diagnostic;

pub(super) const RULE: &str = "destroys-data";

pub(super) fn check(ran: &Ran<'_>) -> Vec<Diagnostic> {
    let names = ran.before.tables.keys().map(|name| (name.clone(), name.clone())).collect();
    let mut watch = Watch { ran, names, copied: BTreeSet::new(), moved: BTreeSet::new(), made: BTreeSet::new() };
    ran.statements.iter().filter_map(|statement| watch.see(statement)).collect()
}

/// What has become of the tables that were there, as far as the statements seen so far tell.
struct Watch<'r, 'a> {
    ran: &'r Ran<'a>,
    /// What the tables that are there now were called before the migration; those it made are not in it.
    names: BTreeMap<String, String>,
    /// Tables whose rows were copied into others.
    copied: BTreeSet<String>,
    /// Columns that were read by a statement which writes.
    moved: BTreeSet<(String, String)>,
    /// Columns that this migration made.
    made: BTreeSet<(String, String)>,
}

impl Watch<'_, '_> {
    fn see(&mut self, statement: &Statement<'_>) -> Option<Diagnostic> {
        let effects = &statement.performed.effects;
        match &statement.alteration {
            Some(Alteration::Rename { table, to }) => {
                let name = self.names.remove(table)?;
                self.names.insert(to.clone(), name);
                return None;
            }
            Some(Alteration::AddColumn { table, column }) => {
                let name = self.names.get(table)?;
                self.made.insert((name.clone(), column.clone()));
                return None;
            }
            Some(Alteration::RenameColumn { table, column, to }) => {
                let (old, new) = (self.column(table, column)?, self.column(table, to)?);
                for known in [&mut self.made, &mut self.moved] {
                    if known.contains(&old) {
                        known.insert(new.clone());
                    }
                }
                return None;
            }
            Some(Alteration::DropColumn { table, column }) => return self.drop_column(statement, table, column),
            None => {}
        }
        if let Some(table) = effects.drops_tables.iter().find(|table| self.names.contains_key(*table)) {
            return self.drop_table(statement, table);
        }
        let finding = if statement.says("where") || statement.says("limit") || statement.starts_with("create") {
            None
        } else if statement.says("delete") {
            self.delete(statement)
        } else if statement.says("update") && !statement.says("insert") {
            self.update(statement)
        } else {
            None
        };
        self.note_copies(statement);
        finding
    }

    /// A column by the name its table had, whatever its own was.
    fn column(&self, table: &str, column: &str) -> Option<(String, String)> {
        Some((self.names.get(table)?.clone(), column.to_owned()))
    }

    fn note_copies(&mut self, statement: &Statement<'_>) {
        let effects = &statement.performed.effects;
        if !statement.may_copy() {
            return;
        }
        for (table, column) in effects.reads.iter().filter(|(_, column)| !column.is_empty()) {
            let Some(name) = self.names.get(table) else { continue };
            if statement.starts_with("create") || effects.writes.iter().any(|written| written != table) {
                self.copied.insert(name.clone());
            }
            self.moved.insert((name.clone(), column.clone()));
        }
    }

    fn drop_table(&mut self, statement: &Statement<'_>, table: &str) -> Option<Diagnostic> {
        let name = self.names.remove(table)?;
        let old = self.ran.before.tables.get(&name)?;
        // What a virtual table holds is made from other tables, as a rule.
        if old.is_virtual {
            return None;
        }
        let comes_back = self.ran.after.tables.get(&name);
        if !self.copied.contains(&name) {
            let mut finding = self.finding(statement, table, format!("this drops `{}` with all its rows", old.name));
            if comes_back.is_some() {
                finding = finding.note(format!("nothing is copied into the new `{}`", old.name));
            }
            return Some(finding);
        }
        let lost: Vec<_> = self.lost_columns(&name, old, comes_back?).collect();
        let message = match lost.as_slice() {
            [] => return None,
            [only] => format!("this drops the column `{}.{only}` with its values: nothing copies it", old.name),
            more => format!("this drops columns of `{}` with their values: {}", old.name, token_list(more)),
        };
        Some(self.finding(statement, table, message))
    }

    /// The columns that a rebuild leaves behind.
    fn lost_columns<'t>(&self, name: &str, old: &'t Table, new: &Table) -> impl Iterator<Item = &'t str> {
        old.columns
            .iter()
            .filter(move |(column, facts)| {
                let key = (name.to_owned(), (*column).clone());
                facts.generated.is_none() && !new.columns.contains_key(*column) && !self.moved.contains(&key)
            })
            .map(|(_, column)| column.name.as_str())
    }

    fn drop_column(&self, statement: &Statement<'_>, table: &str, column: &str) -> Option<Diagnostic> {
        let key = self.column(table, column)?;
        let old = self.ran.before.tables.get(&key.0)?;
        let is_generated = old.columns.get(column).is_some_and(|column| column.generated.is_some());
        if is_generated || self.made.contains(&key) || self.moved.contains(&key) {
            return None;
        }
        let message = format!("this drops the column `{}.{column}` with its values", old.name);
        Some(self.finding(statement, column, message))
    }

    fn delete(&self, statement: &Statement<'_>) -> Option<Diagnostic> {
        let from = statement.tokens.iter().position(|token| token.is_keyword("delete"))?;
        let target = super::ran::unqualified(statement.tokens.get(from + 2..)?).first()?.as_name();
        let name = self.names.get(&target)?;
        let old = self.ran.before.tables.get(name).filter(|table| !table.is_virtual)?;
        if self.copied.contains(name) {
            return None;
        }
        Some(self.finding(statement, &target, format!("this deletes every row of `{}`", old.name)))
    }

    fn update(&self, statement: &Statement<'_>) -> Option<Diagnostic> {
        let effects = &statement.performed.effects;
        let mut overwritten = Vec::new();
        let mut target = None;
        for (table, column) in &effects.updates {
            let Some(key) = self.column(table, column) else { continue };
            let Some(old) = self.ran.before.tables.get(&key.0).filter(|table| !table.is_virtual) else { continue };
            // A value that is computed from the old one goes on; one that was copied is kept elsewhere.
            let goes_on = effects.reads.contains(&(table.clone(), column.clone()));
            if goes_on || self.made.contains(&key) || self.moved.contains(&key) {
                continue;
            }
            if let Some(column) = old.columns.get(column) {
                overwritten.push(column.name.as_str());
                target = Some((table, old));
            }
        }
        let (table, old) = target?;
        let message = match overwritten.as_slice() {
            [only] => format!("this overwrites `{}.{only}` in every row", old.name),
            more => format!("this overwrites columns of `{}` in every row: {}", old.name, token_list(more)),
        };
        Some(self.finding(statement, table, message))
    }

    fn finding(&self, statement: &Statement<'_>, at: &str, message: String) -> Diagnostic {
        Diagnostic::error(RULE, message)
            .with_severity(unless_foreign(self.ran.file.dialect))
            .at(self.ran.file, self.ran.name(statement, at))
            .note("only a backup gives them back")
            .help("if that is meant, say `-- bootproof: allow destroys-data \"why\"`; if not, copy them first or add a WHERE")
    }
}

fn token_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", token::readable(name))).collect::<Vec<_>>().join(", ")
}
