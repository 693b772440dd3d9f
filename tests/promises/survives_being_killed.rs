use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

use crate::support::{Sandbox, digest_of, integrity_check, rows, sha256sum_agrees};

/// How often the process is killed; the instants are spread over the whole boot.
const KILLS: u32 = 24;

#[test]
fn at_any_moment() {
    let original = Sandbox::with(&Fixture::new(20_000));
    let before = rows(&original.database);
    let whole = {
        let sandbox = Sandbox::empty();
        std::fs::copy(&original.database, &sandbox.database).unwrap();
        let start = Instant::now();
        sandbox.boot().ready();
        start.elapsed()
    };
    let sandbox = Sandbox::empty();
    let mut killed = 0;
    for kill in 0..KILLS {
        for file in sandbox.files() {
            std::fs::remove_file(sandbox.path().join(file)).unwrap();
        }
        std::fs::copy(&original.database, &sandbox.database).unwrap();
        let mut child = sandbox.command().arg("boot").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * kill / KILLS + Duration::from_millis(1));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();

        sandbox.boot().ready();
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
        assert_eq!(rows(&sandbox.database), before, "killed at {kill}/{KILLS}");
        let strays: Vec<String> =
            sandbox.files().into_iter().filter(|name| name != "worklog.db" && !name.contains(".backup-2")).collect();
        assert!(strays.is_empty(), "{strays:?}");
        let digests = sandbox.files().into_iter().filter(|name| name.ends_with(".sha256"));
        let digests: Vec<PathBuf> = digests.map(|name| sandbox.path().join(name)).collect();
        assert_eq!(digests, sandbox.backups().iter().map(|backup| digest_of(backup)).collect::<Vec<_>>());
        assert!(digests.iter().all(|digest| sha256sum_agrees(digest)));
    }
    assert!(killed > KILLS / 6, "only {killed} of {KILLS} were killed before they had finished");
}

#[test]
fn while_the_file_is_created() {
    for kill in 0..12 {
        let sandbox = Sandbox::empty();
        let mut child = sandbox.command().arg("boot").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(kill * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        sandbox.boot().ready();
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    }
}
