use std::process::{Child, Stdio};

use crate::support::{Run, Sandbox, applied, integrity_check, query, rows};

/// Boots the file from sixteen processes at once; returns their reports.
fn crowd(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let spawn = |_| sandbox.command().arg("boot").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = (0..16).map(spawn).collect();
    children.into_iter().map(|child| Run::of(&child.wait_with_output().unwrap()).ready()).collect()
}

#[test]
fn of_sixteen_on_an_unmanaged_file() {
    for wal in [false, true] {
        let sandbox = Sandbox::with(&worklog_fixture::Fixture::new(crate::support::ROWS).wal(wal));
        let before = rows(&sandbox.database);
        let reports = crowd(&sandbox);
        let migrated: Vec<_> = reports.iter().filter(|report| !applied(report).is_empty()).collect();
        assert_eq!(migrated.len(), 1);
        assert_eq!(applied(migrated[0]), [1, 2]);
        assert_eq!(sandbox.backups().len(), 1);
        assert_eq!(query(&sandbox.open(), "SELECT event FROM bootproof_audit"), ["adopt"]);
        assert_eq!(rows(&sandbox.database), before);
        assert_eq!(integrity_check(&sandbox.database), ["ok"]);
    }
}

#[test]
fn of_sixteen_on_a_file_that_does_not_exist() {
    let sandbox = Sandbox::empty();
    let reports = crowd(&sandbox);
    assert_eq!(reports.iter().filter(|report| report["created"] == true).count(), 1);
    assert_eq!(sandbox.files(), ["worklog.db"]);
    assert_eq!(query(&sandbox.open(), "SELECT event FROM bootproof_audit"), ["create"]);
}

#[test]
fn of_sixteen_threads_of_one_process() {
    let sandbox = Sandbox::unmanaged();
    let reports: Vec<_> = std::thread::scope(|scope| {
        let boot = |_| scope.spawn(|| worklog_schema::migrate_on_boot(&sandbox.database).unwrap());
        let threads: Vec<_> = (0..16).map(boot).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(reports.iter().filter(|report| !report.applied.is_empty()).count(), 1);
    assert_eq!(integrity_check(&sandbox.database), ["ok"]);
}
