//! Reads a catalog through SQLite's own pragmas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, Row, Statement};

use crate::catalog::{Affinity, Catalog, Definition, ForeignKey, Index, Table, key_term};
use crate::shared::Shared;
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

/// Reads one catalog after another: what is written as it was is not read anew, and what did not change is shared.
///
/// The text of a table and those of its indexes decide everything that a catalog says of it.
#[derive(Debug, Default)]
pub struct Reader {
    last: Last,
    /// Every table as it was read, the latest reading last.
    tables: BTreeMap<String, Vec<Known>>,
    /// Triggers and views, each with its text in them.
    definitions: BTreeMap<String, Shared<Definition>>,
}

/// How many readings of a table are kept: whoever tries a way back and undoes it goes to and fro.
const READINGS: usize = 4;

/// The schema that was read last.
#[derive(Debug, Default)]
struct Last {
    entries: Vec<Arc<Entry>>,
    /// Tables that belong to virtual ones, by name in lower case.
    shadows: BTreeSet<String>,
    catalog: Catalog,
}

/// A row of the schema.
#[derive(Debug)]
struct Entry {
    rowid: i64,
    kind: String,
    name: String,
    /// The table that it is or is on.
    owner: String,
    sql: String,
    /// Name and owner, to be compared at once.
    names: String,
    /// The name in lower case.
    key: String,
    /// The owner in lower case.
    owner_key: String,
}

/// A table as it was read.
#[derive(Debug)]
struct Known {
    text: Text,
    /// Its indexes, those that are made by CREATE INDEX.
    index_texts: Vec<Text>,
    table: Shared<Table>,
    indexes: BTreeMap<String, Shared<Index>>,
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
        // What fails on the way leaves nothing to compare with.
        let Last { entries, mut shadows, mut catalog } = std::mem::take(&mut self.last);
        let mut compared = Compared::read(connection, entries)?;
        if !compared.is_equal() {
            if compared.entries.iter().chain(&compared.gone).any(|entry| entry.is_of_virtual_table()) {
                let now = read_shadows(connection)?;
                if now != shadows {
                    // What was a table may be a part of another one by now.
                    (shadows, catalog) = (now, Catalog::default());
                    compared.is_new.fill(true);
                    compared.gone.clear();
                }
            }
            self.update(&mut catalog, connection, &compared, &shadows)?;
        }
        self.last = Last { entries: compared.entries, shadows, catalog: catalog.clone() };
        Ok(catalog)
    }

    fn update(
        &mut self,
        catalog: &mut Catalog,
        connection: &Connection,
        compared: &Compared,
        shadows: &BTreeSet<String>,
    ) -> rusqlite::Result<()> {
        let is_ours = |entry: &Entry| {
            !is_bookkeeping(&entry.name) && !is_bookkeeping(&entry.owner) && !shadows.contains(&entry.key)
        };
        // Tables of which something changed.
        let mut changed: BTreeSet<&str> = BTreeSet::new();
        for entry in &compared.gone {
            match entry.kind.as_str() {
                "table" => drop(catalog.tables.remove(&entry.key)),
                "index" => drop(catalog.indexes.remove(&entry.key)),
                "trigger" => drop(catalog.triggers.remove(&entry.key)),
                _ => drop(catalog.views.remove(&entry.key)),
            }
            changed.insert(&entry.owner_key);
        }
        for entry in compared.made().filter(|entry| is_ours(entry)) {
            match entry.kind.as_str() {
                "trigger" => drop(catalog.triggers.insert(entry.key.clone(), self.definition(entry))),
                "view" => drop(catalog.views.insert(entry.key.clone(), self.definition(entry))),
                _ => drop(changed.insert(&entry.owner_key)),
            }
        }
        let mut tables: BTreeMap<&str, (Option<&Entry>, Vec<&Entry>)> = BTreeMap::new();
        for entry in compared.entries.iter().filter(|entry| changed.contains(entry.owner_key.as_str())) {
            match entry.kind.as_str() {
                "table" if is_ours(entry) => tables.entry(&entry.owner_key).or_default().0 = Some(entry),
                "index" if is_ours(entry) => tables.entry(&entry.owner_key).or_default().1.push(entry),
                _ => {}
            }
        }
        let mut pragmas = Pragmas::prepare(connection)?;
        for (key, (table, indexes)) in tables {
            let Some(table) = table else { continue };
            let (table, indexes) = self.table(table, &indexes, &mut pragmas)?;
            catalog.tables.insert(key.to_owned(), table);
            catalog.indexes.extend(indexes);
        }
        Ok(())
    }

    fn definition(&mut self, entry: &Entry) -> Shared<Definition> {
        let Entry { name, owner, sql, .. } = entry;
        // A trigger and a view can have one name.
        let is_same = |known: &&Shared<Definition>| known.name == *name && known.table == *owner;
        if let Some(known) = self.definitions.get(sql).filter(is_same) {
            return known.clone();
        }
        let canonical = definition::canonical(sql);
        let definition =
            Shared::new(Definition { name: name.clone(), table: owner.clone(), canonical, sql: sql.clone() });
        self.definitions.insert(sql.clone(), definition.clone());
        definition
    }

    fn table(
        &mut self,
        entry: &Entry,
        indexes: &[&Entry],
        pragmas: &mut Pragmas<'_>,
    ) -> rusqlite::Result<(Shared<Table>, BTreeMap<String, Shared<Index>>)> {
        let readings = self.tables.entry(entry.key.clone()).or_default();
        let is_it = |known: &&Known| {
            known.text.is_of(entry)
                && known.index_texts.len() == indexes.len()
                && known.index_texts.iter().zip(indexes).all(|(text, index)| text.is_of(index))
        };
        if let Some(known) = readings.iter().rfind(is_it) {
            return Ok((known.table.clone(), known.indexes.clone()));
        }
        let known = Known::read(entry, indexes, pragmas)?;
        let read = (known.table.clone(), known.indexes.clone());
        if readings.len() == READINGS {
            readings.remove(0);
        }
        readings.push(known);
        Ok(read)
    }
}

/// The rows of a schema, compared with those that were read before.
struct Compared {
    entries: Vec<Arc<Entry>>,
    /// Which of them are new or other than before.
    is_new: Vec<bool>,
    /// Those of before that are no longer there, or other now.
    gone: Vec<Arc<Entry>>,
}

impl Compared {
    fn read(connection: &Connection, before: Vec<Arc<Entry>>) -> rusqlite::Result<Self> {
        let mut compared = Self { entries: Vec::with_capacity(before.len()), is_new: Vec::new(), gone: Vec::new() };
        let mut before = before.into_iter().peekable();
        let mut statement = connection.prepare(
            "SELECT rowid, sql, name || char(10) || tbl_name, type, name, tbl_name FROM main.sqlite_schema
             WHERE sql IS NOT NULL ORDER BY rowid",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let rowid = row.get(0)?;
            while let Some(gone) = before.next_if(|entry| entry.rowid < rowid) {
                compared.gone.push(gone);
            }
            let known = before.next_if(|entry| entry.rowid == rowid);
            let (same, other) = match known {
                Some(entry) if entry.is_in(row)? => (Some(entry), None),
                other => (None, other),
            };
            compared.gone.extend(other);
            compared.is_new.push(same.is_none());
            compared.entries.push(match same {
                Some(entry) => entry,
                None => Arc::new(Entry::read(row)?),
            });
        }
        compared.gone.extend(before);
        Ok(compared)
    }

    fn is_equal(&self) -> bool {
        self.gone.is_empty() && !self.is_new.contains(&true)
    }

    fn made(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().zip(&self.is_new).filter(|(_, is_new)| **is_new).map(|(entry, _)| &**entry)
    }
}

impl Entry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (name, owner): (String, String) = (row.get(4)?, row.get(5)?);
        Ok(Self {
            rowid: row.get(0)?,
            kind: row.get(3)?,
            sql: row.get(1)?,
            names: row.get(2)?,
            key: name.to_ascii_lowercase(),
            owner_key: owner.to_ascii_lowercase(),
            name,
            owner,
        })
    }

    /// Whether a row says the same: the statement tells what kind it is.
    fn is_in(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        Ok(row.get_ref(1)?.as_bytes() == Ok(self.sql.as_bytes())
            && row.get_ref(2)?.as_bytes() == Ok(self.names.as_bytes()))
    }

    /// Only these have shadow tables. SQLite itself writes the beginning of the text.
    fn is_of_virtual_table(&self) -> bool {
        self.sql.starts_with("CREATE VIRTUAL TABLE")
    }
}

impl Text {
    fn of(entry: &Entry) -> Self {
        Self { name: entry.name.clone(), sql: entry.sql.clone() }
    }

    fn is_of(&self, entry: &Entry) -> bool {
        self.sql == entry.sql && self.name == entry.name
    }
}

impl Known {
    fn read(table: &Entry, indexes: &[&Entry], pragmas: &mut Pragmas<'_>) -> rusqlite::Result<Self> {
        let (text, index_texts) = (Text::of(table), indexes.iter().map(|index| Text::of(index)).collect());
        let mut table = Table { name: table.name.clone(), ..Table::default() };
        table.read_text(&text.sql);
        let index = |entry: &&Entry| {
            let index = Index::from_text(entry.name.clone(), table.name.clone(), entry.sql.clone());
            (entry.key.clone(), index)
        };
        let mut indexes: BTreeMap<_, _> = indexes.iter().map(index).collect();
        if !table.is_virtual {
            table.read_columns(&mut pragmas.columns)?;
            table.read_foreign_keys(&mut pragmas.foreign_keys)?;
            table.read_indexes(&mut pragmas.indexes, &mut indexes)?;
        }
        let indexes = indexes.into_iter().map(|(key, index)| (key, Shared::new(index))).collect();
        Ok(Self { text, index_texts, table: Shared::new(table), indexes })
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

fn read_shadows(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'")?;
    let names = statement.query_map([], |row| Ok(row.get::<_, String>(0)?.to_ascii_lowercase()))?;
    names.collect()
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
