//! After a crash: how far a replacement came, and back to a state in which a restore can begin.
//!
//! | the copy | the kept name | so far | what is done |
//! |---|---|---|---|
//! | is there | is not, or is the database's other name | logs moved, at most | the old file gets its logs back |
//! | is there | is there, and the database's is not | the old file renamed | it gets its name back, and its logs |
//! | is not | is not the database | replaced | nothing is left to do |
//!
//! Whatever else is found, somebody has been at it. Nothing is lost then: no file is removed here but the copy, and no
//! name of a file that has another.

use std::fs;
use std::io;
use std::path::Path;

use super::copy;
use super::marker::Marker;
use super::replace::LOGS;
use crate::error::Error;
use crate::figure::shown;
use crate::files::{directory, has_content, same, sidecar, sync_directory};

/// Brings the database out of the middle. Returns whether it may have been replaced already.
///
/// The mark stays, for the caller to remove: an interrupted recovery is recovered from in the same way. Then nothing is left
/// to tell by, or to do; only the digest of the database says which file it is.
pub(super) fn from(path: &Path, marker: &Marker) -> Result<bool, Error> {
    let kept = marker.kept(path);
    let has_copy = copy::name(path).exists();
    let is_replaced = if !path.exists() {
        false
    } else if !marker.had_database {
        // It can only be the new one, or somebody's.
        true
    } else if kept.exists() {
        !same(path, &kept)
    } else if has_copy {
        false
    } else if LOGS.iter().any(|log| has_content(&sidecar(&kept, log))) {
        let message = format!("`{}` and the copy are gone, and the old log is not", shown(&kept));
        return Err(marker.interrupted(&message));
    } else {
        true
    };
    let recover = || {
        if !is_replaced {
            roll_back(path, &kept)?;
        }
        copy::remove_if_there(&copy::name(path))
    };
    recover().map_err(|error: io::Error| marker.interrupted(&error.to_string()))?;
    Ok(is_replaced)
}

/// The old file under its name, with its logs beside it.
fn roll_back(path: &Path, kept: &Path) -> io::Result<()> {
    if same(path, kept) {
        fs::remove_file(kept)?;
    } else if kept.exists() && !path.exists() {
        fs::rename(kept, path)?;
    }
    for log in LOGS {
        let (log, kept) = (sidecar(path, log), sidecar(kept, log));
        // A log that has appeared meanwhile is somebody's: the old one stays where it is.
        if has_content(&kept) && !has_content(&log) {
            fs::rename(&kept, &log)?;
        }
    }
    sync_directory(directory(path))
}
