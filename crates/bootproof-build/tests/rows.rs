//! Migrations are rehearsed on rows, and rows that are made up are nobody's fault.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::fs;

use bootproof_build::{Compilation, Diagnostic, Diagnostics, check};
use tempfile::TempDir;

fn directory(files: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (version, text) in files.iter().enumerate() {
        fs::write(directory.path().join(format!("{version:03}_a.sql")), text).unwrap();
    }
    directory
}

/// The rules that are about rows.
const OF_ROWS: [&str; 10] = [
    "broken-trigger",
    "broken-view",
    "cascade-deletes",
    "column-as-text",
    "fails-on-rows",
    "rows-dangle",
    "rows-deleted",
    "rows-lost",
    "values-changed",
    "values-nulled",
];

fn findings(files: &[&str]) -> Diagnostics {
    match check(directory(files).path()) {
        Ok(compilation) => compilation.warnings().clone(),
        Err(diagnostics) => diagnostics,
    }
}

/// Compiles files that allow themselves whatever their text alone tells, such as a plain DROP.
fn compile(files: &[&str]) -> Compilation {
    let mut files: Vec<String> = files.iter().map(|text| (*text).to_owned()).collect();
    loop {
        let texts: Vec<&str> = files.iter().map(String::as_str).collect();
        let found = findings(&texts);
        let told = found.iter().find(|found| !OF_ROWS.contains(&found.rule()) && found.rule() != "sqlite");
        let Some(told) = told else {
            return check(directory(&texts).path()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        };
        let version: usize = told.file().unwrap().split('_').next().unwrap().parse().unwrap();
        files[version] = format!("-- bootproof: allow {} \"another matter\"\n{}", told.rule(), files[version]);
        assert!(files[version].len() < 4000, "{found}");
    }
}

/// Compiles without any finding, and with rows in every table.
fn clean(files: &[&str]) {
    let compilation = compile(files);
    assert_eq!(compilation.warnings().iter().count(), 0, "{}", compilation.warnings());
    assert_eq!(left_empty(&compilation), Vec::<String>::new());
}

fn left_empty(compilation: &Compilation) -> Vec<String> {
    compilation.left_empty().iter().map(ToString::to_string).collect()
}

/// The findings about rows, warnings too: rule, file and line.
fn found(files: &[&str]) -> Vec<String> {
    let line = |finding: &Diagnostic| {
        let (severity, rule) = (finding.severity().name(), finding.rule());
        format!("{severity} {rule} {}:{}", finding.file().unwrap_or_default(), finding.line().unwrap_or_default())
    };
    let is_of_rows = |found: &&Diagnostic| OF_ROWS.contains(&found.rule()) || found.rule() == "unused-allow";
    findings(files).iter().filter(is_of_rows).map(line).collect()
}

#[test]
fn a_rebuild_in_twelve_steps_is_clean() {
    clean(&[
        "CREATE TABLE team(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, made TEXT DEFAULT CURRENT_TIMESTAMP);
         CREATE TABLE member(
           id INTEGER PRIMARY KEY AUTOINCREMENT, team_id INTEGER NOT NULL REFERENCES team(id), email TEXT UNIQUE,
           boss_id INTEGER REFERENCES member(id) ON DELETE SET NULL
         );
         CREATE INDEX idx_member_team ON member(team_id);
         CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT);
         CREATE TRIGGER member_gone AFTER DELETE ON member BEGIN INSERT INTO log(what) VALUES (old.email); END;",
        "CREATE TABLE new_team(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, made TEXT NOT NULL DEFAULT '');
         INSERT INTO new_team(id, name, made) SELECT id, name, coalesce(made, '') FROM team;
         DROP TABLE team;
         ALTER TABLE new_team RENAME TO team;",
        "DROP INDEX idx_member_team;
         DROP TRIGGER member_gone;
         CREATE TABLE new_member(
           id INTEGER PRIMARY KEY AUTOINCREMENT, team_id INTEGER REFERENCES team(id) ON DELETE CASCADE, email TEXT UNIQUE,
           boss_id INTEGER REFERENCES new_member(id)
         );
         INSERT INTO new_member(id, team_id, email, boss_id) SELECT id, team_id, lower(email), boss_id FROM member;
         DROP TABLE member;
         ALTER TABLE new_member RENAME TO member;
         CREATE INDEX idx_member_team ON member(team_id);
         CREATE TRIGGER member_gone AFTER DELETE ON member BEGIN INSERT INTO log(what) VALUES (old.email); END;",
    ]);
}

#[test]
fn columns_added_and_filled_are_clean() {
    clean(&[
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL CHECK (price >= 0));
         CREATE TABLE total(item_id INTEGER PRIMARY KEY REFERENCES item(id), amount REAL NOT NULL DEFAULT 0);",
        "ALTER TABLE item ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR' CHECK (length(currency) = 3);
         ALTER TABLE item ADD COLUMN made TEXT;
         UPDATE item SET made = '2025-01-01' WHERE made IS NULL;
         ALTER TABLE item RENAME COLUMN name TO title;",
        "INSERT OR IGNORE INTO total(item_id, amount) SELECT id, price FROM item;
         ALTER TABLE item DROP COLUMN price;
         CREATE VIEW priced AS SELECT title, amount FROM item JOIN total ON total.item_id = item.id;
         CREATE UNIQUE INDEX idx_item_title ON item(title) WHERE currency <> 'EUR';",
        "ALTER TABLE total RENAME TO amount_of; DELETE FROM amount_of WHERE amount < 0;",
    ]);
}

#[test]
fn constraints_of_every_kind_are_satisfied() {
    clean(&[
        "CREATE TABLE strict_one(
           id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('small', 'large')), score REAL NOT NULL,
           raw BLOB NOT NULL, anything ANY, flag INT NOT NULL CHECK (flag IN (0, 1)),
           total REAL GENERATED ALWAYS AS (score * 2) STORED, shown TEXT AS (kind || id) VIRTUAL
         ) STRICT;
         CREATE TABLE pair(a INTEGER NOT NULL, b TEXT NOT NULL, note TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE of_pair(id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b TEXT NOT NULL, FOREIGN KEY (a, b) REFERENCES pair);
         CREATE TABLE document(
           id TEXT PRIMARY KEY CHECK (length(id) = 36),
           body TEXT NOT NULL CHECK (json_valid(body)), list TEXT NOT NULL DEFAULT '[]' CHECK (json_type(list) = 'array'),
           code TEXT NOT NULL UNIQUE CHECK (code GLOB '[A-Z][A-Z]-[0-9]*'), mail TEXT CHECK (mail LIKE '%_@_%'),
           day TEXT NOT NULL CHECK (day = date(day)), percent INTEGER CHECK (percent BETWEEN 0 AND 100),
           low INTEGER NOT NULL, high INTEGER NOT NULL, CHECK (low < high),
           CONSTRAINT either CHECK ((mail IS NULL) <> (percent IS NULL))
         );
         CREATE TABLE only_one(id INTEGER PRIMARY KEY CHECK (id = 1), version TEXT);",
        // All of them are written, so all of them are looked at.
        "UPDATE strict_one SET score = score; UPDATE pair SET note = note; UPDATE of_pair SET a = a;
         UPDATE document SET body = json_set(body, '$.a', 1), list = json_insert(list, '$[#]', 1);
         UPDATE only_one SET version = 'x';",
    ]);
}

#[test]
fn rings_of_tables_and_tables_of_no_kind_are_clean() {
    clean(&[
        "CREATE TABLE user(id INTEGER PRIMARY KEY, home INTEGER REFERENCES team(id), name TEXT NOT NULL);
         CREATE TABLE team(id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES user(id), name TEXT NOT NULL);
         CREATE TABLE egg(id INTEGER PRIMARY KEY, hen INTEGER NOT NULL UNIQUE REFERENCES hen(id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE hen(id INTEGER PRIMARY KEY, egg INTEGER NOT NULL UNIQUE REFERENCES egg(id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE tree(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES tree(id), label TEXT UNIQUE);
         CREATE TABLE bare(x, y);
         CREATE TABLE tenant(id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE);
         CREATE TABLE account(tenant_id INTEGER NOT NULL REFERENCES tenant(id), id INTEGER NOT NULL, PRIMARY KEY (tenant_id, id));
         CREATE TABLE booking(
           id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenant(id), account_id INTEGER NOT NULL,
           FOREIGN KEY (tenant_id, account_id) REFERENCES account(tenant_id, id) ON DELETE CASCADE
         );",
        "UPDATE user SET name = upper(name); UPDATE egg SET hen = hen; UPDATE hen SET egg = egg; UPDATE tree SET label = label;
         UPDATE bare SET x = y; UPDATE tenant SET name = name; UPDATE account SET id = id; UPDATE booking SET id = id;
         INSERT INTO bare(x, y) SELECT id, name FROM team;",
    ]);
}

#[test]
fn full_text_and_other_modules_are_clean() {
    clean(&[
        "CREATE TABLE note(id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT);
         CREATE VIRTUAL TABLE note_text USING fts5(title, body, content='note', content_rowid='id');
         CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
           INSERT INTO note_text(rowid, title, body) VALUES (new.id, new.title, new.body);
         END;
         CREATE TRIGGER note_gone AFTER DELETE ON note BEGIN
           INSERT INTO note_text(note_text, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
         END;
         CREATE TRIGGER note_changed AFTER UPDATE ON note BEGIN
           INSERT INTO note_text(note_text, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
           INSERT INTO note_text(rowid, title, body) VALUES (new.id, new.title, new.body);
         END;
         CREATE VIRTUAL TABLE place USING rtree(id, west, east);
         CREATE TABLE guarded(id INTEGER PRIMARY KEY, name TEXT);
         CREATE TRIGGER no_more BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'no more'); END;
         CREATE VIEW titled AS SELECT id, title FROM note;
         CREATE TRIGGER titled_changes INSTEAD OF UPDATE ON titled BEGIN
           UPDATE note SET title = new.title WHERE id = new.id;
         END;",
        "UPDATE note SET title = trim(title); UPDATE titled SET title = upper(title); DELETE FROM note WHERE body IS NULL;
         UPDATE guarded SET name = 'x';",
        "INSERT INTO note_text(note_text) VALUES ('rebuild');
         CREATE TABLE log(at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, level TEXT CHECK (level IN ('info', 'warn')));
         INSERT INTO log(level) SELECT 'info' FROM note;
         CREATE INDEX idx_log ON log(date(at)) WHERE level = 'warn';",
    ]);
}

#[test]
fn values_that_are_made_up_are_nobodys_fault() {
    // What is no JSON, seeds that meet a row of ours, a stricter CHECK, digits that are none.
    let compilation = compile(&[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, doc TEXT, kind TEXT UNIQUE CHECK (kind IN ('x', 'y', 'z')), size TEXT);
         CREATE TABLE one(id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT);
         CREATE TABLE plain(id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
        "CREATE TABLE b AS SELECT id, json_extract(size || '{', '$.a') AS a FROM a;",
        "INSERT INTO one(id, name) VALUES (1, 'the one'); INSERT INTO a(kind) VALUES ('x');",
        "CREATE TABLE strict_b(id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name IN ('p', 'q')));
         INSERT INTO strict_b(id, name) SELECT id, name FROM plain;",
        "UPDATE plain SET name = name || 'x';",
    ]);
    assert_eq!(compilation.warnings().iter().count(), 0, "{}", compilation.warnings());
    assert_eq!(
        left_empty(&compilation),
        [
            "001_a.sql was rehearsed without a row in `a`: malformed JSON",
            "002_a.sql was rehearsed without a row in `one`: UNIQUE constraint failed: one.id",
            "002_a.sql was rehearsed without a row in `a`: UNIQUE constraint failed: a.kind",
            "003_a.sql was rehearsed without a row in `plain`: CHECK constraint failed: name IN ('p', 'q')",
        ]
    );
}

#[test]
fn a_finding_stands_at_the_statement_that_did_it() {
    let base = "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id));";
    let dangling = ["error rows-dangle 001_a.sql:2"];
    assert_eq!(found(&[base, "SELECT 1;\nDELETE FROM a;\nALTER TABLE b RENAME TO c;"]), dangling);
    assert_eq!(found(&[base, "UPDATE a SET id = id;\nUPDATE a SET id = -id;\nUPDATE b SET a = a;"]), dangling);
    assert_eq!(found(&[base, "DELETE FROM a;\nDELETE FROM b;"]), Vec::<String>::new());
    // What a migration adds holds something by the next one.
    let rebuild = "CREATE TABLE new_b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id), note TEXT);
                   INSERT INTO new_b(id, a) SELECT id, a FROM b;\nDROP TABLE b; ALTER TABLE new_b RENAME TO b;";
    assert_eq!(found(&[base, "ALTER TABLE b ADD COLUMN note TEXT;", rebuild]), ["error values-nulled 002_a.sql:2"]);
}

#[test]
fn a_new_foreign_key_is_no_fault_of_rows_that_did_not_know_it() {
    let rebuild = "CREATE TABLE new_b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id));
                   INSERT INTO new_b(id, a) SELECT id, a FROM b; DROP TABLE b; ALTER TABLE new_b RENAME TO b;";
    let base = "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL);";
    clean(&[base, rebuild, "UPDATE b SET a = a;"]);
    // But a row that the migration itself inserts is there in every database.
    let seed = "CREATE TABLE c(a INTEGER REFERENCES a(id));\nINSERT INTO c(a) VALUES (99);";
    assert_eq!(found(&[base, seed]), ["error rows-dangle 001_a.sql:2"]);
}

/// Directories, file by file.
const CHANGES: &[&[&str]] = &[
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT, y TEXT);",
        "CREATE TABLE b AS SELECT id, y AS x, x AS z FROM a; DROP TABLE a; ALTER TABLE b RENAME TO a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT);
             CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id));",
        "CREATE TABLE a2(id TEXT PRIMARY KEY, x TEXT, old INTEGER);
             INSERT INTO a2(id, x, old) SELECT lower(hex(randomblob(16))), x, id FROM a;
             CREATE TABLE b2(id TEXT PRIMARY KEY, a TEXT NOT NULL REFERENCES a2(id));
             INSERT INTO b2(id, a) SELECT lower(hex(randomblob(16))), (SELECT a2.id FROM a2 WHERE a2.old = b.a) FROM b;
             DROP TABLE b;
             DROP TABLE a;
             ALTER TABLE a2 RENAME TO a;
             ALTER TABLE b2 RENAME TO b;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT);",
        "DELETE FROM a WHERE id NOT IN (SELECT min(id) FROM a GROUP BY x); CREATE UNIQUE INDEX i ON a(x);",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, name TEXT, display TEXT);",
        "CREATE TABLE n(id INTEGER PRIMARY KEY, name TEXT, display TEXT);
             INSERT INTO n(id, name, display) SELECT id, display, display FROM a;
             DROP TABLE a;
             ALTER TABLE n RENAME TO a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, name TEXT, at TEXT);",
        "CREATE TABLE n(id INTEGER PRIMARY KEY, name TEXT, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
             INSERT INTO n(id, name, at) SELECT id, name, CURRENT_TIMESTAMP FROM a;
             DROP TABLE a;
             ALTER TABLE n RENAME TO a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY);
             CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id) ON DELETE CASCADE);",
        "DROP TABLE b; DROP TABLE a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY);
             CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id) ON DELETE CASCADE);",
        "DROP TABLE a; DROP TABLE b;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY);
             CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a(id) ON DELETE CASCADE);",
        "CREATE TABLE a_n(id INTEGER PRIMARY KEY, x TEXT);
             INSERT INTO a_n(id) SELECT id FROM a;
             CREATE TABLE b_n(id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a_n(id) ON DELETE CASCADE);
             INSERT INTO b_n(id, a) SELECT id, a FROM b;
             DROP TABLE b;
             DROP TABLE a;
             ALTER TABLE a_n RENAME TO a;
             ALTER TABLE b_n RENAME TO b;",
    ],
    &[
        "CREATE TABLE a(id TEXT PRIMARY KEY); CREATE TABLE b(id INTEGER PRIMARY KEY, a TEXT REFERENCES a(id));",
        "UPDATE a SET id = 'x' || id; UPDATE b SET a = 'x' || a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x); CREATE VIEW v AS SELECT x FROM a;",
        "DROP TABLE a;",
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x);",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES a(id) ON DELETE CASCADE, deleted_at TEXT);",
        "DELETE FROM a WHERE deleted_at IS NOT NULL;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES a(id) ON DELETE CASCADE, deleted_at TEXT);",
        "DELETE FROM a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, city TEXT NOT NULL);",
        "CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
             INSERT INTO city(name) SELECT DISTINCT city FROM a;
             CREATE TABLE n(id INTEGER PRIMARY KEY, city_id INTEGER NOT NULL REFERENCES city(id));
             INSERT INTO n(id, city_id) SELECT a.id, c.id FROM a JOIN city c ON c.name = a.city;
             DROP TABLE a;
             ALTER TABLE n RENAME TO a;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, tags TEXT NOT NULL DEFAULT '[]');",
        "CREATE TABLE tag(a INTEGER NOT NULL REFERENCES a(id), name TEXT NOT NULL, PRIMARY KEY(a, name));
             INSERT INTO tag(a, name) SELECT a.id, j.value FROM a, json_each(a.tags) j;
             ALTER TABLE a DROP COLUMN tags;",
    ],
    &[
        "CREATE TABLE a(id INTEGER PRIMARY KEY, at DATETIME, n INT);",
        "CREATE TABLE b(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, n TEXT) STRICT;
             INSERT INTO b(id, at, n) SELECT id, coalesce(unixepoch(at), 0), n FROM a;
             DROP TABLE a;
             ALTER TABLE b RENAME TO a;",
    ],
    &[
        "CREATE TABLE role(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
             INSERT INTO role(id, name) VALUES (1, 'a'), (2, 'b');
             CREATE TABLE u(id INTEGER PRIMARY KEY, role INTEGER NOT NULL REFERENCES role(id));",
        "UPDATE u SET role = 2 WHERE role = 1; DELETE FROM role WHERE id = 1;",
        "INSERT INTO role(id, name) VALUES (3, 'c');",
    ],
];

#[test]
fn changes_as_people_make_them_are_clean() {
    for files in CHANGES {
        clean(files);
    }
}

#[test]
fn what_is_dropped_and_deleted_on_purpose_is_no_finding() {
    clean(&[
        "CREATE TABLE cache(id INTEGER PRIMARY KEY, value TEXT); CREATE TABLE old(id INTEGER PRIMARY KEY, value TEXT);
         CREATE TABLE kept(id INTEGER PRIMARY KEY, value TEXT);",
        "DROP TABLE cache; CREATE TABLE cache(id INTEGER PRIMARY KEY, value TEXT NOT NULL);
         INSERT INTO cache(value) VALUES ('seed');",
        "INSERT INTO kept(value) SELECT value FROM old; DROP TABLE old; DELETE FROM cache;
         UPDATE kept SET value = NULL;",
    ]);
}

#[test]
fn a_finding_can_be_allowed_with_a_reason() {
    let base =
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE b(id INTEGER PRIMARY KEY, a REFERENCES a(id));";
    assert_eq!(found(&[base, "DELETE FROM a;"]), ["error rows-dangle 001_a.sql:1"]);
    clean(&[base, "-- bootproof: allow rows-dangle \"b is emptied by the application\"\nDELETE FROM a;"]);
    assert_eq!(
        found(&[base, "-- bootproof: allow rows-dangle \"no\"\nDELETE FROM a; DELETE FROM b;"]),
        ["error unused-allow 001_a.sql:1"]
    );
}

#[test]
fn the_same_files_give_the_same_findings() {
    let case = "tests/errors/rows_fails_on_rows";
    assert_eq!(check(case).unwrap_err().to_string(), check(case).unwrap_err().to_string());
}
