//! A process that ends at once when a step begins or has ended: what it leaves, the next boot finishes or takes back.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bootproof::{Boot, Event, Observer};
use rusqlite::Connection;

use crate::goes_outside_a_transaction::schema;
use crate::support::{Notes, Sandbox, rows, value, words};

/// Enough for a file of several pages.
const ROWS: &str = "INSERT INTO entries(body)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300) SELECT printf('%100d', i) FROM n;
    INSERT INTO entries(body) VALUES ('');";

/// The migration that runs outside the transaction.
const OUTSIDE: i64 = 3;

const DATABASE: &str = "CRASH_DATABASE";
const AT: &str = "CRASH_AT";

#[test]
fn at_every_step() {
    for journal in ["delete", "wal"] {
        let make = || Sandbox::at(&schema(), 2, &format!("PRAGMA journal_mode = {journal}; {ROWS}"));
        let sandbox = make();
        let expected = rows(&sandbox.open(), "SELECT id, body FROM entries WHERE body <> '' ORDER BY id");
        let notes = Arc::new(Notes::default());
        Boot::new(&schema(), &sandbox.database).target(OUTSIDE).observer(notes.clone()).run().unwrap();
        let events = notes.0.lock().unwrap().clone();
        assert!(events.iter().any(|event| event.contains("replacing")), "{events:?}");
        for (at, event) in (1..).zip(&events).filter(|(at, event)| is_taken(*at, event)) {
            let sandbox = make();
            assert!(is_killed(at, &sandbox.database), "{event} was not reached");
            let report =
                Boot::new(&schema(), &sandbox.database).run().unwrap_or_else(|failure| panic!("{event}: {failure}"));
            assert_eq!(report.to_version, Some(4), "{event}");
            let connection = sandbox.open();
            assert!(rows(&connection, "SELECT id, body FROM entries ORDER BY id") == expected, "{event}");
            assert_eq!(value(&connection, "PRAGMA page_size"), "8192", "{event}");
            assert_eq!(value(&connection, "PRAGMA journal_mode"), journal, "{event}");
            assert_eq!(value(&connection, "PRAGMA integrity_check"), "ok", "{event}");
            let versions = "SELECT group_concat(version) FROM refinery_schema_history";
            assert_eq!(value(&connection, versions), "1,2,3,4", "{event}");
            drop(connection);
            let known = |name: &String| name == "app.db" || (name.contains(".backup-") && !name.contains("progress"));
            assert!(sandbox.names().iter().all(known), "{event}: {:?}", sandbox.names());
        }
    }
}

/// Whether a test dies there: in the short form where one file becomes another, and here and there.
fn is_taken(at: usize, event: &str) -> bool {
    let is_turning_point = ["replacing", "committing", "applying 003"].iter().any(|step| event.contains(step));
    is_turning_point || at % 8 == 1 || std::env::var_os("RELIABILITY").is_some()
}

/// A new file has to be whole too, be it at a version on the way.
#[test]
fn while_the_file_is_made() {
    let sandbox = Sandbox::empty();
    let notes = Arc::new(Notes::default());
    Boot::new(&schema(), &sandbox.database).observer(notes.clone()).run().unwrap();
    let events = notes.0.lock().unwrap().clone();
    for (at, event) in (1..).zip(&events).filter(|(at, event)| is_taken(*at, event)) {
        let sandbox = Sandbox::empty();
        assert!(is_killed(at, &sandbox.database), "{event} was not reached");
        let report =
            Boot::new(&schema(), &sandbox.database).run().unwrap_or_else(|failure| panic!("{event}: {failure}"));
        assert_eq!(report.to_version, Some(4), "{event}");
        assert_eq!(value(&sandbox.open(), "PRAGMA page_size"), "8192", "{event}");
        let known = |name: &String| name == "app.db" || (name.contains(".backup-") && !name.contains("progress"));
        assert!(sandbox.names().iter().all(known), "{event}: {:?}", sandbox.names());
    }
}

/// Between the two files nobody but a boot opens the database, and it is said who ends that.
#[test]
fn in_the_middle_only_a_boot_goes_on() {
    let sandbox = Sandbox::at(&schema(), 2, ROWS);
    let notes = Arc::new(Notes::default());
    let copy = Sandbox::at(&schema(), 2, ROWS);
    Boot::new(&schema(), &copy.database).observer(notes.clone()).run().unwrap();
    let events = notes.0.lock().unwrap().clone();
    let at = events.iter().position(|event| event.contains("the end of replacing")).unwrap();
    assert!(is_killed(at + 1, &sandbox.database));
    assert!(sandbox.names().contains(&"app.db.restoring".to_owned()), "{:?}", sandbox.names());
    let failure = Boot::new(&schema(), &sandbox.database).verify().unwrap_err();
    assert_eq!((failure.exit_code(), failure.error.kind()), (7, "restore_interrupted"));
    assert!(failure.to_string().contains("the next boot finishes it"), "{failure}");
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().to_version, Some(4));
    assert_eq!(value(&sandbox.open(), "SELECT count(*) FROM entries"), "300");
}

/// Boots in a process that ends at the given event, counted from 1. Returns whether it did.
fn is_killed(at: usize, database: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "survives_a_crash::boots", "--ignored", "--nocapture"]);
    command.env(DATABASE, database).env(AT, at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    !command.status().unwrap().success()
}

#[test]
#[ignore = "a process that others start"]
fn boots() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let at = std::env::var(AT).unwrap().parse().unwrap();
    Boot::new(&schema(), database).observer(Arc::new(EndAt(AtomicUsize::new(at)))).run().unwrap();
}

/// Ends its own process, without a word to anybody.
#[derive(Debug)]
struct EndAt(AtomicUsize);

impl Observer for EndAt {
    fn notice(&self, event: Event) {
        if words(event).is_some() && self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}

/// A copy that a killed boot left half done, and its journal, are not taken for the next one's.
#[test]
fn what_a_killed_boot_left_of_its_copy_goes() {
    let sandbox = Sandbox::at(&schema(), 2, ROWS);
    for suffix in [".remade", ".remade-journal", ".remade-wal", ".restore-new", ".restore-lock"] {
        let mut name = sandbox.database.clone().into_os_string();
        name.push(suffix);
        std::fs::write(name, "left").unwrap();
    }
    assert_eq!(Boot::new(&schema(), &sandbox.database).run().unwrap().to_version, Some(4));
    assert_eq!(value(&Connection::open(&sandbox.database).unwrap(), "SELECT count(*) FROM entries"), "300");
    assert_eq!(sandbox.names().iter().filter(|name| !name.contains(".backup-")).count(), 1, "{:?}", sandbox.names());
}
