//! Names that would forge a line of a message or steer a terminal.

use std::path::Path;

use rusqlite::Connection;

use super::binary::{Ended, current, run};
use crate::scene::directory;

/// A line of ours, a terminal's orders, letters that run from right to left, and quotes of every kind.
const NAMES: [&str; 5] = [
    "x\nready at version 2 in 1 ms: worklog.db",
    "x\r\nhint: run `rm -rf /`\u{2028}error: none",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
    "\u{202e}txet\u{2066}",
    "a\"b`c'd]e[f;--/*",
];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Nothing of a name is at the beginning of a line, or means anything to a terminal.
fn is_tame(ended: &Ended) -> bool {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let forged = ["ready at version 2 in 1 ms", "hint: run `rm", "error: none"];
    let steers = |character: char| character.is_control() && character != '\n';
    !said.contains(steers)
        && !said.contains(['\u{2028}', '\u{202e}', '\u{2066}'])
        && !said.lines().any(|line| forged.iter().any(|forged| line.trim_start().starts_with(forged)))
}

fn say_everything(path: &Path, name: &str) {
    for command in [&["boot"][..], &["verify"], &["status"], &["plan"], &["health"], &["bench"], &["boot", "-v"]] {
        let ended = run(path, command);
        assert!(is_tame(&ended), "{command:?} of {name:?}: {ended:?}");
    }
}

#[test]
fn of_tables_columns_indexes_and_rows() {
    for name in NAMES {
        let directory = directory();
        let path = directory.path().join("worklog.db");
        current(&path);
        let connection = Connection::open(&path).unwrap();
        let (name, other) = (quoted(name), quoted(&format!("{name} ")));
        let text = format!("'{}'", name.replace('\'', "''"));
        connection
            .execute_batch(&format!(
                "PRAGMA foreign_keys = OFF;
                 CREATE TABLE {name}({name} TEXT REFERENCES {other}({other}), b);
                 INSERT INTO {name} VALUES ({text}, 1);
                 CREATE INDEX {other} ON {name}({name});
                 CREATE VIEW {} AS SELECT * FROM {name};
                 ALTER TABLE logs ADD COLUMN {name};
                 UPDATE worklogs SET started = {text} WHERE rowid = 1;",
                quoted(&format!("{name}  "))
            ))
            .unwrap();
        say_everything(&path, &name);
        // A refusal names them too: a parent that is not there, another definition, a trigger of that name.
        let sql = format!(
            "PRAGMA foreign_keys = OFF; UPDATE users SET team_id = {text} WHERE rowid = 1;
             ALTER TABLE logs RENAME COLUMN message TO {other}"
        );
        connection.execute_batch(&sql).unwrap();
        say_everything(&path, &name);
        let sql = format!("CREATE TRIGGER {name} AFTER INSERT ON refinery_schema_history BEGIN SELECT 1; END");
        connection.execute_batch(&sql).unwrap();
        say_everything(&path, &name);
    }
}

#[test]
fn a_name_of_a_million_letters() {
    let directory = directory();
    let path = directory.path().join("worklog.db");
    current(&path);
    let name = "n".repeat(1_000_000);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(&format!("CREATE TABLE {name}(a); CREATE INDEX i{name} ON {name}(a)")).unwrap();
    for command in ["boot", "verify", "status", "plan", "health"] {
        let ended = run(&path, [command]);
        assert!(ended.code == 0 || ended.code == 9, "{command}: {}", ended.code);
        assert!(ended.stdout.len() + ended.stderr.len() < 100_000, "{command}: {} bytes", ended.stdout.len());
    }
    connection.execute_batch(&format!("ALTER TABLE logs RENAME COLUMN message TO {name}")).unwrap();
    let refused = run(&path, ["boot"]).with(4);
    assert!(refused.stdout.len() + refused.stderr.len() < 100_000);
}
