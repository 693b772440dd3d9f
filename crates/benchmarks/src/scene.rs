//! What a measuring process has to know, told on its command line.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the databases are, and which other programs take part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scene {
    /// How many worklogs the databases have.
    pub rows: usize,
    /// Where generated databases are kept from one run to the next.
    pub cache: PathBuf,
    /// Where a case works; empty when it begins.
    pub scratch: PathBuf,
    /// The sqlite3 shell, if it takes part.
    pub shell: Option<PathBuf>,
    /// The program of the workspace `peers`, if it takes part.
    pub peers: Option<PathBuf>,
}

impl Scene {
    /// A file that a case works on.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }
}

/// Finds a program as a shell would.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let directories = std::env::var_os("PATH")?;
    std::env::split_paths(&directories).map(|directory| directory.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
