//! The copy that will take the database's place: made beside it, flushed, compared with its digest, proven.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::Connection;
use tempfile::TempPath;

use super::report::RestoreReport;
use super::users;
use crate::backup;
use crate::backup::copy::open_immutable;
use crate::backup::digest::Digest;
use crate::error::{Error, storage};
use crate::event::Step;
use crate::files::{directory, sidecar, sync_directory};
use crate::integrity::{self, Companions};
use crate::look;
use crate::options::{Integrity, Options};
use crate::plan::Limit;
use crate::report::{Check, CheckName, Outcome};
use crate::schema::Schema;
use crate::watch::Watch;

/// The copy is `FILE.restore-new`. The name is fixed: there is one restore at a time, and a crash leaves one file at most.
pub(super) const NEW: &str = ".restore-new";
/// The smallest page that SQLite knows: what is shorter is no database.
const SHORTEST: u64 = 512;

/// What was found out about a copy.
pub(super) struct Proof {
    pub(super) version: Option<i64>,
    pub(super) checks: Vec<Check>,
}

/// Where the copy is.
pub(super) fn name(path: &Path) -> PathBuf {
    sidecar(path, NEW)
}

/// Copies the backup, flushes the copy and compares what was read with the recorded digest.
pub(super) fn make(
    path: &Path,
    backup: &Path,
    watch: &Watch,
    report: &mut RestoreReport,
) -> Result<(TempPath, Digest), Error> {
    let unread = |error| storage("read", backup, &error);
    let copy = name(path);
    let bytes = fs::metadata(backup).map_err(unread)?.len();
    if bytes < SHORTEST {
        let problems = vec![format!("it has {bytes} bytes: too short for a database")];
        return Err(Error::BackupDamaged { backup: backup.to_owned(), problems });
    }
    // Closing a file that this process has open through SQLite would drop its locks.
    if users::this_process_has_open(backup)? {
        let message = "this process has it open".to_owned();
        return Err(Error::RestoreRefused { backup: backup.to_owned(), message });
    }
    backup::require_space(directory(path), bytes + (1 << 20))?;
    let old = fs::metadata(path).ok();
    let failed = |error: &io::Error| storage("copied", &copy, error);
    let mut source = File::open(backup).map_err(unread)?;
    let like = old.clone().map_or_else(|| source.metadata(), Ok).map_err(unread)?;
    let mut target = create(&copy).map_err(|error| failed(&error))?;
    let guard = TempPath::try_from_path(&copy).map_err(|error| failed(&error))?;
    let digest = Digest::while_reading(&mut source, watch, |bytes| target.write_all(bytes))
        .map_err(|stopped| stopped.or(|error| failed(&error)))?;
    report.compare(backup, Some(&digest))?;
    report.notes.extend(adopt_permissions(&target, &copy, &like, old.is_some()).map_err(|error| failed(&error))?);
    target.sync_all().map_err(|error| failed(&error))?;
    sync_directory(directory(path)).map_err(|error| failed(&error))?;
    Ok((guard, digest))
}

/// Proves that a file is a database, sound and of a schema that this binary can boot.
pub(super) fn prove(
    schema: &Schema,
    file: &Path,
    backup: &Path,
    options: &Options,
    watch: &Watch,
) -> Result<Proof, Error> {
    let judged = |error: Error| match error {
        Error::Integrity { problems } => Error::BackupDamaged { backup: backup.to_owned(), problems },
        other if other.exit_code() == 4 => Error::BackupUnfit { backup: backup.to_owned(), reason: Box::new(other) },
        other => other,
    };
    let prove = || {
        let mut connection = open_immutable(file)?;
        watch.attach(&mut connection).map_err(|error| Error::from_sqlite("opening the copy", error))?;
        let limit = Limit { target: options.target, maintenance: options.maintenance };
        let sound = watch.step(Step::Integrity, 0, || sound(&connection, file, options.integrity, watch))?;
        let look = watch.step(Step::Look, 0, || look::at(schema, &connection, limit));
        let look = look.map_err(|error| error.unless_unreadable(&connection))?;
        let known = Check {
            name: CheckName::Schema,
            outcome: Outcome::Passed,
            detail: format!("{} tables, of a schema that this binary boots", look.live.tables.len()),
            duration_ms: look.took.into(),
        };
        Ok(Proof { version: look.plan.version_before(), checks: vec![sound, known] })
    };
    prove().map_err(judged)
}

/// The full check, or the quick one on request: what replaces a database is never unchecked.
fn sound(connection: &Connection, file: &Path, level: Integrity, watch: &Watch) -> Result<Check, Error> {
    let level = if level == Integrity::Off { Integrity::Quick } else { level };
    let start = Instant::now();
    let open = || open_immutable(file);
    let detail = integrity::check(connection, level, Companions::Opened(&open), watch)?;
    Ok(Check { name: CheckName::Integrity, outcome: Outcome::Passed, detail, duration_ms: start.elapsed().into() })
}

/// Makes the file anew, for nobody else to read before it has the permissions of the database.
#[cfg(unix)]
pub(super) fn create(copy: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    remove_if_there(copy)?;
    File::options().write(true).create_new(true).mode(0o600).open(copy)
}

#[cfg(not(unix))]
pub(super) fn create(copy: &Path) -> io::Result<File> {
    remove_if_there(copy)?;
    File::options().write(true).create_new(true).open(copy)
}

/// Removes a file that a killed process may have left.
pub(super) fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives the copy the owner and the permissions of the old file, or without one those of the backup; a note where the system
/// does not allow that.
#[cfg(unix)]
pub(super) fn adopt_permissions(
    file: &File,
    copy: &Path,
    old: &Metadata,
    is_replaced: bool,
) -> io::Result<Option<String>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let new = file.metadata()?;
    let is_owned =
        (old.uid(), old.gid()) == (new.uid(), new.gid()) || chown(copy, Some(old.uid()), Some(old.gid())).is_ok();
    let mode = old.mode() & 0o777;
    // Another group is not let in by what was granted to the first: both get what everybody has.
    let mode = if is_owned { mode } else { (mode & 0o707) | ((mode & (mode << 3)) & 0o070) };
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok((is_replaced && !is_owned).then(|| {
        let (old, new) = ((old.uid(), old.gid()), (new.uid(), new.gid()));
        format!("the file belongs to user {} and group {} now, no longer to {} and {}", new.0, new.1, old.0, old.1)
    }))
}

/// Elsewhere files inherit the permissions of their directory, as the database did.
#[cfg(not(unix))]
pub(super) fn adopt_permissions(
    _file: &File,
    _copy: &Path,
    _old: &Metadata,
    _is_replaced: bool,
) -> io::Result<Option<String>> {
    Ok(None)
}
