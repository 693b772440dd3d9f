//! A damaged backup, or a damaged digest: `restore` refuses, and the database is what it was.

use std::fs;
use std::path::{Path, PathBuf};

use faulty_vfs::Random;
use rusqlite::Connection;
use worklog_fixture::Fixture;

use super::damage::Damage;
use super::page;
use crate::proof::sound_state;
use crate::scene;
use crate::tally::{Tally, share, spread};

const SEED: u64 = 5;

/// A database with a backup of what it was before.
struct Kept {
    directory: tempfile::TempDir,
    database: PathBuf,
    backup: PathBuf,
    bytes: Vec<u8>,
}

impl Kept {
    fn new() -> Self {
        let directory = scene::directory();
        let database = directory.path().join("worklog.db");
        Fixture::new(40).create(&database).unwrap();
        worklog_schema::boot(&database).backup(false).run().unwrap();
        let backup = worklog_schema::boot(&database).back_up().unwrap().path;
        Connection::open(&database).unwrap().execute_batch("DELETE FROM logs").unwrap();
        let bytes = fs::read(&backup).unwrap();
        Self { directory, database, backup, bytes }
    }

    fn digest(&self) -> PathBuf {
        let name = self.backup.file_name().unwrap().to_string_lossy().into_owned() + ".b3";
        self.directory.path().join(name)
    }

    /// Restores, and judges: the exit codes that are right, and whether the database is untouched after a refusal.
    fn restore(&self, right: &[u8]) -> Result<String, String> {
        let before = fs::read(&self.database).unwrap();
        match worklog_schema::boot(&self.database).restore(&self.backup) {
            Ok(_) if right.contains(&0) => {
                sound_state(&self.database)?;
                fs::write(&self.database, before).unwrap();
                Ok("restored".to_owned())
            }
            Ok(_) => Err("restored".to_owned()),
            Err(failure) if !right.contains(&failure.exit_code()) => Err(failure.to_string()),
            Err(_) if fs::read(&self.database).unwrap() != before => Err("the database was changed".to_owned()),
            Err(failure) => Ok(format!("refused: {}", failure.error.kind())),
        }
    }
}

fn is_sound(path: &Path) -> bool {
    let check = |connection: Connection| {
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
    };
    Connection::open(path).and_then(check).is_ok_and(|found| found == "ok")
}

#[test]
fn every_page_with_its_digest_and_without() {
    let kept = Kept::new();
    let (digest, size) = (fs::read(kept.digest()).unwrap(), page::size(&kept.bytes));
    let pages: Vec<usize> = (1..=kept.bytes.len() / size).collect();
    let (mut random, mut tally) = (Random::new(SEED), Tally::new(format!("backups, seed {SEED}")));
    for number in spread(&pages, share(12)) {
        let damages = Damage::all(&mut random, size, 1 + number % pages.len());
        for damage in spread(&(0..damages.len()).collect::<Vec<_>>(), share(2)).into_iter().map(|at| damages[at]) {
            let Some(bytes) = damage.of(&kept.bytes, size, number) else { continue };
            fs::write(&kept.backup, bytes).unwrap();
            fs::write(kept.digest(), &digest).unwrap();
            let case = format!("{damage:?} of page {number}");
            tally.count(&format!("{case}, with its digest"), kept.restore(&[7]));
            fs::remove_file(kept.digest()).unwrap();
            // What looks sound may say something else now.
            let right: &[u8] = if is_sound(&kept.backup) { &[0, 4, 7] } else { &[7] };
            tally.count(&format!("{case}, without a digest"), kept.restore(right));
        }
    }
    tally.finish();
}

#[test]
fn a_digest_that_is_not_the_backups() {
    let kept = Kept::new();
    let own = fs::read(kept.digest()).unwrap();
    let mut edited = own.clone();
    edited[5] = if edited[5] == b'0' { b'1' } else { b'0' };
    let of_nothing = format!("{}  worklog.db\n", "e3b0c442".repeat(8)).into_bytes();
    let mut tally = Tally::new("digests".to_owned());
    let noise = vec![0xFF; 10_000_000];
    for (what, digest) in [
        ("edited", edited),
        ("truncated", own[..40].to_vec()),
        ("empty", Vec::new()),
        ("of another", of_nothing),
        ("noise", noise),
    ] {
        fs::write(kept.digest(), digest).unwrap();
        tally.count(what, kept.restore(&[7]));
    }
    fs::remove_file(kept.digest()).unwrap();
    fs::create_dir(kept.digest()).unwrap();
    tally.count("a directory", kept.restore(&[7]));
    fs::remove_dir(kept.digest()).unwrap();
    fs::write(kept.digest(), own).unwrap();
    tally.count("its own", kept.restore(&[0]));
    tally.finish();
}
