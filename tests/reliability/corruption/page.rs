//! What is on every page of a database.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::shape::Files;
use crate::scene;

/// Pages by what is on them: the numbers of the pages, from 1.
pub(crate) type Kinds = BTreeMap<String, Vec<usize>>;

/// The size of a page, as the header says (<https://sqlite.org/fileformat2.html#the_database_header>).
pub(crate) fn size(database: &[u8]) -> usize {
    match u16::from_be_bytes([database[16], database[17]]) {
        1 => 65_536,
        size => size.into(),
    }
}

/// Sorts every page of the file: `leaf of a table`, `interior of an index`, `leaf of the history`, `free`, …
pub(crate) fn kinds(files: &Files) -> Kinds {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    files.write(&path);
    let connection = Connection::open(&path).unwrap();
    let mut kinds = Kinds::new();
    let mut known = vec![false; files.database.len() / size(&files.database) + 1];
    let mut note = |page: usize, kind: String| {
        // What is in the log alone is on no page of the file.
        if let Some(known) = known.get_mut(page)
            && !std::mem::replace(known, true)
        {
            kinds.entry(kind).or_default().push(page);
        }
    };
    let sql = "SELECT pageno, pagetype, CASE
                   WHEN name IN ('sqlite_schema', 'refinery_schema_history', 'bootproof_audit') THEN name
                   WHEN name LIKE 'sqlite_stat%' THEN 'the statistics'
                   WHEN name IN (SELECT name FROM sqlite_schema WHERE type = 'table') THEN 'a table'
                   ELSE 'an index' END
               FROM dbstat ORDER BY pageno";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (page, kind, of): (u32, String, String) = (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        note(page as usize, format!("{kind} of {of}"));
    }
    for (position, page) in free(&files.database).into_iter().enumerate() {
        note(page, if position == 0 { "trunk of the free pages".to_owned() } else { "free".to_owned() });
    }
    let unknown: Vec<usize> = (1..known.len()).filter(|page| !known[*page]).collect();
    if !unknown.is_empty() {
        kinds.insert("pointer map, or superseded".to_owned(), unknown);
    }
    kinds
}

/// The first page of the list of free pages, and those that it lists (<https://sqlite.org/fileformat2.html#the_freelist>).
pub(crate) fn free(database: &[u8]) -> Vec<usize> {
    let number = |offset: usize| u32::from_be_bytes(database[offset..offset + 4].try_into().unwrap()) as usize;
    let trunk = number(32);
    if trunk == 0 {
        return Vec::new();
    }
    let start = (trunk - 1) * size(database);
    let listed = (0..number(start + 4)).map(|position| number(start + 8 + 4 * position));
    std::iter::once(trunk).chain(listed).collect()
}
