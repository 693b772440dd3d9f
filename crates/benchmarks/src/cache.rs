//! The directory where databases are generated and cases work.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::{Result, at};

/// What begins the names of directories that a run removes when it ends.
pub const SCRATCH: &str = "scratch-";
/// Of those in which a database is being generated.
pub const UNFINISHED: &str = "unfinished-";

/// The cache of a run, for itself: two at the same time would measure one another.
#[derive(Debug)]
pub struct Cache {
    _lock: File,
}

impl Cache {
    /// Makes the directory where there is none, and removes what a run left that was interrupted.
    ///
    /// # Errors
    ///
    /// A directory that cannot be written, or that another run has.
    pub fn take(directory: &Path) -> Result<Self> {
        let failed = |error| at(directory, &error);
        fs::create_dir_all(directory).map_err(failed)?;
        let path = directory.join("lock");
        let lock = File::create(&path).map_err(|error| at(&path, &error))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(format!("another run has `{}`", directory.display()).into());
            }
            // Where the system has no locks, nobody is kept out.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_left = [SCRATCH, UNFINISHED].iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
            if is_left && entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(|error| at(&entry.path(), &error))?;
            }
        }
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_interrupted_run_left_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["scratch-a1", "unfinished-b2", "other"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("file.db"), "x").unwrap();
        }
        fs::write(at("scratch-file"), "x").unwrap();
        let cache = Cache::take(directory.path()).unwrap();
        assert!(!at("scratch-a1").exists() && !at("unfinished-b2").exists());
        assert!(at("other/file.db").exists() && at("scratch-file").exists());
        drop(cache);
        Cache::take(directory.path()).unwrap();
    }

    #[test]
    fn two_runs_do_not_share_a_cache() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Cache::take(directory.path()).unwrap();
        let refused = Cache::take(directory.path()).unwrap_err().to_string();
        assert_eq!(refused, format!("another run has `{}`", directory.path().display()));
    }

    #[test]
    fn a_directory_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = Cache::take(&file.path().join("cache")).unwrap_err().to_string();
        assert!(refused.contains(&file.path().join("cache").display().to_string()), "{refused}");
    }
}
