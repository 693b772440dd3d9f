//! A directory of its own for every test, and the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bootproof::compiled::{Compiled, Contract, Image, Migration};
use bootproof::{Cancellation, Event, Observer, Schema, Step};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Null;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use worklog_fixture::Fixture;
use worklog_schema::COMPILED;

/// The five indexes that the migrations of phase 1 add to the baseline.
pub(crate) const NEW_INDEXES: [&str; 5] = [
    "idx_billing_rates_lookup",
    "idx_factorial_leaves_company_status",
    "idx_worklogs_company_day",
    "idx_worklogs_instance_range",
    "idx_worklogs_user_range",
];

/// Where a boot leaves a database with rows: phase 2 waits for the operator's permission.
pub(crate) const PHASE_1: i64 = 2;

/// Enough rows for statistics to matter, few enough for a test.
pub(crate) const ROWS: usize = 2_000;

pub(crate) struct Sandbox {
    directory: TempDir,
    pub(crate) database: PathBuf,
}

impl Sandbox {
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("worklog.db");
        Self { directory, database }
    }

    /// With a production database as the fixture describes it.
    pub(crate) fn with(fixture: &Fixture) -> Self {
        let sandbox = Self::empty();
        fixture.create(&sandbox.database).unwrap();
        sandbox
    }

    /// With a production database as found before phase 1.
    pub(crate) fn unmanaged() -> Self {
        Self::with(&Fixture::new(ROWS))
    }

    /// With a database on which a boot finds nothing to do: what waits for permission waits.
    pub(crate) fn current() -> Self {
        Self::booted(&["boot"])
    }

    /// With a database at head, the permission given.
    pub(crate) fn at_head() -> Self {
        Self::booted(&["boot", "--maintenance"])
    }

    fn booted(command: &[&str]) -> Self {
        let sandbox = Self::unmanaged();
        assert_eq!(sandbox.run(command).code, 0);
        let backup = sandbox.backups().pop().unwrap();
        fs::remove_file(&backup).unwrap();
        fs::remove_file(digest_of(&backup)).unwrap();
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The names in the directory.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn backups(&self) -> Vec<PathBuf> {
        let is_backup = |name: &&String| name.contains(".backup-") && name.strip_suffix(".b3").is_none();
        self.files().iter().filter(is_backup).map(|name| self.path().join(name)).collect()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.database).unwrap()
    }

    /// A connection of somebody else's.
    pub(crate) fn open(&self) -> Connection {
        let connection = Connection::open(&self.database).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap();
    }

    pub(crate) fn boot(&self) -> Run {
        self.run(["boot"])
    }

    /// Runs the operator's command on the database and reads its JSON.
    pub(crate) fn run<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Run {
        Run::of(&self.command().args(arguments).output().unwrap())
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        command.arg("--db").arg(&self.database).arg("--json");
        for variable in ["LOCK_TIMEOUT", "INTEGRITY", "FOREIGN_KEYS", "BACKUP", "DB", "TARGET", "MAINTENANCE", "HEALTH"]
        {
            command.env_remove(format!("BOOTPROOF_{variable}"));
        }
        command
    }
}

/// Where the digest of a backup is.
pub(crate) fn digest_of(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".b3");
    PathBuf::from(name)
}

/// Whether a backup is what its digest says, in the very line that `b3sum` would write: not every machine has that program.
pub(crate) fn digest_agrees(digest: &Path) -> bool {
    let backup = digest.with_extension("");
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut fs::File::open(&backup).unwrap(), &mut hasher).unwrap();
    let name = backup.file_name().unwrap().to_str().unwrap();
    fs::read_to_string(digest).unwrap() == format!("{}  {name}\n", hasher.finalize())
}

pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("not one JSON object: {error}\n{}\n{stderr}", String::from_utf8_lossy(&output.stdout))
        });
        Self { code: output.status.code().unwrap_or(-1), json, stderr }
    }

    /// Asserts success, and returns the report.
    pub(crate) fn ready(self) -> Value {
        assert_eq!((self.code, self.json["verdict"].as_str()), (0, Some("ready")), "{}\n{}", self.json, self.stderr);
        self.json
    }

    /// Asserts a refusal with this exit code and kind, and returns its message.
    pub(crate) fn refused(self, code: i32, kind: &str) -> String {
        let error = &self.json["error"];
        assert_eq!(
            (self.code, error["kind"].as_str(), self.json["verdict"].as_str()),
            (code, Some(kind), Some("refused")),
            "{}\n{}",
            self.json,
            self.stderr
        );
        assert_eq!(error["code"], code);
        assert!(!error["hint"].as_str().unwrap().is_empty());
        error["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn applied(report: &Value) -> Vec<i64> {
    report["applied"].as_array().unwrap().iter().map(|migration| migration["version"].as_i64().unwrap()).collect()
}

/// The check's outcome.
pub(crate) fn outcome<'v>(report: &'v Value, name: &str) -> &'v str {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}"));
    check["outcome"].as_str().unwrap()
}

pub(crate) fn assert_all_plans_hold(report: &Value) {
    let queries = report["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 9);
    for query in queries {
        assert_eq!(query["index_used"], query["expected_index"], "{query}");
    }
}

/// Every row of every table that is not the migrator's, as text.
pub(crate) fn rows(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = query(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name NOT IN ('refinery_schema_history', 'bootproof_audit')",
    );
    let rows_of = |table: &String| {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            Ok(format!("{:?}", (0..columns).map(|column| row.get_ref(column).unwrap()).collect::<Vec<_>>()))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    tables.iter().map(|table| (table.clone(), rows_of(table))).collect()
}

/// One column of text.
pub(crate) fn query(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

pub(crate) fn integrity_check(path: &Path) -> Vec<String> {
    query(&Connection::open(path).unwrap(), "PRAGMA integrity_check")
}

/// The last leaf page of a table or an index, counted from 1.
pub(crate) fn leaf_of(database: &Path, name: &str) -> usize {
    let sql = format!("SELECT CAST(max(pageno) AS TEXT) FROM dbstat WHERE name = '{name}' AND pagetype = 'leaf'");
    query(&Connection::open(database).unwrap(), &sql)[0].parse().unwrap()
}

/// The worklog schema with one more migration, as a program of tomorrow would carry it.
pub(crate) fn schema_with(migration: Migration) -> Schema {
    let mut migrations: Vec<Migration> = COMPILED.migrations.iter().map(|known| Migration { ..*known }).collect();
    migrations.push(migration);
    schema_of(migrations.leak())
}

/// The worklog schema as a program with these migrations would carry it.
pub(crate) fn schema_of(migrations: &'static [Migration]) -> Schema {
    let head = migrations.last().map_or(-1, |migration| migration.version);
    let contracts = COMPILED.contracts.iter().filter(|contract| contract.since <= head);
    let contracts: Vec<Contract> = contracts.map(|contract| Contract { ..*contract }).collect();
    let compiled = Compiled { migrations, contracts: contracts.leak(), image: image(migrations), ..COMPILED };
    Schema::new("worklog-schema", Box::leak(Box::new(compiled)))
}

/// An empty database after these migrations, which may call two functions of an application.
pub(crate) fn image(migrations: &[Migration]) -> Image {
    let mut connection = Connection::open_in_memory().unwrap();
    for (function, arguments) in [("uuid", 0), ("clean", 1)] {
        connection.create_scalar_function(function, arguments, FunctionFlags::SQLITE_UTF8, |_| Ok(Null)).unwrap();
    }
    connection.execute_batch(bootproof_catalog::HISTORY_DDL).unwrap();
    connection.execute_batch(bootproof_catalog::AUDIT_DDL).unwrap();
    for migration in migrations {
        connection.execute_batch(migration.sql).unwrap();
    }
    let bytes = connection.serialize(rusqlite::MAIN_DB).unwrap();
    let compressed = miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 1);
    Image { compressed: compressed.leak(), size: bytes.len(), stand_ins: &[] }
}

/// Calls the work off when a step begins.
#[derive(Debug)]
pub(crate) struct CancelAt(pub(crate) Step, pub(crate) Cancellation);

impl Observer for CancelAt {
    fn notice(&self, event: Event) {
        if matches!(event, Event::Started(step) if step == self.0) {
            self.1.cancel();
        }
    }
}
