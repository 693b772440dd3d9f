//! Many migrations as one: the schema and the rows that they leave, written down and proven to be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::{Fingerprint, difference, is_bookkeeping, quoted};
use rusqlite::Connection;

use crate::compile::{Given, compile_given};
use crate::diagnostic::Diagnostics;
use crate::explain::Known;
use crate::parse::Allows;
use crate::rehearse::{self, Stage};
use crate::source::File;

/// Why migrations cannot be squashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SquashError {
    /// What does not compile leaves no schema.
    #[error("{0}")]
    NotCompiled(Diagnostics),
    /// No migration has that version.
    #[error("there is no migration of version {version}; the newest is {newest}")]
    NoSuchVersion {
        /// The version asked for.
        version: i64,
        /// The newest version of the directory.
        newest: i64,
    },
    /// The text would not leave what the migrations leave.
    #[error("one file cannot take the place of these migrations: {}", differences.join("; "))]
    Differs {
        /// What would be different.
        differences: Vec<String>,
    },
    /// SQLite failed outside any statement of a file.
    #[error("SQLite failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// The rows of a table in SQL, in the order of its keys.
type Rows = Vec<String>;

/// The text of the one file.
pub(crate) fn squash(directory: &Path, to: i64) -> Result<String, SquashError> {
    let given = Given { until: Some(to), ..Given::default() };
    let compilation = compile_given(directory, directory, given).map_err(SquashError::NotCompiled)?;
    if compilation.head_version() != to {
        let whole = compile_given(directory, directory, Given::default()).map_err(SquashError::NotCompiled)?;
        return Err(SquashError::NoSuchVersion { version: to, newest: whole.head_version() });
    }
    let connection = rehearse::open_image(compilation.image())?;
    let rows = rows(&connection, &compilation.head)?;
    let first = compilation.migrations.first().map(|migration| migration.file.name.as_str()).unwrap_or_default();
    let last = compilation.migrations.last().map(|migration| migration.file.name.as_str()).unwrap_or_default();
    let text = text(&connection, &compilation.head, &rows, &format!("`{first}` to `{last}`"))?;
    prove(&text, &compilation.head, &rows)?;
    Ok(text)
}

fn text(
    connection: &Connection,
    catalog: &Catalog,
    rows: &BTreeMap<String, Rows>,
    migrations: &str,
) -> rusqlite::Result<String> {
    let mut text = format!(
        "-- The schema, and the rows, that the migrations {migrations} leave, in one file.\n\
         -- Written by `squash`, which proved that both are the same.\n"
    );
    let mut of_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut statement = connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let (kind, name, owner, sql): (String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let is_shadow = kind == "table" && !catalog.tables.contains_key(&name.to_ascii_lowercase());
        if !is_shadow && !is_bookkeeping(&name) && !is_bookkeeping(&owner) {
            of_kind.entry(kind).or_default().push(sql);
        }
    }
    let mut write = |statements: &[String]| {
        for sql in statements {
            text.push('\n');
            text.push_str(sql);
            // A comment may end the text of a view or a trigger, and would swallow what follows on its line.
            text.push_str(if sql.lines().last().is_some_and(|line| line.contains("--")) { "\n;\n" } else { ";\n" });
        }
    };
    let taken = |of_kind: &mut BTreeMap<String, Vec<String>>, kind: &str| of_kind.remove(kind).unwrap_or_default();
    write(&taken(&mut of_kind, "table"));
    // Rows before triggers, which would run once more.
    let inserts = parents_first(catalog).into_iter().filter_map(|table| {
        let rows = rows.get(&table.name.to_ascii_lowercase()).filter(|rows| !rows.is_empty())?;
        let columns = stored_columns(table).into_iter().map(quoted).collect::<Vec<_>>().join(", ");
        // One statement: foreign keys within the table are checked when it ends.
        Some(format!("INSERT INTO {}({columns}) VALUES\n    {}", quoted(&table.name), rows.join(",\n    ")))
    });
    write(&inserts.collect::<Vec<_>>());
    for kind in ["index", "view", "trigger"] {
        write(&taken(&mut of_kind, kind));
    }
    Ok(text)
}

/// Runs the text alone and compares what it leaves.
fn prove(text: &str, expected: &Catalog, expected_rows: &BTreeMap<String, Rows>) -> Result<(), SquashError> {
    let stage = Stage::open()?;
    let file = Arc::new(File { name: "squashed.sql".to_owned(), text: text.to_owned() });
    let mut diagnostics = Diagnostics::new(".".to_owned());
    let known = Known { earlier: &[], later: &[] };
    if stage.run(&file, known, &Allows::default(), &mut diagnostics)?.is_none() {
        return Err(SquashError::NotCompiled(diagnostics));
    }
    let left = stage.catalog()?;
    let mut differences: Vec<_> = difference::between(expected, &left).iter().map(ToString::to_string).collect();
    if differences.is_empty() && Fingerprint::of(expected) != Fingerprint::of(&left) {
        differences.push("the fingerprint of the schema is another".to_owned());
    }
    if differences.is_empty() {
        let rows = rows(stage.connection(), &left)?;
        let other = expected_rows.iter().filter(|(table, expected)| rows.get(*table) != Some(*expected));
        differences.extend(other.map(|(table, _)| format!("the rows of `{table}` cannot be written down")));
    }
    if differences.is_empty() { Ok(()) } else { Err(SquashError::Differs { differences }) }
}

/// The rows of every table; of a virtual one only how many, since what it holds is its module's.
fn rows(connection: &Connection, catalog: &Catalog) -> rusqlite::Result<BTreeMap<String, Rows>> {
    let mut all = BTreeMap::new();
    for (name, table) in &catalog.tables {
        let sql = if table.is_virtual {
            format!("SELECT count(*) FROM {}", quoted(&table.name))
        } else {
            let columns = stored_columns(table);
            let values = columns.iter().map(|column| format!("quote({})", quoted(column))).collect::<Vec<_>>();
            // In the order of their own key, and so of the rowid where that is the key.
            let order = if table.options.contains("without rowid") { "" } else { " ORDER BY _rowid_" };
            format!("SELECT '(' || {} || ')' FROM {}{order}", values.join(" || ', ' || "), quoted(&table.name))
        };
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            let value = row.get_ref(0)?;
            Ok(value.as_str().map_or_else(|_| value.as_i64().unwrap_or_default().to_string(), str::to_owned))
        })?;
        all.insert(name.clone(), rows.collect::<rusqlite::Result<_>>()?);
    }
    Ok(all)
}

fn stored_columns(table: &Table) -> Vec<&str> {
    let columns = table.columns.values().filter(|column| column.generated.is_none());
    columns.map(|column| column.name.as_str()).collect()
}

/// The tables, those that others point to before those.
fn parents_first(catalog: &Catalog) -> Vec<&Table> {
    let mut left: BTreeSet<&String> =
        catalog.tables.iter().filter(|(_, table)| !table.is_virtual).map(|(key, _)| key).collect();
    let mut ordered = Vec::new();
    while let Some(first) = left.first().copied() {
        let waits = |key: &String| {
            let keys = catalog.tables.get(key).into_iter().flat_map(|table| &table.foreign_keys);
            keys.into_iter().any(|foreign| foreign.parent != *key && left.contains(&foreign.parent))
        };
        // In a ring each waits for another: any will do.
        let next = left.iter().copied().find(|key| !waits(key)).unwrap_or(first);
        left.remove(next);
        ordered.extend(catalog.tables.get(next));
    }
    ordered
}
