//! The replacement itself: a few renames, in an order that a crash can interrupt anywhere.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempPath;

use super::copy;
use super::exclusion::Others;
use crate::files::{directory, has_content, sidecar, sync_directory};

/// What SQLite keeps beside a database that belongs to it and to no other.
pub(super) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// One step, on the disk before the next begins.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// The logs get names beside the kept one. What has nothing in it goes.
    Logs,
    /// The old file gets its second name.
    Old,
    /// The new file takes its first.
    New,
}

/// First the logs go, so that the new file never meets them; then the old file gets the name by which a recovery tells it
/// from the new one. Where a file can have two names, there is a database under its name at every instant.
const ORDER: [Move; 3] = [Move::Logs, Move::Old, Move::New];

/// Gives the old file another name, and its own to the copy.
pub(super) fn carry_out(path: &Path, kept: &Path, copy: TempPath, others: Others) -> io::Result<()> {
    // From here on it is for a recovery to remove, which tells by it how far this came.
    let copy = copy.keep().map_err(|error| error.error)?;
    // The others are kept out until the end, but where an open file cannot be renamed.
    let others = cfg!(unix).then_some(others);
    for step in ORDER {
        step.make(path, kept, &copy)?;
        sync_directory(directory(path))?;
    }
    drop(others);
    Ok(())
}

impl Move {
    fn make(self, path: &Path, kept: &Path, copy: &Path) -> io::Result<()> {
        match self {
            Self::Logs => {
                for log in LOGS {
                    let (log, kept) = (sidecar(path, log), sidecar(kept, log));
                    if has_content(&log) { fs::rename(&log, &kept)? } else { copy::remove_if_there(&log)? }
                }
                copy::remove_if_there(&sidecar(path, "-shm"))
            }
            Self::Old => keep(path, kept),
            Self::New => fs::rename(copy, path),
        }
    }
}

#[cfg(unix)]
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    match fs::hard_link(path, kept) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // File systems without second names.
        Err(_) => fs::rename(path, kept),
    }
}

/// Elsewhere one file cannot be told from two.
#[cfg(not(unix))]
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    if path.exists() { fs::rename(path, kept) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::digest::Digest;
    use crate::restore::marker::Marker;
    use crate::restore::recover;

    fn text(path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    /// Whatever a crash leaves: no database has another's log, and a recovery ends with the old one or the new one, whole.
    #[test]
    fn every_prefix_of_the_order_can_be_recovered_from() {
        for logs in [vec![], vec!["-wal"], vec!["-journal"], vec!["-wal", "-journal"]] {
            for had_database in [true, false] {
                for made in 0..=ORDER.len() {
                    let directory = tempfile::tempdir().unwrap();
                    let path = directory.path().join("w.db");
                    let digest = Digest::parse(&"0f".repeat(32)).unwrap();
                    if had_database {
                        fs::write(&path, "old").unwrap();
                    }
                    for log in &logs {
                        fs::write(sidecar(&path, log), "old log").unwrap();
                    }
                    fs::write(sidecar(&path, "-shm"), "index").unwrap();
                    let marker = Marker::new(&path, Path::new("backup"), &digest);
                    let (kept, copy) = (marker.kept(&path), copy::name(&path));
                    fs::write(&copy, "new").unwrap();
                    for step in &ORDER[..made] {
                        step.make(&path, &kept, &copy).unwrap();
                        let has_log = logs.iter().any(|log| sidecar(&path, log).exists());
                        assert!(!has_log || text(&path).as_deref() != Some("new"), "the new file has the old log");
                    }

                    let is_replaced = recover::from(&path, &marker).unwrap();
                    assert_eq!(is_replaced, made == ORDER.len());
                    // A recovery can be interrupted, too: the second one begins where the first ended.
                    recover::from(&path, &marker).unwrap();
                    let (whole, name) = if is_replaced { (&kept, "new") } else { (&path, "old") };
                    assert_eq!(text(&path), (is_replaced || had_database).then(|| name.to_owned()), "{made}");
                    assert_eq!(text(whole), had_database.then(|| "old".to_owned()), "{made}");
                    assert!(logs.iter().all(|log| text(&sidecar(whole, log)).as_deref() == Some("old log")), "{made}");
                    assert!(!copy.exists() && kept.exists() == (is_replaced && had_database), "{made}");
                }
            }
        }
    }
}
