//! A directory that everybody may write: somebody has put something under every name that a file of ours would get.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::binary::{current, files, pipe, run, unmanaged};
use crate::scene::directory;
use crate::tally::share;

/// What follows the name of the database in the name of a file of ours or of SQLite's.
const NAMES: [&str; 10] = [
    "-journal",
    "-wal",
    "-shm",
    ".restoring",
    ".restore-lock",
    ".restore-marker",
    ".restore-new",
    ".backup-in-progress-x",
    ".new-x",
    ".backup-20260210_093000.b3",
];

/// Something that is no file of ours.
#[derive(Clone, Copy, Debug)]
enum Trap {
    Link,
    Dangling,
    Pipe,
    Directory,
    Endless,
}

impl Trap {
    const ALL: [Self; 5] = [Self::Link, Self::Dangling, Self::Pipe, Self::Directory, Self::Endless];

    fn set(self, path: &Path, victim: &Path) {
        match self {
            Self::Link => symlink(victim, path).unwrap(),
            Self::Dangling => symlink(victim.with_extension("missing"), path).unwrap(),
            Self::Pipe => pipe(path),
            Self::Directory => fs::create_dir(path).unwrap(),
            Self::Endless => symlink("/dev/zero", path).unwrap(),
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Boots, backs up, restores: with an honest exit code, in time; and the file that a link leads to is what it was.
#[test]
fn nothing_that_lies_in_wait_is_followed_or_waited_for() {
    for (position, suffix) in NAMES.into_iter().enumerate() {
        // The short form sets another two with each name.
        for trap in Trap::ALL.into_iter().cycle().skip(2 * position).take(share(2).min(Trap::ALL.len())) {
            let directory = directory();
            let (path, victim) = (directory.path().join("worklog.db"), directory.path().join("victim"));
            current(&path);
            let good = worklog_schema::boot(&path).back_up().unwrap().path;
            fs::write(&victim, "somebody's").unwrap();
            trap.set(&beside(&path, suffix), &victim);
            let before = fs::read(&path).unwrap();
            for arguments in [
                vec![OsString::from("boot")],
                vec!["status".into()],
                vec!["backup".into()],
                vec!["backups".into(), "--examine".into()],
                vec!["restore".into(), good.clone().into_os_string()],
                vec!["boot".into()],
            ] {
                let ended = run(&path, &arguments);
                assert!(matches!(ended.code, 0 | 6..=8), "{trap:?} at {suffix}, {arguments:?}: {ended:?}");
            }
            let case = format!("{trap:?} at {suffix}: {:?}", files(directory.path()));
            assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's", "{case}");
            assert!(!victim.with_extension("missing").exists(), "{case}");
            assert_eq!(fs::read(&path).unwrap(), before, "{case}");
        }
    }
}

/// Names of backups are taken by the second, and nobody knows which second: so all of them.
#[test]
fn a_backup_takes_no_name_that_is_taken() {
    let directory = directory();
    let (path, victim) = (directory.path().join("worklog.db"), directory.path().join("victim"));
    unmanaged(&path);
    fs::write(&victim, "somebody's").unwrap();
    let now = jiff::Zoned::now();
    let stamps: Vec<String> = (0..60)
        .map(|second| now.saturating_add(jiff::SignedDuration::from_secs(second)).strftime("%Y%m%d_%H%M%S").to_string())
        .collect();
    for (position, stamp) in stamps.iter().enumerate() {
        let name = beside(&path, &format!(".backup-{stamp}"));
        // Now the backup's name, now its digest's.
        let name = if position % 2 == 0 { name } else { beside(&name, ".b3") };
        Trap::ALL[position % 4].set(&name, &victim);
    }
    let ended = run(&path, ["boot", "--json"]).with(0);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let backup = Path::new(report["backup"]["path"].as_str().unwrap());
    assert!(backup.symlink_metadata().unwrap().is_file());
    assert!(!stamps.iter().any(|stamp| backup.to_string_lossy().ends_with(stamp.as_str())), "{}", backup.display());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's");
    assert!(!victim.with_extension("missing").exists());
    run(&path, ["backups", "--examine"]).with(0);
}

#[test]
fn a_report_replaces_no_file_and_keeps_no_boot_from_its_exit_code() {
    let directory = directory();
    let (path, victim) = (directory.path().join("worklog.db"), directory.path().join("victim"));
    fs::write(&victim, "somebody's").unwrap();
    unmanaged(&path);
    let before = fs::read(&path).unwrap();
    for (name, trap) in [("pipe.html", Trap::Pipe), ("directory.html", Trap::Directory)] {
        let page = directory.path().join(name);
        trap.set(&page, &victim);
        run(&path, [OsString::from("boot"), "--report".into(), page.into_os_string()]).with(8);
    }
    for page in ["/dev/full", "/dev/null", "/nowhere/page.html", "/proc/page.html"] {
        run(&path, ["boot", "--report", page]).with(8);
    }
    assert_eq!(fs::read(&path).unwrap(), before, "found out before anything was done");
    let link = directory.path().join("link.html");
    symlink(&victim, &link).unwrap();
    run(&path, [OsString::from("boot"), "--report".into(), link.clone().into_os_string()]).with(0);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's");
    assert!(link.symlink_metadata().unwrap().is_file());
}

#[test]
fn ten_thousand_files_that_are_named_like_backups() {
    let directory = directory();
    let path = directory.path().join("worklog.db");
    unmanaged(&path);
    for number in 0..10_000 {
        fs::write(beside(&path, &format!(".backup-20200101_{number:06}")), "mine").unwrap();
    }
    run(&path, ["boot"]).with(0);
    let status = run(&path, ["status"]).with(0);
    assert!(status.stdout.lines().count() < 300, "{}", status.stdout.lines().count());
    run(&path, ["backup", "--keep", "1"]).with(0);
    let left = files(directory.path()).iter().filter(|name| name.contains(".backup-20200101_")).count();
    assert_eq!(left, 10_000, "what somebody copied by hand stays");
}
