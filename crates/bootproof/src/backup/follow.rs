//! Flushing a copy and reading it back while it is still being written, close behind the one who writes.
//!
//! Copying is the system's work, flushing the disk's, a digest the processor's: one after the other they take as long as all
//! three together, at the same time as long as the slowest. Only what has been flushed is read back.

use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

use super::digest::{self, Digest, Digester, Stopped};
use crate::watch::Watch;

/// So many pieces are flushed together at least: with every flush the system also commits to its own journal that more of the file
/// is there.
const AT_ONCE: usize = 64;

/// A copy on its way to the disk, as those who work on it see it.
#[derive(Debug, Default)]
pub(super) struct Follower {
    progress: Mutex<Progress>,
    changed: Condvar,
    /// A piece that was read back is the one that was written if both have the same hash. Nobody can foresee the key.
    key: RandomState,
}

#[derive(Debug, Default)]
struct Progress {
    /// The length and the hash of every piece that was written.
    written: Vec<(usize, u64)>,
    /// How many of them are on the disk.
    flushed: usize,
    /// How many were read back.
    read: usize,
    end: End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// More may be written.
    #[default]
    Open,
    /// Everything is written.
    Complete,
    /// One of those who work on it has failed, and the others need not go on.
    InVain,
}

/// What the system may still have of a copy in its memory though nobody needs it.
///
/// It would keep it there, and of a large file throw the database out for it, which is about to be read. Where memory is short, or a
/// virtual machine has to ask for it, a copy takes half as long or less where the system is told to forget it.
#[derive(Debug, Default)]
struct Cached {
    /// Where what has not been forgotten begins, and ends.
    from: u64,
    to: u64,
}

impl Cached {
    /// So much is forgotten at once: each time costs a call.
    const AT_ONCE: u64 = 16 << 20;

    /// A piece more was flushed and read back.
    fn grow(&mut self, piece: usize, copy: &File) {
        self.to += piece as u64;
        if self.to - self.from >= Self::AT_ONCE {
            forget(copy, self.from, self.to - self.from);
            self.from = self.to;
        }
    }
}

/// A hint: what the system does not forget costs memory that it has.
#[cfg(target_os = "linux")]
fn forget(copy: &File, from: u64, length: u64) {
    let _ = rustix::fs::fadvise(copy, from, std::num::NonZero::new(length), rustix::fs::Advice::DontNeed);
}

/// Elsewhere nobody has measured it.
#[cfg(not(target_os = "linux"))]
fn forget(_copy: &File, _from: u64, _length: u64) {}

/// Held by the one who writes. Dropped before [`Writing::complete`], the copy is in vain.
pub(super) struct Writing<'f>(&'f Follower);

impl Writing<'_> {
    /// A piece was written behind the others. False where no more is wanted, because another has failed.
    pub(super) fn wrote(&self, piece: &[u8]) -> bool {
        let hash = self.0.key.hash_one(piece);
        self.0.change(|progress| progress.written.push((piece.len(), hash)));
        self.0.progress().end == End::Open
    }

    /// Everything is written.
    pub(super) fn complete(self) {
        self.end(End::Complete);
    }

    fn end(&self, end: End) {
        self.0.change(|progress| {
            if progress.end == End::Open {
                progress.end = end;
            }
        });
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.end(End::InVain);
    }
}

impl Follower {
    pub(super) fn writing(&self) -> Writing<'_> {
        Writing(self)
    }

    /// Flushes what is written, again and again, until it is complete.
    pub(super) fn flush(&self, file: &File) -> io::Result<()> {
        loop {
            let (written, end) = {
                let progress = self.wait_while(|now| now.end == End::Open && now.written.len() < now.flushed + AT_ONCE);
                (progress.written.len(), progress.end)
            };
            match end {
                End::Open => file.sync_data(),
                End::Complete => file.sync_all(),
                End::InVain => return Ok(()),
            }
            .inspect_err(|_| self.give_up())?;
            self.change(|progress| progress.flushed = written);
            if end == End::Complete {
                return Ok(());
            }
        }
    }

    /// Reads everything back that was flushed: the digest of the copy, or none where it has other bytes than were written, or
    /// another has failed.
    pub(super) fn read_back(&self, copy: &Path, watch: &Watch) -> Result<Option<Digest>, Stopped> {
        let read = self.read_to_the_end(copy, watch);
        if !matches!(read, Ok(Some(_))) {
            self.give_up();
        }
        read
    }

    fn read_to_the_end(&self, copy: &Path, watch: &Watch) -> Result<Option<Digest>, Stopped> {
        let mut copy = File::open(copy)?;
        let mut buffer = digest::buffer("reading a copy to its end").map_err(Stopped::Here)?;
        let (mut digester, mut cached) = (Digester::default(), Cached::default());
        for number in 0.. {
            let piece = {
                let is_to_come = |now: &Progress| number < now.written.len() || now.end == End::Open;
                let now = self.wait_while(|now| now.end != End::InVain && now.flushed <= number && is_to_come(now));
                if now.end == End::InVain {
                    return Ok(None);
                }
                now.written.get(number).copied()
            };
            let Some((length, hash)) = piece else { break };
            watch.proceed().map_err(Stopped::Here)?;
            let bytes = buffer.get_mut(..length).unwrap_or_default();
            copy.read_exact(bytes)?;
            if self.key.hash_one(&*bytes) != hash {
                return Ok(None);
            }
            digester.take(bytes);
            cached.grow(length, &copy);
            self.progress().read = number + 1;
        }
        // Nothing may follow.
        Ok((copy.read(&mut buffer)? == 0).then(|| digester.digest()))
    }

    /// How many pieces were read back, and of how many.
    pub(super) fn done(&self) -> (u64, u64) {
        let progress = self.progress();
        (progress.read as u64, progress.written.len() as u64)
    }

    /// Whether nobody needs to go on.
    pub(super) fn is_in_vain(&self) -> bool {
        self.progress().end == End::InVain
    }

    /// Lets the others stop too.
    pub(super) fn give_up(&self) {
        self.change(|progress| progress.end = End::InVain);
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress());
        self.changed.notify_all();
    }

    fn wait_while(&self, is_early: impl Fn(&Progress) -> bool) -> MutexGuard<'_, Progress> {
        let early = |progress: &mut Progress| is_early(progress);
        self.changed.wait_while(self.progress(), early).unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
