use bootproof::Schema;
use bootproof::compiled::{Compiled, Image, Migration, Statement};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use worklog_fixture::Fixture;
use worklog_schema::COMPILED;
use worklog_schema::bootproof::Options;

use crate::support::{ROWS, Sandbox, image, query, rows, schema_with};

#[test]
fn in_memory() {
    let mut connection = Connection::open_in_memory().unwrap();
    let report = worklog_schema::migrate(&mut connection, &Options::default()).unwrap();
    assert_eq!((report.to_version, report.database.as_str()), (Some(worklog_schema::HEAD), ":memory:"));
    let again = worklog_schema::migrate(&mut connection, &Options::default()).unwrap();
    assert!(again.applied.is_empty());
}

#[test]
fn on_a_file_with_its_settings_as_before() {
    let sandbox = Sandbox::unmanaged();
    let before = rows(&sandbox.database);
    for foreign_keys in [true, false] {
        let mut connection = Connection::open(&sandbox.database).unwrap();
        connection.pragma_update(None, "foreign_keys", foreign_keys).unwrap();
        connection.busy_timeout(std::time::Duration::from_millis(1234)).unwrap();
        let report = worklog_schema::migrate(&mut connection, &Options::default()).unwrap();
        assert_eq!(report.to_version, Some(2));
        let setting = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(setting("foreign_keys"), i64::from(foreign_keys));
        assert_eq!(setting("busy_timeout"), 1234);
        assert_eq!(setting("trusted_schema"), 1);
        assert_eq!(setting("synchronous"), 2);
        // What the application chooses later counts as if nothing had been.
        connection.pragma_update(None, "cache_size", 20).unwrap();
        assert_eq!(setting("cache_spill"), 20);
        let worklogs: i64 = connection.query_row("SELECT count(*) FROM worklogs", [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(worklogs), Ok(ROWS));
    }
    assert_eq!(rows(&sandbox.database), before);
    assert_eq!(sandbox.backups().len(), 1);
}

#[test]
fn not_one_in_a_transaction() {
    let sandbox = Sandbox::unmanaged();
    let mut connection = Connection::open(&sandbox.database).unwrap();
    connection.execute_batch("BEGIN; INSERT INTO companies(name) VALUES ('mine')").unwrap();
    worklog_schema::migrate(&mut connection, &Options::default()).unwrap_err();
    assert!(!connection.is_autocommit(), "the application's transaction is still open");
    let mine = "SELECT count(*) FROM companies WHERE name = 'mine'";
    assert_eq!(connection.query_row(mine, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn one_that_locks_the_file_for_itself_is_backed_up_through_itself() {
    let sandbox = Sandbox::unmanaged();
    let before = rows(&sandbox.database);
    let mut connection = Connection::open(&sandbox.database).unwrap();
    connection.execute_batch("PRAGMA locking_mode = exclusive; UPDATE teams SET name = name").unwrap();
    let options = Options { lock_timeout: std::time::Duration::from_millis(300), ..Options::default() };
    let report = worklog_schema::migrate(&mut connection, &options).unwrap();
    assert_eq!(rows(&report.backup.unwrap().path), before);
}

/// With a log, the copy is made by a second connection, which such a lock keeps out.
#[test]
fn one_with_a_log_that_locks_the_file_for_itself_is_an_error_and_no_wait_for_ever() {
    let sandbox = Sandbox::with(&Fixture::new(300).wal(true));
    let mut connection = Connection::open(&sandbox.database).unwrap();
    connection.execute_batch("PRAGMA locking_mode = exclusive; UPDATE teams SET name = name").unwrap();
    let options = Options { lock_timeout: std::time::Duration::from_millis(300), ..Options::default() };
    let failure = worklog_schema::migrate(&mut connection, &options).unwrap_err();
    assert!(failure.to_string().contains("exclusively"), "{failure}");
    drop(connection);
    assert!(sandbox.backups().is_empty());
}

/// The switch works inside a transaction, and no rollback takes it back.
#[test]
fn a_migration_that_fails_between_two_switches_leaves_the_application_its_own() {
    const ON: &str = "PRAGMA legacy_alter_table = ON;";
    const SQL: &str = "PRAGMA legacy_alter_table = ON;INSERT INTO companies(id, name) SELECT id, name FROM companies;\
                       PRAGMA legacy_alter_table = OFF;";
    const END: usize = SQL.len() - ON.len() - 1;
    const STATEMENTS: &[Statement] = &[
        Statement { start: 0, end: ON.len(), line: 1 },
        Statement { start: ON.len(), end: END, line: 1 },
        Statement { start: END, end: SQL.len(), line: 1 },
    ];
    let head = worklog_schema::COMPILED.migrations.last().unwrap();
    let schema = schema_with(Migration {
        version: 900,
        name: "broken",
        file: "900_broken.sql",
        sql: SQL,
        checksum: bootproof_catalog::source::checksum(900, "broken", SQL),
        statements: STATEMENTS,
        creates: &[],
        writes: &["companies"],
        ..*head
    });
    let sandbox = Sandbox::unmanaged();
    for own in [false, true] {
        let mut connection = sandbox.open();
        connection.pragma_update(None, "legacy_alter_table", own).unwrap();
        let options = Options { maintenance: true, ..Options::default() };
        let failure = bootproof::migrate(&schema, &mut connection, &options).unwrap_err();
        assert!(failure.to_string().contains("900_broken.sql:1 (statement 2 of 3)"), "{failure}");
        let is_on: bool = connection.pragma_query_value(None, "legacy_alter_table", |row| row.get(0)).unwrap();
        assert_eq!(is_on, own);
    }
}

/// Rebuilds rename tables, which with this switch leaves triggers and views as they are: the rehearsal was without.
#[test]
fn a_switch_of_the_application_changes_no_migration() {
    let sandbox = Sandbox::unmanaged();
    let mut connection = sandbox.open();
    connection.pragma_update(None, "legacy_alter_table", true).unwrap();
    let options = Options { maintenance: true, ..Options::default() };
    let report = worklog_schema::migrate(&mut connection, &options).unwrap();
    assert_eq!(report.to_version, Some(worklog_schema::HEAD));
    let is_on: bool = connection.pragma_query_value(None, "legacy_alter_table", |row| row.get(0)).unwrap();
    assert!(is_on);
}

/// A schema whose migrations call functions of the application, and whose last waits for permission.
fn calling() -> Schema {
    let scripts: [&'static str; 5] = [
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT);CREATE TABLE b(id INTEGER PRIMARY KEY, x TEXT);",
        "INSERT INTO a(id, x) VALUES (1, uuid());",
        "UPDATE b SET x = clean(x);",
        "ALTER TABLE b ADD COLUMN y TEXT;",
        "ALTER TABLE b ADD COLUMN z TEXT;",
    ];
    let migrations: Vec<Migration> = (1..)
        .zip(scripts)
        .map(|(version, sql)| {
            let ends: Vec<usize> = sql.match_indices(';').map(|(at, _)| at + 1).collect();
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let statements: Vec<_> = starts.zip(&ends).map(|(start, &end)| Statement { start, end, line: 1 }).collect();
            Migration {
                version,
                name: "calls",
                file: "calls.sql",
                sql,
                checksum: bootproof_catalog::source::checksum(version, "calls", sql),
                statements: statements.leak(),
                creates: &[],
                writes: &["a", "b"],
                maintenance: (version == 5).then_some("stop the import first"),
                ..COMPILED.migrations[0]
            }
        })
        .collect();
    let migrations = migrations.leak();
    let image = Image { stand_ins: &["uuid"], ..image(migrations) };
    let compiled = Compiled { migrations, contracts: &[], image, ..COMPILED };
    Schema::new("calling", Box::leak(Box::new(compiled)))
}

/// Nothing stands in for its functions where rows are made; where only a schema is read, something does.
#[test]
fn one_that_has_the_functions_which_migrations_call() {
    let schema = calling();
    let mut connection = Connection::open_in_memory().unwrap();
    let failure = bootproof::migrate(&schema, &mut connection, &Options::default()).unwrap_err();
    assert!(failure.to_string().contains("no such function: uuid"), "{failure}");

    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("uuid", 0, flags, |_| Ok("its own")).unwrap();
    connection.create_scalar_function("clean", 1, flags, |_| Ok("clean")).unwrap();
    let mut migrated = |target, maintenance| {
        let options = Options { target, maintenance, ..Options::default() };
        let report = bootproof::migrate(&schema, &mut connection, &options).unwrap();
        connection.execute("INSERT INTO b(x) VALUES ('dirty')", []).unwrap();
        report.to_version
    };
    assert_eq!(migrated(Some(2), false), Some(2));
    assert_eq!(migrated(None, false), Some(4), "the last waits");
    assert_eq!(migrated(None, false), Some(4));
    assert_eq!(migrated(None, true), Some(5));
    assert_eq!(query(&connection, "SELECT x FROM a"), ["its own"]);
    assert_eq!(query(&connection, "SELECT x FROM b"), ["clean", "dirty", "dirty", "dirty"]);
}

#[test]
fn a_fresh_one_has_nothing_of_a_stand_in() {
    let error = bootproof::fresh(&calling()).unwrap_err();
    assert!(error.to_string().contains("no such function: uuid"), "{error}");
    assert!(error.hint().contains("`bootproof::migrate`"), "{}", error.hint());
}
