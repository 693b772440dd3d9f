//! A value that is not what the schema says is an error that names the query and the column, and no other value.

use bootproof::query::ColumnError;
use rusqlite::{Connection, Error};
use typed_contracts::query::{self, every_type, outer_join};

use crate::database;

/// What is wrong with the first of two rows after a change to it.
fn refusal(connection: &Connection, set: &str) -> String {
    connection.execute(&format!("UPDATE person SET {set} WHERE id = 1"), []).unwrap();
    let error = query::every_type(connection, &every_type::Params { name: "Ada" }).unwrap_err();
    let Error::FromSqlConversionFailure(_, _, reason) = &error else { return error.to_string() };
    let reason = reason.downcast_ref::<ColumnError>().unwrap();
    assert_eq!(reason.query, "every_type");
    assert!(error.to_string().contains(&reason.to_string()), "{error}");
    reason.to_string()
}

#[test]
fn with_the_query_and_the_column() {
    for (set, message) in [
        ("email = x'00'", "found a BLOB in `email`, which was compiled as TEXT"),
        ("born = 5", "found an INTEGER in `born`, which was compiled as TEXT"),
        ("is_active = 2", "found an INTEGER in `is_active`, which was compiled as BOOLEAN NOT NULL"),
        ("is_active = 'yes'", "found a TEXT in `is_active`, which was compiled as BOOLEAN NOT NULL"),
        ("salary = 'much'", "found a TEXT in `salary`, which was compiled as REAL"),
        ("salary = 9007199254740993", "found an INTEGER in `salary`, which was compiled as REAL"),
        ("photo = 'text'", "found a TEXT in `photo`, which was compiled as BLOB"),
        ("email = CAST(x'ff' AS TEXT)", "found a TEXT that is not UTF-8 in `email`, which was compiled as TEXT"),
    ] {
        assert_eq!(refusal(&database(), set), format!("the query contract `every_type` {message}"));
    }
}

#[test]
fn also_where_an_adopted_database_refuses_less() {
    let connection = database();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch("DROP TABLE person; CREATE TABLE person(id, name, email)").unwrap();
    connection.execute_batch("INSERT INTO person VALUES (NULL, 'Ada', NULL)").unwrap();
    // The table has lost columns: SQLite says so, and nothing panics.
    assert!(query::every_type(&connection, &every_type::Params { name: "Ada" }).is_err());
    assert_eq!(query::outer_join(&connection, &outer_join::Params { name: "Ada" }).unwrap().len(), 1);
    let error = query::optional::first(&connection, &query::optional::Params { name: "Ada", email: None }).unwrap_err();
    assert!(error.to_string().contains("`optional` found NULL in `id`, which was compiled as INTEGER NOT NULL"));
}

#[test]
fn and_the_connection_goes_on() {
    let connection = database();
    refusal(&connection, "photo = 'text'");
    connection.execute("UPDATE person SET photo = NULL", []).unwrap();
    assert_eq!(query::every_type(&connection, &every_type::Params { name: "Ada" }).unwrap().len(), 2);
}
