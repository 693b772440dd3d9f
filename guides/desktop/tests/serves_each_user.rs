//! The real program.

use std::path::Path;

use harness::Sandbox;

fn lines(data: &Path, input: &str) -> Vec<String> {
    let run = harness::run(env!("CARGO_BIN_EXE_guide-desktop"), &[data.as_os_str()], input);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_user_has_a_database() {
    let sandbox = Sandbox::default();
    let (ada, ben) = (sandbox.path("ada/data"), sandbox.path("ben/data"));
    assert_eq!(lines(&ada, "add Sweep\nlist\n"), ["1", "Sweep"]);
    assert_eq!(lines(&ben, "list\nadd \n"), ["", "! That did not work | That is not a task. |"]);
    assert_eq!(lines(&ada, "list\nrestore\n"), ["Sweep", "! Nothing was restored | Your tasks are all right. |"]);
}

#[test]
fn a_newer_file_asks_for_an_update() {
    let sandbox = Sandbox::default();
    let file = sandbox.newer("ada/tasks.db");
    let shown = lines(file.parent().unwrap_or(&file), "list\ndetails\n");
    assert!(
        shown[0].starts_with("! Tasks is out of date | A newer version of Tasks has used your tasks."),
        "{shown:?}"
    );
    assert!(shown[0].ends_with("| [GetUpdate] [RestoreBackup] [Quit]"), "{shown:?}");
    assert!(shown[1].starts_with("the database is at version 99"), "{shown:?}");
}

#[test]
fn a_damaged_file_is_replaced_by_the_backup_of_the_last_upgrade() {
    let sandbox = Sandbox::default();
    let file = sandbox.old("ada/tasks.db");
    let data = sandbox.path("ada");
    assert_eq!(lines(&data, "list\n"), ["Sweep"]);
    let _ = sandbox.damaged("ada/tasks.db");
    let shown = lines(&data, "list\nrestore\nlist\n");
    assert!(shown[0].starts_with("! Your tasks are damaged |"), "{shown:?}");
    assert!(shown[1].starts_with("Your tasks are as they were at 20"), "{shown:?}");
    assert_eq!(shown[2], "Sweep");
    let kept = std::fs::read_dir(&data).map(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("tasks.db.replaced-"))
    });
    assert!(kept.is_ok_and(|kept| kept), "{}", file.display());
}

#[test]
fn without_a_backup_nothing_is_touched() {
    let sandbox = Sandbox::default();
    let file = sandbox.damaged("ada/tasks.db");
    let before = std::fs::read(&file).ok();
    let shown = lines(&sandbox.path("ada"), "restore\nlist\n");
    assert!(shown[0].starts_with("! Nothing was restored | There is no backup"), "{shown:?}");
    assert!(shown[1].starts_with("! Your tasks are damaged |"), "{shown:?}");
    assert_eq!(std::fs::read(&file).ok(), before);
}
