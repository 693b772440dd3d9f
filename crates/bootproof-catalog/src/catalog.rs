//! The structure of a database, read through SQLite's own pragmas.
//!
//! Text decides only where SQLite offers nothing better: a column added by `ALTER TABLE` leaves another CREATE text than
//! one written at once, and both are the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rusqlite::Connection;

use crate::is_bookkeeping;
use crate::token::{self, Token};

/// Everything an application's schema consists of, by lower-case name: SQLite compares names without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Tables, virtual tables included; shadow tables of virtual tables are not.
    pub tables: BTreeMap<String, Table>,
    /// Indexes made by CREATE INDEX.
    pub indexes: BTreeMap<String, Index>,
    /// Triggers.
    pub triggers: BTreeMap<String, Definition>,
    /// Views.
    pub views: BTreeMap<String, Definition>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The name as written.
    pub name: String,
    /// The columns by lower-case name.
    pub columns: BTreeMap<String, Column>,
    /// The columns of the primary key, in key order.
    pub primary_key: Vec<String>,
    /// UNIQUE constraints: the columns of each.
    pub unique: BTreeSet<Vec<String>>,
    /// Foreign keys.
    pub foreign_keys: BTreeSet<ForeignKey>,
    /// CHECK constraints, in canonical text.
    pub checks: BTreeSet<String>,
    /// Table options and kind: `strict`, `without rowid`, `autoincrement`; for a virtual table its whole definition.
    pub options: BTreeSet<String>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The name as written.
    pub name: String,
    /// The declared type as written.
    pub declared_type: String,
    /// What SQLite makes of the declared type.
    pub affinity: Affinity,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The DEFAULT expression in canonical text.
    pub default: Option<String>,
    /// The collation, where one is declared.
    pub collation: Option<String>,
    /// The expression of a generated column in canonical text.
    pub generated: Option<String>,
}

/// The affinity of a column (<https://sqlite.org/datatype3.html#determination_of_column_affinity>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    /// `INTEGER`.
    Integer,
    /// `TEXT`.
    Text,
    /// `BLOB`, also of a column without a type.
    #[default]
    Blob,
    /// `REAL`.
    Real,
    /// `NUMERIC`.
    Numeric,
}

impl Affinity {
    /// SQLite's five rules, in their order.
    #[must_use]
    pub fn of(declared_type: &str) -> Self {
        let declared = declared_type.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") || declared.is_empty() {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// SQLite's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
            Self::Real => "REAL",
            Self::Numeric => "NUMERIC",
        }
    }
}

/// A foreign key; names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignKey {
    /// The child columns.
    pub columns: Vec<String>,
    /// The parent table.
    pub parent: String,
    /// The parent columns; empty where the parent's primary key is meant.
    pub parent_columns: Vec<String>,
    /// The ON DELETE action.
    pub on_delete: String,
    /// The ON UPDATE action.
    pub on_update: String,
}

/// An index made by CREATE INDEX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The name as written.
    pub name: String,
    /// The table it belongs to, as written.
    pub table: String,
    /// Whether it is UNIQUE.
    pub unique: bool,
    /// The key, term by term.
    pub terms: Vec<Term>,
    /// The WHERE of a partial index in canonical text.
    pub predicate: Option<String>,
    /// The statement that makes it, as SQLite stores it.
    pub sql: String,
}

/// One term of an index key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// A column name in lower case, or an expression in canonical text.
    pub expression: String,
    /// The collation.
    pub collation: String,
    /// Whether it is ordered DESC.
    pub descending: bool,
}

/// A trigger or a view, known by its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name as written.
    pub name: String,
    /// The table a trigger is on; a view's own name.
    pub table: String,
    /// The definition in canonical text.
    pub canonical: String,
    /// The statement that makes it, as SQLite stores it.
    pub sql: String,
}

impl Index {
    /// The index on one line, as a report shows it: `worklogs(company_id, date(started), …)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = if self.unique { "UNIQUE ".to_owned() } else { String::new() };
        text.push_str(&self.table);
        text.push('(');
        for (position, term) in self.terms.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            text.push_str(&term.expression.replace(" ( ", "(").replace(" )", ")").replace(" , ", ", "));
            if !term.collation.eq_ignore_ascii_case("BINARY") {
                text.push_str(" COLLATE ");
                text.push_str(&term.collation);
            }
            if term.descending {
                text.push_str(" DESC");
            }
        }
        text.push(')');
        if let Some(predicate) = &self.predicate {
            text.push_str(" WHERE ");
            text.push_str(predicate);
        }
        text
    }

    /// Whether two indexes index the same, however they are spelt.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.table.eq_ignore_ascii_case(&other.table)
            && self.unique == other.unique
            && self.predicate == other.predicate
            && self.terms == other.terms
    }
}

impl Catalog {
    /// Reads the schema `main` of a connection, without the bookkeeping of SQLite and of the migrator.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says: a corrupt schema, a locked file, a virtual table whose module is not registered.
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut catalog = Self::default();
        catalog.read_definitions(connection)?;
        catalog.read_columns(connection)?;
        catalog.read_foreign_keys(connection)?;
        catalog.read_indexes(connection)?;
        Ok(catalog)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.views.is_empty()
    }

    /// The whole catalog as text, one fact a line, in an order that depends on nothing but the facts.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (name, table) in &self.tables {
            table.describe(name, &mut text);
        }
        for (name, index) in &self.indexes {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "index {name} {}", index.signature().to_ascii_lowercase());
        }
        for (kind, definitions) in [("trigger", &self.triggers), ("view", &self.views)] {
            for (name, definition) in definitions {
                let _ = writeln!(text, "{kind} {name} {}", definition.canonical);
            }
        }
        text
    }

    fn read_definitions(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut shadows = BTreeSet::new();
        let mut options: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut statement =
            connection.prepare("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name = row.get::<_, String>(0)?.to_lowercase();
            if row.get::<_, String>(1)? == "shadow" {
                shadows.insert(name.clone());
            }
            let set = options.entry(name).or_default();
            if row.get(2)? {
                set.insert("without rowid".to_owned());
            }
            if row.get(3)? {
                set.insert("strict".to_owned());
            }
        }

        let mut statement =
            connection.prepare("SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, owner, sql): (String, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let key = name.to_lowercase();
            if is_bookkeeping(&name) || is_bookkeeping(&owner) || shadows.contains(&key) {
                continue;
            }
            match kind.as_str() {
                "table" => {
                    let mut table =
                        Table { name, options: options.remove(&key).unwrap_or_default(), ..Table::default() };
                    table.read_text(&sql);
                    self.tables.insert(key, table);
                }
                "index" => {
                    let index = Index::from_text(name, owner, sql);
                    self.indexes.insert(key, index);
                }
                "trigger" | "view" => {
                    let definition = Definition { name, table: owner, canonical: canonical_definition(&sql), sql };
                    let map = if kind == "view" { &mut self.views } else { &mut self.triggers };
                    map.insert(key, definition);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_columns(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        // hidden: 1 is a hidden column of a virtual table, 2 and 3 are generated columns.
        let mut statement = connection.prepare(
            "SELECT t.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
             FROM main.sqlite_schema AS t, pragma_table_xinfo(t.name, 'main') AS c
             WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' AND c.hidden <> 1
             ORDER BY t.name, c.pk, c.cid",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(table) = self.tables.get_mut(&row.get::<_, String>(0)?.to_lowercase()) else { continue };
            let name: String = row.get(1)?;
            let declared_type: String = row.get::<_, Option<String>>(2)?.unwrap_or_default();
            let default: Option<String> = row.get(4)?;
            let column = table.columns.entry(name.to_lowercase()).or_default();
            column.affinity = Affinity::of(&declared_type);
            column.declared_type = declared_type;
            column.not_null = row.get(3)?;
            column.default = default.map(|text| token::canonical(&text));
            if row.get::<_, i64>(5)? > 0 {
                table.primary_key.push(name.to_lowercase());
            }
            column.name = name;
        }
        // What the text of a table calls a column and SQLite does not know was no column.
        for table in self.tables.values_mut() {
            table.columns.retain(|_, column| !column.name.is_empty());
        }
        Ok(())
    }

    fn read_foreign_keys(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "SELECT t.name, k.id, k.\"table\", k.\"from\", k.\"to\", k.on_delete, k.on_update
             FROM main.sqlite_schema AS t, pragma_foreign_key_list(t.name, 'main') AS k
             WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%'
             ORDER BY t.name, k.id, k.seq",
        )?;
        let mut rows = statement.query([])?;
        let mut keys: BTreeMap<(String, i64), ForeignKey> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let key = keys.entry((row.get::<_, String>(0)?.to_lowercase(), row.get(1)?)).or_default();
            key.parent = row.get::<_, String>(2)?.to_lowercase();
            key.columns.push(row.get::<_, String>(3)?.to_lowercase());
            key.parent_columns.extend(row.get::<_, Option<String>>(4)?.map(|name| name.to_lowercase()));
            key.on_delete = row.get(5)?;
            key.on_update = row.get(6)?;
        }
        for ((table, _), key) in keys {
            if let Some(table) = self.tables.get_mut(&table) {
                table.foreign_keys.insert(key);
            }
        }
        Ok(())
    }

    fn read_indexes(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "SELECT t.name, i.name, i.\"unique\", i.origin, x.seqno, x.name, x.\"desc\", x.coll
             FROM main.sqlite_schema AS t, pragma_index_list(t.name, 'main') AS i,
                  pragma_index_xinfo(i.name, 'main') AS x
             WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' AND x.key = 1
             ORDER BY t.name, i.name, x.seqno",
        )?;
        let mut rows = statement.query([])?;
        let mut unique: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let table = row.get::<_, String>(0)?.to_lowercase();
            let name = row.get::<_, String>(1)?.to_lowercase();
            let column = row.get::<_, Option<String>>(5)?.map(|column| column.to_lowercase());
            if row.get::<_, String>(3)? == "u" {
                unique.entry((table, name)).or_default().extend(column);
            } else if let Some(index) = self.indexes.get_mut(&name) {
                index.unique = row.get(2)?;
                let position = usize::try_from(row.get::<_, i64>(4)?).unwrap_or_default();
                if let Some(term) = index.terms.get_mut(position) {
                    // An expression has no name here: its text stays.
                    if let Some(column) = column {
                        term.expression = column;
                    }
                    term.descending = row.get(6)?;
                    term.collation = row.get::<_, Option<String>>(7)?.unwrap_or_default().to_ascii_uppercase();
                }
            }
        }
        for ((table, _), columns) in unique {
            if let Some(table) = self.tables.get_mut(&table) {
                table.unique.insert(columns);
            }
        }
        Ok(())
    }
}

impl Table {
    /// Takes from the CREATE statement what no pragma tells: CHECK, COLLATE, AUTOINCREMENT, generated expressions.
    fn read_text(&mut self, sql: &str) {
        let tokens = token::tokens(sql);
        if tokens.get(1).is_some_and(|word| word.is_keyword("virtual")) {
            self.options.insert(canonical_definition(sql));
            return;
        }
        let Some((body, _)) = token::parenthesised(&tokens) else { return };
        for item in token::split_list(body) {
            let Some(first) = item.first() else { continue };
            let is_constraint =
                ["constraint", "primary", "unique", "check", "foreign"].iter().any(|keyword| first.is_keyword(keyword));
            for (position, word) in item.iter().enumerate() {
                let after = item.get(position + 1..).unwrap_or_default();
                if word.is_keyword("check") {
                    self.checks.extend(group(after));
                } else if word.is_keyword("autoincrement") {
                    self.options.insert("autoincrement".to_owned());
                } else if !is_constraint && position > 0 {
                    let column = self.columns.entry(first.text.to_lowercase()).or_default();
                    if word.is_keyword("collate") {
                        column.collation = after.first().map(|name| name.text.to_ascii_uppercase());
                    } else if word.is_keyword("as") {
                        column.generated = group(after);
                    }
                }
            }
        }
    }

    fn describe(&self, name: &str, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "table {name} {:?} key {:?}", self.options, self.primary_key);
        for (name, column) in &self.columns {
            let _ = writeln!(
                text,
                "  column {name} {} {:?} {:?} {:?} {:?}",
                column.affinity.name(),
                column.not_null,
                column.default,
                column.collation,
                column.generated
            );
        }
        for unique in &self.unique {
            let _ = writeln!(text, "  unique {unique:?}");
        }
        for key in &self.foreign_keys {
            let _ = writeln!(text, "  foreign key {key}");
        }
        for check in &self.checks {
            let _ = writeln!(text, "  check {check}");
        }
    }
}

impl std::fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}) -> {}", self.columns.join(", "), self.parent)?;
        if !self.parent_columns.is_empty() {
            write!(f, "({})", self.parent_columns.join(", "))?;
        }
        write!(f, " on delete {} on update {}", self.on_delete.to_lowercase(), self.on_update.to_lowercase())
    }
}

impl Index {
    /// The terms as text; what SQLite's pragmas know better is filled in afterwards.
    fn from_text(name: String, table: String, sql: String) -> Self {
        let tokens = token::tokens(&sql);
        let mut index = Self { name, table, unique: false, terms: Vec::new(), predicate: None, sql };
        if let Some((body, after)) = token::parenthesised(&tokens) {
            index.terms = token::split_list(body).into_iter().map(Term::from_tokens).collect();
            if after.first().is_some_and(|word| word.is_keyword("where")) {
                index.predicate = Some(token::join(after.get(1..).unwrap_or_default()));
            }
        }
        index
    }
}

impl Term {
    fn from_tokens(mut tokens: &[Token]) -> Self {
        while let [rest @ .., last] = tokens {
            if last.is_keyword("asc") || last.is_keyword("desc") {
                tokens = rest;
            } else if rest.last().is_some_and(|word| word.is_keyword("collate")) {
                tokens = rest.get(..rest.len() - 1).unwrap_or_default();
            } else {
                break;
            }
        }
        Self { expression: token::join(tokens), collation: String::new(), descending: false }
    }
}

/// The parenthesised text that follows, if one does.
fn group(tokens: &[Token]) -> Option<String> {
    tokens.first()?.is_symbol('(').then(|| token::parenthesised(tokens)).flatten().map(|(body, _)| token::join(body))
}

/// A CREATE statement in canonical text, without `IF NOT EXISTS`, which SQLite keeps in some texts and drops in others.
fn canonical_definition(sql: &str) -> String {
    token::canonical(sql).replacen(" if not exists ", " ", 1)
}
