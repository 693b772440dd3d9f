//! What no directory shows: the rows themselves, and what a runner does that leaves foreign keys on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bootproof_catalog::Catalog;
use proptest::collection::vec;
use proptest::prelude::*;

use super::fill::{Filler, Variety};
use super::{Rows, Runner, Step};
use crate::diagnostic::Diagnostics;
use crate::explain::Known;
use crate::lint::Terms;
use crate::parse::Allows;
use crate::rehearse::Stage;
use crate::source::File;
use crate::writes;

/// The findings of all files, one a line: severity, rule and line.
fn findings(runner: Runner, files: &[&str]) -> Vec<String> {
    let stage = Stage::open(&[]).unwrap();
    let mut rows = Rows::open(&stage, &[]).unwrap();
    let mut diagnostics = Diagnostics::new("migrations".to_owned());
    let terms = Terms { allows: &Allows::default(), is_released: false };
    let mut before = Catalog::default();
    for text in files {
        let file = Arc::new(File::new("a.sql".to_owned(), (*text).to_owned()));
        let known = Known { earlier: &[], later: &[] };
        let script = stage.run(&file, runner, known, terms, &mut diagnostics).unwrap().unwrap();
        let after = stage.catalog().unwrap();
        let writes = writes::of(&file, &script, &before, &after);
        let (before_it, writes) = (&before, &writes);
        let step =
            Step { file: &file, script: &script, before: before_it, after: &after, writes, stage: &stage, runner };
        for finding in rows.rehearse(&step, terms).unwrap() {
            diagnostics.push(finding);
        }
        before = after;
    }
    let line = |finding: &crate::Diagnostic| {
        format!("{} {} {}", finding.severity().name(), finding.rule(), finding.line().unwrap_or_default())
    };
    diagnostics.iter().map(line).collect()
}

const PARENT: &str = "CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT);";

const REBUILD: &str = "CREATE TABLE new_parent(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '');
INSERT INTO new_parent(id, name) SELECT id, coalesce(name, '') FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;";

fn with_child(reference: &str) -> String {
    format!("{PARENT} CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent {reference});")
}

#[test]
fn a_rebuild_that_cascades_is_an_error_of_other_tools() {
    let files = [with_child("ON DELETE CASCADE"), REBUILD.to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["error cascade-deletes 3"]);
    assert_eq!(findings(Runner::Plain, &files), ["error cascade-deletes 3"]);
    assert_eq!(findings(Runner::Ours, &files), ["warning cascade-deletes 3"]);
    let nulled = [with_child("ON DELETE SET NULL"), REBUILD.to_owned()];
    let nulled = nulled.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &nulled), ["error values-nulled 3"]);
}

#[test]
fn a_rebuild_that_other_tools_refuse_is_a_warning_there() {
    let files = [with_child(""), REBUILD.to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["warning fails-on-rows 3"]);
    assert_eq!(findings(Runner::Ours, &files), Vec::<String>::new());
}

#[test]
fn rows_that_go_with_a_deleted_parent_are_what_the_schema_says() {
    let files = [with_child("ON DELETE CASCADE"), "DELETE FROM parent;".to_owned()];
    let files = files.each_ref().map(String::as_str);
    assert_eq!(findings(Runner::Wrapping, &files), ["warning cascade-deletes 1", "warning rows-dangle 1"]);
    assert_eq!(findings(Runner::Ours, &files), ["error rows-dangle 1"]);
}

/// Fills the tables of a schema; the database, and those that stayed empty.
fn filled(schema: &str) -> (Rows, BTreeMap<String, String>) {
    let stage = Stage::open(&[]).unwrap();
    stage.connection().execute_batch(schema).unwrap_or_else(|error| panic!("{error}: {schema}"));
    let catalog = stage.catalog().unwrap();
    let mut rows = Rows::open(&stage, &[]).unwrap();
    let mut filler = Filler {
        connection: &rows.connection,
        catalog: &catalog,
        numbers: &mut rows.numbers,
        variety: Variety::Sparse,
        promised: BTreeMap::new(),
        script: None,
    };
    let empty = filler.fill(&catalog.tables.keys().cloned().collect()).unwrap();
    (rows, empty)
}

fn number(rows: &Rows, sql: &str) -> i64 {
    rows.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn three_rows_satisfy_constraints_of_every_kind() {
    let (rows, empty) = filled(
        "CREATE TABLE strict_one(
           id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('small', 'large')), score REAL NOT NULL,
           raw BLOB NOT NULL, anything ANY, flag INT NOT NULL CHECK (flag IN (0, 1)),
           total REAL GENERATED ALWAYS AS (score * 2) STORED, shown TEXT AS (kind || id) VIRTUAL
         ) STRICT;
         CREATE TABLE document(
           id TEXT PRIMARY KEY CHECK (length(id) = 36),
           body TEXT NOT NULL CHECK (json_valid(body)), list TEXT NOT NULL DEFAULT '[]' CHECK (json_type(list) = 'array'),
           code TEXT NOT NULL UNIQUE CHECK (code GLOB '[A-Z][A-Z]-[0-9]*'), mail TEXT CHECK (mail LIKE '%_@_%'),
           day TEXT NOT NULL CHECK (day = date(day)), percent INTEGER CHECK (percent BETWEEN 0 AND 100),
           low INTEGER NOT NULL, high INTEGER NOT NULL, CHECK (low < high),
           CONSTRAINT either CHECK ((mail IS NULL) <> (percent IS NULL))
         );
         CREATE TABLE pair(a INTEGER NOT NULL, b TEXT NOT NULL, note TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE of_pair(id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b TEXT NOT NULL, FOREIGN KEY (a, b) REFERENCES pair);
         CREATE TABLE egg(id INTEGER PRIMARY KEY, hen INTEGER NOT NULL UNIQUE REFERENCES hen(id));
         CREATE TABLE hen(id INTEGER PRIMARY KEY, egg INTEGER NOT NULL UNIQUE REFERENCES egg(id));
         CREATE TABLE tree(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES tree(id));
         CREATE TABLE user(id INTEGER PRIMARY KEY, home INTEGER REFERENCES team(id));
         CREATE TABLE team(id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES user(id));
         CREATE TABLE guarded(id INTEGER PRIMARY KEY, name TEXT);
         CREATE TRIGGER no_more BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'no more'); END;
         CREATE UNIQUE INDEX idx_guarded ON guarded(lower(name));",
    );
    assert_eq!(empty, BTreeMap::new());
    for table in ["strict_one", "document", "pair", "of_pair", "egg", "hen", "tree", "guarded"] {
        assert_eq!(number(&rows, &format!("SELECT count(*) FROM {table}")), 3, "{table}");
    }
    assert_eq!(number(&rows, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(number(&rows, "SELECT count(*) FROM guarded WHERE name IS NULL"), 1);
    // Whoever comes first in a ring points to the others, too.
    assert_eq!(number(&rows, "SELECT count(home) FROM user"), 1);
    // Where rows are numbered anew, they get other numbers.
    assert!(number(&rows, "SELECT min(id) FROM tree") > 1000);
}

#[test]
fn a_table_that_takes_one_row_gets_one_and_an_impossible_one_none() {
    let (rows, empty) = filled(
        "CREATE TABLE only_one(id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT);
         CREATE TABLE impossible(id INTEGER PRIMARY KEY, x TEXT NOT NULL CHECK (x IS NULL));
         CREATE TABLE child(id INTEGER PRIMARY KEY, impossible INTEGER NOT NULL REFERENCES impossible(id));",
    );
    assert_eq!(number(&rows, "SELECT count(*) FROM only_one"), 1);
    assert_eq!(empty.keys().collect::<Vec<_>>(), ["child", "impossible"]);
    assert_eq!(empty["impossible"], "CHECK constraint failed: x IS NULL");
}

/// A column of a table that is made up: its type, and what is said of it.
fn column() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec!["TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "DATETIME", "BOOLEAN", ""]);
    let limits = prop::sample::select(vec![
        "",
        "",
        "NOT NULL",
        "UNIQUE",
        "NOT NULL UNIQUE",
        "DEFAULT 7",
        "NOT NULL CHECK (@ IN (3, 5, 'x'))",
        "CHECK (@ > 10)",
        "CHECK (length(@) < 3)",
    ]);
    (kinds, limits).prop_map(|(kind, limits)| format!("@ {kind} {limits}"))
}

/// A foreign key of a column to one of the tables, by number.
fn reference() -> impl Strategy<Value = (usize, &'static str)> {
    (0_usize..6, prop::sample::select(vec!["", "NOT NULL", "UNIQUE", "NOT NULL UNIQUE"]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_schema_every_row_is_sound(
        tables in vec((vec(column(), 0..5), vec(reference(), 0..3), any::<bool>()), 1..6)
    ) {
        let mut schema = String::new();
        for (number, (columns, references, is_rowid)) in tables.iter().enumerate() {
            let mut parts = vec![format!("id {} PRIMARY KEY", if *is_rowid { "INTEGER" } else { "TEXT NOT NULL" })];
            parts.extend(columns.iter().enumerate().map(|(at, column)| column.replace('@', &format!("c{at}"))));
            parts.extend(references.iter().enumerate().map(|(at, (parent, limits))| {
                format!("r{at} {limits} REFERENCES t{}(id)", parent % tables.len())
            }));
            let options = if *is_rowid { "" } else { "WITHOUT ROWID" };
            let _ = writeln!(schema, "CREATE TABLE t{number}({}){options};", parts.join(", "));
        }
        let (rows, empty) = filled(&schema);
        prop_assert_eq!(number(&rows, "SELECT count(*) FROM pragma_foreign_key_check"), 0, "{}", schema);
        let integrity: String = rows.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(integrity, "ok");
        for number in 0..tables.len() {
            let count = self::number(&rows, &format!("SELECT count(*) FROM t{number}"));
            prop_assert_eq!(count == 0, empty.contains_key(&format!("t{number}")), "{}\n{:?}", schema, empty);
        }
    }
}
