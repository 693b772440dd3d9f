//! Many migrations as one: the schema and the rows that they leave, written down and proven to be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bootproof_catalog::catalog::{Catalog, Table};
use bootproof_catalog::source::checksum_of_32_bits;
use bootproof_catalog::{Fingerprint, Shared, difference, is_bookkeeping, quoted, there_are};
use rusqlite::Connection;

use crate::compilation::{Compilation, Migration, Replaced};
use crate::compile::compile;
use crate::compiler::{Settings, Stub};
use crate::diagnostic::Diagnostics;
use crate::dialect::Dialect;
use crate::dialect::sections::BREAKPOINT;
use crate::explain::Known;
use crate::lint::Terms;
use crate::parse::Allows;
use crate::rehearse::{self, Stage};
use crate::rows::Runner;
use crate::source::{self, File};

/// Why migrations cannot be squashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SquashError {
    /// What does not compile leaves no schema.
    #[error("{0}")]
    NotCompiled(Diagnostics),
    /// No migration has that version.
    #[error("there is no migration of version {version}; {}", there_are(versions, *version))]
    NoSuchVersion {
        /// The version asked for.
        version: i64,
        /// Those of the directory, in ascending order.
        versions: Vec<i64>,
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
pub(crate) fn squash(directory: &Path, to: i64, settings: &Settings) -> Result<String, SquashError> {
    let below = Settings { up_to: Some(to), ..settings.clone() };
    let compilation = compile(directory, directory, &below).map_err(SquashError::NotCompiled)?;
    if compilation.head_version() != to {
        return Err(SquashError::NoSuchVersion {
            version: to,
            versions: source::versions(directory, settings.dialect),
        });
    }
    if let [name, ..] = compilation.stand_ins() {
        let what =
            format!("rows hold what `{name}` gives, a function of the application, and only a stand-in is known here");
        return Err(SquashError::Differs { differences: vec![what] });
    }
    let connection = rehearse::open_image(compilation.image(), &settings.stubs)?;
    let rows = rows(&connection, &compilation.head)?;
    let first = compilation.migrations.first().map(|migration| migration.file.name.as_str()).unwrap_or_default();
    let last = compilation.migrations.last().map(|migration| migration.file.name.as_str()).unwrap_or_default();
    let dialect = compilation.warnings().dialect();
    let statements = statements(&connection, &compilation.head, &rows)?;
    let text = format!(
        "-- The schema, and the rows, that the migrations `{first}` to `{last}` leave, in one file.\n\
         -- Written by `squash`, which proved that both are the same.\n{}",
        divided(dialect, &replaces(&compilation), &statements)
    );
    let file = Arc::new(File { dialect, ..File::new("squashed.sql", text) });
    prove(&file, &settings.stubs, &compilation.head, &rows)?;
    Ok(file.text.clone())
}

/// The statements in their order, each without its semicolon.
fn statements(
    connection: &Connection,
    catalog: &Catalog,
    rows: &BTreeMap<String, Rows>,
) -> rusqlite::Result<Vec<String>> {
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
    let mut statements = of_kind.remove("table").unwrap_or_default();
    // Rows before triggers, which would run once more.
    let inserts = parents_first(catalog).into_iter().filter_map(|table| {
        let rows = rows.get(&table.name.to_ascii_lowercase()).filter(|rows| !rows.is_empty())?;
        let columns = stored_columns(table).into_iter().map(quoted).collect::<Vec<_>>().join(", ");
        // One statement: foreign keys within the table are checked when it ends.
        Some(format!("INSERT INTO {}({columns}) VALUES\n    {}", quoted(&table.name), rows.join(",\n    ")))
    });
    statements.extend(inserts);
    for kind in ["index", "view", "trigger"] {
        statements.extend(of_kind.remove(kind).unwrap_or_default());
    }
    Ok(statements)
}

/// The lines that say what the file stands for, so that databases with these migrations need not be touched. What an earlier
/// baseline stands for is among it.
fn replaces(compilation: &Compilation) -> String {
    let of = |migration: &Migration| Replaced {
        version: migration.version,
        checksum: migration.checksum,
        name: migration.name.clone(),
    };
    // What plain refinery has recorded, which counts versions with 32 bits as a rule.
    let of_refinery = |migration: &Migration| {
        let is_its = compilation.dialect() == Dialect::Refinery;
        let checksum = checksum_of_32_bits(migration.version, &migration.name, migration.file.sql()).filter(|_| is_its);
        checksum.map(|checksum| Replaced { checksum, ..of(migration) })
    };
    let migrations = compilation.migrations.iter().flat_map(|it| of_refinery(it).into_iter().chain([of(it)]));
    let all = compilation.replaces.iter().cloned().chain(migrations);
    let line =
        |Replaced { version, checksum, name }| format!("-- bootproof: replaces {version} {checksum:016x} {name}\n");
    all.map(line).collect()
}

/// The statements as the tool of the directory takes a file apart.
fn divided(dialect: Dialect, replaces: &str, statements: &[String]) -> String {
    let mut text = String::from(match dialect {
        Dialect::Goose => "-- +goose Up\n",
        Dialect::Dbmate => "-- migrate:up\n",
        _ => "",
    });
    text.push_str(replaces);
    for (position, sql) in statements.iter().enumerate() {
        // A comment may end the text of a view or a trigger, and would swallow what follows on its line.
        let end = if sql.lines().last().is_some_and(|line| line.contains("--")) { "\n;\n" } else { ";\n" };
        // Writing to a String cannot fail.
        let _ = match dialect {
            Dialect::Drizzle if position > 0 => write!(text, "{BREAKPOINT}\n{sql}{end}"),
            // goose takes every semicolon at the end of a line for the end of a statement.
            Dialect::Goose if sql.contains(';') => {
                write!(text, "\n-- +goose StatementBegin\n{sql}{end}-- +goose StatementEnd\n")
            }
            _ => write!(text, "\n{sql}{end}"),
        };
    }
    text
}

/// Runs the text alone and compares what it leaves.
fn prove(
    file: &Arc<File>,
    stubs: &[Stub],
    expected: &Catalog,
    expected_rows: &BTreeMap<String, Rows>,
) -> Result<(), SquashError> {
    let stage = Stage::open(stubs)?;
    let mut diagnostics = Diagnostics::new(".".to_owned());
    let known = Known { earlier: &[], later: &[] };
    let terms = Terms { allows: &Allows::default(), is_released: false };
    if stage.run(file, Runner::Wrapping, known, terms, &mut diagnostics)?.is_none() {
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
fn parents_first(catalog: &Catalog) -> Vec<&Shared<Table>> {
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
