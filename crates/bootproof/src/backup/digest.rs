//! A digest beside a backup, as `b3sum` writes it: whoever has that can tell whether the backup is what was written.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};

use crate::error::{Error, storage};
use crate::files::{open_regular, sidecar};
use crate::watch::Watch;

/// What the name of a digest's file ends with, after the name of the backup.
pub(crate) const ENDING: &str = ".b3";
/// So much is read at once: what a processor has close by from being read to being hashed and written. Pieces of a megabyte
/// take more of its time, those of four about twice as much.
const CHUNK: usize = 256 << 10;
/// A digest file is one line; whatever is longer is not one.
const LONGEST_LINE: u64 = 8192;

/// A BLAKE3 digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest(Hash);

/// What a backup's digest file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// There is none.
    Nothing,
    /// This.
    Digest(Digest),
    /// Something that is no digest.
    Nonsense,
}

/// Why reading a file to its end did not get there.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The system would not read or write.
    Io(io::Error),
    /// Nobody wants it any more, or there is no memory for it.
    Here(Error),
}

impl Stopped {
    /// As the one error, with a name for a failure of the system.
    pub(crate) fn or(self, failed: impl FnOnce(io::Error) -> Error) -> Error {
        match self {
            Self::Io(error) => failed(error),
            Self::Here(error) => error,
        }
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Digest {
    /// Of the bytes as they are in the file now.
    pub(crate) fn of(path: &Path, watch: &Watch) -> Result<Self, Stopped> {
        Self::while_reading(&mut File::open(path)?, watch, |_| Ok(()))
    }

    /// Of the bytes that pass by while a file is read to its end.
    pub(crate) fn while_reading(
        file: &mut File,
        watch: &Watch,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Self, Stopped> {
        let total = file.metadata()?.len();
        let mut buffer = buffer("reading a copy to its end").map_err(Stopped::Here)?;
        let (mut digester, mut done) = (Digester::default(), 0_u64);
        loop {
            watch.advance(done, total).map_err(Stopped::Here)?;
            let read = match file.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            digester.take(bytes);
            take(bytes)?;
            done += bytes.len() as u64;
        }
        Ok(digester.digest())
    }

    /// From its digits, of either case.
    pub(crate) fn parse(digits: &str) -> Option<Self> {
        Hash::from_hex(digits).ok().map(Self)
    }

    /// The line that `b3sum` writes of a file of that name: with a backslash before it where the name has to be written
    /// with backslashes, and with a mark for what is no Unicode, by which `b3sum --check` does not find the file
    /// (<https://github.com/BLAKE3-team/BLAKE3/blob/master/b3sum/what_does_check_do.md>).
    pub(super) fn line(&self, backup: &Path) -> String {
        let name = backup.file_name().unwrap_or_default().to_string_lossy();
        let escaped = name.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r");
        let mark = if escaped == name { "" } else { r"\" };
        format!("{mark}{self}  {escaped}\n")
    }
}

/// A digest that is being made.
#[derive(Debug, Default)]
pub(super) struct Digester(Hasher);

impl Digester {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn digest(self) -> Digest {
        Digest(self.0.finalize())
    }
}

/// What is read at once. Where there is no memory for it, that is said instead of ending the process.
pub(super) fn buffer(doing: &'static str) -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(CHUNK).map_err(|_| Error::OutOfMemory { doing })?;
    buffer.resize(CHUNK, 0);
    Ok(buffer)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

/// Where the digest of a backup is.
pub(crate) fn beside(backup: &Path) -> PathBuf {
    sidecar(backup, ENDING)
}

/// Reads the digest beside a backup. Whatever stands there and is no file is a digest that does not match.
pub(crate) fn recorded(backup: &Path) -> Result<Recorded, Error> {
    let read = |file: File| {
        let mut bytes = Vec::new();
        file.take(LONGEST_LINE).read_to_end(&mut bytes).map(|_| bytes)
    };
    let file = beside(backup);
    let bytes = match open_regular(&file).and_then(read) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Recorded::Nothing),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(Recorded::Nonsense),
        Err(error) => return Err(storage("read", &file, &error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let digits = text.trim_start_matches('\\').split_ascii_whitespace().next().unwrap_or_default();
    Ok(Digest::parse(digits).map_or(Recorded::Nonsense, Recorded::Digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn the_digest_of_known_bytes() {
        // The bytes 0 to 250 over and over, and what the official test vectors have for so many of them
        // (<https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json>).
        for (length, known) in [
            (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
            (102_400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), (0..=250).cycle().take(length).collect::<Vec<u8>>()).unwrap();
            let digest = Digest::of(file.path(), &Watch::new(&Options::default())).unwrap();
            assert_eq!(digest.to_string(), known);
        }
    }

    #[test]
    fn a_line_is_what_b3sum_writes() {
        let digits = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        let digest = Digest::parse(digits).unwrap();
        for (name, line) in [
            ("w.db.backup-1", format!("{digits}  w.db.backup-1\n")),
            ("ü b.backup-1", format!("{digits}  ü b.backup-1\n")),
            ("a\\b\n.backup-1", format!(r"\{digits}  a\\b\n.backup-1") + "\n"),
            ("c\rd.backup-1", format!(r"\{digits}  c\rd.backup-1") + "\n"),
        ] {
            assert_eq!(digest.line(Path::new(name)), line);
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let digest = Digest::parse(&"0f".repeat(32)).unwrap();
        for name in ["w.db.backup-1", "a b.backup-1", "a\\b\n.backup-1"] {
            let backup = directory.path().join(name);
            assert_eq!(recorded(&backup).unwrap(), Recorded::Nothing);
            std::fs::write(beside(&backup), digest.line(&backup)).unwrap();
            assert_eq!(recorded(&backup).unwrap(), Recorded::Digest(digest.clone()), "{name:?}");
            std::fs::write(beside(&backup), "0f0f  w.db.backup-1\n").unwrap();
            assert_eq!(recorded(&backup).unwrap(), Recorded::Nonsense);
        }
    }
}
