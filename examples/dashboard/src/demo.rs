//! A database as found in production: no history, no composite indexes, years of worklogs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

use crate::Stop;

/// Where it will be; the directory of an unnamed one stays for a closer look.
///
/// # Errors
///
/// A file that exists is not overwritten.
pub fn place(database: Option<&Path>) -> Result<PathBuf, Stop> {
    let database = match database {
        Some(database) => database.to_owned(),
        None => tempfile::Builder::new()
            .prefix("worklog-demo-")
            .tempdir()
            .map_err(|error| Stop::environment(format!("no temporary directory: {error}")))?
            .keep()
            .join("worklog.db"),
    };
    // A demonstration must not touch what someone may need: also not a link that leads nowhere yet.
    if database.symlink_metadata().is_ok() {
        let message = format!("`{}` exists; --demo makes a new file and overwrites none", database.display());
        return Err(Stop { code: 2, message });
    }
    Ok(database)
}

/// Makes one with that many worklogs; returns how long that took.
///
/// # Errors
///
/// A file that cannot be written.
pub fn create(rows: usize, database: &Path) -> Result<Duration, Stop> {
    let started = Instant::now();
    Fixture::new(rows)
        .create(database)
        .map_err(|error| Stop::environment(format!("`{}`: {error}", database.display())))?;
    Ok(started.elapsed())
}
