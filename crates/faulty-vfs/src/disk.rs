//! What a disk holds when the power is gone: everything that was flushed, and of the rest what it pleases.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::operation::{Call, Effect, Step};
use crate::random::Random;

/// Disks write sectors whole; between two of them the power can go.
const SECTOR: usize = 512;

/// The files of one directory: what of them is on the disk for certain, and what was only asked for since.
///
/// A file that appears or vanishes without SQLite does so on the disk at once.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    files: Vec<File>,
    /// The names that are on the disk for certain, and the number of the file each means.
    flushed: BTreeMap<PathBuf, usize>,
    /// What was done to names since.
    names: Vec<NameChange>,
    /// The names as programs see them.
    visible: BTreeMap<PathBuf, usize>,
}

#[derive(Clone, Debug, Default)]
struct File {
    flushed: Vec<u8>,
    changes: Vec<Change>,
    /// Flushing its content flushes its name too.
    name_is_flushed: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
}

#[derive(Clone, Debug)]
enum NameChange {
    Create { path: PathBuf, file: usize },
    Delete { path: PathBuf },
}

impl Disk {
    /// Takes everything that is in a directory for flushed.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        let directory = directory.canonicalize()?;
        let mut disk = Self {
            files: Vec::new(),
            flushed: BTreeMap::new(),
            names: Vec::new(),
            visible: BTreeMap::new(),
            directory,
        };
        for path in list(&disk.directory)? {
            disk.adopt(&path, fs::read(&path)?);
        }
        Ok(disk)
    }

    fn adopt(&mut self, path: &Path, flushed: Vec<u8>) {
        self.files.push(File { flushed, ..File::default() });
        self.flushed.insert(path.to_owned(), self.files.len() - 1);
        self.visible.insert(path.to_owned(), self.files.len() - 1);
    }

    /// To be called before every operation: a file that SQLite opens for the first time may be there already.
    pub(crate) fn prepare(&mut self, call: &Call<'_>) {
        if let (Some(path), Effect::Open { .. }) = (call.path, call.effect)
            && path.parent() == Some(&self.directory)
            && !self.visible.contains_key(path)
            && let Ok(content) = fs::read(path)
        {
            self.adopt(path, content);
        }
    }

    /// Follows an operation that was made.
    pub(crate) fn apply(&mut self, call: &Call<'_>) {
        let Some(path) = call.path.filter(|path| path.parent() == Some(&self.directory)) else { return };
        match call.effect {
            Effect::None => {}
            Effect::Open { may_create, name_is_flushed } => {
                if may_create && !self.visible.contains_key(path) {
                    self.files.push(File { name_is_flushed, ..File::default() });
                    let file = self.files.len() - 1;
                    self.visible.insert(path.to_owned(), file);
                    self.names.push(NameChange::Create { path: path.to_owned(), file });
                }
            }
            Effect::Delete { flushes_directory } => {
                if self.visible.remove(path).is_some() {
                    self.names.push(NameChange::Delete { path: path.to_owned() });
                }
                if flushes_directory {
                    self.flush_names();
                }
            }
            Effect::Write { offset, data } => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                self.change(path, Change::Write { offset, data: data.to_vec() });
            }
            Effect::Truncate { length } => {
                self.change(path, Change::Truncate { length: usize::try_from(length).unwrap_or(usize::MAX) });
            }
            Effect::Sync => {
                let Some(file) = self.visible.get(path).and_then(|file| self.files.get_mut(*file)) else { return };
                for change in std::mem::take(&mut file.changes) {
                    change.apply(&mut file.flushed);
                }
                // SQLite's own layer flushes the directory with the first flush of a new journal or WAL, once.
                if std::mem::take(&mut file.name_is_flushed) {
                    self.flush_names();
                }
            }
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(file) = self.visible.get(path).and_then(|file| self.files.get_mut(*file)) {
            file.changes.push(change);
        }
    }

    fn flush_names(&mut self) {
        for change in self.names.drain(..) {
            change.apply(&mut self.flushed);
        }
    }

    /// Cuts the power, perhaps in the middle of an operation.
    pub(crate) fn cut(&self, during: Option<&Call<'_>>) -> PowerCut {
        let mut disk = self.clone();
        let present = list(&disk.directory).unwrap_or_default();
        // What vanished without SQLite is gone from the disk.
        let gone: Vec<PathBuf> = disk.visible.keys().filter(|path| !present.contains(path)).cloned().collect();
        for path in gone {
            disk.visible.remove(&path);
            disk.flushed.remove(&path);
            disk.names.retain(|change| *change.path() != path);
        }
        let unknown = present.into_iter().filter(|path| !disk.visible.contains_key(path));
        let others = unknown.filter_map(|path| Some((path.clone(), fs::read(&path).ok()?))).collect();
        if let Some(call) = during
            && !matches!(call.effect, Effect::Sync)
        {
            let flushes_nothing = match call.effect {
                Effect::Delete { .. } => Effect::Delete { flushes_directory: false },
                effect => effect,
            };
            disk.apply(&Call { effect: flushes_nothing, ..call.clone() });
        }
        PowerCut { disk, others, during: during.map(|call| call.step.clone()) }
    }
}

/// A disk without power, from which any number of possible states can be made.
#[derive(Clone, Debug)]
pub struct PowerCut {
    disk: Disk,
    /// What SQLite does not open as files: backups that have their name, the WAL index.
    others: BTreeMap<PathBuf, Vec<u8>>,
    /// The operation that was under way; `None` where the power went after everything was done.
    pub during: Option<Step>,
}

impl PowerCut {
    /// Makes the directory one that may be found when the power is back. The same seed gives the same.
    ///
    /// Seed 0: nothing is there but what was flushed. Seed 1: everything is. Every other: each change of a file or a name
    /// since is there or not, whatever the order; some writes are there in part, sector by sector; and where a file was
    /// to grow, it may have grown by bytes that mean nothing.
    ///
    /// # Errors
    ///
    /// Those of writing the directory.
    pub fn restore_power(&self, seed: u64) -> io::Result<()> {
        for path in list(&self.disk.directory)? {
            fs::remove_file(path)?;
        }
        let mut choice = Choice { random: Random::new(seed), of: seed };
        let mut names = self.disk.flushed.clone();
        for change in &self.disk.names {
            if choice.keeps() {
                change.clone().apply(&mut names);
            }
        }
        for (path, file) in names {
            if let Some(file) = self.disk.files.get(file) {
                fs::write(path, choice.content(file))?;
            }
        }
        for (path, content) in &self.others {
            let is_index = path.as_os_str().as_encoded_bytes().ends_with(b"-shm");
            if !is_index || choice.keeps() {
                fs::write(path, content)?;
            }
        }
        Ok(())
    }
}

/// What of the unflushed is kept.
struct Choice {
    random: Random,
    of: u64,
}

impl Choice {
    fn keeps(&mut self) -> bool {
        match self.of {
            0 => false,
            1 => true,
            _ => self.random.coin(),
        }
    }

    fn content(&mut self, file: &File) -> Vec<u8> {
        let mut content = file.flushed.clone();
        for change in &file.changes {
            match change {
                Change::Write { offset, data } if self.of > 1 && self.random.one_in(3) => {
                    self.tear(&mut content, *offset, data);
                }
                Change::Write { offset, data } if self.of > 1 && self.random.one_in(6) => {
                    self.grow(&mut content, offset + data.len());
                }
                change if self.keeps() => change.apply(&mut content),
                _ => {}
            }
        }
        content
    }

    /// Some sectors of a write.
    fn tear(&mut self, content: &mut Vec<u8>, offset: usize, data: &[u8]) {
        let mut done = 0;
        while let Some(rest) = data.get(done..).filter(|rest| !rest.is_empty()) {
            let length = (SECTOR - (offset + done) % SECTOR).min(rest.len());
            if self.random.coin() {
                write(content, offset + done, rest.get(..length).unwrap_or_default());
            }
            done += length;
        }
    }

    /// A length without the content that was to come.
    fn grow(&mut self, content: &mut Vec<u8>, length: usize) {
        let old = content.len();
        if length > old {
            content.resize(length, 0);
            if self.random.coin() {
                self.random.fill(content.get_mut(old..).unwrap_or_default());
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => write(content, *offset, data),
            Self::Truncate { length } => content.truncate(*length),
        }
    }
}

impl NameChange {
    fn path(&self) -> &PathBuf {
        match self {
            Self::Create { path, .. } | Self::Delete { path } => path,
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Create { path, file } => names.insert(path, file),
            Self::Delete { path } => names.remove(&path),
        };
    }
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(offset..end) {
        target.copy_from_slice(data);
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
