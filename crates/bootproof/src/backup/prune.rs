//! Removing old backups.

use std::path::{Path, PathBuf};

use super::catalogue::{Backups, KnownBackup, Origin, examine};
use super::{names, remove};
use crate::error::Error;
use crate::event::Step;
use crate::figure::shown;
use crate::watch::Watch;

/// Deletes all but the newest of the backups that boots have made, by the names the audit table has recorded, the newest
/// first. What somebody copied by hand is not touched.
pub(crate) fn boots(path: &Path, made: &[String], keep: usize) {
    for backup in names::list(path) {
        let is_old = |name: &std::ffi::OsStr| made.iter().skip(keep).any(|made| made.as_str() == name);
        if backup.path.file_name().is_some_and(is_old) {
            log::info!("removing the old backup `{}`", shown(&backup.path));
            if let Err(error) = remove(&backup.path) {
                log::warn!("could not remove `{}`: {error}", shown(&backup.path));
            }
        }
    }
}

/// Deletes all but the newest of the backups that a boot or `backup` has made, known by their names and their digests, and
/// returns what it removed. Where none of those that stay is sound, the newest sound one stays too; where none is at all,
/// nobody knows which of them is worth most, and all stay.
pub(crate) fn among_digested(listed: &Backups, keep: usize, watch: &Watch) -> Result<Vec<PathBuf>, Error> {
    let digested: Vec<&KnownBackup> =
        listed.backups.iter().filter(|backup| backup.has_digest && backup.origin != Origin::HandMade).collect();
    let keep = keep.max(1);
    if digested.len() <= keep {
        return Ok(Vec::new());
    }
    let mut sound = None;
    for (position, backup) in digested.iter().enumerate() {
        if watch.step(Step::VerifyBackup, 0, || examine(&backup.path, watch))?.0.is_sound() {
            sound = Some(position);
            break;
        }
    }
    if sound.is_none() {
        return Ok(Vec::new());
    }
    let old = digested.iter().enumerate().skip(keep).filter(|(position, _)| sound != Some(*position));
    let mut removed = Vec::new();
    for (_, backup) in old {
        log::info!("removing the old backup `{}`", shown(&backup.path));
        remove(&backup.path)
            .map_err(|error| Error::BackupNotRemoved { path: backup.path.clone(), message: error.to_string() })?;
        removed.push(backup.path.clone());
    }
    Ok(removed)
}
