//! From every version that there ever was.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use bootproof::{Options, testing};
use notes::SCHEMA;
use rusqlite::Connection;

bootproof::test_every_upgrade!(SCHEMA);

fn found(connection: &Connection, words: &str) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT rowid FROM note_text WHERE note_text MATCH ?1").unwrap();
    statement.query_map([words], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn words_are_found_after_the_table_was_made_anew() {
    let mut connection = testing::at(&SCHEMA, 3).unwrap();
    connection.execute("INSERT INTO note(id, title, body) VALUES (7, 'Bread', 'flour, water, salt')", []).unwrap();
    bootproof::migrate(&SCHEMA, &mut connection, &Options::default()).unwrap();
    assert_eq!(found(&connection, "flour"), [7]);
    // The triggers of the new table do their work.
    connection.execute("UPDATE note SET body = 'rye' WHERE id = 7", []).unwrap();
    assert_eq!((found(&connection, "flour"), found(&connection, "rye")), (vec![], vec![7]));
    connection.execute("INSERT INTO note_text(note_text, rank) VALUES ('integrity-check', 1)", []).unwrap();
}

#[test]
fn no_note_loses_its_tags_when_the_table_is_made_anew() {
    let mut connection = testing::at(&SCHEMA, 3).unwrap();
    connection
        .execute_batch(
            "INSERT INTO note(id, title, archived) VALUES (1, 'a', NULL), (2, 'b', 5);
             INSERT INTO tag(id, name) VALUES (1, 'x');
             INSERT INTO note_tag VALUES (1, 1), (2, 1);",
        )
        .unwrap();
    bootproof::migrate(&SCHEMA, &mut connection, &Options::default()).unwrap();
    let tags = "SELECT group_concat(note_id || ':' || archived, ' ') FROM note_tag JOIN note ON note.id = note_id";
    let tags: String = connection.query_row(tags, [], |row| row.get(0)).unwrap();
    assert_eq!(tags, "1:0 2:1");
}
