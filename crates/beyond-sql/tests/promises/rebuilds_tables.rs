use beyond_sql::rebuild::COMPILED;
use bootproof::{Boot, Options, Schema};
use rusqlite::Connection;

use crate::support::{Sandbox, rows, value};

const ROWS: &str = "INSERT INTO customers(id, name, city) VALUES (1, 'a', NULL), (2, 'b', 'Rome'), (3, 'c', NULL);
    INSERT INTO orders(customer_id, total) SELECT id, id * 10 FROM customers, (VALUES (1), (2));
    INSERT INTO notes(customer_id, body) SELECT id, 'note of ' || name FROM customers;";

fn schema() -> Schema {
    Schema::new("shop", &COMPILED)
}

fn children(connection: &Connection) -> Vec<String> {
    let tables = ["orders", "notes", "deletions", "totals"];
    tables.iter().flat_map(|table| rows(connection, &format!("SELECT * FROM {table}"))).collect()
}

fn assert_whole(connection: &Connection, before: &[String]) {
    assert_eq!(children(connection), before);
    assert_eq!(value(connection, "SELECT group_concat(city) FROM customers"), "unknown,Rome,unknown");
    assert_eq!(value(connection, "PRAGMA integrity_check"), "ok");
    assert_eq!(rows(connection, "PRAGMA foreign_key_check"), [""; 0]);
}

/// That the keys still point to the table, and that what fired before still fires.
fn assert_alive(connection: &Connection) {
    connection.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM customers WHERE id = 1").unwrap();
    assert_eq!(value(connection, "SELECT count(*) FROM orders"), "4");
    assert_eq!(value(connection, "SELECT count(*) FROM notes WHERE customer_id IS NULL"), "1");
    assert_eq!(value(connection, "SELECT group_concat(customer_id) FROM deletions"), "1");
    assert_eq!(value(connection, "SELECT count(*) FROM totals"), "2");
    assert!(connection.execute_batch("INSERT INTO orders(customer_id, total) VALUES (9, 1)").is_err());
}

#[test]
fn nothing_is_lost_with_foreign_keys_on() {
    for legacy in [false, true] {
        let sandbox = Sandbox::at(&schema(), 1, ROWS);
        let mut connection = sandbox.open();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        connection.pragma_update(None, "legacy_alter_table", legacy).unwrap();
        let before = children(&connection);
        let report = bootproof::migrate(&schema(), &mut connection, &Options::default()).unwrap();
        assert_eq!(report.to_version, Some(2));
        assert_eq!(value(&connection, "PRAGMA foreign_keys"), "1");
        assert_whole(&connection, &before);
        assert_alive(&connection);
    }
}

#[test]
fn nothing_is_lost_by_a_boot() {
    let sandbox = Sandbox::at(&schema(), 1, ROWS);
    let before = children(&sandbox.open());
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().to_version, Some(2));
    assert_whole(&sandbox.open(), &before);
    assert_alive(&sandbox.open());
}

#[test]
fn a_connection_that_was_refused_has_its_foreign_keys_back() {
    for keys in [true, false] {
        let sandbox = Sandbox::at(&schema(), 1, ROWS);
        // A row without its parent: the rebuild is refused before it begins.
        let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO orders(customer_id, total) VALUES (9, 1)";
        sandbox.open().execute_batch(orphan).unwrap();
        let mut connection = sandbox.open();
        connection.pragma_update(None, "foreign_keys", keys).unwrap();
        let failure = bootproof::migrate(&schema(), &mut connection, &Options::default()).unwrap_err();
        assert_eq!(failure.error.kind(), "foreign_keys");
        assert_eq!(value(&connection, "PRAGMA foreign_keys"), i64::from(keys).to_string());
        assert_eq!(value(&connection, "SELECT count(*) FROM orders"), "7");
    }
}

#[test]
fn what_somebody_added_to_other_tables_survives() {
    let trigger = "CREATE TRIGGER mine AFTER INSERT ON deletions BEGIN SELECT 1; END;";
    let sandbox = Sandbox::at(&schema(), 1, &format!("{ROWS} {trigger}"));
    let report = Boot::new(&schema(), &sandbox.database).run().unwrap();
    assert!(report.notes.iter().any(|note| note.contains("mine")), "{:?}", report.notes);
    assert_eq!(value(&sandbox.open(), "SELECT count(*) FROM sqlite_schema WHERE name = 'mine'"), "1");
}
