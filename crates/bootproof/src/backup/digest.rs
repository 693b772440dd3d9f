//! A digest beside a backup, as `sha256sum` writes it: any machine can tell whether the backup is what was written.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, storage};
use crate::files::{open_regular, sidecar};
use crate::watch::Watch;

/// What the name of a digest's file ends with, after the name of the backup.
pub(crate) const ENDING: &str = ".sha256";
/// So much is read at once: what a processor has close by from being read to being hashed and written. Pieces of a megabyte
/// take more of its time, those of four about twice as much.
const CHUNK: usize = 256 << 10;
/// A digest file is one line; whatever is longer is not one.
const LONGEST_LINE: u64 = 8192;

/// A SHA-256 digest, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest(String);

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

    /// From its digits.
    pub(crate) fn parse(digits: &str) -> Option<Self> {
        let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Self(digits.to_ascii_lowercase()))
    }

    /// The line that `sha256sum` writes of a file of that name: with a backslash before it where the name has to be
    /// written with backslashes (<https://www.gnu.org/software/coreutils/manual/html_node/md5sum-invocation.html>).
    pub(super) fn line(&self, backup: &Path) -> Vec<u8> {
        let name = backup.file_name().unwrap_or_default().as_encoded_bytes();
        let mut escaped = Vec::with_capacity(name.len());
        for byte in name {
            match byte {
                b'\\' => escaped.extend(br"\\"),
                b'\n' => escaped.extend(br"\n"),
                b'\r' => escaped.extend(br"\r"),
                other => escaped.push(*other),
            }
        }
        let mark: &[u8] = if escaped == name { b"" } else { br"\" };
        [mark, self.0.as_bytes(), b"  ", &escaped, b"\n"].concat()
    }
}

/// A digest that is being made.
#[derive(Debug, Default)]
pub(super) struct Digester(Sha256);

impl Digester {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn digest(self) -> Digest {
        let digits: Vec<String> = self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest(digits.concat())
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
        f.write_str(&self.0)
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
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let digest = Digest::of(file.path(), &Watch::new(&Options::default())).unwrap();
        // The first example of FIPS 180-2.
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
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
