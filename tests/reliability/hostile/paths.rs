//! What the path of the database can be.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::binary::{current, end, files, pipe, run, unmanaged};
use crate::scene::directory;

/// Every command that opens a database.
const COMMANDS: [&[&str]; 7] =
    [&["boot"], &["verify"], &["status"], &["plan"], &["health"], &["backup"], &["revert", "--to", "0"]];

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    pipe(&at("pipe"));
    fs::create_dir(at("directory")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    symlink(at("loop"), at("loop")).unwrap();
    symlink(at("pipe"), at("link-to-a-pipe")).unwrap();
    let devices = ["/dev/null", "/dev/zero"].map(Path::new).map(Path::to_path_buf);
    let names = ["pipe", "directory", "socket", "loop", "link-to-a-pipe", "nowhere/worklog.db", "pipe/worklog.db"];
    for path in names.map(at).into_iter().chain(devices) {
        for command in COMMANDS {
            let ended = run(&path, command);
            // Where nothing is, there is nothing to tell and much to make.
            let is_told = path.ends_with("nowhere/worklog.db") && matches!(command[0], "status" | "plan");
            assert_eq!(ended.code, if is_told { 0 } else { 8 }, "{command:?} on `{}`: {ended:?}", path.display());
        }
    }
    assert_eq!(files(directory.path()), ["directory", "link-to-a-pipe", "loop", "pipe", "socket"]);
}

#[test]
fn what_is_too_short_is_damaged_and_what_is_empty_is_new() {
    let directory = directory();
    let path = directory.path().join("worklog.db");
    for bytes in [&b"S"[..], b"SQLite format 3\0", &[0; 511]] {
        fs::write(&path, bytes).unwrap();
        for command in [&["boot"], &["verify"]] {
            run(&path, command).with(6);
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::write(&path, "").unwrap();
    run(&path, ["boot"]).with(0);
    run(&path, ["verify"]).with(0);
}

/// Whatever the name, the files beside the database are where the database is.
#[test]
fn any_name_is_a_name() {
    let bytes = |name: &[u8]| OsString::from_vec(name.to_vec());
    for name in [
        bytes(b"new\nline.db"),
        bytes(b"\x1b[2J\xe2\x80\xae.db"),
        bytes(b"\xff\xfe not unicode.db"),
        bytes(b"what?mode=memory#%41.db"),
        bytes(b"file:worklog.db?mode=memory"),
        bytes(b":memory:"),
        bytes(b"-json"),
        bytes(b" spaces and 'quotes\" "),
        bytes(b"worklog.db-wal"),
    ] {
        let directory = directory();
        unmanaged(&directory.path().join("first"));
        fs::rename(directory.path().join("first"), directory.path().join(&name)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        let mut option = OsString::from("--db=");
        option.push(&name);
        command.current_dir(directory.path()).arg(&option).arg("boot");
        let ended = end(command).with(0);
        assert!(!ended.stdout.contains(['\u{1b}', '\u{202e}']), "{ended:?}");
        assert!(ended.stdout.lines().all(|line| !line.starts_with("line.db")), "{ended:?}");
        let made: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made.len(), 3, "the database, a backup and its digest: {made:?}");
        assert!(made.iter().all(|file| file.as_encoded_bytes().starts_with(name.as_encoded_bytes())), "{made:?}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_worklog-migrate"));
        command.current_dir(directory.path()).arg(&option).args(["backups", "--examine"]);
        let listed = end(command).with(0);
        assert!(!listed.stdout.contains('\u{1b}') && listed.stdout.contains("sound"), "{listed:?}");
    }
}

#[test]
fn a_name_that_leaves_no_room_for_those_beside_it() {
    let directory = directory();
    for length in [240, 245, 250, 255] {
        let path = directory.path().join("n".repeat(length));
        let ended = run(&path, ["boot"]);
        assert!(matches!(ended.code, 0 | 8), "{length}: {ended:?}");
        let short = directory.path().join("short");
        unmanaged(&short);
        fs::rename(&short, &path).unwrap();
        let before = fs::read(&path).unwrap();
        let ended = run(&path, ["boot"]);
        assert!(ended.code == 0 || (ended.code == 8 && fs::read(&path).unwrap() == before), "{length}: {ended:?}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_link_means_the_file_it_leads_to() {
    let directory = directory();
    let (there, link) = (directory.path().join("there"), directory.path().join("link.db"));
    fs::create_dir(&there).unwrap();
    symlink(Path::new("there/worklog.db"), &link).unwrap();
    // There is no such file yet, and a log beside its place may hold the newest rows.
    fs::write(there.join("worklog.db-wal"), "rows").unwrap();
    run(&link, ["boot"]).with(8);
    fs::remove_file(there.join("worklog.db-wal")).unwrap();
    run(&link, ["boot"]).with(0);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(files(&there), ["worklog.db"]);
    run(&link, ["backup"]).with(0);
    assert_eq!((files(directory.path()).len(), files(&there).len()), (2, 3));
    let backup =
        there.join(files(&there).into_iter().find(|name| name.ends_with(|c: char| c.is_ascii_digit())).unwrap());
    run(&link, [OsString::from("restore"), backup.into_os_string()]).with(0);
    assert!(link.symlink_metadata().unwrap().is_symlink() && !there.join("worklog.db").is_symlink());
}

#[test]
fn a_second_name_of_the_file() {
    let directory = directory();
    let (path, second) = (directory.path().join("worklog.db"), directory.path().join("worklog.db.backup-mine"));
    unmanaged(&path);
    fs::hard_link(&path, &second).unwrap();
    run(&path, ["boot"]).with(0);
    assert_eq!(fs::read(&path).unwrap(), fs::read(&second).unwrap());
    run(&path, [OsString::from("restore"), second.into_os_string()]).with(8);
}

#[test]
fn standard_output_that_is_closed_or_full() {
    let directory = directory();
    let path = directory.path().join("worklog.db");
    for (redirection, code) in [(">&-", 0), ("2>&- >&-", 0), ("2>/dev/full", 0), (">/dev/full", 8)] {
        for form in ["--json", "--quiet", ""] {
            fs::remove_file(&path).ok();
            current(&path);
            let mut command = Command::new("sh");
            command
                .arg("-c")
                .arg(format!("\"$0\" --db \"$1\" {} boot {redirection}", if form == "--quiet" { "" } else { form }));
            command.arg(env!("CARGO_BIN_EXE_worklog-migrate")).arg(&path);
            let ended = end(command);
            assert_eq!(ended.code, code, "{redirection} {form}: {ended:?}");
            run(&path, ["verify"]).with(0);
        }
    }
}
