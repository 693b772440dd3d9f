use beyond_sql::rust::{COMPILED, step};
use bootproof::{Boot, Cancellation, Error, Options, Schema, Step, StepResult, fresh};
use rusqlite::Connection;

use crate::support::{CancelAt, Sandbox, rows, value};

/// What nobody would mistake for SQL: the bytes of a text, added up.
fn digest(text: &str) -> String {
    format!("d{}", text.bytes().map(u64::from).sum::<u64>())
}

fn digest_emails(transaction: &Connection) -> StepResult {
    let mut read = transaction.prepare("SELECT id, email FROM users")?;
    let users = read.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for user in users.collect::<Result<Vec<_>, _>>()? {
        let sql = "UPDATE users SET digest = ?2, digested = 1 WHERE id = ?1";
        transaction.execute(sql, (user.0, digest(&user.1)))?;
    }
    Ok(())
}

fn fill_search(transaction: &Connection) -> StepResult {
    transaction.execute("INSERT INTO search(digest) SELECT digest FROM users", [])?;
    Ok(())
}

fn check_totals(transaction: &Connection) -> StepResult {
    let sql = "SELECT id FROM orders WHERE total < 0";
    match transaction.query_row(sql, [], |row| row.get::<_, i64>(0)) {
        Ok(id) => Err(format!("order {id} has a total below nothing").into()),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// With another function in the place of the first.
fn schema_with(first: impl Fn(&Connection) -> StepResult + Send + Sync + 'static) -> Schema {
    Schema::new("users", &COMPILED)
        .with_step(step::DIGEST_EMAILS, first)
        .with_step(step::FILL_SEARCH, fill_search)
        .with_step(step::CHECK_TOTALS, check_totals)
}

fn schema() -> Schema {
    schema_with(digest_emails)
}

const PEOPLE: &str = "INSERT INTO users(email) VALUES ('b@example.org'), ('c@example.org');
                      INSERT INTO orders(user_id, total) VALUES (2, 10), (3, 20);";

fn digests(connection: &Connection) -> Vec<String> {
    rows(connection, "SELECT digest FROM users ORDER BY id").iter().map(|row| row.to_lowercase()).collect()
}

/// A database at version 1 and what a boot with another first step says of it. The file must be as it was.
fn refused(first: impl Fn(&Connection) -> StepResult + Send + Sync + 'static) -> Error {
    let sandbox = Sandbox::at(&schema(), 1, PEOPLE);
    let before = sandbox.files();
    let failure = Boot::new(&schema_with(first), &sandbox.database).run().unwrap_err();
    assert!(before == sandbox.files(), "{failure}");
    assert_eq!((failure.report.to_version, failure.report.applied.len()), (Some(1), 0));
    // Nothing about it stays: the right program migrates.
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().to_version, Some(5));
    failure.error
}

/// What the message of such a refusal says.
fn offence(first: impl Fn(&Connection) -> StepResult + Send + Sync + 'static) -> String {
    match refused(first) {
        error @ Error::StepFailed { .. } => {
            assert_eq!((error.exit_code(), error.kind()), (5, "step_failed"));
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_runs_between_two_versions_and_is_proven_with_them() {
    let (sandbox, schema) = (Sandbox::at(&schema(), 1, PEOPLE), schema());
    let report = Boot::new(&schema, &sandbox.database).run().unwrap();
    assert_eq!((report.to_version, report.applied.len()), (Some(5), 4));
    let connection = sandbox.open();
    assert_eq!(value(&connection, "SELECT count(*) FROM users WHERE digested = 1"), "3");
    assert_eq!(value(&connection, "SELECT digest FROM users WHERE id = 2"), digest("b@example.org"));
    // What a trigger wrote for it is expected, and what it wrote to a virtual table is there.
    assert_eq!(value(&connection, "SELECT count(*) FROM changes"), "3");
    assert_eq!(value(&connection, "SELECT count(*) FROM search(?1)".replace("?1", "'d*'").as_str()), "3");
    assert_eq!(value(&connection, "SELECT count(*) FROM refinery_schema_history"), "5");
}

#[test]
fn a_new_database_is_what_migrating_an_old_one_makes() {
    let (sandbox, schema) = (Sandbox::empty(), schema());
    let report = Boot::new(&schema, &sandbox.database).run().unwrap();
    assert!(report.created);
    let grown = Sandbox::empty();
    for version in 1..=5 {
        Boot::new(&schema, &grown.database).target(version).run().unwrap();
    }
    for sql in ["SELECT * FROM users", "SELECT * FROM changes", "SELECT * FROM search"] {
        let made = rows(&sandbox.open(), sql);
        assert!(!made.is_empty());
        assert_eq!(made, rows(&grown.open(), sql));
        assert_eq!(made, rows(&fresh(&schema).unwrap(), sql));
    }
    assert_eq!(digests(&sandbox.open()).len(), 1);
}

#[test]
fn what_is_not_registered_is_refused_before_anything_is_touched() {
    let sandbox = Sandbox::at(&schema(), 1, PEOPLE);
    let before = sandbox.files();
    let schema = Schema::new("users", &COMPILED).with_step(step::DIGEST_EMAILS, digest_emails);
    let failure = Boot::new(&schema, &sandbox.database).run().unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (4, "steps_missing"));
    let message = failure.to_string();
    assert!(message.contains("004_fill_search calls `fill_search`"), "{message}");
    assert!(
        message.contains("005_check_totals calls `check_totals`") && !message.contains("digest_emails"),
        "{message}"
    );
    assert!(before == sandbox.files());
    assert_eq!(Boot::new(&schema, &sandbox.database).plan().unwrap().error.unwrap().kind, "steps_missing");
    // As far as it has them, it goes.
    assert_eq!(Boot::new(&schema, &sandbox.database).target(3).run().unwrap().to_version, Some(3));

    let empty = Sandbox::empty();
    let failure = Boot::new(&schema, &empty.database).run().unwrap_err();
    assert_eq!((failure.error.kind(), empty.names().len()), ("steps_missing", 0));
    assert_eq!(fresh(&schema).unwrap_err().kind(), "steps_missing");
}

#[test]
fn a_step_that_has_run_is_not_needed_any_more() {
    let (sandbox, without) = (Sandbox::at(&schema(), 5, ""), Schema::new("users", &COMPILED));
    assert_eq!(Boot::new(&without, &sandbox.database).run().unwrap().to_version, Some(5));
}

#[test]
fn an_error_and_a_panic_roll_everything_back() {
    let message = offence(|transaction| {
        digest_emails(transaction)?;
        Err("user 7 has no email".into())
    });
    assert!(message.contains("the step `digest_emails` of migration 002_digest_emails failed: user 7 has no email"));
    assert!(message.contains("at 002_digest_emails.sql:1"), "{message}");
    let message = offence(|transaction| {
        digest_emails(transaction)?;
        panic!("at {}", "the wrong moment")
    });
    assert!(message.contains("it panicked: at the wrong moment"), "{message}");
    let message = offence(|transaction| Ok(transaction.execute_batch("UPDATE users SET none_such = 1")?));
    assert!(message.contains("no such column: none_such"), "{message}");
}

#[test]
fn a_step_writes_what_its_migration_names_and_nothing_else() {
    let tried = |sql: &'static str| {
        // What it makes of the refusal does not matter.
        let message = offence(move |transaction| {
            let _ = transaction.execute_batch(sql);
            digest_emails(transaction)
        });
        message.lines().next().unwrap().rsplit_once("failed: ").unwrap().1.to_owned()
    };
    for sql in ["INSERT INTO orders(user_id, total) VALUES (1, 1)", "UPDATE orders SET total = 0", "DELETE FROM orders"]
    {
        assert!(tried(sql).starts_with("it writes `orders`, which its migration does not name"), "{sql}");
    }
    assert!(tried("DELETE FROM refinery_schema_history").starts_with("it writes `refinery_schema_history`"));
    for sql in ["CREATE TABLE t(a)", "CREATE TEMP TABLE t(a)", "DROP TABLE orders", "ALTER TABLE users ADD COLUMN x"] {
        assert!(tried(sql).starts_with("it changes the schema"), "{sql}: {}", tried(sql));
    }
    for sql in ["CREATE INDEX i ON users(email)", "DROP TRIGGER users_change", "REINDEX", "ANALYZE"] {
        assert!(tried(sql).starts_with("it changes the schema"), "{sql}: {}", tried(sql));
    }
    for sql in ["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT s", "END"] {
        assert!(tried(sql).starts_with("it begins or ends a transaction"), "{sql}");
    }
    for sql in ["ATTACH ':memory:' AS other", "ATTACH ':mem' || 'ory:' AS other", "DETACH other"] {
        assert!(tried(sql).starts_with("it attaches or detaches"), "{sql}");
    }
    for sql in ["PRAGMA foreign_keys = ON", "PRAGMA user_version = 7", "PRAGMA writable_schema = ON"] {
        assert!(tried(sql).starts_with("it uses `PRAGMA "), "{sql}");
    }
}

#[test]
fn a_step_reads_what_it_likes() {
    let schema = schema_with(|transaction| {
        for sql in ["SELECT count(*) FROM orders", "SELECT count(*) FROM pragma_table_info('users')"] {
            transaction.query_row(sql, [], |row| row.get::<_, i64>(0))?;
        }
        transaction.query_row("PRAGMA table_info(users)", [], |_| Ok(()))?;
        digest_emails(transaction)
    });
    let sandbox = Sandbox::at(&schema, 1, PEOPLE);
    assert_eq!(Boot::new(&schema, &sandbox.database).run().unwrap().to_version, Some(5));
}

#[test]
fn a_trigger_that_somebody_added_does_not_write_behind_its_back() {
    let trigger = "CREATE TRIGGER mine AFTER UPDATE ON users BEGIN DELETE FROM orders; END;";
    let (sandbox, schema) = (Sandbox::at(&schema(), 1, &format!("{PEOPLE} {trigger}")), schema());
    let before = sandbox.files();
    let failure = Boot::new(&schema, &sandbox.database).run().unwrap_err();
    assert!(failure.to_string().contains("it writes `orders` through `mine`"), "{failure}");
    assert!(before == sandbox.files());
}

#[test]
fn what_a_step_only_reads_can_refuse() {
    let bad = format!("{PEOPLE} INSERT INTO orders(user_id, total) VALUES (1, -5);");
    let (sandbox, schema) = (Sandbox::at(&schema(), 1, &bad), schema());
    let failure = Boot::new(&schema, &sandbox.database).run().unwrap_err();
    assert!(failure.to_string().contains("order 3 has a total below nothing"), "{failure}");
    assert_eq!(value(&sandbox.open(), "SELECT max(version) FROM refinery_schema_history"), "1");
}

#[test]
fn a_boot_is_called_off_in_the_middle_of_a_step() {
    let (sandbox, schema) = (Sandbox::at(&schema(), 1, PEOPLE), schema());
    let before = sandbox.files();
    let switch = Cancellation::default();
    let observer = CancelAt(Step::Migrate("002_digest_emails"), switch.clone());
    let boot = Boot::new(&schema, &sandbox.database).observer(std::sync::Arc::new(observer)).cancellation(switch);
    assert_eq!(boot.run().unwrap_err().error.kind(), "cancelled");
    assert!(before == sandbox.files());

    // Also by the statement of a step that would go on for ever.
    let switch = Cancellation::default();
    let pulled = switch.clone();
    let endless = schema_with(move |transaction| {
        pulled.cancel();
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        transaction.query_row(sql, [], |_| Ok(()))?;
        Ok(())
    });
    let failure = Boot::new(&endless, &sandbox.database).cancellation(switch).run().unwrap_err();
    assert_eq!(failure.error.kind(), "cancelled");
    assert!(before == sandbox.files());
}

#[test]
fn an_open_connection_runs_them_too_and_is_free_again() {
    let (sandbox, schema) = (Sandbox::at(&schema(), 1, PEOPLE), schema());
    let mut connection = sandbox.open();
    let report = bootproof::migrate(&schema, &mut connection, &Options::default()).unwrap();
    assert_eq!(report.to_version, Some(5));
    connection.execute_batch("BEGIN; DELETE FROM orders; CREATE TABLE mine(a); COMMIT").unwrap();
}

#[test]
fn a_way_back_of_a_step_is_derived_only_where_it_wrote_what_is_new() {
    let migration = |version| COMPILED.migrations.iter().find(|migration| migration.version == version).unwrap();
    assert!(migration(2).revert.is_none());
    assert!(migration(5).revert.is_some());
}
