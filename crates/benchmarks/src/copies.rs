//! Copying a file as an operator would, and making sure that it is on the disk.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::{Result, at};

/// `cp FROM TO`.
pub(crate) fn cp(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg(from).arg(to).status().map_err(|error| at(Path::new("cp"), &error))?;
    if status.success() { Ok(()) } else { Err(format!("cp failed: {status}").into()) }
}

/// What `sync FILE DIRECTORY` does.
pub(crate) fn sync(path: &Path) -> Result<()> {
    File::options().write(true).open(path)?.sync_all()?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
