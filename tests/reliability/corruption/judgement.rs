//! What must become of a damaged database, judged beside what plain SQLite makes of it.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use worklog_schema::bootproof::{Boot, BootReport, Failure};

use super::shape::Files;
use crate::proof::sound_state;
use crate::scene;

/// Far longer than any of these boots takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What plain SQLite makes of a file.
#[derive(Debug)]
struct Opinion {
    /// Whether it opens, and an integrity check finds nothing wrong.
    is_sound: bool,
    /// What reading it leaves: a journal is played back.
    after: Files,
}

impl Opinion {
    /// With and without a look at the sizes of cells: either may find what the other does not.
    fn of(files: &Files) -> Self {
        let mut is_sound = true;
        for checks_sizes in [true, false] {
            let directory = scene::directory();
            let path = directory.path().join("worklog.db");
            files.write(&path);
            is_sound &= integrity_check(&path, checks_sizes).is_ok_and(|found| found == "ok");
        }
        let directory = scene::directory();
        let path = directory.path().join("worklog.db");
        files.write(&path);
        integrity_check(&path, false).ok();
        Self { is_sound, after: Files::read(&path) }
    }
}

/// Closing the connection leaves a log as it is.
fn integrity_check(path: &Path, checks_sizes: bool) -> rusqlite::Result<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "cell_size_check", checks_sizes)?;
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))
}

/// Boots a database, and says what became of it; or which promise was broken.
///
/// What SQLite finds or cannot open ends with exit code 6, of a boot and of a look alike. A refusal leaves the files as plain
/// reading leaves them. What SQLite finds nothing wrong with is ready, or refused because it says something else now; and
/// a boot that is ready keeps every row.
pub(crate) fn judge(files: &Files) -> Result<String, String> {
    let opinion = Opinion::of(files);
    let (verified, _) = run(files, Boot::verify)?;
    let (booted, directory) = run(files, Boot::run)?;
    let path = directory.path().join("worklog.db");
    let message = |ended: &Result<BootReport, Failure>| match ended {
        Ok(report) => format!("{:?}", report.verdict).to_lowercase(),
        Err(failure) => format!("{}: {}", failure.exit_code(), failure.error),
    };
    let code = |ended: &Result<BootReport, Failure>| ended.as_ref().err().map_or(0, Failure::exit_code);
    if !opinion.is_sound && (code(&booted), code(&verified)) != (6, 6) {
        return Err(format!("damaged, and boot said {}, verify {}", message(&booted), message(&verified)));
    }
    if !matches!(code(&booted), 0 | 4 | 6) || !matches!(code(&verified), 0 | 4 | 6) {
        return Err(format!("sound, and boot said {}, verify {}", message(&booted), message(&verified)));
    }
    if booted.is_err() {
        let after = Files::read(&path);
        if after != *files && after != opinion.after {
            return Err(format!("changed by a boot that refused, {}", message(&booted)));
        }
        let found = if opinion.is_sound { "sound" } else { "damaged" };
        return Ok(format!("{found}, refused with {}", code(&booted)));
    }
    let before = scene::directory();
    files.write(&before.path().join("worklog.db"));
    let before = sound_state(&before.path().join("worklog.db"))?;
    let after = sound_state(&path)?;
    if before.is_kept_by(&after) { Ok("sound, ready".to_owned()) } else { Err("rows were lost".to_owned()) }
}

type Ended = (Result<BootReport, Failure>, tempfile::TempDir);

/// Runs something on a copy of the files, in a thread of its own: neither a panic nor a hang is an answer.
fn run(files: &Files, act: fn(&Boot<'static>) -> Result<BootReport, Failure>) -> Result<Ended, String> {
    let directory = scene::directory();
    let path = directory.path().join("worklog.db");
    files.write(&path);
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        let ended = act(&worklog_schema::boot(path).lock_timeout(Duration::from_millis(200)));
        sender.send(ended).ok();
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(ended) => Ok((ended, directory)),
        Err(mpsc::RecvTimeoutError::Timeout) => Err("a boot hangs".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(_) => Err("a boot panicked".to_owned()),
            Ok(()) => Err("a boot said nothing".to_owned()),
        },
    }
}
