//! What another tool has migrated is taken over where that tool has left it, or refused.
//!
//! `histories/*.sql` are dumps of databases that the real tools made of the directories in
//! `bootproof-build/tests/dialects`: refinery 0.10 with versions of 32 and of 64 bits, sqlx 0.8, diesel_migrations 2.3. The
//! tables of prisma, goose, dbmate, golang-migrate, drizzle and flyway are written here by hand, as their sources create
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::path::{Path, PathBuf};

use bootproof::inspect::PlannedAction;
use bootproof::{Boot, BootReport, Check, CheckName, Error, Failure, Schema};
use bootproof_catalog::source::normalise;
use rusqlite::Connection;
use rusqlite::types::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

const PRISMA: &str = "CREATE TABLE \"_prisma_migrations\" (
    \"id\" TEXT PRIMARY KEY NOT NULL, \"checksum\" TEXT NOT NULL, \"finished_at\" DATETIME, \"migration_name\" TEXT NOT NULL,
    \"logs\" TEXT, \"rolled_back_at\" DATETIME, \"started_at\" DATETIME NOT NULL DEFAULT current_timestamp,
    \"applied_steps_count\" INTEGER UNSIGNED NOT NULL DEFAULT 0)";
const GOOSE: &str = "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
    INSERT INTO goose_db_version(version_id, is_applied) VALUES (0, 1)";
const DBMATE: &str = "CREATE TABLE \"schema_migrations\" (version varchar(128) primary key)";
const GOLANG_MIGRATE: &str = "CREATE TABLE schema_migrations (version uint64, dirty bool);
    CREATE UNIQUE INDEX version_unique ON schema_migrations (version)";
const DRIZZLE: &str =
    "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)";
const FLYWAY: &str = "CREATE TABLE \"flyway_schema_history\" (\"installed_rank\" INT NOT NULL PRIMARY KEY,
    \"version\" VARCHAR(50), \"description\" VARCHAR(200) NOT NULL, \"type\" VARCHAR(20) NOT NULL,
    \"script\" VARCHAR(1000) NOT NULL, \"checksum\" INT, \"installed_by\" VARCHAR(100) NOT NULL,
    \"installed_on\" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')), \"execution_time\" INT NOT NULL,
    \"success\" BOOLEAN NOT NULL);
    CREATE INDEX \"flyway_schema_history_s_idx\" ON \"flyway_schema_history\" (\"success\")";

/// A database in a directory of its own.
struct Scene {
    schema: Schema,
    path: PathBuf,
    _directory: TempDir,
}

impl Scene {
    fn new(dialect: &str) -> Self {
        let schema = layouts::schemas().into_iter().find(|schema| schema.name() == dialect).unwrap();
        let directory = tempfile::tempdir().unwrap();
        Self { schema, path: directory.path().join("app.db"), _directory: directory }
    }

    /// Loads a dump.
    fn of_dump(dialect: &str, dump: &str) -> Self {
        let scene = Self::new(dialect);
        let text = std::fs::read_to_string(format!("tests/histories/{dump}.sql")).unwrap();
        scene.execute(&text);
        scene
    }

    /// Runs the statements of the first migrations, and adds a history.
    fn of_statements(dialect: &str, migrations: usize, history: &str) -> Self {
        let scene = Self::new(dialect);
        let connection = Connection::open(&scene.path).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
        connection.execute_batch(history).unwrap();
        for migration in scene.schema.compiled().migrations.iter().take(migrations) {
            for statement in migration.statements {
                connection.execute_batch(&migration.sql[statement.start..statement.end]).unwrap();
            }
        }
        connection.execute_batch("COMMIT").unwrap();
        scene
    }

    fn execute(&self, sql: &str) {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn boot(&self) -> Result<BootReport, Failure> {
        Boot::new(&self.schema, &self.path).backup(false).run()
    }

    fn refusal(&self) -> Error {
        let before = std::fs::read(&self.path).unwrap();
        let failure = self.boot().unwrap_err();
        assert_eq!(before, std::fs::read(&self.path).unwrap(), "{failure}");
        assert_eq!(failure.exit_code(), 4, "{failure}");
        let plan = Boot::new(&self.schema, &self.path).plan().unwrap().to_string();
        assert!(plan.contains(": boot would refuse\n"), "{plan}");
        failure.error
    }

    fn rows(&self, table: &str) -> Vec<Vec<Value>> {
        rows(&self.path, &format!("SELECT * FROM \"{table}\""))
    }

    /// The boot of a database that no other tool has seen.
    fn fresh(&self) -> BootReport {
        let fresh = Boot::new(&self.schema, self.path.with_file_name("fresh.db"));
        fresh.run().unwrap();
        fresh.run().unwrap()
    }

    /// Boots from a version to the head, and once more, and proves that the other tool's rows are untouched.
    fn is_taken_over(&self, table: &str, version: i64) {
        let (tool, head) = (self.schema.name(), self.schema.head());
        let before = self.rows(table);
        let status = Boot::new(&self.schema, &self.path).status().unwrap();
        assert_eq!(status.managed_by.as_ref().map(|it| (it.tool, it.version)), Some((tool, version)), "{status}");
        let sentence = format!("managed by {tool} at version {version}: would be taken over");
        assert!(status.to_string().contains(&sentence), "{status}");
        let plan = Boot::new(&self.schema, &self.path).plan().unwrap();
        assert!(plan.action == PlannedAction::Adopt && plan.to_string().contains(&sentence), "{plan}");

        let report = self.boot().unwrap_or_else(|failure| panic!("{tool}: {failure}"));
        assert!(report.adopted, "{report}");
        assert_eq!((report.from_version, report.to_version), (Some(version), Some(head)), "{report}");
        let pending = self.schema.compiled().migrations.iter().filter(|migration| migration.version > version);
        assert_eq!(report.applied.len(), pending.count(), "{report}");
        let note = format!("taken over from {tool} at version {version}");
        assert!(report.notes.iter().any(|line| line.starts_with(&note)), "{report}");
        let after = self.rows(table);
        assert_eq!(before, after.get(..before.len()).unwrap(), "{tool}");
        let audit = rows(
            &self.path,
            "SELECT event || ' ' || from_version || ' ' || (detail ->> '$.taken_over.tool') || ' '
                 || (detail ->> '$.taken_over.version') FROM bootproof_audit",
        );
        assert_eq!(audit, [[Value::Text(format!("adopt {version} {tool} {version}"))]]);

        let report = self.boot().unwrap();
        assert!(!report.adopted && report.applied.is_empty(), "{report}");
        assert_eq!(structure(&report), structure(&self.fresh()), "the other tool's table is not counted");
        let mention = report.notes.iter().find(|note| note.contains(table) || note.contains("taken over"));
        assert!(mention.is_none(), "{mention:?}");
        let status = Boot::new(&self.schema, &self.path).status().unwrap();
        assert!(status.to_string().contains(&format!(" adopt {version} -> {head}\n")), "{status}");
        assert!(status.managed_by.is_none() && status.differences.is_empty() && status.adopted, "{status}");
    }
}

/// What the report says of the schema and the indexes.
fn structure(report: &BootReport) -> Vec<&str> {
    let is_structure = |check: &&Check| matches!(check.name, CheckName::Schema | CheckName::Indexes);
    report.checks.iter().filter(is_structure).map(|check| check.detail.as_str()).collect()
}

fn rows(path: &Path, sql: &str) -> Vec<Vec<Value>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

fn insert(table: &str, rows: impl Iterator<Item = String>) -> String {
    rows.fold(String::new(), |sql, row| sql + &format!("; INSERT INTO {table} VALUES ({row})"))
}

fn sha256(text: &[u8]) -> String {
    Sha256::digest(text).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// As zlib computes it, bit by bit, over the lines.
fn crc32(text: &str) -> i32 {
    let mut register = u32::MAX;
    for byte in text.lines().flat_map(str::bytes) {
        register ^= u32::from(byte);
        for _ in 0..8 {
            register = if register & 1 == 1 { (register >> 1) ^ 0xedb8_8320 } else { register >> 1 };
        }
    }
    (!register).cast_signed()
}

fn dbmate(count: usize) -> String {
    let scene = Scene::new("dbmate");
    let migrations = scene.schema.compiled().migrations.iter().take(count);
    DBMATE.to_owned() + &insert("schema_migrations", migrations.map(|migration| format!("'{}'", migration.version)))
}

fn goose(count: usize) -> String {
    let scene = Scene::new("goose");
    let migrations = scene.schema.compiled().migrations.iter().take(count);
    let rows = migrations.map(|migration| format!("NULL, {}, 1, datetime('now')", migration.version));
    GOOSE.to_owned() + &insert("goose_db_version", rows)
}

fn golang_migrate(count: usize) -> String {
    let scene = Scene::new("golang-migrate");
    let last = scene.schema.compiled().migrations.iter().take(count).next_back();
    GOLANG_MIGRATE.to_owned() + &insert("schema_migrations", last.into_iter().map(|it| format!("{}, 0", it.version)))
}

fn prisma(count: usize) -> String {
    let scene = Scene::new("prisma");
    let migrations = scene.schema.compiled().migrations.iter().take(count);
    let rows = migrations.map(|migration| {
        let (hash, title) = (sha256(migration.sql.as_bytes()), migration.title());
        format!("hex(randomblob(16)), '{hash}', 1700000000000, '{title}', NULL, NULL, 1700000000000, 1")
    });
    PRISMA.to_owned() + &insert("_prisma_migrations", rows)
}

fn drizzle(count: usize) -> String {
    let scene = Scene::new("drizzle");
    let migrations = scene.schema.compiled().migrations.iter().take(count).enumerate();
    let rows = migrations.map(|(position, migration)| {
        let when = 1_718_000_000_000_i64 + i64::try_from(position).unwrap() * 100_000_000;
        format!("NULL, '{}', {when}", sha256(migration.sql.as_bytes()))
    });
    DRIZZLE.to_owned() + &insert("__drizzle_migrations", rows)
}

fn flyway(count: usize) -> String {
    let scene = Scene::new("flyway");
    let migrations = scene.schema.compiled().migrations.iter().take(count).enumerate();
    let rows = migrations.map(|(position, migration)| {
        let script = migration.file.rsplit('/').next().unwrap();
        let (version, description) = script.strip_prefix('V').unwrap().split_once("__").unwrap();
        let (version, checksum) = (version.replace('_', "."), crc32(migration.sql));
        let rank = position + 1;
        format!("{rank}, '{version}', '{description}', 'SQL', '{script}', {checksum}, 'me', '2025-01-01', 3, 1")
    });
    FLYWAY.to_owned() + &insert("flyway_schema_history", rows)
}

/// A dialect, its table, and a history of so many migrations.
type Peer = (&'static str, &'static str, fn(usize) -> String);

const BY_HAND: [Peer; 6] = [
    ("prisma", "_prisma_migrations", prisma),
    ("goose", "goose_db_version", goose),
    ("dbmate", "schema_migrations", dbmate),
    ("golang-migrate", "schema_migrations", golang_migrate),
    ("drizzle", "__drizzle_migrations", drizzle),
    ("flyway", "flyway_schema_history", flyway),
];

#[test]
fn what_the_tools_themselves_made_is_taken_over() {
    for (dialect, dump, table, version) in [
        ("refinery", "refinery_32", "refinery_schema_history", 2),
        ("refinery", "refinery_32_head", "refinery_schema_history", 11),
        ("refinery", "refinery_64", "refinery_schema_history", 2),
        ("sqlx", "sqlx", "_sqlx_migrations", 20_210_301_000_000),
        ("diesel", "diesel", "__diesel_schema_migrations", 20_220_314_093_000),
        ("diesel", "diesel_head", "__diesel_schema_migrations", 202_204_010_000_000_000),
    ] {
        Scene::of_dump(dialect, dump).is_taken_over(table, version);
    }
}

#[test]
fn every_version_of_every_tool_is_taken_over() {
    for (dialect, table, history) in BY_HAND {
        let migrations = Scene::new(dialect).schema.compiled().migrations;
        for (count, migration) in (1..).zip(migrations) {
            Scene::of_statements(dialect, count, &history(count)).is_taken_over(table, migration.version);
        }
    }
}

#[test]
fn a_table_that_was_made_and_nothing_more_is_no_history() {
    for (dialect, table, history) in BY_HAND {
        let scene = Scene::of_statements(dialect, 0, &history(0));
        let before = scene.rows(table);
        let report = scene.boot().unwrap_or_else(|failure| panic!("{dialect}: {failure}"));
        assert!(report.created && !report.adopted, "{dialect}: {report}");
        assert_eq!(before, scene.rows(table));
    }
}

#[test]
fn what_a_tool_has_not_finished_is_refused() {
    let half = [
        ("prisma", prisma as fn(usize) -> String, "UPDATE _prisma_migrations SET finished_at = NULL WHERE rowid = 2"),
        (
            "prisma",
            prisma,
            "UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = 1700000000000 WHERE rowid = 2",
        ),
        ("golang-migrate", golang_migrate, "UPDATE schema_migrations SET dirty = 1"),
        ("golang-migrate", golang_migrate, "UPDATE schema_migrations SET dirty = 'true'"),
        ("flyway", flyway, "UPDATE flyway_schema_history SET success = 0 WHERE installed_rank = 2"),
    ];
    for (dialect, history, damage) in half {
        let scene = Scene::of_statements(dialect, 2, &history(2));
        scene.execute(damage);
        let error = scene.refusal();
        assert!(matches!(&error, Error::HalfMigrated { tool, .. } if *tool == dialect), "{error}");
    }
    let scene = Scene::of_dump("sqlx", "sqlx");
    scene.execute("UPDATE _sqlx_migrations SET success = 0 WHERE version = 20210301000000");
    let error = scene.refusal();
    assert!(error.to_string().contains("20210301000000 empty"), "{error}");
}

#[test]
fn what_was_made_good_counts() {
    // An attempt of prisma's that failed, was given up, and succeeded the second time.
    let scene = Scene::of_statements("prisma", 2, &prisma(2));
    scene.execute(
        "UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = 1700000000000 WHERE rowid = 2;
         INSERT INTO _prisma_migrations SELECT 'again', checksum, 1700000000001, migration_name, NULL, NULL, started_at, 1
         FROM _prisma_migrations WHERE rowid = 2",
    );
    scene.is_taken_over("_prisma_migrations", 20_230_212_080_000);
    // A step of goose's that was taken back, and one that was taken back and made again.
    let back = "; INSERT INTO goose_db_version(version_id, is_applied) VALUES (1, 0), (1, 1), (2, 1), (2, 0)";
    Scene::of_statements("goose", 1, &(goose(1) + back)).is_taken_over("goose_db_version", 1);
    // A version that flyway has undone, and a baseline.
    let undone = flyway(2)
        + "; INSERT INTO flyway_schema_history VALUES (3, '1.1', 'x', 'UNDO_SQL', 'U1.1__x.sql', 7, 'me', '', 1, 1)";
    Scene::of_statements("flyway", 1, &undone).is_taken_over("flyway_schema_history", 1_000_000);
    let nothing = flyway(0)
        + "; INSERT INTO flyway_schema_history VALUES (1, '0', 'base', 'BASELINE', 'base', NULL, 'me', '', 0, 1)";
    let report = Scene::of_statements("flyway", 1, &nothing).boot().unwrap();
    assert!(report.adopted && report.from_version.is_none(), "{report}");
    let baseline = flyway(0)
        + "; INSERT INTO flyway_schema_history VALUES (1, '1.1', 'base', 'BASELINE', 'base', NULL, 'me', '', 0, 1)";
    Scene::of_statements("flyway", 2, &baseline).is_taken_over("flyway_schema_history", 1_001_000);
}

#[test]
fn versions_that_this_binary_does_not_have_are_refused() {
    let newer = [
        ("goose", goose as fn(usize) -> String, "INSERT INTO goose_db_version VALUES (NULL, 99, 1, '')"),
        ("dbmate", dbmate, "INSERT INTO schema_migrations VALUES ('20990101000000')"),
        ("golang-migrate", golang_migrate, "UPDATE schema_migrations SET version = 99"),
        ("flyway", flyway, "UPDATE flyway_schema_history SET version = '99' WHERE installed_rank = 2"),
        ("prisma", prisma, "UPDATE _prisma_migrations SET migration_name = '20990101000000_x' WHERE rowid = 2"),
    ];
    for (dialect, history, change) in newer {
        let scene = Scene::of_statements(dialect, 2, &history(2));
        scene.execute(change);
        let error = scene.refusal();
        assert!(matches!(error, Error::Newer { .. }), "{dialect}: {error}");
    }
    let missing = [
        ("goose", goose as fn(usize) -> String, "UPDATE goose_db_version SET version_id = 7 WHERE version_id = 2"),
        ("goose", goose, "DELETE FROM goose_db_version WHERE version_id = 1"),
        ("dbmate", dbmate, "DELETE FROM schema_migrations WHERE version = '20190501120000'"),
        ("golang-migrate", golang_migrate, "UPDATE schema_migrations SET version = 3"),
        ("drizzle", drizzle, "UPDATE __drizzle_migrations SET hash = 'x', created_at = 7 WHERE rowid = 2"),
    ];
    for (dialect, history, change) in missing {
        let scene = Scene::of_statements(dialect, 2, &history(2));
        scene.execute(change);
        let error = scene.refusal();
        assert!(matches!(error, Error::Missing { .. }), "{dialect}: {error}");
    }
}

#[test]
fn another_text_is_refused() {
    let edited = [
        ("prisma", prisma as fn(usize) -> String, "UPDATE _prisma_migrations SET checksum = 'x' WHERE rowid = 2"),
        ("drizzle", drizzle, "UPDATE __drizzle_migrations SET hash = 'x' WHERE rowid = 2"),
        ("flyway", flyway, "UPDATE flyway_schema_history SET checksum = 7 WHERE installed_rank = 2"),
    ];
    for (dialect, history, change) in edited {
        let scene = Scene::of_statements(dialect, 2, &history(2));
        scene.execute(change);
        let error = scene.refusal();
        assert!(matches!(error, Error::Divergent { .. }), "{dialect}: {error}");
    }
    for (dialect, dump, change) in [
        ("sqlx", "sqlx", "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 20210301000000"),
        ("refinery", "refinery_32", "UPDATE refinery_schema_history SET checksum = '7' WHERE version = 2"),
    ] {
        let scene = Scene::of_dump(dialect, dump);
        scene.execute(change);
        let error = scene.refusal();
        assert!(matches!(error, Error::Divergent { .. }), "{dialect}: {error}");
    }
}

#[test]
fn the_line_ends_of_another_machine_are_no_other_text() {
    let scene = Scene::of_statements("prisma", 2, &prisma(2));
    let second = scene.schema.compiled().migrations.get(1).unwrap();
    let windows = second.sql.replace('\n', "\r\n");
    assert_eq!(normalise(windows.as_bytes()).unwrap(), second.sql);
    scene
        .execute(&format!("UPDATE _prisma_migrations SET checksum = '{}' WHERE rowid = 2", sha256(windows.as_bytes())));
    scene.is_taken_over("_prisma_migrations", second.version);
}

#[test]
fn a_structure_that_is_not_that_of_the_version_is_refused() {
    for (dialect, _, history) in BY_HAND {
        // It lacks what the history says is there.
        let scene = Scene::of_statements(dialect, 1, &history(2));
        let looked = scene.boot();
        let changes_nothing = scene.schema.compiled().migrations.get(1).unwrap().creates.is_empty();
        if !changes_nothing {
            let error = looked.unwrap_err().error;
            assert!(matches!(&error, Error::NotTakenOver { tool, .. } if *tool == dialect), "{dialect}: {error}");
        }
    }
    // Something of a later version is there already.
    let scene = Scene::of_dump("diesel", "diesel_head");
    scene.execute("DELETE FROM __diesel_schema_migrations WHERE version > '20220314093000'");
    let error = scene.refusal();
    assert!(error.to_string().contains("`comments` is not part of the compiled schema"), "{error}");
}

#[test]
fn what_differs_as_installations_do_is_tolerated_and_repaired() {
    let scene = Scene::of_statements("dbmate", 1, &dbmate(1));
    scene.execute("CREATE TABLE operators_own(x)");
    let report = scene.boot().unwrap();
    assert!(report.notes.iter().any(|note| note.contains("operators_own")), "{report}");
    let scene = Scene::of_statements("goose", 1, &goose(1));
    scene.execute("DROP INDEX idx_products_name");
    let report = scene.boot().unwrap();
    assert_eq!(report.repaired, ["idx_products_name"]);
}

#[test]
fn whatever_stands_in_a_history_is_an_answer() {
    let strange = ["NULL", "x'ff00'", "1e300", "-1", "9223372036854775807", "CAST(x'ff' AS TEXT)"];
    for (dialect, table, history) in BY_HAND {
        let sound = Scene::of_statements(dialect, 2, &history(2));
        let bytes = std::fs::read(&sound.path).unwrap();
        let columns = rows(&sound.path, &format!("SELECT name FROM pragma_table_info('{table}')"));
        for column in columns.iter().flatten() {
            let Value::Text(column) = column else { continue };
            for value in strange {
                std::fs::write(&sound.path, &bytes).unwrap();
                let connection = Connection::open(&sound.path).unwrap();
                let change = format!("PRAGMA synchronous = OFF; UPDATE \"{table}\" SET \"{column}\" = {value}");
                // A constraint of the tool's own table may not admit it.
                let _ = connection.execute_batch(&change);
                drop(connection);
                let status = Boot::new(&sound.schema, &sound.path).status().unwrap();
                let code = status.error.as_ref().map_or(4, |error| error.code);
                assert_eq!(code, 4, "{dialect}.{column} = {value}: {status}");
            }
        }
    }
}

#[test]
fn what_only_has_the_name_is_no_history() {
    for sql in [
        "CREATE VIEW schema_migrations AS SELECT 1 AS version, 0 AS dirty",
        "CREATE VIRTUAL TABLE schema_migrations USING fts5(version, dirty)",
        "CREATE TABLE schema_migrations(version, applied, dirty)",
    ] {
        let scene = Scene::of_statements("golang-migrate", 1, sql);
        let report = scene.boot().unwrap_or_else(|failure| panic!("{sql}: {failure}"));
        assert!(report.adopted && report.from_version.is_none(), "{report}");
        assert!(report.notes.iter().any(|note| note.contains("schema_migrations")), "{report}");
    }
}

#[test]
fn a_history_under_another_name_is_taken_over_where_it_is_named() {
    const NAME: &str = "The \"history\"";
    let named = |scene: Scene| Scene { schema: scene.schema.with_history_table(NAME), ..scene };
    for (dialect, table, history) in BY_HAND {
        let migrations = Scene::new(dialect).schema.compiled().migrations;
        let renamed = format!("{}; ALTER TABLE {table} RENAME TO {}", history(2), bootproof_catalog::quoted(NAME));
        let scene = named(Scene::of_statements(dialect, 2, &renamed));
        let before = rows(&scene.path, &format!("SELECT * FROM {}", bootproof_catalog::quoted(NAME)));
        let report = scene.boot().unwrap_or_else(|failure| panic!("{dialect}: {failure}"));
        assert_eq!(
            report.from_version,
            Some(migrations.get(1).map_or(0, |migration| migration.version)),
            "{dialect}: {report}"
        );
        assert!(report.adopted && report.to_version == Some(scene.schema.head()), "{report}");
        assert_eq!(before, rows(&scene.path, &format!("SELECT * FROM {}", bootproof_catalog::quoted(NAME))));
        let report = scene.boot().unwrap();
        assert!(!report.notes.iter().any(|note| note.contains("history")), "{report}");
        // Under the name that nobody has told, there is nothing, and it is not taken for a database without a history.
        let scene = named(Scene::of_statements(dialect, 2, &history(2)));
        assert!(matches!(scene.refusal(), Error::Malformed { table: NAME, .. }), "{dialect}");
        let scene = named(Scene::new(dialect));
        assert!(scene.boot().unwrap().created, "a new database has none");
    }
    for dump in ["refinery_32", "refinery_64"] {
        let rename = "ALTER TABLE refinery_schema_history RENAME TO \"The \"\"history\"\"\"";
        let scene = named(Scene::of_dump("refinery", dump));
        scene.execute(rename);
        let report = scene.boot().unwrap_or_else(|failure| panic!("{dump}: {failure}"));
        assert_eq!((report.from_version, report.adopted), (Some(2), true), "{report}");
        let scene = named(Scene::of_dump("refinery", dump));
        scene.execute(&format!("UPDATE refinery_schema_history SET checksum = '7' WHERE version = 2; {rename}"));
        assert!(matches!(scene.refusal(), Error::Divergent { .. }));
    }
}
