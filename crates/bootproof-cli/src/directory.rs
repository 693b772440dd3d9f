//! Commands on a directory of migrations, which need no database.

use std::path::Path;

use crate::output::Answer;

pub(crate) fn check(_directory: &Path, _json: bool) -> Answer {
    Answer::default()
}

pub(crate) fn new(_migrations: &Path, _name: &str, _contract: Option<&str>) -> Answer {
    Answer::default()
}
