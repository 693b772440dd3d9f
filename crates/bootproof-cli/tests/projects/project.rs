//! One application's thirteen migrations, as each tool would have them in a directory.
//!
//! They have what real directories have: triggers, a view, full-text search, an R*Tree, rebuilds, seeds, generated columns, a file
//! with nothing but a comment; and their files differ as real ones do: a BOM, CRLF, no final newline behind a comment, spaces in
//! a name, gaps in the numbering, numbers of 14 digits.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A migration: its name and its statements, without semicolons at their ends.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) statements: Vec<&'static str>,
}

/// A directory of one tool.
pub(crate) struct Project {
    pub(crate) dialect: &'static str,
    /// Each with its version.
    pub(crate) migrations: Vec<(i64, Migration)>,
    place: TempDir,
}

/// Statements around a rebuild, as tools need them that do not turn foreign keys off.
const FOREIGN_KEYS: [&str; 2] = ["PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON"];

/// The texts in double quotes that other tools take for texts.
fn quoted(dialect: &str, foreign: &'static str, own: &'static str) -> &'static str {
    if dialect == "bootproof" { own } else { foreign }
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn migrations(dialect: &str) -> Vec<Migration> {
    let migration = |name, statements: &[&'static str]| Migration { name, statements: statements.to_vec() };
    let mut all = vec![
        migration(
            "init",
            &[
                "CREATE TABLE accounts (\n    id INTEGER PRIMARY KEY AUTOINCREMENT,\n    email TEXT NOT NULL UNIQUE COLLATE NOCASE,\n    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP\n)",
                quoted(
                    dialect,
                    "CREATE TABLE projects (\n    id INTEGER PRIMARY KEY,\n    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,\n    title TEXT NOT NULL,\n    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN (\"active\", \"closed\"))\n)",
                    "CREATE TABLE projects (\n    id INTEGER PRIMARY KEY,\n    account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,\n    title TEXT NOT NULL,\n    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closed'))\n)",
                ),
                "CREATE INDEX projects_by_account ON projects(account_id)",
            ],
        ),
        migration(
            "tasks",
            &[
                "CREATE TABLE tasks (\n    id INTEGER PRIMARY KEY,\n    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,\n    title TEXT NOT NULL,\n    done INTEGER NOT NULL DEFAULT 0,\n    due TEXT,\n    updated_at TEXT\n)",
                "CREATE INDEX tasks_by_project ON tasks(project_id, due DESC)",
                "CREATE INDEX tasks_open ON tasks(due) WHERE done = 0",
            ],
        ),
        migration(
            "touch tasks",
            &[
                "CREATE TRIGGER tasks_touched AFTER UPDATE OF title, done ON tasks FOR EACH ROW BEGIN\n    UPDATE tasks SET updated_at = CURRENT_TIMESTAMP WHERE id = new.id;\nEND",
                "CREATE VIEW open_tasks AS\n    SELECT t.id, t.title, p.title AS project FROM tasks t JOIN projects p ON p.id = t.project_id WHERE t.done = 0",
            ],
        ),
        migration("nothing", &["-- kept so that the numbers stay as they are; über nichts"]),
        migration(
            "search",
            &[
                "CREATE VIRTUAL TABLE tasks_search USING fts5(title, content='tasks', content_rowid='id')",
                "CREATE TRIGGER tasks_search_in AFTER INSERT ON tasks BEGIN\n    INSERT INTO tasks_search(rowid, title) VALUES (new.id, new.title);\nEND",
                "CREATE TRIGGER tasks_search_out AFTER DELETE ON tasks BEGIN\n    INSERT INTO tasks_search(tasks_search, rowid, title) VALUES ('delete', old.id, old.title);\nEND",
            ],
        ),
        migration(
            "labels",
            &[
                "CREATE TABLE labels (name TEXT PRIMARY KEY, colour TEXT NOT NULL) WITHOUT ROWID",
                "CREATE TABLE task_labels (\n    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,\n    label TEXT NOT NULL REFERENCES labels(name) ON UPDATE CASCADE,\n    PRIMARY KEY (task_id, label)\n)",
                "CREATE INDEX task_labels_by_label ON task_labels(label)",
                "INSERT INTO labels(name, colour) VALUES ('bug; urgent', '#f00'), ('it''s -- fine', '#0f0'), ('größer', '#00f')\n    ON CONFLICT (name) DO UPDATE SET colour = excluded.colour",
            ],
        ),
        migration(
            "places",
            &[
                "CREATE VIRTUAL TABLE places USING rtree(id, min_x, max_x, min_y, max_y)",
                "CREATE TABLE events (\n    id INTEGER PRIMARY KEY,\n    body TEXT NOT NULL DEFAULT '{}',\n    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,\n    size INTEGER AS (length(body)) STORED\n) STRICT",
                "CREATE INDEX events_by_kind ON events(kind)",
            ],
        ),
        migration(
            "due times",
            &["ALTER TABLE tasks ADD COLUMN reminder TEXT", "ALTER TABLE tasks RENAME COLUMN due TO due_at"],
        ),
        migration(
            "rebuild-labels",
            &[
                "CREATE TABLE new_task_labels (\n    task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,\n    label TEXT NOT NULL REFERENCES labels(name) ON UPDATE CASCADE,\n    added_at TEXT,\n    PRIMARY KEY (task_id, label)\n)",
                "INSERT INTO new_task_labels (task_id, label) SELECT task_id, label FROM task_labels",
                "DROP TABLE task_labels",
                "ALTER TABLE new_task_labels RENAME TO task_labels",
                "CREATE INDEX task_labels_by_label ON task_labels(label)",
            ],
        ),
        migration(
            "history",
            &[
                "CREATE TABLE history (\n    id INTEGER PRIMARY KEY,\n    task_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL,\n    title TEXT\n)",
                "CREATE INDEX history_by_task ON history(task_id)",
                "INSERT INTO history (task_id, title) SELECT id, title FROM tasks WHERE done = 1",
            ],
        ),
        migration(
            "history triggers",
            &[
                "CREATE TABLE audit (at TEXT, what TEXT)",
                quoted(
                    dialect,
                    "CREATE TRIGGER history_kept BEFORE DELETE ON history BEGIN\n    INSERT INTO audit (at, what) VALUES (CURRENT_TIMESTAMP, \"deleted\");\n    SELECT CASE WHEN old.task_id IS NOT NULL THEN RAISE(ABORT, 'still; in use') END;\nEND",
                    "CREATE TRIGGER history_kept BEFORE DELETE ON history BEGIN\n    INSERT INTO audit (at, what) VALUES (CURRENT_TIMESTAMP, 'deleted');\n    SELECT CASE WHEN old.task_id IS NOT NULL THEN RAISE(ABORT, 'still; in use') END;\nEND",
                ),
            ],
        ),
        migration(
            "settings",
            &[
                "CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY) STRICT",
                "INSERT OR IGNORE INTO settings VALUES ('theme', 'dark')",
            ],
        ),
        migration("last", &["CREATE UNIQUE INDEX projects_titled ON projects(lower(title), account_id)"]),
    ];
    if dialect == "bootproof" {
        // There such a file has to say that it is meant.
        all.retain(|migration| migration.name != "nothing");
    } else if let Some(rebuild) = all.iter_mut().find(|migration| migration.name == "rebuild-labels") {
        rebuild.statements.insert(0, FOREIGN_KEYS[0]);
        rebuild.statements.push(FOREIGN_KEYS[1]);
    }
    if matches!(dialect, "sqlx" | "golang-migrate" | "refinery" | "flyway")
        && let Some(labels) = all.iter_mut().find(|migration| migration.name == "labels")
    {
        labels.statements.insert(0, "BEGIN TRANSACTION");
        labels.statements.push("COMMIT");
    }
    all
}

/// What stands in a file of a tool: both ways, where the tool has them in one.
fn text(dialect: &str, statements: &[&str]) -> String {
    let mut text = String::from(match dialect {
        "goose" => "-- +goose Up\n",
        "dbmate" => "-- migrate:up\n",
        _ => "",
    });
    for (position, sql) in statements.iter().enumerate() {
        let end = if sql.starts_with("--") { "" } else { ";" };
        let (before, behind) = match dialect {
            "goose" if sql.contains(';') => ("-- +goose StatementBegin\n", "-- +goose StatementEnd\n"),
            "drizzle" if position > 0 => ("--> statement-breakpoint\n", ""),
            _ => ("", ""),
        };
        text.extend([before, sql, end, "\n", behind]);
    }
    match dialect {
        "goose" => text + "\n-- +goose Down\nSELECT 'down; not up';\n",
        "dbmate" => text + "\n-- migrate:down\nSELECT 'down; not up';\n",
        _ => text,
    }
}

/// What other programs and people do to files, by position.
fn worn(text: String, position: usize) -> Vec<u8> {
    let text = match position {
        1 => format!("\u{feff}{text}"),
        3 => text.replace('\n', "\r\n"),
        7 => format!("{}\n-- no newline behind this", text.trim_end()),
        8 => text.trim_end().to_owned(),
        _ => text,
    };
    text.into_bytes()
}

impl Project {
    pub(crate) fn new(dialect: &'static str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut project = Self { dialect, migrations: Vec::new(), place };
        for migration in migrations(dialect) {
            project.add(migration);
        }
        project
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.place.path().join("migrations")
    }

    /// A file beside the directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Writes one more migration, and returns its file relative to the directory.
    pub(crate) fn add(&mut self, migration: Migration) -> String {
        let position = self.migrations.len();
        let (version, file) = self.named(position, migration.name);
        let path = self.directory().join(&file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, worn(text(self.dialect, &migration.statements), position)).unwrap();
        match self.dialect {
            "diesel" => fs::write(path.with_file_name("down.sql"), "SELECT 'not back';\n").unwrap(),
            "golang-migrate" => {
                fs::write(self.directory().join(file.replace(".up.", ".down.")), "SELECT 'not back';\n").unwrap();
            }
            "prisma" => {
                fs::write(self.directory().join("migration_lock.toml"), "provider = \"sqlite\"\n").unwrap();
            }
            _ => {}
        }
        self.migrations.push((version, migration));
        if self.dialect == "drizzle" {
            self.write_journal();
        }
        file
    }

    /// A file that its tool would not see.
    pub(crate) fn misname(&self) -> String {
        let file = match self.dialect {
            "diesel" => "99990101_lost.sql",
            "prisma" => "20990101000000_lost/up.sql",
            "golang-migrate" | "sqlx" => "99_lost.up..sql",
            "refinery" | "flyway" => "V99_lost.sql",
            "drizzle" => "0099_lost.sql",
            _ => "_up.sql",
        };
        let path = self.directory().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text(self.dialect, &["CREATE TABLE lost (x)"])).unwrap();
        file.to_owned()
    }

    /// The version and the file of a migration: with a gap behind the fifth.
    fn named(&self, position: usize, name: &str) -> (i64, String) {
        let number = i64::try_from(position).unwrap() + 1 + if position > 5 { 4 } else { 0 };
        let stamp = 20_240_105_101_500 + number * 1_000_000;
        let snake = name.replace([' ', '-'], "_");
        match self.dialect {
            "bootproof" => (number, format!("{number:03}_{snake}.sql")),
            "refinery" if position > 8 => (number, format!("later/V{number}__{snake}.sql")),
            "refinery" => (number, format!("V{number}__{snake}.sql")),
            "sqlx" | "dbmate" => (stamp, format!("{stamp}_{name}.sql")),
            "diesel" => {
                let day = 5 + number;
                (stamp, format!("2024-01-{day:02}-101500_{snake}/up.sql"))
            }
            "prisma" => (stamp, format!("{stamp}_{snake}/migration.sql")),
            "goose" => (number, format!("{number:05}_{name}.sql")),
            "golang-migrate" => (number, format!("{number}_{name}.up.sql")),
            "drizzle" => (i64::try_from(position).unwrap(), format!("{position:04}_{snake}.sql")),
            "flyway" => (number * 1_000_000, format!("V{number}.0__{name}.sql")),
            other => panic!("{other}"),
        }
    }

    fn write_journal(&self) {
        let entry = |(position, (_, migration)): (usize, &(i64, Migration))| {
            let tag = format!("{position:04}_{}", migration.name.replace([' ', '-'], "_"));
            let when = 1_718_000_000_000_u64 + u64::try_from(position).unwrap() * 100_000;
            format!(r#"{{"idx": {position}, "version": "6", "when": {when}, "tag": "{tag}", "breakpoints": true}}"#)
        };
        let entries: Vec<String> = self.migrations.iter().enumerate().map(entry).collect();
        let meta = self.directory().join("meta");
        fs::create_dir_all(&meta).unwrap();
        let journal = format!(r#"{{"version": "7", "dialect": "sqlite", "entries": [{}]}}"#, entries.join(", "));
        fs::write(meta.join("_journal.json"), journal).unwrap();
    }
}

/// The line of a file on which a marker stands.
pub(crate) fn line_of(file: &Path, marker: &str) -> usize {
    let text = String::from_utf8(fs::read(file).unwrap()).unwrap();
    1 + text.lines().position(|line| line.contains(marker)).unwrap_or_else(|| panic!("{marker} in {text}"))
}
