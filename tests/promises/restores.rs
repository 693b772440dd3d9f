mod after_a_crash;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use worklog_fixture::Fixture;
use worklog_schema::boot;
use worklog_schema::bootproof::{Boot, Cancellation, DigestCheck, Failure, Integrity, Step};

use crate::support::{CancelAt, ROWS, Sandbox, digest_of, leaf_of, query, rows};

/// The newest row of the old database, which is in its log only.
const NEWEST: &str = "INSERT INTO companies(id, name) VALUES (4711, 'newest')";

fn patient(sandbox: &Sandbox) -> Boot<'static> {
    boot(&sandbox.database).lock_timeout(Duration::from_millis(200))
}

/// Leaves a row in the log and the log beside the database, as a killed process would.
fn write_to_log(sandbox: &Sandbox) {
    let connection = sandbox.open();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection.execute_batch(NEWEST).unwrap();
    drop(connection);
    assert!(beside(sandbox, "-wal").metadata().unwrap().len() > 0);
}

fn beside(sandbox: &Sandbox, suffix: &str) -> PathBuf {
    sandbox.path().join(format!("worklog.db{suffix}"))
}

fn has_newest(path: &Path) -> bool {
    query(&Connection::open(path).unwrap(), "SELECT name FROM companies WHERE id = 4711") == ["newest"]
}

fn replaced(sandbox: &Sandbox) -> Vec<String> {
    sandbox.files().into_iter().filter(|name| name.contains(".replaced-")).collect()
}

/// What lies beside a database after a restore, but for backups and what was replaced.
fn assert_tidy(sandbox: &Sandbox) {
    let is_known = |name: &String| {
        name == "worklog.db" || name.starts_with("worklog.db.backup-") || name.starts_with("worklog.db.replaced-")
    };
    assert!(sandbox.files().iter().all(is_known), "{:?}", sandbox.files());
}

/// A database at head, and a backup of it from before a row was written; made once and copied.
fn with_backup(wal: bool) -> (Sandbox, PathBuf) {
    static ORIGINALS: [OnceLock<(Sandbox, PathBuf)>; 2] = [const { OnceLock::new() }; 2];
    let (original, backup) = ORIGINALS[usize::from(wal)].get_or_init(|| {
        let sandbox = Sandbox::with(&Fixture::new(ROWS).wal(wal));
        boot(&sandbox.database).backup(false).run().unwrap();
        let backup = boot(&sandbox.database).back_up().unwrap().path;
        (sandbox, backup)
    });
    let sandbox = Sandbox::empty();
    for name in original.files() {
        fs::copy(original.path().join(&name), sandbox.path().join(&name)).unwrap();
    }
    let backup = sandbox.path().join(backup.file_name().unwrap());
    (sandbox, backup)
}

fn refused(result: Result<impl std::fmt::Debug, Failure>, code: u8, kind: &str) -> String {
    let failure = result.unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (code, kind), "{failure}");
    failure.to_string()
}

#[test]
fn byte_for_byte_and_keeps_what_it_replaced() {
    let (sandbox, backup) = with_backup(false);
    sandbox.execute(NEWEST);
    let old = sandbox.bytes();
    let report = boot(&sandbox.database).restore(&backup).unwrap();
    assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
    assert_eq!((report.version, report.digest), (Some(2), DigestCheck::Matched));
    assert_eq!(report.bytes, sandbox.bytes().len() as u64);
    assert_eq!(report.checks.len(), 2);
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    let replaced = report.replaced.clone().unwrap();
    assert_eq!(fs::read(&replaced.path).unwrap(), old);
    assert_eq!(replaced.bytes, old.len() as u64);
    assert_eq!(sandbox.files().len(), 4);
    assert_tidy(&sandbox);
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((json["digest"].as_str(), json["version"].as_i64()), (Some("matched"), Some(2)));
    assert!(report.to_string().starts_with("restored version 2 in "), "{report}");
    sandbox.boot().ready();
    assert!(!has_newest(&sandbox.database));
    // And back again, by the name it lies under.
    boot(&sandbox.database).restore(replaced.path.file_name().unwrap().as_ref()).unwrap();
    assert!(has_newest(&sandbox.database));
}

#[test]
fn over_a_log_that_it_folds_into_the_file_it_keeps() {
    let (sandbox, backup) = with_backup(true);
    write_to_log(&sandbox);
    let report = patient(&sandbox).restore(backup.file_name().unwrap().as_ref()).unwrap();
    assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
    assert_tidy(&sandbox);
    assert_eq!(replaced(&sandbox).len(), 1, "the log needs no file of its own: {:?}", sandbox.files());
    assert!(!has_newest(&sandbox.database));
    assert!(has_newest(&report.replaced.unwrap().path));
    sandbox.boot().ready();
}

#[test]
fn over_a_damaged_database_which_keeps_its_log() {
    for in_the_header in [true, false] {
        let (sandbox, backup) = with_backup(true);
        write_to_log(&sandbox);
        let log = fs::read(beside(&sandbox, "-wal")).unwrap();
        let mut bytes = sandbox.bytes();
        // Either no database any more, or one with a worthless page.
        if in_the_header {
            bytes[..16].fill(0);
        } else {
            bytes[4096 * 7..4096 * 8].fill(0xff);
        }
        fs::write(&sandbox.database, &bytes).unwrap();
        let report = patient(&sandbox).restore(&backup).unwrap();
        assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
        assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
        let kept = report.replaced.unwrap().path;
        assert_eq!(fs::read(&kept).unwrap(), bytes);
        assert_eq!(fs::read(format!("{}-wal", kept.display())).unwrap(), log);
        assert_tidy(&sandbox);
        sandbox.boot().ready();
    }
}

#[test]
fn a_database_that_is_missing_also_when_its_log_is_not() {
    for has_log in [false, true] {
        let (sandbox, backup) = with_backup(false);
        fs::remove_file(&sandbox.database).unwrap();
        if has_log {
            fs::write(beside(&sandbox, "-wal"), "somebody's newest rows").unwrap();
        }
        let report = boot(&sandbox.database).restore(&backup).unwrap();
        assert!(report.replaced.is_none());
        assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
        assert_eq!(replaced(&sandbox).len(), usize::from(has_log));
        assert_tidy(&sandbox);
        sandbox.boot().ready();
    }
}

#[test]
fn an_older_unmanaged_backup_which_the_next_boot_migrates() {
    let sandbox = Sandbox::unmanaged();
    let original = rows(&sandbox.database);
    let report = sandbox.boot().ready();
    let backup = PathBuf::from(report["backup"]["path"].as_str().unwrap());
    let report = boot(&sandbox.database).restore(&backup).unwrap();
    assert_eq!((report.version, report.digest), (None, DigestCheck::Matched));
    sandbox.boot().ready();
    assert_eq!(rows(&sandbox.database), original);
}

#[cfg(unix)]
#[test]
fn with_the_permissions_of_the_old_file_or_else_of_the_backup() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for old in [0o640, 0o600, 0o664] {
        let (sandbox, backup) = with_backup(false);
        fs::set_permissions(&sandbox.database, fs::Permissions::from_mode(old)).unwrap();
        boot(&sandbox.database).restore(&backup).unwrap();
        assert_eq!(mode(&sandbox.database), old);
    }
    let (sandbox, backup) = with_backup(false);
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o640)).unwrap();
    fs::remove_file(&sandbox.database).unwrap();
    boot(&sandbox.database).restore(&backup).unwrap();
    assert_eq!(mode(&sandbox.database), 0o640, "of the backup, where there is no other");
}

#[test]
fn nothing_that_is_not_what_was_written_or_not_sound() {
    let (sandbox, backup) = with_backup(false);
    let intact = fs::read(&backup).unwrap();
    let digest = fs::read_to_string(digest_of(&backup)).unwrap();
    sandbox.execute(NEWEST);
    let (old, files) = (sandbox.bytes(), sandbox.files());
    let refuses = |code: u8, kind: &str| {
        let message = refused(boot(&sandbox.database).restore(&backup), code, kind);
        assert_eq!(sandbox.bytes(), old, "{message}");
        assert_eq!(sandbox.files(), files, "{message}");
        assert!(message.contains(&backup.display().to_string()), "{message}");
    };
    // An index entry: only comparing the index with its table tells.
    let leaf = leaf_of(&sandbox.database, "idx_users_email");
    let mut flipped = intact.clone();
    flipped[leaf * 4096 - 20] ^= 0x55;
    fs::write(&backup, &flipped).unwrap();
    refuses(7, "digest_differs");
    for (edited, kind) in
        [("nonsense".to_owned(), "digest_differs"), (digest.replace(['0', '1'], "f"), "digest_differs")]
    {
        fs::write(&backup, &intact).unwrap();
        fs::write(digest_of(&backup), edited).unwrap();
        refuses(7, kind);
    }
    fs::remove_file(digest_of(&backup)).unwrap();
    let files: Vec<String> = files.iter().filter(|name| name.strip_suffix(".b3").is_none()).cloned().collect();
    for damaged in [flipped, intact[..intact.len() / 2].to_vec(), b"no database".repeat(500), b"short".to_vec()] {
        fs::write(&backup, damaged).unwrap();
        for level in [Integrity::Full, Integrity::Off] {
            let result = boot(&sandbox.database).integrity(level).restore(&backup);
            // Switched off, the check is the quick one: it does not compare an index with its table.
            if level == Integrity::Off && result.is_ok() {
                fs::remove_file(&sandbox.database).unwrap();
                fs::rename(sandbox.path().join(&replaced(&sandbox)[0]), &sandbox.database).unwrap();
                continue;
            }
            refused(result, 7, "backup_damaged");
            assert_eq!((sandbox.bytes(), sandbox.files()), (old.clone(), files.clone()));
        }
    }
    fs::write(&backup, &intact).unwrap();
    let report = boot(&sandbox.database).restore(&backup).unwrap();
    assert_eq!((report.digest, report.notes.len()), (DigestCheck::NotRecorded, 1));
}

#[test]
fn nothing_that_this_binary_could_not_boot() {
    let (sandbox, _) = with_backup(false);
    sandbox.execute("INSERT INTO refinery_schema_history VALUES (4, 'later', '2026-01-01T00:00:00Z', '7')");
    let newer = boot(&sandbox.database).back_up().unwrap().path;
    sandbox.execute("DELETE FROM refinery_schema_history WHERE version = 4");
    let other = sandbox.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE other(x)").unwrap();
    let (old, files) = (sandbox.bytes(), sandbox.files());
    refused(boot(&sandbox.database).restore(&newer), 4, "newer");
    refused(boot(&sandbox.database).restore(&other), 4, "not_adoptable");
    assert_eq!((sandbox.bytes(), sandbox.files()), (old, files));
}

#[test]
fn nothing_that_is_no_backup() {
    let (sandbox, backup) = with_backup(true);
    let refuses = |given: &Path, reason: &str| {
        let message = refused(boot(&sandbox.database).restore(given), 8, "restore_refused");
        assert!(message.contains(reason), "{message}");
        assert_tidy(&sandbox);
    };
    refuses(Path::new("nowhere"), "does not exist");
    refuses(sandbox.path(), "not a regular file");
    refuses(&sandbox.database, "the database itself");
    refuses(Path::new("worklog.db"), "the database itself");
    // Somebody opened it and wrote.
    let opened = Connection::open(&backup).unwrap();
    refuses(&backup, "this process has it open");
    opened.execute_batch(NEWEST).unwrap();
    refuses(&backup, "may hold its newest rows");
}

/// Another process that has opened the database and holds no lock.
struct Idle(Child);

impl Idle {
    fn on(sandbox: &Sandbox) -> Self {
        let mut child = as_child("restores::idle", &[("IDLE_ON", sandbox.database.as_os_str())]).spawn().unwrap();
        while !sandbox.path().join("ready").exists() {
            assert!(child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::remove_file(sandbox.path().join("ready")).unwrap();
        Self(child)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// One of the ignored tests below, in a process of its own.
fn as_child(test: &str, environment: &[(&str, &std::ffi::OsStr)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).envs(environment.iter().copied());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "a process that others start"]
fn idle() {
    let Some(path) = std::env::var_os("IDLE_ON").map(PathBuf::from) else { return };
    let connection = Connection::open(&path).unwrap();
    query(&connection, "SELECT name FROM sqlite_schema");
    fs::write(path.with_file_name("ready"), "").unwrap();
    std::thread::sleep(Duration::from_mins(5));
}

#[test]
fn no_database_in_use() {
    for wal in [false, true] {
        let (sandbox, backup) = with_backup(wal);
        if wal {
            write_to_log(&sandbox);
        }
        let old = rows(&sandbox.database);
        let refuses = |holder: &str| {
            let kind = if cfg!(target_os = "linux") { "in_use" } else { "locked" };
            let message = refused(patient(&sandbox).restore(&backup), 3, kind);
            assert!(message.contains(holder), "{message}");
            assert_eq!(rows(&sandbox.database), old);
            assert!(replaced(&sandbox).is_empty());
        };
        if cfg!(target_os = "linux") {
            let idle = Idle::on(&sandbox);
            refuses(&format!("process {}", idle.0.id()));
            drop(idle);
            let pool = sandbox.open();
            query(&pool, "SELECT name FROM sqlite_schema");
            refuses("(this one)");
        }
        let reader = sandbox.open();
        reader.execute_batch("BEGIN; SELECT count(*) FROM users").unwrap();
        refuses("");
        drop(reader);
        patient(&sandbox).restore(&backup).unwrap();
        assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
        assert_tidy(&sandbox);
    }
}

/// Whoever calls off between the mark and the replacement is too late, and must not leave the database locked out.
#[test]
fn a_call_that_comes_with_the_mark_comes_too_late() {
    let (sandbox, backup) = with_backup(false);
    let mark = sandbox.path().join("worklog.db.restoring");
    for _ in 0..15 {
        let cancellation = Cancellation::default();
        let done = std::sync::atomic::AtomicBool::new(false);
        let restored = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !mark.exists() && !done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
                cancellation.cancel();
            });
            let restored = boot(&sandbox.database).cancellation(cancellation.clone()).restore(&backup);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            restored
        });
        assert!(restored.is_ok(), "{}", restored.unwrap_err());
        assert!(!mark.exists());
        assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
    }
}

#[test]
fn nothing_that_is_called_off_before_the_replacement_and_everything_after() {
    for step in [Step::CopyBackup, Step::Integrity, Step::Look, Step::Lock, Step::Checkpoint, Step::Replace] {
        let (sandbox, backup) = with_backup(true);
        write_to_log(&sandbox);
        let cancellation = Cancellation::default();
        let result = patient(&sandbox)
            .cancellation(cancellation.clone())
            .observer(Arc::new(CancelAt(step, cancellation)))
            .restore(&backup);
        if step == Step::Replace {
            result.unwrap();
            assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
        } else {
            refused(result, 130, "cancelled");
            assert!(has_newest(&sandbox.database), "{step:?}");
            assert!(replaced(&sandbox).is_empty());
        }
        let strays = sandbox.files().into_iter().filter(|name| name.contains(".restor"));
        assert_eq!(strays.count(), 0, "{step:?}: {:?}", sandbox.files());
    }
}
