//! Another file takes the name of a database that a boot has opened: by a restore, a deployment, a hand.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use worklog_fixture::Fixture;
use worklog_schema::bootproof::{Event, Observer, Options, Step};

use super::holder::{Hold, Holder};
use super::{PATIENCE, end_of, is_long, spawn_boot};
use crate::support::{Sandbox, integrity_check, rows};

/// A database, and another that is to take its name.
struct Pair {
    sandbox: Sandbox,
    replacement: Arc<Replacement>,
}

impl Pair {
    fn new(wal: bool, is_current: bool, step: Step) -> Self {
        let sandbox = Sandbox::with(&Fixture::new(100).wal(wal));
        if is_current {
            worklog_schema::boot(&sandbox.database).backup(false).run().unwrap();
        }
        let new = sandbox.path().join("new.db");
        Fixture::new(120).seed(2).wal(wal).create(&new).unwrap();
        let database = sandbox.database.clone();
        let replacement = Replacement { step, new, database, is_made: AtomicBool::new(false) };
        Self { sandbox, replacement: Arc::new(replacement) }
    }

    /// Where the old file can still be seen.
    fn old(&self) -> PathBuf {
        self.sandbox.path().join("old.db")
    }
}

/// Replaces the file when a step begins, the first time.
#[derive(Debug)]
struct Replacement {
    step: Step,
    new: PathBuf,
    database: PathBuf,
    is_made: AtomicBool,
}

impl Replacement {
    fn make(&self) {
        if !self.is_made.swap(true, Ordering::Relaxed) {
            fs::hard_link(&self.database, self.database.with_file_name("old.db")).unwrap();
            fs::rename(&self.new, &self.database).unwrap();
        }
    }
}

impl Observer for Replacement {
    fn notice(&self, event: Event) {
        if matches!(event, Event::Started(step) if step == self.step) {
            self.make();
        }
    }
}

#[test]
fn a_boot_is_of_the_file_that_is_there() {
    let all = [Step::Lock, Step::Look, Step::Integrity, Step::Contracts];
    let few = [Step::Lock, Step::Integrity];
    let steps = if is_long() { &all[..] } else { &few[..] };
    for (wal, is_current) in [(false, false), (true, false), (false, true), (true, true)] {
        for &step in steps {
            // With nothing to do, a boot takes no lock.
            if is_current && step == Step::Lock {
                continue;
            }
            let pair = Pair::new(wal, is_current, step);
            let (old, new) = (rows(&pair.sandbox.database), rows(&pair.replacement.new));
            let boot = worklog_schema::boot(&pair.sandbox.database);
            let case = format!("{step}, wal {wal}, current {is_current}");
            let report = boot
                .observer(Arc::clone(&pair.replacement) as _)
                .run()
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(report.adopted && report.applied.len() == 2, "{case}: {report}");
            assert_eq!(rows(&pair.sandbox.database), new, "{case}");
            assert_eq!(integrity_check(&pair.sandbox.database), ["ok"], "{case}");
            assert!(worklog_schema::boot(&pair.sandbox.database).run().unwrap().applied.is_empty());
            assert_eq!(rows(&pair.old()), old, "{case}: the old file is as it was");
            assert_eq!(integrity_check(&pair.old()), ["ok"], "{case}");
            assert_eq!(pair.sandbox.backups().len(), 1, "{case}");
        }
    }
}

#[test]
fn a_boot_that_waited_for_the_old_file_boots_the_new_one() {
    for wal in [false, true] {
        let pair = Pair::new(wal, false, Step::Lock);
        let new = rows(&pair.replacement.new);
        let writer = Holder::new(&pair.sandbox.database, Hold::Writing);
        let boot = spawn_boot(&pair.sandbox, PATIENCE);
        std::thread::sleep(Duration::from_millis(700));
        pair.replacement.make();
        drop(writer);
        end_of(boot).ready();
        // What the killed writer left beside the path is of the old file, and of no use to the new one.
        assert_eq!(rows(&pair.sandbox.database), new);
        assert_eq!(integrity_check(&pair.sandbox.database), ["ok"]);
    }
}

#[test]
fn a_connection_of_the_application_is_told_to_open_again() {
    for wal in [false, true] {
        let pair = Pair::new(wal, false, Step::Lock);
        let new = fs::read(&pair.replacement.new).unwrap();
        let mut connection = Connection::open(&pair.sandbox.database).unwrap();
        let options = Options { observer: Some(Arc::clone(&pair.replacement) as _), ..Options::default() };
        let failure = worklog_schema::migrate(&mut connection, &options).unwrap_err();
        assert_eq!((failure.exit_code(), failure.error.kind()), (3, "moved"), "{failure}");
        assert!(connection.is_autocommit());
        drop(connection);
        assert_eq!(pair.sandbox.bytes(), new, "nobody has touched it");
    }
}
