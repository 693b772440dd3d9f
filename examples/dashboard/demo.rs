//! A database as found in production: no history, no composite indexes, years of worklogs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use worklog_fixture::Fixture;

use crate::Stop;

/// Makes one with that many worklogs, and returns where it is; the directory of an unnamed one stays for a closer look.
pub(crate) fn create(rows: usize, database: Option<&Path>) -> Result<PathBuf, Stop> {
    let database = match database {
        Some(database) => database.to_owned(),
        None => tempfile::Builder::new()
            .prefix("worklog-demo-")
            .tempdir()
            .map_err(|error| Stop { code: 8, message: format!("no temporary directory: {error}") })?
            .keep()
            .join("worklog.db"),
    };
    // A demonstration must not touch what someone may need: also not a link that leads nowhere yet.
    if database.symlink_metadata().is_ok() {
        let message = format!("`{}` exists; --demo makes a new file and overwrites none", database.display());
        return Err(Stop { code: 2, message });
    }
    println!("making a database with {rows} worklogs: {}", database.display());
    let started = Instant::now();
    Fixture::new(rows)
        .create(&database)
        .map_err(|error| Stop { code: 8, message: format!("`{}`: {error}", database.display()) })?;
    println!("made in {:.1} s; now the upgrade\n", started.elapsed().as_secs_f64());
    Ok(database)
}
