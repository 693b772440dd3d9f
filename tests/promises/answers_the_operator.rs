use std::process::Command;

use crate::support::{Run, Sandbox, strings};

#[test]
fn status_tells_where_a_database_stands_and_writes_nothing() {
    let sandbox = Sandbox::unmanaged();
    let before = sandbox.bytes();
    let status = sandbox.run(["status"]).json;
    assert_eq!((status["version"].as_i64(), status["head"].as_i64()), (None, Some(3)));
    assert_eq!(status["held"].as_array().unwrap().len(), 1);
    assert_eq!(status["pending"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.bytes(), before);

    sandbox.boot().ready();
    let status = sandbox.run(["status"]).json;
    assert_eq!(status["version"], 2);
    assert_eq!(status["adopted"], true);
    assert_eq!(status["history"].as_array().unwrap().len(), 3);
    assert_eq!(status["backups"].as_array().unwrap().len(), 1);
    assert_eq!(status["audit"][0]["event"], "adopt");
    assert!(status["audit"][0]["binary"].as_str().unwrap().contains(", built 20"));

    let missing = Sandbox::empty();
    let run = missing.run(["status"]);
    assert_eq!((run.code, run.json["exists"].as_bool()), (0, Some(false)));
    assert_eq!(missing.files(), [""; 0]);
}

#[test]
fn plan_tells_what_boot_would_do_and_writes_nothing() {
    let action = |sandbox: &Sandbox| {
        let before = sandbox.files();
        let run = sandbox.run(["plan"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(sandbox.files(), before);
        run.json
    };
    assert_eq!(action(&Sandbox::empty())["action"], "create");
    let unmanaged = Sandbox::unmanaged();
    let plan = action(&unmanaged);
    assert_eq!(plan["action"], "adopt");
    assert_eq!(plan["backup_bytes"], unmanaged.bytes().len());
    assert!(plan["disk_needed"].as_u64() > plan["backup_bytes"].as_u64());
    let current = Sandbox::current();
    assert_eq!(action(&current)["action"], "nothing");
    current.execute("DROP INDEX idx_users_email");
    let plan = action(&current);
    assert_eq!(plan["action"], "repair");
    assert_eq!(strings(&plan["repairs"]), ["index `idx_users_email` is missing"]);
    current.execute("UPDATE refinery_schema_history SET checksum = '1'");
    let plan = action(&current);
    assert_eq!((plan["action"].as_str(), plan["error"]["kind"].as_str()), (Some("refuse"), Some("divergent")));
}

#[test]
fn verify_checks_everything_and_changes_nothing() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let report = sandbox.run(["verify"]).ready();
    assert_eq!(report["checks"].as_array().unwrap().len(), 6);
    assert_eq!(sandbox.bytes(), before);
    let pending = Sandbox::unmanaged().run(["verify"]).refused(4, "behind");
    assert!(pending.contains("would adopt") && pending.contains("002_add_company_day_index is pending"), "{pending}");
    Sandbox::empty().run(["verify"]).refused(8, "storage");
}

#[test]
fn verify_tells_a_missing_index_from_a_missing_migration() {
    let sandbox = Sandbox::current();
    sandbox.execute("DROP INDEX idx_worklogs_user_range");
    let said = sandbox.run(["verify"]).refused(4, "unrepaired");
    assert!(said.contains("is at version 2, but not as it was compiled"), "{said}");
    assert!(said.contains("index `idx_worklogs_user_range` is missing") && !said.contains("not at head"), "{said}");
    let run = sandbox.run(["bench"]);
    let missing = "not as compiled: index `idx_worklogs_user_range` is missing".to_owned();
    assert!(strings(&run.json["notes"]).contains(&missing), "{}", run.json);
    sandbox.run(["boot"]).ready();
    sandbox.run(["verify"]).ready();
}

#[test]
fn bench_times_every_contract() {
    let sandbox = Sandbox::current();
    let before = sandbox.bytes();
    let report = sandbox.run(["bench"]).ready();
    let queries = report["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 9);
    for query in queries {
        assert!(query["before"].is_null());
        assert!(query["after"]["median_ms"].as_f64().unwrap() > 0.0, "{query}");
    }
    let range = queries.iter().find(|query| query["name"] == "user_worklogs_range").unwrap();
    assert!(range["after"]["rows_returned"].as_u64().unwrap() > 0, "parameters come from the data: {range}");
    assert_eq!(sandbox.bytes(), before);
}

#[test]
fn bench_tells_how_it_is_before_migrating() {
    let sandbox = Sandbox::unmanaged();
    let before = sandbox.bytes();
    let run = sandbox.run(["bench"]);
    assert_eq!((run.code, run.json["verdict"].as_str()), (0, Some("degraded")), "{}", run.stderr);
    let range = &run.json["queries"].as_array().unwrap()[8];
    assert_eq!(
        (range["name"].as_str(), range["index_used"].as_str()),
        (Some("user_worklogs_range"), Some("idx_worklogs_company"))
    );
    assert!(range["before"]["median_ms"].as_f64().unwrap() > 0.0 && range["after"].is_null(), "{range}");
    assert!(strings(&run.json["notes"]).iter().any(|note| note.contains("not at head yet")), "{}", run.json);
    assert!(sandbox.bytes() == before);
}

#[test]
fn sql_prints_what_the_binary_carries() {
    let command = || Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    let output = command().args(["sql", "1"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        include_str!("../../migrations/001_add_composite_indexes.sql")
    );
    let all = String::from_utf8(command().arg("sql").output().unwrap().stdout).unwrap();
    assert!(all.contains("CREATE TABLE companies") && all.contains("idx_worklogs_company_day"));
    assert_eq!(command().args(["sql", "77"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn backups_are_made_listed_pruned_and_restored_from_the_command_line() {
    let sandbox = Sandbox::current();
    let mut made = Vec::new();
    for _ in 0..3 {
        let backup = sandbox.run(["backup"]).json;
        assert_eq!(backup["backup"]["verified"], true, "{backup}");
        made.push(backup["backup"]["path"].as_str().unwrap().to_owned());
    }
    let kept = sandbox.run(["backup", "--keep", "2"]).json;
    assert_eq!(strings(&kept["removed"]).len(), 2, "{kept}");
    let listed = sandbox.run(["backups", "--examine"]).json;
    let states: Vec<_> =
        listed["backups"].as_array().unwrap().iter().map(|backup| backup["condition"].as_str()).collect();
    assert_eq!(states, [Some("sound"); 2], "{listed}");

    sandbox.execute("DELETE FROM invoices");
    let run = sandbox.run(["restore", &made[2]]);
    assert_eq!((run.code, run.json["digest"].as_str()), (0, Some("matched")), "{}{}", run.json, run.stderr);
    assert!(sandbox.bytes() == std::fs::read(&made[2]).unwrap(), "byte for byte the backup");
    assert!(std::path::Path::new(run.json["replaced"]["path"].as_str().unwrap()).is_file());
    sandbox.run(["verify"]).ready();
    sandbox.run(["restore", "no-such-file"]).refused(8, "restore_refused");
}

#[cfg(unix)]
#[test]
fn a_page_is_written_of_a_good_end_and_of_a_bad_one_and_never_over_something_else() {
    let sandbox = Sandbox::unmanaged();
    let page = sandbox.path().join("boot.html");
    let boot = |page: &std::path::Path| sandbox.run(["boot".as_ref(), "--report".as_ref(), page.as_os_str()]);
    let before = sandbox.bytes();
    boot(&sandbox.path().join("missing/boot.html")).refused(8, "report_unwritable");
    boot(&sandbox.database).refused(8, "report_unwritable");
    assert!(sandbox.bytes() == before, "asked before anything is done");

    boot(&page).ready();
    let ready = std::fs::read_to_string(&page).unwrap();
    assert!(ready.contains("Ready at version 2") && ready.contains("idx_worklogs_user_range"));
    sandbox.execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1");
    boot(&page).refused(4, "divergent");
    let refused = std::fs::read_to_string(&page).unwrap();
    assert!(refused.contains("001_add_composite_indexes was applied") && !refused.contains("Ready at"));
}

#[test]
fn a_directory_is_checked_and_its_next_file_begun_without_a_build() {
    let sandbox = Sandbox::empty();
    let run = |arguments: &[&str]| {
        let command =
            Command::new(env!("CARGO_BIN_EXE_worklog-migrate")).args(arguments).current_dir(sandbox.path()).output();
        let output = command.unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(run(&["new", "Create notes"]).1, "migrations/001_create_notes.sql\n");
    let (code, findings, _) = run(&["check", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&findings).unwrap();
    assert_eq!((code, findings[0]["rule"].as_str(), findings[0]["line"].as_u64()), (1, Some("no-statements"), Some(1)));

    let file = sandbox.path().join("migrations/001_create_notes.sql");
    std::fs::write(
        &file,
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, day TEXT);\nCREATE INDEX by_day ON notes(dya);\n",
    )
    .unwrap();
    let (code, _, message) = run(&["check", "migrations"]);
    assert_eq!(code, 1);
    assert!(message.contains("001_create_notes.sql:2:30") && message.contains("did you mean `day`?"), "{message}");

    std::fs::write(
        &file,
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, day TEXT);\nCREATE INDEX by_day ON notes(day);\n",
    )
    .unwrap();
    assert_eq!(run(&["new", "notes_of_day", "--contract", "by_day"]).0, 0);
    let (code, proven, _) = run(&["check"]);
    assert_eq!((code, proven.as_str()), (0, "proven: 1 migration and 1 query contract, head 1\n"));
    assert_eq!(run(&["new", "create_notes"]).0, 2, "the name is taken");
}

#[test]
fn what_was_released_is_listed_and_stays_as_it_is_or_begins_anew_in_one_file() {
    let sandbox = Sandbox::empty();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        let output = command.args(arguments).current_dir(sandbox.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let file = sandbox.path().join("migrations/001_create_notes.sql");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "CREATE TABLE notes(id INTEGER PRIMARY KEY);\n").unwrap();
    let (code, told, _) = run(&["lock"]);
    let expected = "migrations/migrations.lock: 1 released migration\n  added      001_create_notes.sql\n";
    assert_eq!((code, told.as_str()), (0, expected));
    let (code, told, _) = run(&["lock", "migrations", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, told["released"].as_u64(), told["added"].as_array().unwrap().len()), (0, Some(1), 0));

    let squash = ["squash", "--to", "1", "--out", "one.sql"];
    assert_eq!(run(&squash[..3]).0, 0);
    assert_eq!(run(&squash).1, "one.sql\n");
    let text = std::fs::read_to_string(sandbox.path().join("one.sql")).unwrap();
    assert!(text.contains("CREATE TABLE notes(id INTEGER PRIMARY KEY);"), "{text}");
    assert_eq!(run(&squash).0, 2, "nothing is overwritten");
    assert_eq!(run(&["squash", "--to", "2"]).0, 2, "there is no such version");

    std::fs::write(&file, "CREATE TABLE notes(id INTEGER PRIMARY KEY, day TEXT);\n").unwrap();
    for command in ["check", "lock"] {
        let (code, _, message) = run(&[command]);
        assert_eq!(code, 1);
        assert!(
            message.contains("error[released-changed]") && message.contains("001_create_notes.sql:1:1"),
            "{message}"
        );
    }
}

#[test]
fn usage_errors_are_2_and_the_report_is_for_people_without_json() {
    let command = || Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
    assert_eq!(command().arg("--nonsense").output().unwrap().status.code(), Some(2));
    let sandbox = Sandbox::unmanaged();
    let output = command().arg("--db").arg(&sandbox.database).arg("boot").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("ready at version 2 (was unmanaged)"), "{text}");
    assert!(text.contains("applied    001 add_composite_indexes"), "{text}");
}

#[test]
fn a_name_that_means_something_to_sqlite_is_a_name() {
    let sandbox = Sandbox::empty();
    for name in [":memory:", "file:w.db?mode=memory"] {
        let output = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"))
            .current_dir(sandbox.path())
            .args(["--json", "--db", name, "boot"])
            .output()
            .unwrap();
        assert_eq!(Run::of(&output).ready()["database"], name);
        assert!(sandbox.path().join(name).is_file());
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed() {
    let (link, file) = (Sandbox::empty(), Sandbox::unmanaged());
    std::os::unix::fs::symlink(&file.database, &link.database).unwrap();
    link.boot().ready();
    assert_eq!(link.files(), ["worklog.db"]);
    assert_eq!(file.backups().len(), 1, "the backup lies beside the file itself");
    assert_eq!(link.run(["status"]).json["backups"].as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::empty();
    let path = sandbox.path().join(std::ffi::OsStr::from_bytes(b"w\xff 100%?#.db"));
    worklog_fixture::Fixture::new(100).create(&path).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"))
        .args(["--json", "--db"])
        .arg(&path)
        .arg("boot")
        .output()
        .unwrap();
    let report = Run::of(&output).ready();
    assert_eq!(report["backup"]["verified"], true);
}

#[test]
fn no_time_is_told_of_what_was_not_done() {
    let people = |sandbox: &Sandbox, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        let output = command.arg("--db").arg(&sandbox.database).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let new = Sandbox::empty();
    let text = people(&new, &["boot", "--timeline"]);
    assert!(text.contains("applied    003 multi_tenant_constraints (in the compiled image)"), "{text}");
    assert!(text.contains("passed     schema                -  made from what was compiled"), "{text}");
    assert!(!text.contains("0.000 ms"), "{text}");
    let again = people(&new, &["boot", "--timeline"]);
    assert!(again.contains("skipped    row_counts            -  nothing was migrated"), "{again}");

    let migrated = Sandbox::unmanaged();
    let text = people(&migrated, &["boot", "--timeline"]);
    assert!(text.contains("applying 002_add_company_day_index") && !text.contains("rebuilding indexes"), "{text}");
    migrated.execute("DROP INDEX idx_worklogs_user_range");
    let text = people(&migrated, &["boot", "--timeline"]);
    assert!(text.contains("rebuilding indexes"), "{text}");
}
