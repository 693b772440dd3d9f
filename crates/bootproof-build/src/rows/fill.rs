//! Puts a few rows into every table: parents before children, SQLite being the judge of every value.

use std::collections::{BTreeMap, BTreeSet};

use bootproof_catalog::catalog::{Catalog, Column, ForeignKey, Table};
use bootproof_catalog::{Shared, quoted, token};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::row::{Choice, Slot, assemble, blamed, turn};
use super::values::{self, Numbers};

/// How many rows a table has at least, where its constraints allow that.
const ENOUGH: usize = 3;
/// How many combinations of values are tried for a row.
const ATTEMPTS: usize = 400;

/// What the rows are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variety {
    /// One row has NULL wherever that is allowed.
    Sparse,
    /// Every column has a value.
    Full,
}

/// A database that is being filled.
pub(super) struct Filler<'a> {
    pub(super) connection: &'a Connection,
    pub(super) catalog: &'a Catalog,
    pub(super) numbers: &'a mut Numbers,
    pub(super) variety: Variety,
    /// Keys that rows of tables yet to be filled were promised to have: by table and columns.
    pub(super) promised: BTreeMap<(String, Vec<String>), Vec<Vec<Value>>>,
    /// What was done, statement by statement, where somebody wants to do it again.
    pub(super) script: Option<Vec<String>>,
}

impl<'a> Filler<'a> {
    /// Fills some tables; tells which stay empty, and why.
    ///
    /// Foreign keys are off, and so are triggers: rows appear as if they had always been there.
    pub(super) fn fill(&mut self, tables: &BTreeSet<String>) -> rusqlite::Result<BTreeMap<String, String>> {
        let mut empty = BTreeMap::new();
        if tables.is_empty() {
            return Ok(empty);
        }
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        self.connection.execute_batch("BEGIN")?;
        let ordered = self.parents_first(tables);
        for &table in &ordered {
            // What a new foreign key made orphans of makes room for others.
            self.remove_orphans(table, &mut BTreeMap::new())?;
            if let Err(reason) = self.fill_table(table)? {
                empty.insert(table.name.to_ascii_lowercase(), reason);
            }
        }
        for &table in &ordered {
            self.complete(table)?;
            self.refer(table)?;
        }
        // In a ring, every row that goes may leave another one without its parent.
        for _ in &ordered {
            let mut is_sound = true;
            for &table in &ordered {
                is_sound &= !self.remove_orphans(table, &mut empty)?;
            }
            if is_sound {
                break;
            }
        }
        self.connection.execute_batch("COMMIT")?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
        self.index_texts();
        Ok(empty)
    }

    /// Tables in an order in which every parent comes before its children, as far as there is one.
    fn parents_first(&self, tables: &BTreeSet<String>) -> Vec<&'a Shared<Table>> {
        let mut left: BTreeMap<&String, &Shared<Table>> =
            self.catalog.tables.iter().filter(|(key, table)| !table.is_virtual && tables.contains(*key)).collect();
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let waits = |key: &String, is_hard: bool| {
                left.get(key).is_some_and(|table| {
                    table.foreign_keys.iter().any(|foreign| {
                        foreign.parent != *key
                            && left.contains_key(&foreign.parent)
                            && !(is_hard && foreign.columns.iter().any(|column| is_nullable(table, column)))
                    })
                })
            };
            // In a ring, begin where NULL may stand for the parent that is still missing.
            let next = left.keys().find(|key| !waits(key, false)).or_else(|| left.keys().find(|key| !waits(key, true)));
            let Some(next) = next.or_else(|| left.keys().next()).copied() else { break };
            ordered.extend(left.remove(next));
        }
        ordered
    }

    /// Makes up rows until there are enough. The inner error is the reason why there is none.
    fn fill_table(&mut self, table: &Table) -> rusqlite::Result<Result<(), String>> {
        let name = quoted(&table.name);
        let count = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {ENOUGH})");
        let present: i64 = self.connection.query_row(&count, [], |row| row.get(0))?;
        let present = usize::try_from(present).unwrap_or(ENOUGH);
        let columns: Vec<&Column> = table.columns.values().filter(|column| column.generated.is_none()).collect();
        if columns.is_empty() {
            return Ok(Err("it has no column to write".to_owned()));
        }
        let names: Vec<_> = columns.iter().map(|column| quoted(&column.name)).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {name}({}) VALUES ({marks})", names.join(", "));
        let mut insert = match self.connection.prepare(&sql) {
            Ok(insert) => insert,
            // A function of the application in a CHECK or an index.
            Err(error) => return Ok(Err(reason(&error))),
        };
        for position in present..ENOUGH {
            let mut slots = self.slots(table, &columns, position)?;
            let mut attempts = 0;
            let failure = loop {
                let row = assemble(&columns, &slots);
                let Err(error) = insert.execute(params_from_iter(row)) else {
                    self.note(|| insert.expanded_sql());
                    break None;
                };
                attempts += 1;
                let blamed = blamed(&error, table, self.catalog);
                if attempts == ATTEMPTS || !turn(&mut slots, &blamed) {
                    break Some(reason(&error));
                }
            };
            if let Some(reason) = failure {
                return Ok(if position == 0 { Err(reason) } else { Ok(()) });
            }
        }
        Ok(Ok(()))
    }

    /// What there is to choose for a row, the keys of several columns first.
    fn slots(&mut self, table: &Table, columns: &[&Column], position: usize) -> rusqlite::Result<Vec<Slot>> {
        let is_sparse = self.variety == Variety::Sparse && position == 1;
        let mut keys: Vec<&ForeignKey> = table.foreign_keys.iter().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.columns.len()));
        let mut slots: Vec<Slot> = Vec::new();
        for key in keys {
            let mut choices = self.parents(table, key, position)?;
            if key.columns.iter().any(|column| is_nullable(table, column)) {
                let null = Choice::Values(vec![Value::Null; key.columns.len()]);
                choices.insert(if is_sparse { 0 } else { choices.len() }, null);
            }
            slots.push(Slot { columns: key.columns.clone(), choices, chosen: 0 });
        }
        let name = table.name.to_ascii_lowercase();
        for column in columns {
            let key = column.name.to_ascii_lowercase();
            if slots.iter().any(|slot| slot.columns.contains(&key) && !slot.choices.is_empty()) {
                continue;
            }
            let mut values = values::candidates(table, column, position, self.numbers.next());
            for ((owner, names), tuples) in &self.promised {
                let at = names.iter().position(|name| *name == key).filter(|_| *owner == name);
                let value = at.and_then(|at| tuples.get(position)?.get(at));
                values.splice(0..0, value.cloned());
            }
            if is_nullable(table, &key) {
                values.insert(if is_sparse { 0 } else { values.len() }, Value::Null);
            }
            let choices = values.into_iter().map(|value| Choice::Values(vec![value])).collect();
            slots.push(Slot { columns: vec![key], choices, chosen: 0 });
        }
        Ok(slots)
    }

    /// The rows that a foreign key can point to; a key is promised where it must and there is none yet.
    fn parents(&mut self, table: &Table, key: &ForeignKey, position: usize) -> rusqlite::Result<Vec<Choice>> {
        let Some((parent, parent_columns)) = self.key_of_parent(key) else { return Ok(Vec::new()) };
        let mut choices: Vec<_> = self.key_values(parent, &parent_columns)?.into_iter().map(Choice::Values).collect();
        let turn = if choices.is_empty() { 0 } else { position % choices.len() };
        choices.rotate_left(turn);
        if key.parent.eq_ignore_ascii_case(&table.name) {
            choices.push(Choice::Itself(parent_columns));
        } else if choices.is_empty() && !key.columns.iter().any(|column| is_nullable(table, column)) {
            let promised = self.promised.entry((key.parent.clone(), parent_columns.clone())).or_default();
            if promised.len() <= position {
                let number = self.numbers.next();
                let value = |name: &String| {
                    let column = parent.columns.get(name);
                    column.and_then(|column| values::candidates(parent, column, position, number).into_iter().next())
                };
                let tuple: Vec<_> = parent_columns.iter().filter_map(value).collect();
                promised.extend(Some(tuple).filter(|tuple| tuple.len() == parent_columns.len()));
            }
            choices.extend(promised.get(position).cloned().map(Choice::Values));
        }
        Ok(choices)
    }

    fn key_of_parent(&self, key: &ForeignKey) -> Option<(&'a Table, Vec<String>)> {
        let parent = self.catalog.tables.get(&key.parent)?;
        let columns = if key.parent_columns.is_empty() { primary_key(parent) } else { key.parent_columns.clone() };
        (columns.len() == key.columns.len()).then_some((parent, columns))
    }

    fn key_values(&self, parent: &Table, columns: &[String]) -> rusqlite::Result<Vec<Vec<Value>>> {
        let names: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
        let sql = format!("SELECT {} FROM {} LIMIT {}", names.join(", "), quoted(&parent.name), 2 * ENOUGH);
        let mut statement = self.connection.prepare(&sql)?;
        let tuples = statement.query_map([], |row| (0..names.len()).map(|at| row.get(at)).collect())?;
        let tuples: rusqlite::Result<Vec<Vec<Value>>> = tuples.collect();
        Ok(tuples?.into_iter().filter(|tuple| !tuple.contains(&Value::Null)).collect())
    }

    /// Gives one row a value in every column that is NULL throughout, as one added to a filled table is.
    fn complete(&mut self, table: &Table) -> rusqlite::Result<()> {
        let name = quoted(&table.name);
        let key = primary_key(table).first().map_or("rowid".to_owned(), |column| quoted(column));
        for (column_key, column) in &table.columns {
            let is_reference = table.foreign_keys.iter().any(|foreign| foreign.columns.contains(column_key));
            if is_reference || column.generated.is_some() || !is_nullable(table, column_key) {
                continue;
            }
            let column_name = quoted(&column.name);
            let is_known = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {column_name} IS NOT NULL)");
            if self.connection.query_row(&is_known, [], |row| row.get(0))? {
                continue;
            }
            let sql = format!("UPDATE {name} SET {column_name} = ? WHERE {key} IN (SELECT {key} FROM {name} LIMIT 1)");
            let mut update = self.connection.prepare(&sql)?;
            let number = self.numbers.next();
            // Where no value is accepted, NULL remains.
            if values::candidates(table, column, 0, number).iter().any(|value| update.execute([value]).is_ok()) {
                self.note(|| update.expanded_sql());
            }
        }
        Ok(())
    }

    /// Lets one row refer to a parent that was filled behind its child, in a ring of tables.
    fn refer(&mut self, table: &Table) -> rusqlite::Result<()> {
        for key in &table.foreign_keys {
            let is_late = key.parent.as_str() != table.name.to_ascii_lowercase()
                && key.columns.iter().any(|column| is_nullable(table, column));
            let Some((parent, columns)) = self.key_of_parent(key).filter(|_| is_late) else { continue };
            let name = quoted(&table.name);
            let child: Vec<_> = key.columns.iter().map(|column| quoted(column)).collect();
            let has_parent =
                child.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
            let is_done = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {has_parent})");
            if self.connection.query_row(&is_done, [], |row| row.get(0))? {
                continue;
            }
            let parents = self.key_values(parent, &columns)?;
            let Some(tuple) = parents.into_iter().next() else { continue };
            let first = child.first().map(String::as_str).unwrap_or_default();
            let sets: Vec<_> = child.iter().map(|column| format!("{column} = ?")).collect();
            let sql = format!(
                "UPDATE OR IGNORE {name} SET {0} WHERE ({1}) IN (SELECT {1} FROM {name} WHERE {first} IS NULL LIMIT 1)",
                sets.join(", "),
                primary_key(table).first().map_or("rowid".to_owned(), |column| quoted(column)),
            );
            let mut update = self.connection.prepare(&sql)?;
            // Some CHECK may refuse it: then no row refers.
            if update.execute(params_from_iter(tuple)).is_ok() {
                self.note(|| update.expanded_sql());
            }
        }
        Ok(())
    }

    /// Removes the rows whose parent could not be made; tells whether there were any.
    fn remove_orphans(&mut self, table: &Table, empty: &mut BTreeMap<String, String>) -> rusqlite::Result<bool> {
        if table.foreign_keys.is_empty() {
            return Ok(false);
        }
        let sql = "SELECT rowid FROM pragma_foreign_key_check(?1, 'main')";
        let mut statement = self.connection.prepare(sql)?;
        let orphans: rusqlite::Result<BTreeSet<Option<i64>>> =
            statement.query_map([&table.name], |row| row.get(0)).and_then(Iterator::collect);
        // A foreign key that SQLite cannot check is reported elsewhere.
        let Ok(orphans) = orphans else { return Ok(false) };
        let name = quoted(&table.name);
        for orphan in &orphans {
            // A table WITHOUT ROWID does not tell which row it is.
            let sql = match orphan {
                Some(rowid) => format!("DELETE FROM {name} WHERE rowid = {rowid}"),
                None => format!("DELETE FROM {name}"),
            };
            self.connection.execute_batch(&sql)?;
            self.note(|| Some(sql));
        }
        let is_empty = format!("SELECT NOT EXISTS (SELECT 1 FROM {name})");
        if !orphans.is_empty() && self.connection.query_row(&is_empty, [], |row| row.get(0))? {
            empty.insert(table.name.to_ascii_lowercase(), "no row of a parent could be made".to_owned());
        }
        Ok(!orphans.is_empty())
    }

    /// Lets full-text indexes over other tables know of the rows: triggers would have told them.
    fn index_texts(&mut self) {
        for table in self.catalog.tables.values().filter(|table| table.is_virtual) {
            let is_over_another = |option: &String| option.contains("fts5") && option.contains("content");
            if table.options.iter().any(is_over_another) {
                let name = quoted(&table.name);
                let sql = format!("INSERT INTO {name}({name}) VALUES ('rebuild')");
                // A contentless index has nothing to be built from.
                if self.connection.execute_batch(&sql).is_ok() {
                    self.note(|| Some(sql));
                }
            }
        }
    }

    fn note(&mut self, statement: impl FnOnce() -> Option<String>) {
        if let Some(script) = &mut self.script {
            script.extend(statement());
        }
    }
}

/// The columns of a primary key, without collation and direction.
pub(super) fn primary_key(table: &Table) -> Vec<String> {
    let first = |term: &String| token::tokens(term).into_iter().next().map(|token| token.text);
    table.primary_key.iter().filter_map(first).collect()
}

fn is_nullable(table: &Table, column: &str) -> bool {
    table.columns.get(column).is_some_and(|found| !found.not_null)
        && !primary_key(table).iter().any(|key| key == column)
}

fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}
