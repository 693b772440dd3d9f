//! A column of a contract has the type of every value that SQLite returns for it, or the build asks for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;

use bootproof_build::{Compilation, Diagnostics, check};
use rusqlite::Connection;

const SCHEMA: &str = "\
CREATE TABLE items(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, s TEXT NOT NULL);
CREATE INDEX by_n ON items(n);
CREATE TABLE parents(id INTEGER PRIMARY KEY, parent INTEGER, name TEXT);
CREATE VIEW mixed AS SELECT n AS x, s AS same FROM items UNION ALL SELECT s, name FROM items, parents;
CREATE VIEW alike(x) AS SELECT n FROM items UNION SELECT id FROM parents;
CREATE VIEW above AS SELECT x FROM mixed;
CREATE VIEW starred AS SELECT * FROM items UNION ALL SELECT id, name, name FROM parents;
CREATE VIEW stacked AS SELECT x FROM mixed UNION ALL SELECT n FROM items;
CREATE VIEW piled AS SELECT x FROM above UNION ALL SELECT id FROM items UNION ALL SELECT n FROM items;
CREATE VIEW even AS SELECT x FROM alike UNION ALL SELECT n FROM items;
CREATE VIEW given(x) AS VALUES ((SELECT s FROM items WHERE id = 1)), ((SELECT n FROM items WHERE id = 1));
CREATE VIEW twice AS SELECT * FROM items UNION ALL SELECT * FROM items;
";

const ROWS: &str = "\
INSERT INTO items VALUES (1, 7, 'seven'), (2, 8, 'eight');
INSERT INTO parents VALUES (1, NULL, 'a'), (2, 1, 'b');
";

fn compiled(query: &str) -> Result<Compilation, Diagnostics> {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("queries")).unwrap();
    fs::write(directory.path().join("001_items.sql"), SCHEMA).unwrap();
    let contract = format!("-- bootproof: index by_n\n-- bootproof: budget 10 ms\n{query};\n");
    fs::write(directory.path().join("queries/q.sql"), contract).unwrap();
    check(directory.path())
}

/// The kinds of all values of the first column, in one database with rows.
fn kinds(query: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("{SCHEMA}{ROWS}")).unwrap();
    let mut statement = connection.prepare(&query.replace(":n", "7")).unwrap();
    let kind = |row: &rusqlite::Row<'_>| Ok(row.get_ref(0)?.data_type().to_string());
    let mut kinds: Vec<String> = statement.query_map([], kind).unwrap().map(Result::unwrap).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Asserts what the column `x` is in Rust, and that SQLite returns nothing else; `?` where it has to be said.
fn assert_field(query: &str, field: &str) {
    match compiled(query) {
        Ok(compilation) => {
            let code = compilation.emit();
            let fields: Vec<&str> = code.lines().map(str::trim).filter(|line| line.starts_with("pub x:")).collect();
            assert_eq!(fields, [format!("pub x: {field},")], "{query}");
            let kind = if field.contains("i64") { "Integer" } else { "Text" };
            let kinds = kinds(query);
            assert!(
                !kinds.is_empty() && kinds.iter().all(|found| found == kind || found == "Null"),
                "{query}: {kinds:?}"
            );
        }
        Err(diagnostics) => {
            let told = diagnostics.one_liners().any(|line| line.contains("nothing tells the type of the column `x`"));
            assert!(field == "?" && told && diagnostics.errors() == 1, "{query}\n{diagnostics}");
        }
    }
}

#[test]
fn a_column_of_a_compound_inside_is_what_all_its_selects_return() {
    for (source, field) in [
        ("(SELECT n AS y FROM items UNION ALL SELECT id FROM parents)", "Option<i64>"),
        ("(SELECT n AS y FROM items UNION ALL SELECT name FROM parents)", "?"),
        ("(SELECT id, n y FROM items UNION ALL SELECT id, name FROM parents)", "?"),
        ("(SELECT name AS y FROM parents INTERSECT SELECT n FROM items)", "?"),
        ("(WITH w AS (SELECT n AS y FROM items) SELECT y FROM w UNION SELECT name FROM parents)", "?"),
        ("(SELECT y FROM (SELECT n AS y FROM items UNION ALL SELECT name FROM parents))", "?"),
        ("(SELECT id AS y FROM parents UNION ALL VALUES ('none'))", "?"),
    ] {
        assert_field(&format!("SELECT u.y AS x FROM items, {source} u WHERE items.n = :n"), field);
        assert_field(&format!("WITH u AS {source} SELECT u.y AS x FROM items, u WHERE items.n = :n"), field);
        assert_field(&format!("SELECT max(u.y) AS x FROM items, {source} u WHERE items.n = :n"), field);
        assert_field(&format!("SELECT coalesce(u.y, u.y) AS x FROM items, {source} u WHERE items.n = :n"), field);
    }
    assert_field(
        "WITH u(y) AS (SELECT s FROM items UNION SELECT name FROM parents) SELECT u.y AS x FROM items, u WHERE n = :n",
        "Option<String>",
    );
}

#[test]
fn so_is_one_in_a_view() {
    for (column, field) in [
        ("alike.x", "Option<i64>"),
        ("mixed.same", "Option<String>"),
        ("twice.s", "Option<String>"),
        ("mixed.x", "?"),
        ("above.x", "?"),
        ("starred.n", "?"),
    ] {
        let view = column.split('.').next().unwrap();
        assert_field(&format!("SELECT {column} AS x FROM items, {view} WHERE items.n = :n"), field);
        let prefixed = "WITH other AS (SELECT 1)";
        assert_field(&format!("{prefixed} SELECT {column} AS x FROM items, {view} WHERE items.n = :n"), field);
    }
    // Written out, the view would read the query's own `items`.
    let own = "WITH items AS (SELECT 1 AS n, 2 AS id)";
    assert_field(&format!("{own} SELECT alike.x AS x FROM main.items AS i, items, alike WHERE i.n = :n"), "?");
    // Nothing takes the place of a view that is named with its schema.
    assert_field("SELECT above.x AS x FROM items, main.above WHERE items.n = :n", "?");
    assert_field("SELECT alike.x AS x FROM items, main.alike WHERE items.n = :n", "?");
}

#[test]
fn so_is_one_in_the_place_of_a_value() {
    for (value, field) in [
        (
            "SELECT s FROM items i WHERE i.id = items.id UNION SELECT name FROM parents p WHERE p.id = items.n",
            "Option<String>",
        ),
        ("SELECT n FROM items UNION SELECT name FROM parents", "?"),
        ("SELECT name FROM parents UNION SELECT n FROM items", "?"),
        ("SELECT count(*) FROM items UNION SELECT name FROM parents", "?"),
    ] {
        assert_field(&format!("SELECT ({value}) AS x FROM items WHERE n = :n"), field);
    }
}

#[test]
fn what_a_compound_has_no_part_in_is_as_without_it() {
    let counting = "c(y) AS (SELECT 1 UNION ALL SELECT y + 1 FROM c WHERE y < 3)";
    assert_field(
        &format!("WITH RECURSIVE {counting} SELECT items.s AS x FROM items, c WHERE n = :n"),
        "Option<String>",
    );
    // A SELECT that refers to itself can stand nowhere else.
    let up = "up(id, y) AS (SELECT id, parent FROM parents UNION ALL SELECT id, y || '' FROM up WHERE y > 0 LIMIT 9)";
    assert_field(&format!("WITH RECURSIVE {up} SELECT up.y AS x FROM items, up WHERE n = :n"), "?");
    let within = "id IN (SELECT id FROM parents UNION SELECT name FROM parents UNION SELECT 1)";
    assert_field(&format!("SELECT s AS x FROM items WHERE n = :n AND {within}"), "Option<String>");
    assert_field("SELECT lower(mixed.x) AS x FROM items, mixed WHERE n = :n", "Option<String>");
    assert_field("SELECT items.s AS x FROM items, mixed WHERE n = :n", "Option<String>");
}

/// SQLite tells what one SELECT of each returns: the others of both have to be looked at together.
#[test]
fn so_is_one_that_comes_out_of_several_compounds() {
    let a = "a(y) AS (SELECT s FROM items UNION ALL SELECT n FROM items)";
    let swapped = "a(y) AS (SELECT n FROM items UNION ALL SELECT s FROM items)";
    let numbers = "a(y) AS (SELECT n FROM items UNION ALL SELECT id FROM parents)";
    for (with, field) in [
        (format!("{a}, b(y) AS (SELECT y FROM a UNION ALL SELECT n FROM items)"), "?"),
        (format!("{a}, b(y) AS (SELECT n FROM items UNION ALL SELECT y FROM a)"), "?"),
        (format!("{swapped}, b(y) AS (SELECT y FROM a UNION ALL SELECT n FROM items)"), "?"),
        (format!("b(y) AS (SELECT y FROM a UNION ALL SELECT n FROM items), {a}"), "?"),
        (
            format!(
                "{a}, c(y) AS (SELECT y FROM a UNION SELECT n FROM items), b(y) AS (SELECT y FROM c UNION SELECT id FROM items)"
            ),
            "?",
        ),
        (format!("{numbers}, b(y) AS (SELECT y FROM a UNION ALL SELECT id FROM items)"), "Option<i64>"),
        // What is beside it has no part in it.
        (format!("{a}, b(y) AS (SELECT id FROM parents UNION ALL SELECT n FROM items)"), "Option<i64>"),
    ] {
        assert_field(&format!("WITH {with} SELECT b.y AS x FROM items, b WHERE items.n = :n"), field);
        assert_field(&format!("WITH {with} SELECT max(b.y) AS x FROM items, b WHERE items.n = :n"), field);
        let own = "SELECT id AS x FROM items WHERE n = :n UNION ALL SELECT b.y FROM b";
        assert_field(&format!("WITH {with} {own}"), field);
    }
    let inside =
        "(SELECT y FROM (SELECT s AS y FROM items UNION ALL SELECT n FROM items) UNION ALL SELECT n FROM items)";
    assert_field(&format!("SELECT u.y AS x FROM items, {inside} u WHERE items.n = :n"), "?");
    for (view, field) in [("stacked", "?"), ("piled", "?"), ("even", "Option<i64>")] {
        assert_field(&format!("SELECT {view}.x AS x FROM items, {view} WHERE items.n = :n"), field);
    }
}

#[test]
fn so_is_one_in_several_rows_of_values() {
    let n = "(SELECT n FROM items i WHERE i.id = 1)";
    let s = "(SELECT s FROM items i WHERE i.id = 1)";
    for (rows, field) in [
        (format!("({n}), ({n})"), "Option<i64>"),
        (format!("({n}), ({s})"), "?"),
        (format!("({s}), ({n})"), "?"),
        (format!("({s}), ({n}), ({n})"), "?"),
    ] {
        let values = format!("(VALUES {rows}) AS u");
        assert_field(&format!("SELECT u.column1 AS x FROM items, {values} WHERE items.n = :n"), field);
        let with = format!("WITH u(y) AS (VALUES {rows})");
        assert_field(&format!("{with} SELECT u.y AS x FROM items, u WHERE items.n = :n"), field);
    }
    assert_field(&format!("SELECT n AS x FROM items WHERE n = :n UNION ALL VALUES ({n}), ({s})"), "?");
    assert_field("SELECT given.x AS x FROM items, given WHERE items.n = :n", "?");
    let within = "(id, n) IN (VALUES (1, 7), (2, 8), (3, 9))";
    assert_field(&format!("SELECT s AS x FROM items WHERE n = :n AND {within}"), "String");
}

/// Whoever stacks compounds gets an answer in time, and no wrong one.
#[test]
fn what_is_beyond_counting_has_to_be_said() {
    let asked = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("c{number}")).collect();
        let compound = |name: &String| format!("{name}(y) AS (SELECT n FROM items UNION ALL SELECT id FROM parents)");
        let with: Vec<_> = names.iter().map(compound).collect();
        let columns: Vec<_> = names.iter().map(|name| format!("{name}.y")).collect();
        let (with, columns, names) = (with.join(", "), columns.join(", "), names.join(", "));
        format!("WITH {with} SELECT coalesce({columns}) AS x FROM items, {names} WHERE items.n = :n")
    };
    assert_field(&asked(4), "Option<i64>");
    assert_field(&asked(8), "?");
}
