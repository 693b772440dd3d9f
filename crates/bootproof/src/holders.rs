//! Who holds a lock on a database, as far as the system tells.
//!
//! Linux lists every lock in `/proc/locks`. Reading that file touches no lock, unlike opening the database itself
//! (<https://sqlite.org/howtocorrupt.html>, section 2.2).

use std::path::Path;

/// The other processes that hold a lock on the database or its WAL index, in words.
#[cfg(target_os = "linux")]
pub(crate) fn of(path: &Path) -> Vec<String> {
    let own = std::process::id();
    pids(path).into_iter().filter(|pid| *pid != own).map(process).collect()
}

/// Whether anybody holds a lock on the database or its WAL index, this process included: in WAL mode everybody who has the
/// database open does, as long as that is.
#[cfg(target_os = "linux")]
pub(crate) fn are_there(path: &Path) -> bool {
    !pids(path).is_empty()
}

#[cfg(target_os = "linux")]
fn pids(path: &Path) -> std::collections::BTreeSet<u32> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let (locks, mounts) = (read("/proc/locks"), read("/proc/self/mountinfo"));
    let files = [path.to_owned(), crate::files::sidecar(path, "-shm")];
    let files: Vec<linux::Listed> = files.iter().filter_map(|file| linux::Listed::of(file, &mounts)).collect();
    linux::pids(&locks, &files)
}

/// Elsewhere the system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_path: &Path) -> Vec<String> {
    Vec::new()
}

/// Elsewhere nobody is known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn are_there(_path: &Path) -> bool {
    false
}

/// A process by its number and its program's name.
#[cfg(target_os = "linux")]
pub(crate) fn process(pid: u32) -> String {
    match std::fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim()),
        Err(_) => format!("process {pid}"),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    /// Major and minor number.
    type Device = (u64, u64);

    /// A file as the list of locks names it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Listed {
        /// Of its file system. `None` where that calls itself differently when asked for a file, as btrfs and overlayfs
        /// do: then the inode has to be enough.
        pub(super) device: Option<Device>,
        pub(super) inode: u64,
    }

    impl Listed {
        pub(super) fn of(file: &Path, mounts: &str) -> Option<Self> {
            let file = std::fs::metadata(file).ok()?;
            let device = device(file.dev());
            Some(Self { device: is_mounted(device, mounts).then_some(device), inode: file.ino() })
        }

        fn is(&self, device: Device, inode: u64) -> bool {
            self.inode == inode && self.device.is_none_or(|own| own == device)
        }
    }

    /// How Linux packs the two numbers into one (`makedev(3)`).
    pub(super) fn device(packed: u64) -> Device {
        let major = ((packed >> 8) & 0xfff) | ((packed >> 32) & !0xfff);
        let minor = (packed & 0xff) | ((packed >> 12) & 0xffff_ff00);
        (major, minor)
    }

    /// Whether the list of mounts, which like that of locks names devices of file systems, knows the device: its third
    /// field, in decimal (`proc_pid_mountinfo(5)`).
    pub(super) fn is_mounted(device: Device, mounts: &str) -> bool {
        let name = format!("{}:{}", device.0, device.1);
        mounts.lines().any(|mount| mount.split_whitespace().nth(2) == Some(&name))
    }

    /// Who holds a lock on one of the files, and does not just wait for it (`proc_locks(5)`).
    pub(super) fn pids(locks: &str, files: &[Listed]) -> BTreeSet<u32> {
        let held = locks.lines().filter_map(|line| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            // Whoever waits has an arrow before the kind of lock; a lock of no single process has no number.
            [_, _, _, _, pid, file, ..] => Some((pid.parse().ok()?, parse(file)?)),
            _ => None,
        });
        held.filter(|(_, (device, inode))| files.iter().any(|file| file.is(*device, *inode)))
            .map(|(pid, _)| pid)
            .collect()
    }

    /// `fe:00:613`: the device in hexadecimal, the inode in decimal.
    fn parse(file: &str) -> Option<(Device, u64)> {
        let mut numbers = file.split(':');
        let mut hexadecimal = || u64::from_str_radix(numbers.next()?, 16).ok();
        let device = (hexadecimal()?, hexadecimal()?);
        Some((device, numbers.next()?.parse().ok()?))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::{Listed, device, is_mounted, pids};

    const LOCKS: &str = "\
1: POSIX  ADVISORY  WRITE 4711 fe:00:613 1073741825 1073741825
1: -> POSIX  ADVISORY  WRITE 4712 fe:00:613 1073741825 1073741825
2: POSIX  ADVISORY  READ  4713 00:1b:613 1073741826 1073742335
3: OFDLCK ADVISORY  READ  -1 fe:00:613 0 EOF
4: FLOCK  ADVISORY  WRITE 4714 fe:00:6130 0 EOF
";

    #[test]
    fn are_told_by_device_and_inode() {
        let on = |device, inode| pids(LOCKS, &[Listed { device, inode }]).into_iter().collect::<Vec<_>>();
        assert_eq!(on(Some((0xfe, 0)), 613), [4711], "not who waits, not the same inode of another file system");
        assert_eq!(on(Some((0, 0x1b)), 613), [4713]);
        assert_eq!(on(Some((8, 1)), 613), [0_u32; 0]);
        assert_eq!(on(None, 613), [4711, 4713], "what the file system calls itself is not known");
    }

    #[test]
    fn a_device_is_believed_where_something_of_its_name_is_mounted() {
        let mounts =
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n28 27 0:45 /@ /srv rw shared:1 - btrfs /dev/vdb rw\n";
        assert!(is_mounted(device(0xfe00), mounts));
        assert!(!is_mounted(device(46), mounts), "a subvolume of btrfs has a device of its own");
        assert_eq!(device(0x345 << 8 | 0x12000 << 32 | 0xab | 0x0067_8900 << 12), (0x12345, 0x0067_89ab));
    }
}
