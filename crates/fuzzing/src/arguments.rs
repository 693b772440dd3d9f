//! A command line: it runs or is refused, and what is misspelt is a usage error.

use std::ffi::OsString;

use bootproof_cli::{Answer, answer};
use worklog_schema::SCHEMA;

use crate::samples::{self, Place, Sample};
use crate::scratch;

/// The exit code of a usage error.
const USAGE: u8 = 2;
/// A flag that there is not.
const UNKNOWN: &str = "--no-such-flag";
/// What names files: not to be chosen by an input that is really run.
const FILES: [&str; 4] = ["--config", "--db", "--migrations", "--report"];
/// The commands that are really run, on a file of their own.
const COMMANDS: [&str; 11] =
    ["backup", "backups", "boot", "completions", "health", "new", "plan", "restore", "revert", "status", "verify"];

/// Arguments with a NUL byte between them.
pub(crate) fn line(data: &[u8]) {
    let arguments: Vec<OsString> = data.split(|&byte| byte == 0).map(scratch::name).collect();
    is_refused(&arguments);
    let printed = ask(["sql".into()].into_iter().chain(arguments.iter().cloned()));
    assert!([0, USAGE].contains(&printed.code()), "sql: {printed:?}");
    if let Some((command, rest)) = arguments.split_first() {
        is_answered(command, rest);
    }
}

/// With a flag that there is not, nothing is run. Behind `--` it would be no flag.
fn is_refused(arguments: &[OsString]) {
    let spoilt = arguments.iter().filter(|argument| *argument != "--").cloned().chain([UNKNOWN.into()]);
    let refused = ask(spoilt);
    match refused.code() {
        0 => assert!(!refused.data().is_empty(), "neither help nor error"),
        code => assert!(code == USAGE && refused.message().starts_with("error: "), "{refused:?}"),
    }
}

/// Runs a command on a sound database.
fn is_answered(command: &OsString, rest: &[OsString]) {
    let Some(command) = COMMANDS.into_iter().find(|name| command == name) else { return };
    let place = Place::with(samples::bytes(Sample::Adopted));
    let harmless = rest.iter().filter(|argument| {
        let bytes = argument.as_encoded_bytes();
        !bytes.contains(&b'/') && bytes != b".." && !is_file_flag(bytes)
    });
    let mut arguments = vec![command.into(), "--db".into(), place.database.clone().into_os_string()];
    if command == "new" {
        arguments.extend(["--migrations".into(), place.beside(".migrations").into_os_string()]);
    }
    arguments.extend(harmless.cloned());
    let said = ask(arguments);
    assert!(matches!(said.code(), 0 | 2..=9), "{command} {rest:?}: {said:?}");
    assert!(said.code() != 0 || said.message().is_empty() || !said.message().starts_with("error"), "{said:?}");
    assert_eq!(samples::integrity(&place.database), "ok");
}

fn is_file_flag(argument: &[u8]) -> bool {
    argument == b"--" || FILES.iter().any(|flag| argument.starts_with(flag.as_bytes()))
}

fn ask(arguments: impl IntoIterator<Item = OsString>) -> Answer {
    answer(&SCHEMA, ["worklog-migrate".into()].into_iter().chain(arguments))
}
