//! The mark of a replacement that has begun: a small file beside the database.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::copy;
use crate::backup;
use crate::backup::digest::Digest;
use crate::error::{Error, storage};
use crate::figure::shown;
use crate::files::{directory, open_regular, sidecar, sync_directory};

/// The mark is `FILE.restoring`.
pub(crate) const MARK: &str = ".restoring";
/// The mark before it is whole.
pub(super) const UNFINISHED: &str = ".restore-marker";
/// The replaced file is `FILE.replaced-YYYYMMDD_HHMMSS`.
const KEPT: &str = ".replaced-";

/// A mark holds two paths and a digest; whatever is longer is not one.
const LONGEST: u64 = 1 << 16;

/// What is being restored, and where the old file is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    /// The backup, for people.
    backup: String,
    /// The digest of what takes the database's place.
    digest: String,
    /// What follows the name of the database in the name of the replaced file.
    kept: String,
    /// Whether there was a database before.
    pub(super) had_database: bool,
    /// Whether a boot does it, which the next one finishes, and not an operator.
    #[serde(default)]
    pub(super) by_boot: bool,
}

impl Marker {
    pub(super) fn new(path: &Path, backup: &Path, digest: &Digest) -> Self {
        let is_free = |stamp: &str| {
            let kept = sidecar(path, &format!("{KEPT}{stamp}"));
            ["", "-wal", "-journal"].iter().all(|suffix| sidecar(&kept, suffix).symlink_metadata().is_err())
        };
        Self {
            backup: backup.display().to_string(),
            digest: digest.to_string(),
            kept: format!("{KEPT}{}", backup::stamp(is_free)),
            had_database: path.exists(),
            by_boot: false,
        }
    }

    /// The same, of a boot.
    pub(super) fn by_boot(self) -> Self {
        Self { by_boot: true, ..self }
    }

    /// Where the replaced file is kept.
    pub(super) fn kept(&self, path: &Path) -> PathBuf {
        sidecar(path, &self.kept)
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest)
    }

    /// The error of whoever meets it.
    pub(super) fn interrupted(&self, message: &str) -> Error {
        Error::RestoreInterrupted { backup: PathBuf::from(&self.backup), message: message.to_owned() }
    }

    /// Puts the mark on the disk, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = unfinished(path);
        // Made anew: what has the name may be a link of somebody's to another file.
        copy::remove_if_there(&unfinished)?;
        let mut file = File::create_new(&unfinished)?;
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&unfinished, sidecar(path, MARK)).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })?;
        // A mark that may not be there after a power cut must not be there now: nothing has been done yet.
        sync_directory(directory(path)).inspect_err(|_| drop(fs::remove_file(sidecar(path, MARK))))
    }
}

/// Where the mark is before it is whole.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    sidecar(path, UNFINISHED)
}

/// Takes the mark away, if there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(sidecar(path, MARK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            // If a power cut brings it back, whoever finds it finds everything done.
            if let Err(error) = sync_directory(directory(path)) {
                log::warn!("`{}` was not flushed: {error}", directory(path).display());
            }
            Ok(())
        }
    }
}

/// Reads the mark, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<Marker>, Error> {
    let mark = sidecar(path, MARK);
    let read = |file: File| {
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = match open_regular(&mark).and_then(read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| storage("opened", &mark, &error))?,
    };
    let understood = serde_json::from_slice::<Marker>(&bytes).ok().filter(|marker| {
        // Nobody else's hand may send us to another file.
        let stamp = marker.kept.strip_prefix(KEPT).unwrap_or_default();
        marker.digest().is_some()
            && stamp.len() == 15
            && stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    });
    understood.map(Some).ok_or_else(|| Error::RestoreInterrupted {
        backup: PathBuf::from("unknown"),
        message: format!("`{}` cannot be understood: see which files lie beside the database", shown(&mark)),
    })
}

/// Refuses a database that is between two files.
pub(crate) fn refuse_interrupted(path: &Path) -> Result<(), Error> {
    // A database in memory has no files beside it.
    if path.file_name().is_none() {
        return Ok(());
    }
    read(path)?.map_or(Ok(()), |marker| {
        let message = if marker.by_boot { "a boot did it, and the next boot finishes it" } else { "" };
        Err(marker.interrupted(message))
    })
}
