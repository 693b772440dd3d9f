//! Who has the database open, also without holding a lock at this instant: a pool between two requests.
//!
//! Linux lists the open files of every process that one may look into. Elsewhere nobody is known, and what keeps a restore
//! from replacing a file in use is the exclusive lock alone, which tells connections in WAL mode and open transactions.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::figure::shown;

/// How long somebody may take to let go: a process that was killed a moment ago, or a child of another program on its way from
/// `fork` to `exec`, which holds what its parent has open.
const LETTING_GO: Duration = Duration::from_millis(500);

/// Whether the system tells who has a file open.
pub(super) const ARE_KNOWN: bool = cfg!(target_os = "linux");

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
        let holders = self.lasting(own);
        if holders.is_empty() { Ok(()) } else { Err(Error::InUse { holders }) }
    }

    /// Of those who opened the database at the last moment: they have the old file.
    pub(super) fn latecomers(&self) -> Option<String> {
        let holders = self.lasting(0);
        let note = || format!("restart {}: it opened the database just before it was replaced", holders.join(", "));
        (!holders.is_empty()).then(note)
    }

    /// Who has not let go after a moment.
    fn lasting(&self, own: usize) -> Vec<String> {
        let first = Instant::now();
        loop {
            let holders = self.now(own);
            if holders.is_empty() || first.elapsed() >= LETTING_GO {
                return holders;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn now(&self, own: usize) -> Vec<String> {
        let mut holders = system::others_with(self.main.iter().chain(&self.beside));
        if self.main.as_ref().is_some_and(|main| system::own_descriptors(main) > own) {
            holders.push(format!("process {} (this one)", std::process::id()));
        }
        holders
    }
}

/// Whether this process has a file open.
pub(super) fn this_process_has_open(file: &Path) -> bool {
    system::identity(file).is_some_and(|file| system::own_descriptors(&file) > 0)
}

/// `/proc/PID/fd`: looking at a descriptor there opens nothing, and so drops no lock.
#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    /// Device and inode.
    pub(super) type Identity = (u64, u64);

    pub(super) fn identity(file: &Path) -> Option<Identity> {
        fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
    }

    pub(super) fn own_descriptors(file: &Identity) -> usize {
        open_files("self").filter(|open| open == file).count()
    }

    /// The other processes that have one of the files open. What cannot be read is left out.
    pub(super) fn others_with<'f>(files: impl Iterator<Item = &'f Identity>) -> Vec<String> {
        let files: Vec<&Identity> = files.collect();
        let own = std::process::id();
        let mut processes: Vec<u32> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != own && open_files(&pid.to_string()).any(|open| files.contains(&&open)))
            .collect();
        processes.sort_unstable();
        processes.into_iter().map(crate::holders::process).collect()
    }

    fn open_files(process: &str) -> impl Iterator<Item = Identity> {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        descriptors.filter_map(|descriptor| identity(&descriptor.path()))
    }
}

/// Elsewhere nobody is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Identity {}

    pub(super) fn identity(_file: &Path) -> Option<Identity> {
        None
    }

    pub(super) fn own_descriptors(file: &Identity) -> usize {
        match *file {}
    }

    pub(super) fn others_with<'f>(_files: impl Iterator<Item = &'f Identity>) -> Vec<String> {
        Vec::new()
    }
}
