use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use worklog_fixture::Fixture;
use worklog_schema::bootproof::{Cancellation, Condition, Origin, Step};

use crate::support::{CancelAt, ROWS, Sandbox, digest_agrees, digest_of, integrity_check, query, rows};

/// Flips a byte in the middle of a file.
fn flip(file: &std::path::Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(file, bytes).unwrap();
}

#[test]
fn on_request_byte_for_byte_with_a_digest_for_any_machine() {
    let sandbox = Sandbox::unmanaged();
    let before = sandbox.bytes();
    // The option is about boots.
    let report = worklog_schema::boot(&sandbox.database).backup(false).back_up().unwrap();
    assert!(report.verified);
    assert_eq!(report.bytes, before.len() as u64);
    assert_eq!(fs::read(&report.path).unwrap(), before);
    assert_eq!(sandbox.bytes(), before);
    assert_eq!(sandbox.backups(), std::slice::from_ref(&report.path));
    assert_eq!(sandbox.files().len(), 3);
    let digest = digest_of(&report.path);
    assert!(digest_agrees(&digest));
    flip(&report.path);
    assert!(!digest_agrees(&digest));
}

#[test]
fn before_every_migration_with_a_digest_and_leaves_neither_after_a_refusal() {
    let sandbox = Sandbox::unmanaged();
    sandbox.boot().ready();
    let [backup] = sandbox.backups().try_into().unwrap();
    assert!(digest_agrees(&digest_of(&backup)));
    let refused = Sandbox::unmanaged();
    refused.execute("DROP INDEX idx_worklogs_started_date; UPDATE worklogs SET started = 'now' WHERE rowid <= 3");
    refused.boot().refused(5, "migration_failed");
    assert_eq!(refused.files(), ["worklog.db"]);
}

#[cfg(unix)]
#[test]
fn with_a_digest_no_more_readable_than_the_backup() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::unmanaged();
    fs::set_permissions(&sandbox.database, fs::Permissions::from_mode(0o644)).unwrap();
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
    for file in [digest_of(&backup), backup] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn one_moment_while_others_write() {
    for wal in [true, false] {
        let sandbox = Sandbox::with(&Fixture::new(20_000).wal(wal));
        sandbox.execute("CREATE TABLE pair(first INTEGER, second INTEGER); INSERT INTO pair VALUES (0, 0)");
        let (written, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
        let backup = std::thread::scope(|scope| {
            scope.spawn(|| {
                let connection = sandbox.open();
                connection.busy_timeout(Duration::from_mins(1)).unwrap();
                while !enough.load(Ordering::Relaxed) {
                    connection.execute_batch("BEGIN IMMEDIATE; UPDATE pair SET first = first + 1").unwrap();
                    connection.execute_batch("UPDATE pair SET second = second + 1; COMMIT").unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
            while written.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            let backup = worklog_schema::boot(&sandbox.database).back_up();
            enough.store(true, Ordering::Relaxed);
            backup.unwrap().path
        });
        assert!(digest_agrees(&digest_of(&backup)));
        assert_eq!(integrity_check(&backup), ["ok"]);
        let pair =
            query(&rusqlite::Connection::open(&backup).unwrap(), "SELECT CAST(first - second AS TEXT) FROM pair");
        assert_eq!(pair, ["0"], "wal {wal}");
    }
}

/// Enough for more than the 2 MiB below which no log is worth folding.
fn with_a_log() -> (Sandbox, rusqlite::Connection) {
    let sandbox = Sandbox::with(&Fixture::new(5_000).wal(true));
    let connection = sandbox.open();
    connection.execute_batch("INSERT INTO companies(id, name) VALUES (4711, 'newest')").unwrap();
    assert!(fs::metadata(sandbox.path().join("worklog.db-wal")).unwrap().len() > 0);
    (sandbox, connection)
}

fn has_the_newest(file: &std::path::Path) -> bool {
    query(&rusqlite::Connection::open(file).unwrap(), "SELECT name FROM companies WHERE id = 4711") == ["newest"]
}

#[cfg(target_os = "linux")]
#[test]
fn byte_for_byte_after_the_log_of_those_at_work_was_folded() {
    let (sandbox, connection) = with_a_log();
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
    assert!(fs::read(&backup).unwrap() == sandbox.bytes());
    assert!(has_the_newest(&backup));
    assert_eq!(integrity_check(&backup), ["ok"]);
    connection.execute_batch("UPDATE companies SET name = 'newer' WHERE id = 4711").unwrap();
}

#[test]
fn whole_where_a_reader_keeps_the_log_from_being_folded() {
    let (sandbox, connection) = with_a_log();
    let reader = sandbox.open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM companies").unwrap();
    connection.execute_batch("UPDATE companies SET id = id + 1 WHERE id = 4711").unwrap();
    connection.execute_batch("UPDATE companies SET id = id - 1 WHERE id = 4712; DELETE FROM logs").unwrap();
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
    assert!(has_the_newest(&backup));
    assert_eq!(query(&rusqlite::Connection::open(&backup).unwrap(), "SELECT id FROM logs"), [""; 0]);
    assert_eq!(integrity_check(&backup), ["ok"]);
    assert!(query(&reader, "SELECT CAST(count(*) AS TEXT) FROM logs") != ["0"]);
}

#[test]
fn and_leaves_a_log_as_it_is_that_nobody_has_open() {
    let (original, _connection) = with_a_log();
    let sandbox = Sandbox::empty();
    let files = ["worklog.db", "worklog.db-wal"];
    for file in files {
        fs::copy(original.path().join(file), sandbox.path().join(file)).unwrap();
    }
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
    for file in files {
        assert!(
            fs::read(sandbox.path().join(file)).unwrap() == fs::read(original.path().join(file)).unwrap(),
            "{file}"
        );
    }
    assert!(has_the_newest(&backup));
}

#[test]
fn nothing_that_is_missing_empty_damaged_or_locked() {
    let sandbox = Sandbox::empty();
    let boot = worklog_schema::boot(&sandbox.database).lock_timeout(Duration::from_millis(50));
    let refused = |code: u8, kind: &str, files: usize| {
        let failure = boot.back_up().unwrap_err();
        assert_eq!((failure.exit_code(), failure.error.kind()), (code, kind), "{failure}");
        assert_eq!(sandbox.files().len(), files);
    };
    refused(8, "storage", 0);
    fs::write(&sandbox.database, "").unwrap();
    refused(8, "storage", 1);
    fs::remove_file(&sandbox.database).unwrap();
    Fixture::new(ROWS).create(&sandbox.database).unwrap();
    let locked = sandbox.open();
    locked.execute_batch("BEGIN EXCLUSIVE").unwrap();
    refused(3, "locked", 1);
    drop(locked);
    // A page of a table that is read for its rows only.
    let page = query(&sandbox.open(), "SELECT CAST(rootpage AS TEXT) FROM sqlite_schema WHERE name = 'users'");
    let offset = (page[0].parse::<usize>().unwrap() - 1) * 4096;
    let mut bytes = sandbox.bytes();
    bytes[offset..offset + 8].fill(0xff);
    fs::write(&sandbox.database, &bytes).unwrap();
    refused(6, "integrity", 1);
    assert_eq!(sandbox.bytes(), bytes);
}

#[test]
fn nothing_once_it_is_called_off() {
    let sandbox = Sandbox::unmanaged();
    for step in [Step::Backup, Step::VerifyBackup] {
        let cancellation = Cancellation::default();
        let boot = worklog_schema::boot(&sandbox.database)
            .cancellation(cancellation.clone())
            .observer(std::sync::Arc::new(CancelAt(step, cancellation)));
        let failure = boot.back_up().unwrap_err();
        assert_eq!(failure.error.kind(), "cancelled", "{step:?}");
        assert_eq!(sandbox.files(), ["worklog.db"], "{step:?}");
    }
}

#[test]
fn and_removes_what_a_killed_process_left() {
    let sandbox = Sandbox::unmanaged();
    for stray in ["worklog.db.backup-20200101_000000.b3", "worklog.db.backup-in-progress-abc"] {
        fs::write(sandbox.path().join(stray), "x").unwrap();
    }
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap().path;
    assert_eq!(sandbox.files().len(), 3, "{:?}", sandbox.files());
    assert_eq!(sandbox.backups(), [backup]);
}

/// A database at head with a boot's backup, an operator's, one by `cp` and one by `cp` under a name of somebody's own.
fn with_four_backups() -> Sandbox {
    let sandbox = Sandbox::unmanaged();
    sandbox.boot().ready();
    worklog_schema::boot(&sandbox.database).back_up().unwrap();
    for name in ["worklog.db.backup-20200101_000000", "worklog.db.backup-mine"] {
        fs::copy(&sandbox.database, sandbox.path().join(name)).unwrap();
    }
    // What SQLite and an operator leave beside a backup is none.
    fs::write(sandbox.path().join("worklog.db.backup-mine-wal"), "").unwrap();
    sandbox
}

#[test]
fn and_lists_what_there_is_to_restore() {
    let sandbox = with_four_backups();
    let boot = worklog_schema::boot(&sandbox.database);
    let listed = boot.backups(false).unwrap().backups;
    let mut found: Vec<_> = listed.iter().map(|backup| (backup.origin, backup.version, backup.has_digest)).collect();
    assert_eq!(found.pop(), Some((Origin::HandMade, Some(2), false)), "the oldest comes last");
    assert_eq!(listed[3].made_at.as_ref().unwrap().get(..19), Some("2020-01-01T00:00:00"));
    assert!(listed[3].age_seconds > 5 * 365 * 86_400);
    assert!(listed[..3].iter().all(|backup| backup.age_seconds < 600 && backup.condition.is_none()));
    for expected in [(Origin::Boot, None, true), (Origin::Operator, Some(2), true), (Origin::HandMade, Some(2), false)]
    {
        assert!(found.contains(&expected), "{found:?}");
    }

    // Without its database, too: whose backup it was is forgotten, and nothing else.
    let other = Sandbox::empty();
    for name in sandbox.files().iter().filter(|name| name.contains(".backup-")) {
        fs::copy(sandbox.path().join(name), other.path().join(name)).unwrap();
    }
    for content in [None, Some("x".repeat(5000))] {
        if let Some(content) = content {
            fs::write(&other.database, content).unwrap();
        }
        let boot = worklog_schema::boot(&other.database);
        let again = boot.backups(true).unwrap();
        assert_eq!(again.backups.len(), 4);
        assert!(again.backups.iter().all(|backup| backup.condition.unwrap().is_sound()));
        assert!(again.backups.iter().all(|backup| backup.origin != Origin::Boot));
    }
}

#[test]
fn and_tells_which_can_be_relied_on() {
    let sandbox = with_four_backups();
    let boot = worklog_schema::boot(&sandbox.database);
    let edited = boot.backups(false).unwrap().backups.into_iter().find(|backup| backup.has_digest).unwrap().path;
    flip(&edited);
    fs::write(sandbox.path().join("worklog.db.backup-20200101_000000"), "x".repeat(5000)).unwrap();
    let listed = boot.backups(true).unwrap();
    let condition = |name: &str| {
        let backup = listed.backups.iter().find(|backup| backup.path.ends_with(name)).unwrap();
        (backup.condition.unwrap(), backup.problem.is_some())
    };
    assert_eq!(condition(edited.file_name().unwrap().to_str().unwrap()), (Condition::DigestDiffers, true));
    assert_eq!(condition("worklog.db.backup-20200101_000000"), (Condition::Damaged, true));
    assert_eq!(condition("worklog.db.backup-mine"), (Condition::NoDigestButSound, false));
    assert_eq!(listed.backups.iter().filter(|backup| backup.condition == Some(Condition::Sound)).count(), 1);
    let text = listed.to_string();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("DAMAGED") && text.contains("NOT AS MADE") && text.contains("sound/no digest"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&listed.to_json()).unwrap();
    assert_eq!(json["backups"][3]["condition"], "damaged");
}

#[test]
fn and_removes_old_ones_but_nobody_elses_and_never_the_last_sound_one() {
    let sandbox = Sandbox::unmanaged();
    let boot = worklog_schema::boot(&sandbox.database);
    let by_hand = sandbox.path().join("worklog.db.backup-20200101_000000");
    fs::copy(&sandbox.database, &by_hand).unwrap();
    let made: Vec<_> = (0..5).map(|_| boot.back_up().unwrap().path).collect();
    assert!(made.is_sorted());
    assert_eq!(boot.prune_backups(4).unwrap(), [made[0].clone()]);
    // Both that would stay are worthless, and so is the next: the one after them stays too.
    for backup in &made[2..] {
        flip(backup);
    }
    assert_eq!(boot.prune_backups(2).unwrap(), [made[2].clone()]);
    assert_eq!(sandbox.backups(), [by_hand.clone(), made[1].clone(), made[3].clone(), made[4].clone()]);
    assert!(!digest_of(&made[2]).exists());
    // At least one is kept, whatever was asked for.
    assert_eq!(boot.prune_backups(0).unwrap(), [made[3].clone()]);
    assert_eq!(sandbox.backups(), [by_hand, made[1].clone(), made[4].clone()]);
    assert!(digest_agrees(&digest_of(&made[1])));
    assert!(rows(&made[1]).contains_key("worklogs"));
}

#[test]
fn pruning_leaves_what_was_copied_by_hand_even_with_a_digest() {
    let sandbox = Sandbox::current();
    let by_hand = sandbox.path().join("worklog.db.backup-before-big-change");
    fs::copy(&sandbox.database, &by_hand).unwrap();
    let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap();
    let digest = fs::read_to_string(digest_of(&backup.path)).unwrap();
    fs::write(
        digest_of(&by_hand),
        digest.replace(&*backup.path.file_name().unwrap().to_string_lossy(), "worklog.db.backup-before-big-change"),
    )
    .unwrap();
    worklog_schema::boot(&sandbox.database).back_up().unwrap();
    let removed = worklog_schema::boot(&sandbox.database).prune_backups(1).unwrap();
    assert_eq!(removed, std::slice::from_ref(&backup.path));
    assert!(by_hand.is_file());
}

#[test]
fn pruning_removes_nothing_where_nothing_is_sound() {
    let sandbox = Sandbox::current();
    for _ in 0..3 {
        let backup = worklog_schema::boot(&sandbox.database).back_up().unwrap();
        fs::write(&backup.path, b"not what it was").unwrap();
    }
    assert_eq!(
        worklog_schema::boot(&sandbox.database).prune_backups(1).unwrap(),
        [""; 0].map(std::path::PathBuf::from)
    );
}
