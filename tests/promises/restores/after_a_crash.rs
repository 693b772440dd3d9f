use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use worklog_schema::boot;
use worklog_schema::bootproof::{DigestCheck, Event, Observer};

use super::{as_child, assert_tidy, beside, has_newest, patient, refused, replaced, with_backup, write_to_log};
use crate::support::{Sandbox, digest_agrees, digest_of, integrity_check};

/// The states that a crash can leave between the mark and its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    Marked,
    LogMoved,
    Linked,
    Renamed,
    Replaced,
    NoneBefore,
    NoneBeforeReplaced,
}

const CRASHES: [Crash; 7] = [
    Crash::Marked,
    Crash::LogMoved,
    Crash::Linked,
    Crash::Renamed,
    Crash::Replaced,
    Crash::NoneBefore,
    Crash::NoneBeforeReplaced,
];

/// A database with its newest row in its log, a backup of it, and a restore of that which got so far.
fn crashed(crash: Crash) -> (Sandbox, PathBuf) {
    let (sandbox, backup) = with_backup(true);
    write_to_log(&sandbox);
    let _ = fs::remove_file(beside(&sandbox, "-shm"));
    let had_database = !matches!(crash, Crash::NoneBefore | Crash::NoneBeforeReplaced);
    let digest = fs::read_to_string(digest_of(&backup)).unwrap();
    let mark = serde_json::json!({
        "backup": backup.to_str().unwrap(),
        "digest": &digest[..64],
        "kept": ".replaced-20260210_093000",
        "had_database": had_database,
    });
    fs::write(beside(&sandbox, ".restoring"), mark.to_string()).unwrap();
    let (new, kept) = (beside(&sandbox, ".restore-new"), beside(&sandbox, ".replaced-20260210_093000"));
    fs::copy(&backup, &new).unwrap();
    if !had_database {
        fs::remove_file(&sandbox.database).unwrap();
        fs::remove_file(beside(&sandbox, "-wal")).unwrap();
    }
    if had_database && crash != Crash::Marked {
        fs::rename(beside(&sandbox, "-wal"), beside(&sandbox, ".replaced-20260210_093000-wal")).unwrap();
    }
    match crash {
        Crash::Linked => fs::hard_link(&sandbox.database, &kept).unwrap(),
        Crash::Renamed => fs::rename(&sandbox.database, &kept).unwrap(),
        Crash::Replaced => {
            fs::hard_link(&sandbox.database, &kept).unwrap();
            fs::rename(&new, &sandbox.database).unwrap();
        }
        Crash::NoneBeforeReplaced => fs::rename(&new, &sandbox.database).unwrap(),
        Crash::Marked | Crash::LogMoved | Crash::NoneBefore => {}
    }
    (sandbox, backup)
}

/// Everything on the disk but the lock.
fn contents(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    sandbox.files().into_iter().map(|name| (name.clone(), fs::read(sandbox.path().join(name)).unwrap())).collect()
}

#[test]
fn what_was_interrupted_and_nothing_else_opens_it_before() {
    for crash in CRASHES {
        let (sandbox, backup) = crashed(crash);
        let before = contents(&sandbox);
        let boot = patient(&sandbox);
        let message = refused(boot.run(), 7, "restore_interrupted");
        assert!(
            message.contains(&backup.display().to_string()) && message.contains("run `restore` again"),
            "{message}"
        );
        refused(boot.verify(), 7, "restore_interrupted");
        refused(boot.bench(), 7, "restore_interrupted");
        refused(boot.revert(1), 7, "restore_interrupted");
        refused(boot.status(), 7, "restore_interrupted");
        refused(boot.plan(), 7, "restore_interrupted");
        refused(boot.back_up(), 7, "restore_interrupted");
        assert_eq!(boot.backups(true).unwrap().backups.len(), 1);
        assert_eq!(contents(&sandbox), before, "{crash:?}");

        let report = boot.restore(&backup).unwrap();
        assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap(), "{crash:?}");
        assert_eq!((report.version, report.digest), (Some(2), DigestCheck::Matched));
        assert_tidy(&sandbox);
        match report.replaced {
            Some(kept) => assert!(has_newest(&kept.path), "{crash:?}"),
            None => assert!(matches!(crash, Crash::NoneBefore | Crash::NoneBeforeReplaced), "{crash:?}"),
        }
        boot.run().unwrap();
        assert!(!has_newest(&sandbox.database));
    }
}

#[test]
fn another_backup_after_an_interruption() {
    for crash in CRASHES {
        let (sandbox, backup) = crashed(crash);
        let other = sandbox.path().join("other.db");
        fs::copy(&backup, &other).unwrap();
        Connection::open(&other).unwrap().execute_batch("PRAGMA journal_mode = DELETE; DELETE FROM logs").unwrap();
        let report = patient(&sandbox).restore(&other).unwrap();
        assert_eq!(sandbox.bytes(), fs::read(&other).unwrap(), "{crash:?}");
        assert!(report.replaced.is_some() || crash == Crash::NoneBefore, "{crash:?}");
        let kept: Vec<_> = replaced(&sandbox).into_iter().filter(|name| !name.ends_with("-wal")).collect();
        let newest = kept.iter().filter(|name| has_newest(&sandbox.path().join(name))).count();
        let had_database = !matches!(crash, Crash::NoneBefore | Crash::NoneBeforeReplaced);
        assert_eq!(newest, usize::from(had_database), "{crash:?}");
        fs::remove_file(other).unwrap();
        patient(&sandbox).run().unwrap();
    }
}

#[test]
fn nothing_after_an_interruption_if_the_backup_is_worthless_but_leaves_a_whole_database() {
    for crash in CRASHES {
        let (sandbox, backup) = crashed(crash);
        let worthless = sandbox.path().join("worthless");
        fs::write(&worthless, "x".repeat(5000)).unwrap();
        refused(patient(&sandbox).restore(Path::new("nowhere")), 8, "restore_refused");
        refused(patient(&sandbox).run(), 7, "restore_interrupted");
        refused(patient(&sandbox).restore(&worthless), 7, "backup_damaged");
        match crash {
            Crash::NoneBefore => assert!(!sandbox.database.exists()),
            Crash::Replaced | Crash::NoneBeforeReplaced => {
                assert_eq!(sandbox.bytes(), fs::read(&backup).unwrap());
            }
            Crash::Marked | Crash::LogMoved | Crash::Linked | Crash::Renamed => {
                assert!(has_newest(&sandbox.database), "{crash:?}");
                assert!(replaced(&sandbox).is_empty());
            }
        }
        patient(&sandbox).run().unwrap();
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    }
}

#[test]
fn nothing_over_a_mark_that_is_not_its_own() {
    let (sandbox, backup) = with_backup(false);
    for mark in ["", "{}", r#"{"backup":"b","digest":"","kept":"/../../etc/passwd","had_database":true}"#] {
        fs::write(beside(&sandbox, ".restoring"), mark).unwrap();
        let before = contents(&sandbox);
        refused(patient(&sandbox).run(), 7, "restore_interrupted");
        refused(patient(&sandbox).restore(&backup), 7, "restore_interrupted");
        assert_eq!(contents(&sandbox), before);
    }
}

/// Kills its own process at the given event, counted from 1; 0 for never.
#[derive(Debug)]
struct KilledAt(std::sync::atomic::AtomicUsize);

impl Observer for KilledAt {
    fn notice(&self, event: Event) {
        let is_due =
            !matches!(event, Event::Progress { .. }) && self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1;
        if is_due {
            // As sudden as a kill from outside.
            let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            std::thread::sleep(Duration::from_mins(1));
        }
    }
}

#[test]
#[ignore = "a process that others start"]
fn restoring() {
    let Some(path) = std::env::var_os("RESTORE_DB") else { return };
    let at = std::env::var("RESTORE_KILLED_AT").unwrap().parse::<usize>().unwrap();
    let observer = Arc::new(KilledAt(std::sync::atomic::AtomicUsize::new(at)));
    let backup = PathBuf::from(std::env::var_os("RESTORE_BACKUP").unwrap());
    boot(PathBuf::from(path)).observer(observer).restore(&backup).unwrap();
}

fn restoring_child(sandbox: &Sandbox, backup: &Path, killed_at: usize) -> Child {
    let at = killed_at.to_string();
    let environment = [
        ("RESTORE_DB", sandbox.database.as_os_str()),
        ("RESTORE_BACKUP", backup.as_os_str()),
        ("RESTORE_KILLED_AT", at.as_ref()),
    ];
    as_child("restores::after_a_crash::restoring", &environment).spawn().unwrap()
}

/// The old database whole, or the new one, or a refusal until a restore has run again. Returns which.
fn assert_guarantee(sandbox: &Sandbox, backup: &Path, old_is_sound: bool) -> &'static str {
    let state = if beside(sandbox, ".restoring").exists() {
        refused(patient(sandbox).run(), 7, "restore_interrupted");
        "interrupted"
    } else if sandbox.bytes() == fs::read(backup).unwrap() && !replaced(sandbox).is_empty() {
        assert!(!beside(sandbox, "-wal").exists());
        "new"
    } else {
        if old_is_sound {
            assert!(has_newest(&sandbox.database));
            assert_eq!(integrity_check(&sandbox.database), ["ok"]);
        } else {
            assert!(beside(sandbox, "-wal").metadata().unwrap().len() > 0, "{:?}", sandbox.files());
        }
        assert!(replaced(sandbox).is_empty());
        "old"
    };
    patient(sandbox).restore(backup).unwrap();
    assert_eq!(sandbox.bytes(), fs::read(backup).unwrap());
    assert_tidy(sandbox);
    if old_is_sound {
        assert!(replaced(sandbox).iter().any(|name| has_newest(&sandbox.path().join(name))));
    } else {
        assert!(replaced(sandbox).iter().any(|name| name.ends_with("-wal")));
    }
    patient(sandbox).run().unwrap();
    state
}

/// A database with its newest row in its log; damaged so that the log cannot be folded in, on request.
fn old(is_sound: bool) -> (Sandbox, PathBuf) {
    let (sandbox, backup) = with_backup(true);
    write_to_log(&sandbox);
    if !is_sound {
        let mut bytes = sandbox.bytes();
        bytes[..16].fill(0);
        fs::write(&sandbox.database, bytes).unwrap();
    }
    (sandbox, backup)
}

#[cfg(unix)]
#[test]
fn or_is_killed_at_the_beginning_or_the_end_of_any_step() {
    for is_sound in [true, false] {
        let mut states = Vec::new();
        for event in 1..100 {
            let (sandbox, backup) = old(is_sound);
            let finished = restoring_child(&sandbox, &backup, event).wait().unwrap().success();
            states.push(assert_guarantee(&sandbox, &backup, is_sound));
            if finished {
                break;
            }
        }
        assert!(states.len() > 8, "{states:?}");
        assert_eq!(states.last(), Some(&"new"));
        assert!(states.contains(&"old") && states.contains(&"interrupted"), "{states:?}");
    }
}

#[test]
fn or_is_killed_at_any_moment() {
    let whole = {
        let (sandbox, backup) = old(true);
        let start = Instant::now();
        assert!(restoring_child(&sandbox, &backup, 0).wait().unwrap().success());
        start.elapsed()
    };
    // `RESTORE_KILLS=1000` is the long form.
    let kills = std::env::var("RESTORE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20);
    let mut killed = 0;
    for kill in 0..kills {
        let is_sound = kill % 2 == 0;
        let (sandbox, backup) = old(is_sound);
        let mut child = restoring_child(&sandbox, &backup, 0);
        std::thread::sleep(whole * kill / kills);
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_guarantee(&sandbox, &backup, is_sound);
        assert!(digest_agrees(&digest_of(&backup)));
    }
    assert!(killed > kills / 6, "only {killed} of {kills} were killed before they had finished");
}
