//! A backup on request, and what becomes of older ones.

use std::fmt;
use std::path::PathBuf;

use bootproof::{BackupReport, Boot, Failure};
use serde::Serialize;

/// What `backup` shows.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    /// The new copy.
    backup: BackupReport,
    /// The older ones that were removed for it, as text.
    removed: Vec<String>,
    /// Why older ones could not be removed; the new copy is there all the same.
    warning: Option<String>,
}

/// Makes a backup; only then, and only if asked, removes older ones.
pub(crate) fn back_up(boot: &Boot<'_>, keep: Option<u32>) -> Result<Made, Failure> {
    let backup = boot.back_up()?;
    let pruned = keep.map_or(Ok(Vec::new()), |keep| boot.prune_backups(keep.try_into().unwrap_or(usize::MAX)));
    let (removed, warning): (Vec<PathBuf>, _) = match pruned {
        Ok(removed) => (removed, None),
        Err(failure) => (Vec::new(), Some(failure.error.to_string())),
    };
    let removed = removed.iter().map(|path| path.display().to_string()).collect();
    Ok(Made { backup, removed, warning })
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "made {}", self.backup)?;
        self.removed.iter().try_for_each(|path| writeln!(f, "removed {path}"))?;
        self.warning.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}
