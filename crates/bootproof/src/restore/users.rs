//! Who has the database open, also without holding a lock at this instant: a pool between two requests.
//!
//! Linux lists the open files of every process that one may look into. Elsewhere nobody is known, and what keeps a restore
//! from replacing a file in use is the exclusive lock alone, which tells connections in WAL mode and open transactions.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, storage};
use crate::figure::shown;
use crate::options::Options;
use crate::watch::Watch;

/// How long somebody may take to let go: a process that was killed a moment ago, or a child of another program on its way from
/// `fork` to `exec`, which holds what its parent has open.
const LETTING_GO: Duration = Duration::from_millis(500);
/// How long to wait before asking again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Whether the system tells who has a file open.
pub(super) fn are_known() -> bool {
    cfg!(target_os = "linux") && Path::new("/proc/self/fd").is_dir()
}

/// The files of a database, by what they are and not by their names, which are about to change.
#[derive(Debug)]
pub(super) struct Users {
    /// The database.
    main: Option<system::Identity>,
    /// Its log and the index of that.
    beside: Vec<system::Identity>,
}

impl Users {
    /// Of the files that are there now. Whatever goes by the database's name and is not a regular file is refused.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        if path.exists() && !path.is_file() {
            let message = format!("`{}` is not a regular file", shown(path));
            return Err(Error::Storage { action: "replaced", message });
        }
        let beside = ["-wal", "-shm"].map(|suffix| crate::files::sidecar(path, suffix));
        let beside = beside.iter().filter_map(|file| system::identity(file)).collect();
        Ok(Self { main: system::identity(path), beside })
    }

    /// Refuses while another process has one of them open, or this process more than so many descriptors of the database.
    pub(super) fn refuse(&self, own: usize) -> Result<(), Error> {
        let holders = self.lasting(own)?;
        if holders.is_empty() { Ok(()) } else { Err(Error::InUse { holders }) }
    }

    /// As [`Users::refuse`], after others have had some time to let go: those who wait for the lock, or end in turn.
    pub(super) fn outlast(&self, own: usize, options: &Options, watch: &Watch) -> Result<(), Error> {
        let since = Instant::now();
        loop {
            let holders = self.now(own).map_err(|error| unknown(&error))?;
            let waited = since.elapsed();
            if holders.is_empty() {
                return Ok(());
            }
            if waited >= options.lock_timeout {
                return Err(Error::Locked { waited, holders });
            }
            watch.proceed()?;
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Of those who opened the database at the last moment: they have the old file.
    pub(super) fn latecomers(&self) -> Option<String> {
        let holders = self.lasting(0).unwrap_or_default();
        let note = || format!("restart {}: it opened the database just before it was replaced", holders.join(", "));
        (!holders.is_empty()).then(note)
    }

    /// The other processes that have one of them open now.
    pub(super) fn others(&self) -> Vec<String> {
        self.now(usize::MAX).unwrap_or_default()
    }

    /// Who has not let go after a moment.
    fn lasting(&self, own: usize) -> Result<Vec<String>, Error> {
        let first = Instant::now();
        loop {
            let holders = self.now(own).map_err(|error| unknown(&error))?;
            if holders.is_empty() || first.elapsed() >= LETTING_GO {
                return Ok(holders);
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Nobody where the system does not tell.
    fn now(&self, own: usize) -> io::Result<Vec<String>> {
        if !are_known() {
            return Ok(Vec::new());
        }
        let mut holders = system::others_with(self.main.iter().chain(&self.beside))?;
        if let Some(main) = &self.main
            && system::own_descriptors(main)? > own
        {
            holders.push(format!("process {} (this one)", std::process::id()));
        }
        Ok(holders)
    }
}

/// Whether this process has a file open.
pub(super) fn this_process_has_open(file: &Path) -> Result<bool, Error> {
    match system::identity(file) {
        Some(file) if are_known() => Ok(system::own_descriptors(&file).map_err(|error| unknown(&error))? > 0),
        _ => Ok(false),
    }
}

/// That nobody was found where nobody could be looked for says nothing.
fn unknown(error: &io::Error) -> Error {
    storage("replaced", Path::new("/proc"), error)
}

/// `/proc/PID/fd`: looking at a descriptor there opens nothing, and so drops no lock.
#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use crate::listing::names;

    /// `ESRCH`: it ended while one looked.
    const NO_SUCH_PROCESS: i32 = 3;

    /// Device and inode.
    pub(super) type Identity = (u64, u64);

    pub(super) fn identity(file: &Path) -> Option<Identity> {
        fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
    }

    pub(super) fn own_descriptors(file: &Identity) -> io::Result<usize> {
        Ok(open_files("self")?.iter().filter(|open| *open == file).count())
    }

    /// The other processes that have one of the files open. Those into which one may not look are left out.
    pub(super) fn others_with<'f>(files: impl Iterator<Item = &'f Identity>) -> io::Result<Vec<String>> {
        let files: Vec<&Identity> = files.collect();
        let own = std::process::id();
        let names = names(Path::new("/proc"))?;
        let mut holders = Vec::new();
        for pid in names.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own) {
            if open_files(&pid.to_string())?.iter().any(|open| files.contains(&open)) {
                holders.push(pid);
            }
        }
        holders.sort_unstable();
        Ok(holders.into_iter().map(crate::holders::process).collect())
    }

    /// Nothing of a process that has ended, or that belongs to somebody else.
    fn open_files(process: &str) -> io::Result<Vec<Identity>> {
        let descriptors = PathBuf::from(format!("/proc/{process}/fd"));
        match names(&descriptors) {
            Ok(names) => Ok(names.iter().filter_map(|name| identity(&descriptors.join(name))).collect()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(Vec::new()),
            Err(error) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Elsewhere nobody is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::path::Path;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Identity {}

    pub(super) fn identity(_file: &Path) -> Option<Identity> {
        None
    }

    pub(super) fn own_descriptors(file: &Identity) -> io::Result<usize> {
        match *file {}
    }

    pub(super) fn others_with<'f>(_files: impl Iterator<Item = &'f Identity>) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
