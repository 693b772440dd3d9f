//! What a generated function promises, one file a promise.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod observes;
mod refuses_what_does_not_fit;
mod returns_typed_rows;

use rusqlite::Connection;

/// A database with two people, one of them with tasks.
fn database() -> Connection {
    let connection = bootproof::fresh(&typed_contracts::SCHEMA).unwrap();
    connection
        .execute_batch(
            "INSERT INTO person(id, name, email, born, is_active, salary, photo, extra, price)
             VALUES (1, 'Ada', 'ada@example.org', '1815-12-10', 1, 12.5, x'00ff', 'text', 7),
                    (2, 'Ada', NULL, NULL, 0, 3, NULL, 4, NULL);
             INSERT INTO task(id, person_id, title, seconds, ratio)
             VALUES (1, 1, 'one', 60, 0.5), (2, 1, 'two', 120, NULL);
             INSERT INTO reading VALUES ('a', 1, 1), ('a', 2, 'one'), ('a', 3, NULL);",
        )
        .unwrap();
    connection
}
