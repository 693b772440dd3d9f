//! Which indexes can be compared with their tables as sets, and the two queries that do so.
//!
//! Left to SQLite are partial indexes, collations of a program's own, tables WITHOUT ROWID and virtual tables.

use std::collections::BTreeMap;

use bootproof_catalog::quoted;
use rusqlite::Connection;

use super::entries::Sequence;
use super::questions::{Listed, Questions};
use super::reader::{READING, Reader};

/// What of a file is to be compared.
pub(super) trait Scope {
    /// Whether a table was asked for as a whole.
    fn has_table(&self, table: &str) -> bool;
    /// Whether an index was asked for by itself.
    fn has_index(&self, index: &str) -> bool;
}

/// The file as it is to be checked.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// What is compared here.
    pub(super) tables: Vec<Table>,
    /// The tables that are left to SQLite.
    pub(super) others: Vec<String>,
    /// Whether everything that the schema lists is among them. A name that has no table, or no longer, is damage.
    pub(super) is_complete: bool,
}

/// A table, and those of its indexes that are to be compared with it.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name in lower case.
    pub(super) name: String,
    /// Whether it was asked for as a whole, and not for the sake of an index alone.
    pub(super) is_whole: bool,
    /// Reads what goes into the indexes of every row.
    pub(super) rows: String,
    /// How many columns that gives.
    pub(super) columns: usize,
    /// For each index, which of them make an entry; then for each that is coming.
    pub(super) demanded: Vec<Vec<usize>>,
    pub(super) indexes: Vec<Index>,
    /// The terms of indexes that are still to be built.
    pub(super) coming: Vec<Terms>,
    /// The highest row number, for what takes longest to be done first.
    pub(super) size: u64,
}

/// What each term of an index reads in a row, in SQL.
pub(super) type Terms = Vec<String>;

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) terms: Terms,
    /// The page that its tree begins with.
    pub(super) root: i64,
    pub(super) sequence: Sequence,
}

impl Shape {
    /// Reads the schema.
    ///
    /// Indexes that are `coming` are not there yet; what rows demand of them is found on the way.
    pub(super) fn read(connection: &Connection, scope: &dyn Scope, coming: &Coming) -> rusqlite::Result<Self> {
        // What is explained is what will be run.
        let _reader = Reader::new(connection)?;
        let mut questions = Questions::new(connection)?;
        let mut indexes = indexes(connection)?;
        let mut shape = Self::default();
        let mut statement = connection.prepare(TABLES)?;
        let mut rows = statement.query([])?;
        let mut found = 0_i64;
        while let Some(row) = rows.next()? {
            found += 1;
            let (table, root): (String, i64) = (row.get(0)?, row.get(1)?);
            let (is_ordinary, is_whole) = (row.get::<_, bool>(2)?, scope.has_table(&table));
            let key = table.to_ascii_lowercase();
            let mut indexes = indexes.remove(&key).unwrap_or_default();
            indexes.retain(|index| is_whole || scope.has_index(&index.name));
            let coming = coming.0.get(&key).map(Vec::as_slice).unwrap_or_default();
            if indexes.is_empty() && coming.is_empty() && (is_ordinary || !is_whole) {
                continue;
            }
            let mut read = |coming: &[Terms]| {
                let mut read = || Table::read(connection, &mut questions, (&table, root), &indexes, coming);
                if is_ordinary { read() } else { Ok(None) }
            };
            // What is coming may be of a column that is coming, too.
            let compared = match read(coming)? {
                None if !coming.is_empty() => read(&[])?,
                compared => compared,
            };
            match compared {
                Some(compared) => shape.tables.push(Table { is_whole, ..compared }),
                None => shape.others.push(table),
            }
        }
        let listed: i64 =
            connection
                .query_row("SELECT count(*) FROM main.sqlite_schema WHERE type = 'table'", [], |row| row.get(0))?;
        shape.is_complete = found == listed && indexes.is_empty();
        Ok(shape)
    }
}

/// The indexes of every table, by its name in lower case.
fn indexes(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<Listed>>> {
    let mut indexes: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT name, rootpage, sql, tbl_name FROM main.sqlite_schema WHERE type = 'index'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, table) = (row.get(0)?, row.get::<_, String>(3)?);
        let key = table.to_ascii_lowercase();
        indexes.entry(key).or_default().push(Listed { name, table, root: row.get(1)?, sql: row.get(2)? });
    }
    Ok(indexes)
}

/// Indexes that are not there yet: the terms of each, by the table in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coming(BTreeMap<String, Vec<Terms>>);

impl Coming {
    /// Finds what indexes of these names read, in a database that has them. What is not understood here is left out: it will be
    /// looked at when it is there.
    pub(crate) fn read(having: &Connection, is_wanted: impl Fn(&str, &str) -> bool) -> rusqlite::Result<Self> {
        let mut coming = Self::default();
        let mut questions = Questions::new(having)?;
        for (table, indexes) in indexes(having)? {
            let Some(rowid) = questions.rowid(&table)? else { continue };
            for index in indexes.iter().filter(|index| is_wanted(&table, &index.name)) {
                if let Some((terms, _)) = questions.key(index, rowid)? {
                    coming.0.entry(table.clone()).or_default().push(terms);
                }
            }
        }
        Ok(coming)
    }
}

/// Every table, and whether its rows have numbers to be told apart by.
const TABLES: &str = "SELECT s.name, s.rootpage, s.rootpage > 0 AND NOT l.wr
                      FROM main.sqlite_schema AS s JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name
                      WHERE s.type = 'table'";

impl Table {
    /// The comparison of a table with its indexes; none where one of them is not understood, or SQLite itself does not
    /// understand the table here.
    fn read(
        connection: &Connection,
        questions: &mut Questions<'_>,
        (table, root): (&str, i64),
        indexes: &[Listed],
        coming: &[Terms],
    ) -> rusqlite::Result<Option<Self>> {
        // A function or a collation that SQLite refuses in a schema, it would run in a query.
        if connection.prepare(&format!("PRAGMA main.integrity_check({})", quoted(table))).is_err() {
            return Ok(None);
        }
        let Some(rowid) = questions.rowid(table)? else { return Ok(None) };
        let mut columns = vec![rowid.to_owned()];
        let mut compared = Self {
            name: table.to_ascii_lowercase(),
            is_whole: true,
            coming: coming.to_vec(),
            rows: String::new(),
            columns: 0,
            demanded: Vec::new(),
            indexes: Vec::new(),
            size: highest_row(connection, table, rowid)?,
        };
        for index in indexes {
            let Some((terms, sequence)) = questions.key(index, rowid)? else { return Ok(None) };
            compared.demanded.push(demanded(&mut columns, &terms));
            compared.indexes.push(Index { terms, root: index.root, sequence });
        }
        compared.demanded.extend(coming.iter().map(|terms| demanded(&mut columns, terms)));
        compared.columns = columns.len();
        compared.rows = format!("SELECT {READING}({}) FROM main.{} NOT INDEXED", columns.join(", "), quoted(table));
        Ok(reads_rows(connection, &compared.rows, root).then_some(compared))
    }
}

/// Which columns make an entry: the terms, then the number of the row, which is the first of all.
fn demanded(columns: &mut Vec<String>, terms: &[String]) -> Vec<usize> {
    let mut demanded: Vec<usize> = terms.iter().map(|term| position(columns, term)).collect();
    demanded.push(0);
    demanded
}

fn position(columns: &mut Vec<String>, term: &str) -> usize {
    columns.iter().position(|column| column == term).unwrap_or_else(|| {
        columns.push(term.to_owned());
        columns.len() - 1
    })
}

fn highest_row(connection: &Connection, table: &str, rowid: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT max({rowid}) FROM main.{}", quoted(table));
    let highest = connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(highest.unwrap_or_default().unsigned_abs())
}

/// Whether a query reads this b-tree of a table and no other.
fn reads_rows(connection: &Connection, sql: &str, root: i64) -> bool {
    let program = program(connection, sql).unwrap_or_default();
    let opened: Vec<_> = opened(&program).collect();
    matches!(opened.as_slice(), [open] if open.reads(root))
}

/// An instruction, of which the operands say what SQLite's documentation of the opcode says.
struct Instruction {
    opcode: String,
    p2: i64,
    p3: i64,
}

impl Instruction {
    /// Whether it opens this b-tree of the schema `main`.
    fn reads(&self, root: i64) -> bool {
        self.opcode == "OpenRead" && self.p2 == root && self.p3 == 0
    }
}

fn program(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Instruction>> {
    let mut statement = connection.prepare(&format!("EXPLAIN {sql}"))?;
    let instruction = |row: &rusqlite::Row<'_>| {
        Ok(Instruction { opcode: row.get("opcode")?, p2: row.get("p2")?, p3: row.get("p3")? })
    };
    statement.query_map([], instruction)?.collect()
}

/// Everything that a program opens: tables, indexes, sorters.
fn opened(program: &[Instruction]) -> impl Iterator<Item = &Instruction> {
    program.iter().filter(|instruction| instruction.opcode.contains("Open"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct All;

    impl Scope for All {
        fn has_table(&self, _table: &str) -> bool {
            true
        }

        fn has_index(&self, _index: &str) -> bool {
            true
        }
    }

    /// How many indexes are compared here, and which tables are left to SQLite.
    fn shape(sql: &str) -> (usize, Vec<String>) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let shape = Shape::read(&connection, &All, &Coming::default()).unwrap();
        (shape.tables.iter().map(|table| table.indexes.len()).sum(), shape.others)
    }

    #[test]
    fn what_applications_index_is_compared() {
        for (indexes, sql) in [
            (0, "CREATE TABLE t(a)"),
            (1, "CREATE TABLE t(a TEXT PRIMARY KEY, b)"),
            (1, "CREATE TABLE t(a UNIQUE, b)"),
            (2, "CREATE TABLE t(a, b, UNIQUE(a, b), UNIQUE(b DESC))"),
            (1, "CREATE TABLE t(rowid, _rowid_); CREATE INDEX i ON t(rowid)"),
            (1, "CREATE TABLE t(a); CREATE INDEX i ON t(a DESC)"),
            (1, "CREATE TABLE t(a REAL, b); CREATE INDEX i ON t(a, b)"),
            (1, "CREATE TABLE t(a); CREATE INDEX i ON t(a COLLATE nocase)"),
            (1, "CREATE TABLE t(a COLLATE rtrim); CREATE INDEX i ON t(a)"),
            (1, "CREATE TABLE t(a); CREATE INDEX i ON t(date(a) DESC)"),
            (1, "CREATE TABLE t(a, b); CREATE INDEX i ON t(a, lower(b) COLLATE nocase, a || b)"),
            (1, "CREATE TABLE t(a, b); CREATE INDEX i ON t(b->>'$.x', 1.5 + a)"),
            (1, "CREATE TABLE t(a, b AS (a + 1) STORED); CREATE INDEX i ON t(b)"),
            (1, "CREATE TABLE t(\"a \"\"b\"\"\", [c d]); CREATE INDEX \"i \"\"x\"\"\" ON t(\"a \"\"b\"\"\", [c d])"),
            (1, "CREATE TABLE t(a TEXT UNIQUE) STRICT"),
            (1, "CREATE TABLE t(a); CREATE INDEX i ON t(a, a + 1)"),
        ] {
            assert_eq!(shape(sql), (indexes, vec![]), "{sql}");
        }
    }

    #[test]
    fn the_rest_is_left_to_sqlite() {
        for sql in [
            "CREATE TABLE t(a PRIMARY KEY, b) WITHOUT ROWID",
            "CREATE TABLE t(a, b); CREATE INDEX i ON t(a) WHERE b",
            "CREATE TABLE t(rowid, _rowid_, oid); CREATE INDEX i ON t(rowid)",
            "CREATE VIRTUAL TABLE t USING rtree(id, x, y)",
        ] {
            assert!(shape(sql).1.contains(&"t".to_owned()), "{sql}");
        }
    }

    /// A table that goes by another name in the list of tables than in that of SQLite, an index of no table: nobody would compare
    /// them.
    #[test]
    fn what_has_no_table_is_not_overlooked() {
        for damage in ["name = 'T' WHERE name = 't'", "tbl_name = 'u' WHERE type = 'index'"] {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch("CREATE TABLE t(a UNIQUE); PRAGMA writable_schema = ON").unwrap();
            assert!(Shape::read(&connection, &All, &Coming::default()).unwrap().is_complete);
            connection.execute_batch(&format!("UPDATE sqlite_schema SET {damage}")).unwrap();
            assert!(!Shape::read(&connection, &All, &Coming::default()).unwrap().is_complete, "{damage}");
        }
    }
}
