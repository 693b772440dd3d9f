//! Whatever is made of a database is no more readable than the database, while it is being made too.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::binary::{end, files, unmanaged};
use crate::scene::directory;

/// A shell with this umask runs the binary.
fn run(umask: &str, database: &Path, arguments: &[&str]) -> super::binary::Ended {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_worklog-migrate"));
    end({
        command.arg("--db").arg(database).args(arguments);
        command
    })
}

fn mode(path: &Path) -> Option<u32> {
    Some(path.symlink_metadata().ok()?.mode() & 0o777)
}

/// Watches a directory until told to stop: what in it was ever more readable than allowed.
fn watch(directory: &Path, allowed: u32, act: impl FnOnce()) -> Vec<String> {
    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let watcher = {
        let (stop, seen, directory) = (stop.clone(), seen.clone(), directory.to_owned());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for name in files(&directory) {
                    let found = mode(&directory.join(&name));
                    if let Some(found) = found.filter(|found| found & !allowed != 0) {
                        seen.lock().unwrap().push(format!("{name}: {found:o}"));
                    }
                }
                std::thread::sleep(std::time::Duration::from_micros(500));
            }
        })
    };
    act();
    stop.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    seen.lock().unwrap().clone()
}

#[test]
fn nothing_is_more_readable_than_the_database() {
    for database_mode in [0o600, 0o640, 0o660, 0o644] {
        for umask in ["022", "000", "077"] {
            let directory = directory();
            let path = directory.path().join("worklog.db");
            unmanaged(&path);
            rusqlite::Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(database_mode)).unwrap();
            let page = directory.path().join("boot.html");
            let seen = watch(directory.path(), database_mode, || {
                run(umask, &path, &["boot", "--report", page.to_str().unwrap()]).with(0);
                run(umask, &path, &["backup"]).with(0);
                let backup = files(directory.path());
                let backup = backup
                    .iter()
                    .rfind(|name| name.contains(".backup-") && name.strip_suffix(".b3").is_none())
                    .unwrap();
                run(umask, &path, &["restore", backup]).with(0);
            });
            // The lock and the mark of a restore say which backup, and nothing of what is in it.
            let seen: Vec<_> = seen.iter().filter(|seen| !seen.contains(".restor") || seen.contains("-new")).collect();
            assert!(seen.is_empty(), "{database_mode:o}, umask {umask}: {seen:?}");
            assert_eq!(mode(&path), Some(database_mode), "umask {umask}");
        }
    }
}

#[test]
fn a_new_file_is_as_the_umask_says_and_a_restored_one_as_its_backup() {
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("000", 0o644)] {
        let directory = directory();
        let path = directory.path().join("worklog.db");
        let seen = watch(directory.path(), expected, || {
            run(umask, &path, &["boot"]).with(0);
        });
        assert!(seen.is_empty(), "umask {umask}: {seen:?}");
        assert_eq!(mode(&path), Some(expected));
        run(umask, &path, &["backup"]).with(0);
        let backup = files(directory.path()).into_iter().find(|name| name.contains(".backup-")).unwrap();
        assert_eq!(mode(&directory.path().join(&backup)), Some(0o600));
        // Where there is no database to be like, the backup says who may read it.
        fs::remove_file(&path).unwrap();
        run(umask, &path, &["restore", &backup]).with(0);
        assert_eq!(mode(&path), Some(0o600));
    }
}
