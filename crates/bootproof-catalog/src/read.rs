//! Reads a catalog through SQLite's own pragmas.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Statement};

use crate::catalog::{Affinity, Catalog, Definition, ForeignKey, Index, Table, key_term};
use crate::{definition, is_bookkeeping, token};

impl Catalog {
    /// Reads the schema `main` of a connection, without the bookkeeping of SQLite and of the migrator.
    ///
    /// A virtual table is listed even where its module is not registered: nothing asks the module.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says: a corrupt schema, a locked file.
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        Reader::default().read(connection)
    }
}

/// Reads one catalog after another: what is written as it was the last time is not read anew.
///
/// The text of a table and those of its indexes decide everything that a catalog says of it.
#[derive(Debug, Default)]
pub struct Reader {
    tables: BTreeMap<String, Known>,
    /// Triggers and views, each with its text in them.
    definitions: BTreeMap<String, Definition>,
}

/// A table as it was read.
#[derive(Debug)]
struct Known {
    text: Text,
    /// Its indexes, those that are made by CREATE INDEX.
    index_texts: Vec<Text>,
    table: Table,
    indexes: BTreeMap<String, Index>,
}

/// A name and the statement that made what bears it.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    name: String,
    sql: String,
}

impl Reader {
    /// As [`Catalog::read`] does.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says: a corrupt schema, a locked file.
    pub fn read(&mut self, connection: &Connection) -> rusqlite::Result<Catalog> {
        let Listed { mut options, shadows } = list(connection)?;
        let mut catalog = Catalog::default();
        let mut tables = Vec::new();
        let mut index_texts: BTreeMap<String, Vec<Text>> = BTreeMap::new();
        let mut statement =
            connection.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, owner, sql): (String, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let key = name.to_ascii_lowercase();
            if is_bookkeeping(&name) || is_bookkeeping(&owner) || shadows.contains(&key) {
                continue;
            }
            match kind.as_str() {
                "table" => tables.push((key, Text { name, sql })),
                "index" => index_texts.entry(owner.to_ascii_lowercase()).or_default().push(Text { name, sql }),
                "trigger" | "view" => {
                    let map = if kind == "view" { &mut catalog.views } else { &mut catalog.triggers };
                    map.insert(key, self.definition(name, owner, sql));
                }
                _ => {}
            }
        }
        let mut pragmas = Pragmas::prepare(connection)?;
        for (key, text) in tables {
            let index_texts = index_texts.remove(&key).unwrap_or_default();
            let is_known =
                self.tables.get(&key).is_some_and(|known| known.text == text && known.index_texts == index_texts);
            if !is_known {
                let known = Known::read(text, index_texts, options.remove(&key).unwrap_or_default(), &mut pragmas)?;
                self.tables.insert(key.clone(), known);
            }
            if let Some(known) = self.tables.get(&key) {
                catalog.indexes.extend(known.indexes.clone());
                catalog.tables.insert(key, known.table.clone());
            }
        }
        Ok(catalog)
    }

    fn definition(&mut self, name: String, owner: String, sql: String) -> Definition {
        // A trigger and a view can have one name.
        let is_same = |known: &&Definition| known.sql == sql && known.name == name && known.table == owner;
        if let Some(known) = self.definitions.get(&sql).filter(is_same) {
            return known.clone();
        }
        let definition = Definition { name, table: owner, canonical: definition::canonical(&sql), sql };
        self.definitions.insert(definition.sql.clone(), definition.clone());
        definition
    }
}

impl Known {
    fn read(
        text: Text,
        index_texts: Vec<Text>,
        options: BTreeSet<String>,
        pragmas: &mut Pragmas<'_>,
    ) -> rusqlite::Result<Self> {
        let mut table = Table { name: text.name.clone(), options, ..Table::default() };
        table.read_text(&text.sql);
        let index = |text: &Text| {
            let index = Index::from_text(text.name.clone(), table.name.clone(), text.sql.clone());
            (text.name.to_ascii_lowercase(), index)
        };
        let mut indexes: BTreeMap<_, _> = index_texts.iter().map(index).collect();
        if !table.is_virtual {
            table.read_columns(&mut pragmas.columns)?;
            table.read_foreign_keys(&mut pragmas.foreign_keys)?;
            table.read_indexes(&mut pragmas.indexes, &mut indexes)?;
        }
        Ok(Self { text, index_texts, table, indexes })
    }
}

/// What SQLite is asked of every table.
struct Pragmas<'connection> {
    columns: Statement<'connection>,
    foreign_keys: Statement<'connection>,
    indexes: Statement<'connection>,
}

impl<'connection> Pragmas<'connection> {
    fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            columns: connection.prepare(COLUMNS)?,
            foreign_keys: connection.prepare(FOREIGN_KEYS)?,
            indexes: connection.prepare(INDEXES)?,
        })
    }
}

/// What SQLite's list of tables says.
#[derive(Default)]
struct Listed {
    /// What applies to tables besides their columns, by name in lower case.
    options: BTreeMap<String, BTreeSet<String>>,
    shadows: BTreeSet<String>,
}

fn list(connection: &Connection) -> rusqlite::Result<Listed> {
    let mut listed = Listed::default();
    let mut statement =
        connection.prepare("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get::<_, String>(0)?.to_ascii_lowercase();
        if row.get::<_, String>(1)? == "shadow" {
            listed.shadows.insert(name.clone());
        }
        let set = listed.options.entry(name).or_default();
        if row.get(2)? {
            set.insert("without rowid".to_owned());
        }
        if row.get(3)? {
            set.insert("strict".to_owned());
        }
    }
    Ok(listed)
}

/// Generated columns are hidden too: 2 where virtual, 3 where stored (<https://sqlite.org/pragma.html#pragma_table_xinfo>).
const COLUMNS: &str = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main')
                       ORDER BY pk, cid";

const FOREIGN_KEYS: &str = "SELECT id, \"table\", \"from\", \"to\", on_delete, on_update
                            FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq";

const INDEXES: &str = "SELECT i.name, i.\"unique\", i.origin, x.seqno, x.name, x.\"desc\", x.coll
                       FROM pragma_index_list(?1, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x
                       WHERE x.key = 1 ORDER BY i.name, x.seqno";

impl Table {
    fn read_columns(&mut self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let mut rows = statement.query([&self.name])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let key = name.to_ascii_lowercase();
            if row.get::<_, i64>(4)? > 0 {
                self.primary_key.push(token::name(&key));
            }
            let column = self.columns.entry(key).or_default();
            column.name = name;
            column.declared_type = row.get::<_, Option<String>>(1)?.unwrap_or_default();
            column.affinity = Affinity::of(&column.declared_type);
            column.not_null = row.get(2)?;
            column.default = row.get::<_, Option<String>>(3)?.map(|text| definition::canonical_default(&text));
            let kind = if row.get::<_, i64>(5)? == 3 { "stored" } else { "virtual" };
            column.generated = column.generated.take().map(|expression| format!("({expression}) {kind}"));
        }
        // What the text of a table calls a column and SQLite does not know was no column.
        self.columns.retain(|_, column| !column.name.is_empty());
        Ok(())
    }

    fn read_foreign_keys(&mut self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
        let mut rows = statement.query([&self.name])?;
        while let Some(row) = rows.next()? {
            let key = keys.entry(row.get(0)?).or_default();
            key.parent = row.get::<_, String>(1)?.to_ascii_lowercase();
            key.columns.push(row.get::<_, String>(2)?.to_ascii_lowercase());
            key.parent_columns.extend(row.get::<_, Option<String>>(3)?.map(|name| name.to_ascii_lowercase()));
            key.on_delete = row.get(4)?;
            key.on_update = row.get(5)?;
        }
        self.foreign_keys.extend(keys.into_values());
        Ok(())
    }

    /// The table's indexes: those of its constraints are its own, those made by CREATE INDEX the catalog's.
    fn read_indexes(
        &mut self,
        statement: &mut Statement<'_>,
        indexes: &mut BTreeMap<String, Index>,
    ) -> rusqlite::Result<()> {
        let mut primary_key = Vec::new();
        let mut unique: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut rows = statement.query([&self.name])?;
        while let Some(row) = rows.next()? {
            let name = row.get::<_, String>(0)?.to_ascii_lowercase();
            let column = row.get::<_, Option<String>>(4)?.map(|column| token::name(&column.to_ascii_lowercase()));
            let descending = row.get(5)?;
            let collation = row.get::<_, Option<String>>(6)?.unwrap_or_default().to_ascii_uppercase();
            match row.get::<_, String>(2)?.as_str() {
                "pk" => primary_key.extend(column.map(|column| key_term(&column, &collation, descending))),
                "u" => {
                    let terms = unique.entry(name).or_default();
                    terms.extend(column.map(|column| key_term(&column, &collation, descending)));
                }
                _ => {
                    let Some(index) = indexes.get_mut(&name) else { continue };
                    index.unique = row.get(1)?;
                    let position = usize::try_from(row.get::<_, i64>(3)?).unwrap_or_default();
                    let Some(term) = index.terms.get_mut(position) else { continue };
                    // An expression has no name here: its text stays.
                    if let Some(column) = column {
                        term.expression = column;
                    }
                    term.descending = descending;
                    term.collation = collation;
                }
            }
        }
        self.unique.extend(unique.into_values());
        if primary_key.is_empty() {
            // Only a key that is the rowid needs no index of its own.
            self.is_rowid_alias = !self.primary_key.is_empty();
        } else {
            self.primary_key = primary_key;
        }
        Ok(())
    }
}
