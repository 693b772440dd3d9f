//! What every table and index occupies, page by page.

use std::collections::HashMap;

use rusqlite::Connection;

use super::health::Space;
use crate::error::Error;

/// The pages of a database by the name of the table or index they belong to.
#[derive(Debug, Default)]
pub(super) struct Pages {
    spaces: HashMap<String, Space>,
    /// What SQLite could make nothing of.
    pub(super) damaged: Vec<String>,
}

impl Pages {
    /// Reads every page. `dbstat` walks each tree from its root, a page before those below it, in the order of the key
    /// (<https://sqlite.org/dbstat.html>), which is the order wanted here: nothing is sorted.
    pub(super) fn read(connection: &Connection) -> Result<Self, Error> {
        let failed = |error| Error::from_reading("reading the pages", error);
        let mut statement = connection
            .prepare("SELECT name, pageno, pagetype, unused, pgsize FROM dbstat WHERE schema = 'main'")
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut pages = Self::default();
        let mut previous_leaf = Previous::default();
        while let Some(row) = rows.next().map_err(failed)? {
            let name = row.get_ref(0).and_then(|name| Ok(name.as_str()?)).map_err(failed)?;
            let (number, kind): (i64, String) = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
            let (unused, size): (i64, i64) = (row.get(3).map_err(failed)?, row.get(4).map_err(failed)?);
            if previous_leaf.name != name {
                previous_leaf = Previous { name: name.to_owned(), leaf: None };
            }
            if kind == "corrupted" {
                pages.damaged.push(format!("page {number} of `{name}` is damaged"));
            }
            let space = pages.spaces.entry(name.to_owned()).or_default();
            space.pages += 1;
            space.bytes += size.unsigned_abs();
            space.unused_bytes += u64::try_from(unused).unwrap_or_default();
            if kind == "leaf" {
                space.leaf_pages += 1;
                space.gaps += u64::from(previous_leaf.leaf.is_some_and(|leaf| number != leaf + 1));
                previous_leaf.leaf = Some(number);
            }
        }
        Ok(pages)
    }

    pub(super) fn of(&self, name: &str) -> Option<Space> {
        self.spaces.get(name).copied()
    }
}

/// The leaf before, of the same tree.
#[derive(Debug, Default)]
struct Previous {
    name: String,
    leaf: Option<i64>,
}
