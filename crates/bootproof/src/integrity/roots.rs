//! The trees of a file, as its schema lists them.

use rusqlite::Connection;

use super::pragma;
use super::shape::Shape;
use super::tree::{Kind, Rules};

/// A tree whose entries are compared with nothing.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) page: u32,
    pub(super) kind: Kind,
    pub(super) holds: Holds,
}

/// What is to be asked of it beside its structure.
#[derive(Debug)]
pub(super) enum Holds {
    /// The rows of a table, and where they are known what its columns may hold.
    Rows { table: String, rules: Option<Rules> },
    /// Entries, or rows that SQLite checks as a whole.
    Others,
}

impl Root {
    /// Every tree but those of the indexes that are compared with their tables.
    pub(super) fn of_all_but(connection: &Connection, compared: &Shape) -> rusqlite::Result<Vec<Self>> {
        let compared: Vec<i64> =
            compared.tables.iter().flat_map(|table| &table.indexes).map(|index| index.root).collect();
        let mut roots = vec![Self::of_rows(connection, 1, "sqlite_schema".to_owned())?];
        let ask = "SELECT s.type, s.name, s.rootpage,
                          s.name IN (SELECT l.name FROM pragma_table_list AS l WHERE l.schema = 'main' AND l.wr)
                   FROM main.sqlite_schema AS s WHERE s.rootpage IS NOT NULL AND s.rootpage <> 0";
        let mut statement = connection.prepare(ask)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, number): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if compared.contains(&number) {
                continue;
            }
            let page = u32::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, number))?;
            roots.push(match kind.as_str() {
                "table" if !row.get(3)? => Self::of_rows(connection, page, name)?,
                "table" | "index" => Self { page, kind: Kind::Index, holds: Holds::Others },
                _ => return Err(rusqlite::Error::InvalidColumnName(kind)),
            });
        }
        Ok(roots)
    }

    fn of_rows(connection: &Connection, page: u32, table: String) -> rusqlite::Result<Self> {
        let rules = Rules::read(connection, &table)?;
        Ok(Self { page, kind: Kind::Table, holds: Holds::Rows { table, rules } })
    }

    /// Whether it is that of a table, given in lower case.
    pub(super) fn is_of(&self, name: &str) -> bool {
        matches!(&self.holds, Holds::Rows { table, .. } if table.eq_ignore_ascii_case(name))
    }

    /// What a row of it counts, in steps of SQLite.
    pub(super) fn weight(&self) -> u64 {
        match &self.holds {
            Holds::Rows { rules: Some(rules), .. } => 4 + rules.len() as u64,
            Holds::Rows { rules: None, .. } | Holds::Others => 1,
        }
    }

    /// Whether SQLite finds its rows sound.
    pub(super) fn by_sqlite(&self, connection: &Connection) -> rusqlite::Result<bool> {
        match &self.holds {
            Holds::Rows { table, .. } => pragma::says_ok(connection, "quick_check", Some(table)),
            Holds::Others => Ok(true),
        }
    }
}
