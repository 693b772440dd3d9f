//! The databases that are measured: generated once, the same every time, and kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bootproof::{Boot, Integrity, Schema};
use worklog_fixture::{Fixture, REVISION};

use crate::cache::UNFINISHED;
use crate::scene::Scene;
use crate::{Result, at};

/// As found in production, without a history.
pub fn production(scene: &Scene) -> Result<PathBuf> {
    kept(scene, &format!("production-{}-{REVISION}.db", scene.rows), |path| Ok(Fixture::new(scene.rows).create(path)?))
}

/// The same, migrated as far as a restart goes: what waits for permission is held back, as in most installations.
pub fn head(scene: &Scene) -> Result<PathBuf> {
    let fingerprint = worklog_schema::COMPILED.migrations.last().map_or(0, |migration| migration.fingerprint);
    kept(scene, &format!("head-{}-{REVISION}-{fingerprint:032x}.db", scene.rows), |path| {
        fs::copy(production(scene)?, path)?;
        worklog_schema::boot(path).integrity(Integrity::Off).backup(false).run()?;
        Ok(())
    })
}

/// A new database of this schema, in the case's own directory.
pub fn fresh(schema: &Schema, path: &Path) -> Result<()> {
    if !path.exists() {
        Boot::new(schema, path).run()?;
    }
    Ok(())
}

/// A copy to be changed, on the disk before anything is measured: what the system still has to write would be counted.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut left = to.as_os_str().to_owned();
        left.push(suffix);
        remove(Path::new(&left))?;
    }
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.sync_all()?;
    Ok(())
}

/// Reads a file into the system's cache, so that the first contender does not pay for all.
pub fn warm(path: &Path) -> Result<()> {
    io::copy(&mut File::open(path)?, &mut io::sink())?;
    Ok(())
}

/// Removes a file that need not be there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// A file of the cache. It has its name only when it is complete.
fn kept(scene: &Scene, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let path = scene.cache.join(name);
    if !path.exists() {
        fs::create_dir_all(&scene.cache).map_err(|error| at(&scene.cache, &error))?;
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&scene.cache)?;
        let complete = unfinished.path().join(name);
        make(&complete).map_err(|error| format!("generating `{}`: {error}", path.display()))?;
        File::options().write(true).open(&complete)?.sync_all()?;
        fs::rename(&complete, &path)?;
    }
    Ok(path)
}
