//! `health` tells how a database is, changes nothing, and says with its exit code whether anybody has to look.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;

use serde_json::Value;
use worklog_fixture::Fixture;

use crate::support::{NEW_INDEXES, Run, Sandbox};

/// The names of the alerts, with what they are about.
fn alerts(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let alerts = run.json["alerts"].as_array().unwrap();
    alerts.iter().map(|alert| (text(&alert["name"]), text(&alert["object"]))).collect()
}

fn assert_alert(run: &Run, name: &str, object: &str) {
    assert_eq!(alerts(run), [(name.to_owned(), object.to_owned())], "{}\n{}", run.json["alerts"], run.stderr);
    assert_eq!((run.code, run.json["verdict"].as_str()), (9, Some("alerts")));
}

fn health(sandbox: &Sandbox) -> Run {
    sandbox.run(["health"])
}

fn with_config(sandbox: &Sandbox, config: &str) -> Run {
    let path = sandbox.path().join("health.toml");
    fs::write(&path, config).unwrap();
    sandbox.run([OsStr::new("health"), OsStr::new("--config"), path.as_os_str()])
}

#[test]
fn a_database_that_was_just_booted_is_healthy() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["verdict"].as_str()), (0, Some("healthy")), "{}", run.json["alerts"]);
    let health = &run.json["health"];
    assert_eq!(
        (health["version"].as_i64(), health["head"].as_i64(), health["pending"].as_u64()),
        (Some(2), Some(3), Some(0))
    );
    assert_eq!(health["bytes"], before.len());
    assert_eq!(health["last_migration"]["name"], "add_company_day_index");
    assert_eq!(health["boots"][0]["event"], "adopt");
    assert_eq!(health["queries"].as_array().unwrap().len(), 9);
    for query in health["queries"].as_array().unwrap() {
        assert!(query["timing"]["median_ms"].as_f64().unwrap() > 0.0, "{query}");
        assert_eq!(query["missed"], Value::Null);
    }
    let indexes = health["indexes"].as_array().unwrap();
    for name in NEW_INDEXES {
        assert!(indexes.iter().any(|index| index["name"] == name), "{name}");
    }
    let worklogs = health["tables"].as_array().unwrap().iter().find(|table| table["name"] == "worklogs").unwrap();
    let rows: i64 = sandbox.open().query_row("SELECT count(*) FROM worklogs", [], |row| row.get(0)).unwrap();
    assert_eq!((worklogs["rows"].as_i64(), worklogs["row_limit"].as_u64()), (Some(rows), Some(5_000_000)));
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.files(), ["worklog.db"]);
}

#[test]
fn every_page_belongs_to_something() {
    let sandbox = Sandbox::current();
    // Free pages, overflow pages, and a table without rowid.
    sandbox.execute(
        "CREATE TABLE large(text TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO large VALUES (hex(randomblob(50000)));
         DROP INDEX idx_worklogs_started_date;",
    );
    let health = &health(&sandbox).json["health"];
    let objects = ["tables", "indexes"].map(|kind| health[kind].as_array().unwrap().clone()).concat();
    let pages = objects.iter().map(|object| object["space"]["pages"].as_u64().unwrap()).sum::<u64>();
    let free = health["free_pages"].as_u64().unwrap();
    assert!(free > 0);
    assert_eq!(pages + free, health["page_count"].as_u64().unwrap());
    let bytes = objects.iter().map(|object| object["space"]["bytes"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(bytes, pages * health["page_size"].as_u64().unwrap());
}

#[test]
fn quick_leaves_out_what_reads_the_whole_file() {
    let run = Sandbox::current().run(["health", "--quick"]);
    assert_eq!(run.code, 0);
    let health = &run.json["health"];
    assert_eq!(health["queries"].as_array().unwrap().len(), 0);
    assert!(
        health["tables"].as_array().unwrap().iter().all(|table| table["space"].is_null() && !table["rows"].is_null())
    );
}

#[test]
fn an_unmanaged_database_has_pending_migrations() {
    let run = health(&Sandbox::unmanaged());
    assert_eq!(alerts(&run).len(), 1, "{:?}", alerts(&run));
    assert_eq!((run.code, run.json["alerts"][0]["name"].as_str()), (9, Some("pending")));
    assert_eq!(run.json["health"]["version"], Value::Null);
    assert_eq!(run.json["health"]["pending"], 2);
}

#[test]
fn a_missing_index_is_told_and_so_is_one_with_other_columns() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_users_email");
    assert_alert(&health(&sandbox), "index", "idx_users_email");
    sandbox.boot().ready();
    sandbox.execute(
        "DROP INDEX idx_billing_rates_lookup; CREATE INDEX idx_billing_rates_lookup ON billing_rates(issue_type)",
    );
    let run = health(&sandbox);
    assert!(alerts(&run).contains(&("index".to_owned(), "idx_billing_rates_lookup".to_owned())), "{:?}", alerts(&run));
    assert_eq!(run.code, 9);
    let message = run.json["alerts"][0]["message"].as_str().unwrap();
    assert!(message.contains("(issue_type) instead of"), "{message}");
}

#[test]
fn rows_without_a_date_are_told() {
    let sandbox = Sandbox::current();
    sandbox.execute(
        "UPDATE worklogs SET started = '2025-01-31T09:15:00.000+0100'
         WHERE id IN (SELECT id FROM worklogs ORDER BY id LIMIT 3)",
    );
    let run = health(&sandbox);
    assert_alert(&run, "undated_rows", "worklogs.started");
    assert_eq!(run.json["alerts"][0]["value"], 3.0);
    let undated = &run.json["health"]["undated"][0];
    assert_eq!((undated["table"].as_str(), undated["rows"].as_u64()), (Some("worklogs"), Some(3)));
    assert_eq!(undated["example"], "2025-01-31T09:15:00.000+0100");
}

#[test]
fn the_limits_are_the_operators() {
    let sandbox = Sandbox::current();
    let run =
        with_config(&sandbox, "database_size = 1000\nquery_time = '1 ms'\nbackup_age = '1 d'\n[rows]\nworklogs = 10");
    let names: Vec<String> =
        alerts(&run).into_iter().map(|(name, _)| name).filter(|name| name != "query_time").collect();
    assert_eq!((run.code, names), (9, ["database_size", "table_rows", "backup_age"].map(str::to_owned).to_vec()));
}

#[test]
fn the_example_configuration_is_the_default() {
    let example = include_str!("../../deploy/health.toml");
    let rows: Vec<String> =
        worklog_schema::SCHEMA.row_limits().iter().map(|(table, rows)| format!("{table} = {rows}")).collect();
    let (_, limits) = example.split_once("[rows]\n").unwrap();
    assert_eq!(limits.replace('_', "").lines().collect::<Vec<_>>(), rows);
    assert_eq!(with_config(&Sandbox::current(), example).code, 0);
}

/// What cron runs: silent where nothing is amiss, and by the thresholds that the service reads.
#[cfg(unix)]
#[test]
fn the_script_for_cron_speaks_only_of_alerts() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let sandbox = Sandbox::current();
    let config = sandbox.path().join("health.toml");
    let run = || {
        let mut command = std::process::Command::new("sh");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/worklog-health.sh"));
        command.env("STATE_DIRECTORY", sandbox.path()).env("BOOTPROOF_DB", &sandbox.database).env("CONFIG", &config);
        command.env("WORKLOG_MIGRATE", env!("CARGO_BIN_EXE_worklog-migrate")).env_remove("BOOTPROOF_HEALTH");
        let output = command.env("DEFAULTS", "/nowhere").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run(), (Some(0), String::new()));
    fs::write(&config, "database_size = 1000").unwrap();
    let (code, said) = run();
    assert!(code == Some(9) && said.contains("the database has"), "{code:?}: {said}");
    // A file that cannot be read (but by root), or is not where its link leads, is not taken for none.
    fs::set_permissions(&config, fs::Permissions::from_mode(0o000)).unwrap();
    let (code, said) = run();
    assert!(code == Some(if fs::read(&config).is_ok() { 9 } else { 2 }), "{code:?}: {said}");
    fs::remove_file(&config).unwrap();
    symlink("nowhere", &config).unwrap();
    let (code, said) = run();
    assert!(code == Some(2) && said.contains("health.toml"), "{code:?}: {said}");
}

#[test]
fn a_configuration_that_means_nothing_is_a_usage_error() {
    let sandbox = Sandbox::current();
    let run = with_config(&sandbox, "database_size = '2 GB'\nwall_size = 5\n");
    assert_eq!((run.code, run.json["error"]["kind"].as_str()), (2, Some("config")));
    let message = run.json["error"]["message"].as_str().unwrap();
    for part in ["health.toml", "line 2", "`wall_size`", "`wal_size`"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let missing = sandbox.run(["health", "--config", "nowhere.toml"]);
    assert_eq!(missing.code, 2);
}

#[test]
fn a_writer_is_not_disturbed_and_a_log_is_measured() {
    let sandbox = Sandbox::current();
    let writer = sandbox.open();
    writer.execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; DELETE FROM logs").unwrap();
    let run = health(&sandbox);
    assert_eq!(run.code, 0, "{}", run.json["alerts"]);
    writer.execute_batch("COMMIT; PRAGMA wal_autocheckpoint = 0; UPDATE worklogs SET updated_at = '2026'").unwrap();
    let run = with_config(&sandbox, "wal_size = '10 KB'");
    assert_alert(&run, "wal_size", sandbox.database.to_str().unwrap());
    let wal = fs::metadata(sandbox.path().join("worklog.db-wal")).unwrap().len();
    assert_eq!(run.json["health"]["wal_bytes"], wal);
    assert_eq!(run.json["health"]["journal_mode"], "wal");
}

#[test]
fn a_writer_without_a_log_is_not_disturbed_before_it_commits() {
    let sandbox = Sandbox::current();
    let writer = sandbox.open();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM logs").unwrap();
    let run = health(&sandbox);
    assert_eq!(run.code, 0, "{}", run.json["alerts"]);
    writer.execute_batch("COMMIT").unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let locked = sandbox.run(["health", "--lock-timeout", "0.2"]);
    assert_eq!((locked.code, locked.json["verdict"].as_str()), (3, Some("refused")));
    assert_eq!(locked.json["health"]["error"]["kind"], "locked");
    assert!(locked.json["health"]["bytes"].as_u64() > Some(0));
}

#[test]
fn what_only_reading_the_rows_tells_is_told_too() {
    let sandbox = Sandbox::current();
    sandbox.execute("DELETE FROM teams WHERE id = (SELECT team_id FROM users WHERE team_id IS NOT NULL LIMIT 1)");
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["health"]["error"]["kind"].as_str()), (6, Some("foreign_keys")));
    let tolerant = sandbox.command().args(["health", "--json"]).env("BOOTPROOF_FOREIGN_KEYS", "no-new").output();
    assert_ne!(tolerant.unwrap().status.code(), Some(6), "as a boot with the same wish would be ready");
}

#[test]
fn a_boot_that_would_refuse_is_critical_and_the_rest_is_told() {
    let sandbox = Sandbox::current();
    sandbox.execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 2");
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["verdict"].as_str()), (4, Some("refused")));
    assert_eq!(
        (&run.json["alerts"][0]["severity"], run.json["health"]["error"]["kind"].as_str()),
        (&"critical".into(), Some("divergent"))
    );
    assert!(run.json["health"]["tables"].as_array().unwrap().len() > 20);
    sandbox.execute("DROP TABLE billing_rates");
    let run = health(&sandbox);
    assert_eq!(run.code, 4);
    let dropped = Sandbox::current();
    dropped.execute("DROP TABLE billing_rates");
    let run = health(&dropped);
    assert_eq!((run.code, run.json["health"]["error"]["kind"].as_str()), (4, Some("drifted")));
    let differences = run.json["health"]["differences"].as_array().unwrap();
    assert!(
        differences.iter().any(|difference| difference["message"] == "table `billing_rates` is missing"),
        "{differences:?}"
    );
    assert!(
        alerts(&run).contains(&("query_failed".to_owned(), "billing_rate_lookup".to_owned())),
        "{:?}",
        alerts(&run)
    );
}

#[test]
fn a_damaged_file_gives_what_it_still_can() {
    let sandbox = Sandbox::with(&Fixture::new(2_000));
    sandbox.boot().ready();
    let root: u32 = sandbox
        .open()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'worklogs'", [], |row| row.get(0))
        .unwrap();
    let mut bytes = sandbox.bytes();
    let root = root as usize;
    bytes[(root - 1) * 4096..root * 4096].fill(0xa5);
    fs::write(&sandbox.database, &bytes).unwrap();
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["verdict"].as_str()), (6, Some("refused")), "{}", run.json);
    assert_eq!(run.json["health"]["version"], 2);
    let tables = run.json["health"]["tables"].as_array().unwrap();
    assert!(tables.iter().any(|table| table["name"] == "users" && table["rows"].as_u64() > Some(0)));
    let queries = run.json["health"]["queries"].as_array().unwrap();
    let query = |name: &str| queries.iter().find(|query| query["name"] == name).unwrap();
    assert!(!query("company_month")["error"].is_null() && !query("recent_logs")["timing"].is_null(), "{queries:?}");
    assert_eq!(sandbox.bytes(), bytes);

    fs::write(&sandbox.database, "a long text that is no database ".repeat(64)).unwrap();
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["health"]["is_readable"].as_bool()), (6, Some(false)));
    assert_eq!(run.json["health"]["bytes"], 2048);
}

#[test]
fn a_missing_file_is_critical_and_stays_missing() {
    let sandbox = Sandbox::empty();
    let run = health(&sandbox);
    assert_eq!((run.code, run.json["verdict"].as_str()), (8, Some("refused")));
    assert_eq!(run.json["alerts"][0]["severity"], "critical");
    assert_eq!(sandbox.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_file_may_be_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::current();
    fs::set_permissions(&sandbox.database, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let run = health(&sandbox);
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(run.code, 0, "{}", run.json["alerts"]);
}

#[test]
fn prometheus_can_read_it() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_users_email; CREATE TABLE \"a \"\"quoted\"\" \\ name\"(x)");
    let samples = scrape(&sandbox, 9);
    assert_eq!(samples["bootproof_up"], "1");
    assert_eq!(samples["bootproof_schema_version"], "2");
    assert_eq!(samples["bootproof_refusal_code{kind=none}"], "0");
    assert_eq!(samples["bootproof_alert{name=index,object=idx_users_email,severity=warning}"], "1");
    assert_eq!(samples["bootproof_table_rows{table=a \"quoted\" \\ name}"], "0");
    assert!(samples["bootproof_database_size_bytes"] != "0");
    assert!(samples.keys().any(|key| key.starts_with("bootproof_query_median_seconds{query=instance_sync")));

    fs::write(&sandbox.database, "a long text that is no database ".repeat(64)).unwrap();
    let samples = scrape(&sandbox, 6);
    assert_eq!(samples["bootproof_up"], "0");
    assert_eq!(samples["bootproof_refusal_code{kind=integrity}"], "6");
}

/// Runs `health --prometheus`, and reads its answer by the rules of the format.
fn scrape(sandbox: &Sandbox, code: i32) -> BTreeMap<String, String> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    command.arg("--db").arg(&sandbox.database).args(["health", "--prometheus"]).env_remove("BOOTPROOF_HEALTH");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with('\n'));
    let (mut samples, mut metric, mut finished) = (BTreeMap::new(), String::new(), Vec::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            match (words.next().unwrap(), words.next().unwrap(), words.next().unwrap()) {
                ("HELP", name, help) => {
                    assert!(!help.is_empty() && !finished.contains(&name.to_owned()), "{name} twice");
                    name.clone_into(&mut metric);
                    finished.push(metric.clone());
                }
                ("TYPE", name, kind) => assert_eq!((name, kind), (metric.as_str(), "gauge")),
                other => panic!("{other:?}"),
            }
            continue;
        }
        let (key, name, value) = sample(line);
        assert_eq!(name, metric, "every sample follows its HELP and TYPE");
        value.parse::<f64>().unwrap();
        assert!(samples.insert(key, value).is_none(), "{line} twice");
    }
    samples
}

/// The sample of a line with its labels unescaped, its name, and its value.
fn sample(line: &str) -> (String, String, String) {
    let name: String =
        line.chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect();
    assert!(!name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()), "{line}");
    let mut rest = line[name.len()..].chars();
    let mut key = name.clone();
    if rest.as_str().starts_with('{') {
        let (mut is_quoted, mut is_escaped) = (false, false);
        for character in rest.by_ref() {
            match character {
                _ if is_escaped => {
                    assert!(matches!(character, '\\' | '"' | 'n'), "{line}");
                    key.push(if character == 'n' { '\n' } else { character });
                    is_escaped = false;
                }
                '\\' if is_quoted => is_escaped = true,
                '"' => is_quoted = !is_quoted,
                '}' if !is_quoted => {
                    key.push('}');
                    break;
                }
                other => key.push(other),
            }
        }
        assert!(!is_quoted, "{line}");
    }
    (key, name, rest.as_str().strip_prefix(' ').unwrap().to_owned())
}
