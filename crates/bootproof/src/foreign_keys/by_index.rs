//! Foreign keys proven from an index: there may be a million rows and few different parents.
//!
//! From one entry of an index, SQLite finds the next with another key without reading those in between. If each key has its
//! parent, each row has.

use std::collections::BTreeMap;

use bootproof_catalog::catalog::Affinity;
use bootproof_catalog::{Catalog, quoted, token};
use rusqlite::{Connection, OptionalExtension as _};

/// Beyond so many different keys, reading the rows is not much slower.
const MOST_KEYS: i64 = 10_000;

/// One column that refers to a parent.
struct Key {
    column: String,
    parent: String,
    /// The parent's column; none where its primary key is meant.
    to: Option<String>,
}

/// Whether an index shows for each foreign key of a table that every row has its parent. False where none does, or it takes
/// too long to tell: that says nothing.
///
/// The indexes are trusted: somebody checks them against their tables.
pub(super) fn every_row_has_its_parent(connection: &Connection, catalog: &Catalog, table: &str) -> bool {
    let proven = keys(connection, table).and_then(|keys| {
        for key in keys {
            let Some(key) = key else { return Ok(false) };
            if !is_proven(connection, catalog, table, &key)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
    proven.unwrap_or_else(|error: rusqlite::Error| {
        log::debug!("checking the foreign keys of `{table}` row by row: {error}");
        false
    })
}

/// The foreign keys of a table; none in the place of one that has several columns.
fn keys(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Option<Key>>> {
    let mut keys: BTreeMap<i64, Option<Key>> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT id, \"from\", \"table\", \"to\" FROM pragma_foreign_key_list(?1, 'main')")?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let key = Key { column: row.get(1)?, parent: row.get(2)?, to: row.get(3)? };
        keys.entry(row.get(0)?).and_modify(|composite| *composite = None).or_insert(Some(key));
    }
    Ok(keys.into_values().collect())
}

fn is_proven(connection: &Connection, catalog: &Catalog, table: &str, key: &Key) -> rusqlite::Result<bool> {
    let Some(to) = primary_key(catalog, key) else { return Ok(false) };
    let column = |table: &str, column: &str| {
        catalog.tables.get(&table.to_ascii_lowercase())?.columns.get(&column.to_ascii_lowercase())
    };
    let (Some(child), Some(parent)) = (column(table, &key.column), column(&key.parent, &to)) else { return Ok(false) };
    // What is one key to the child could be two to the parent; and where SQLite would convert the child's value for the parent, a
    // query could convert the parent's for the child.
    let is_as_written = parent.affinity == child.affinity || matches!(child.affinity, Affinity::Blob);
    if child.collation.is_some() || parent.collation.is_some() || !is_as_written {
        return Ok(false);
    }
    let Some(index) = index(connection, table, &key.column)? else { return Ok(false) };
    let entries = format!("{} INDEXED BY {}", quoted(table), quoted(&index));
    let (column, parent, to) = (quoted(&key.column), quoted(&key.parent), quoted(&to));
    let sql = format!(
        "WITH RECURSIVE keys(value) AS (
             SELECT * FROM (SELECT {column} FROM main.{entries} WHERE {column} IS NOT NULL ORDER BY {column} LIMIT 1)
             UNION ALL
             SELECT (SELECT {column} FROM main.{entries} WHERE {column} > value ORDER BY {column} LIMIT 1)
             FROM keys WHERE value IS NOT NULL
             LIMIT {MOST_KEYS})
         SELECT count(*), total(value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.{parent} AS p WHERE p.{to} = value))
         FROM keys"
    );
    let (keys, orphans) = connection.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?)))?;
    Ok(keys < MOST_KEYS && orphans == 0.0)
}

/// The parent's column, where it is the whole of its primary key: then SQLite finds a parent at once.
fn primary_key(catalog: &Catalog, key: &Key) -> Option<String> {
    let parent = catalog.tables.get(&key.parent.to_ascii_lowercase()).filter(|parent| !parent.is_virtual)?;
    let [term] = parent.primary_key.as_slice() else { return None };
    let (name, column) = parent.columns.iter().find(|(name, _)| token::name(name) == *term)?;
    let is_meant = key.to.as_ref().is_none_or(|to| to.eq_ignore_ascii_case(name));
    is_meant.then(|| column.name.clone())
}

/// An index that has an entry for every row, and begins with this column.
fn index(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT i.name FROM pragma_index_list(?1, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS x
               WHERE NOT i.partial AND x.seqno = 0 AND x.name = ?2 COLLATE nocase AND x.coll = 'BINARY'
               ORDER BY i.name LIMIT 1";
    connection.query_row(sql, [table, column], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is proven, and whether SQLite finds no orphan.
    fn judge(sql: &str) -> (bool, bool) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(sql).unwrap();
        let catalog = Catalog::read(&connection).unwrap();
        let orphans = connection.query_row("SELECT count(*) FROM pragma_foreign_key_check('c')", [], |row| row.get(0));
        (every_row_has_its_parent(&connection, &catalog, "c"), orphans == Ok(0))
    }

    #[test]
    fn rows_with_parents_are_proven() {
        for sql in [
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p);
             INSERT INTO p VALUES (1), (2), (9); INSERT INTO c VALUES (1), (1), (2), (NULL), (9), ('2')",
            "CREATE TABLE p(id TEXT PRIMARY KEY); CREATE TABLE c(x, p TEXT REFERENCES p(id)); CREATE INDEX i ON c(p DESC, x);
             INSERT INTO p VALUES ('a'), ('b'); INSERT INTO c VALUES (1, 'a'), (1, 'b'), (1, NULL)",
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p)",
        ] {
            assert_eq!(judge(sql), (true, true), "{sql}");
        }
    }

    #[test]
    fn an_orphan_is_never_overlooked() {
        let parents = "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT COLLATE nocase UNIQUE);
                       INSERT INTO p VALUES (1, 'a'), (3, 'c');";
        for children in [
            "CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p); INSERT INTO c VALUES (1), (2), (3)",
            "CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p); INSERT INTO c VALUES ('x')",
            "CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p); INSERT INTO c VALUES (x'31'), (1)",
            "CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p); INSERT INTO c VALUES (1.5), (-7)",
            "CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p) WHERE p = 1; INSERT INTO c VALUES (1), (2)",
            "CREATE TABLE c(p REFERENCES p, q REFERENCES p); CREATE INDEX i ON c(p); INSERT INTO c VALUES (1, 2)",
            "CREATE TABLE c(p COLLATE nocase REFERENCES p(name)); CREATE INDEX i ON c(p); INSERT INTO c VALUES ('B')",
            "CREATE TABLE q(id TEXT PRIMARY KEY); INSERT INTO q VALUES ('05');
             CREATE TABLE c(p INTEGER REFERENCES q); CREATE INDEX i ON c(p); INSERT INTO c VALUES (5)",
            "CREATE TABLE c(p REFERENCES nobody); CREATE INDEX i ON c(p); INSERT INTO c VALUES (1)",
        ] {
            let sql = format!("{parents} {children}");
            assert_eq!(judge(&sql), (false, false), "{children}");
        }
    }

    #[test]
    fn many_keys_are_left_to_sqlite() {
        let sql = "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p); CREATE INDEX i ON c(p);
                   WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 10001) INSERT INTO p SELECT n FROM n;
                   INSERT INTO c SELECT id FROM p";
        assert_eq!(judge(sql), (false, true));
    }
}
