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
    /// Entries, or rows of a table that is left to SQLite.
    Others,
}

impl Root {
    /// Every tree but those of the indexes that are compared with their tables.
    pub(super) fn of_all_but(connection: &Connection, compared: &Shape) -> rusqlite::Result<Vec<Self>> {
        let others = &compared.others;
        let compared: Vec<i64> =
            compared.tables.iter().flat_map(|table| &table.indexes).map(|index| index.root).collect();
        let holds = Self::rows(connection, "sqlite_schema".to_owned())?;
        let mut roots = vec![Self { page: 1, kind: Kind::Table, holds }];
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
            let has_keys = kind == "table" && row.get(3)?;
            let holds = match kind.as_str() {
                "index" => Holds::Others,
                // SQLite is asked of all of it.
                "table" if others.contains(&name) => Holds::Others,
                "table" if has_keys => Holds::Rows { table: name, rules: None },
                "table" => Self::rows(connection, name)?,
                _ => return Err(rusqlite::Error::InvalidColumnName(kind)),
            };
            let kind = if kind == "index" || has_keys { Kind::Index } else { Kind::Table };
            roots.push(Self { page, kind, holds });
        }
        Ok(roots)
    }

    fn rows(connection: &Connection, table: String) -> rusqlite::Result<Holds> {
        Ok(Holds::Rows { rules: Rules::read(connection, &table)?, table })
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
