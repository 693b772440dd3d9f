//! Values of environment variables, and a file of thresholds: used, or refused by name.

use std::ffi::OsString;
use std::fs;

use bootproof::Options;
use bootproof_cli::answer;
use worklog_schema::SCHEMA;

use crate::samples::{self, Place, Sample};

/// The variables that the engine reads.
const VARIABLES: [&str; 6] = [
    "BOOTPROOF_LOCK_TIMEOUT",
    "BOOTPROOF_INTEGRITY",
    "BOOTPROOF_FOREIGN_KEYS",
    "BOOTPROOF_BACKUP",
    "BOOTPROOF_TARGET",
    "BOOTPROOF_MAINTENANCE",
];

/// A line for each variable, one that is empty for none; behind the first NUL byte the thresholds.
pub(crate) fn values(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (environment, thresholds) = data.split_at(end);
    let place = Place::with(samples::bytes(Sample::Current));
    is_understood(&String::from_utf8_lossy(environment), &place);
    is_threshold(thresholds.get(1..).unwrap_or_default(), &place);
}

fn is_understood(environment: &str, place: &Place) {
    let lines: Vec<&str> = environment.split('\n').collect();
    let value = |name: &str| {
        let position = VARIABLES.iter().position(|variable| *variable == name)?;
        lines.get(position).filter(|line| !line.is_empty()).map(|line| (*line).to_owned())
    };
    match Options::default().with_environment(value) {
        Err(error) => assert_eq!(error.exit_code(), 2, "{error}"),
        Ok(options) => {
            let options = Options { environment: false, ..options };
            let looked = place.boot().options(options).verify();
            let code = looked.err().map(|failure| failure.exit_code());
            assert!(matches!(code, None | Some(2)), "{code:?} with {environment:?}");
        }
    }
}

fn is_threshold(text: &[u8], place: &Place) {
    let file = place.beside(".toml");
    fs::write(&file, text).expect("the thresholds");
    for format in ["--quiet", "--json", "--prometheus"] {
        let arguments: [OsString; 8] = [
            "worklog-migrate".into(),
            "health".into(),
            "--quick".into(),
            "--db".into(),
            place.database.clone().into(),
            "--config".into(),
            file.clone().into(),
            format.into(),
        ];
        let said = answer(&SCHEMA, arguments);
        assert!(matches!(said.code(), 0 | 2 | 9), "health: {said:?}");
        assert_eq!(said.code() == 2, said.message().starts_with("error: the thresholds cannot be used"), "{said:?}");
    }
}
