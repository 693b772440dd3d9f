//! Directories as other tools have them: one directory of `tests/dialects` for each, named after its dialect, with what the
//! compiler says of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

mod support;

use std::fs;
use std::path::Path;

use bootproof_build::{Compilation, Compiler, Dialect};
use bootproof_catalog::{Catalog, difference};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use support::{compile, complaints, directory};

/// Directories without an error, and their files as their own tools run them. What those of goose and dbmate have to undo
/// it stands behind this line.
const CLEAN: [(&str, &str, &[&str]); 9] = [
    (
        "refinery_library",
        "",
        &["V1__create_books.sql", "V2__search.sql", "V10__loans.sql", "seasonal/U11__overdue.sql"],
    ),
    (
        "sqlx_notes",
        "",
        &[
            "20210101120000_create_users.sql",
            "20210102090000_notes & tags.sql",
            "20210301000000_empty.sql",
            "20210401000000_rebuild-notes.sql",
            "20210402000000_maintain.sql",
        ],
    ),
    (
        "diesel_blog",
        "",
        &[
            "00000000000000_diesel_initial_setup/up.sql",
            "2022-03-14-093000_create_posts/up.sql",
            "2022-03-15-110500-0000_add_comments/up.sql",
            "2022-04-01-000000-0000_widen/up.sql",
        ],
    ),
    (
        "prisma_crm",
        "",
        &[
            "20230105101500_init/migration.sql",
            "20230212080000_deal_stage/migration.sql",
            "20230301000000_nothing/migration.sql",
            "20230302000000/migration.sql",
        ],
    ),
    (
        "goose_shop",
        "-- +goose Down",
        &["00001_init.sql", "00002_touch.sql", "00003_orders.sql", "00010_seed-products.sql", "00011_nothing.sql"],
    ),
    (
        "dbmate_tickets",
        "-- migrate:down",
        &[
            "20190501120000_create_tickets.sql",
            "20190502130000_add-places.sql",
            "20190601000000_split_state.sql",
            "20190602000000_watchers.sql",
        ],
    ),
    ("golang-migrate_identity", "", &["000001_init.up.sql", "000002_user_email.up.sql", "000004_keys.up.sql"]),
    ("drizzle_todo", "", &["0000_gray_falcon.sql", "0001_quick_otter.sql", "0002_last_lark.sql"]),
    (
        "flyway_warehouse",
        "",
        &["V1__create_stock.sql", "V1.1__add reorder-level.sql", "2024/V1_10__movements.sql", "2024/V2__shrink.sql"],
    ),
];

fn dialect_of(case: &str) -> Dialect {
    case.split('_').next().unwrap_or_default().parse().unwrap()
}

#[test]
fn every_directory_is_judged_as_reviewed() {
    let mut cases: Vec<_> = fs::read_dir("tests/dialects")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    cases.sort();
    for case in cases {
        let directory = format!("tests/dialects/{case}");
        let compiler = Compiler::new(&directory);
        let dialect = dialect_of(&case);
        let compiler = if dialect == Dialect::Bootproof { compiler } else { compiler.dialect(dialect) };
        let checked = compiler.check();
        assert_eq!(checked.is_ok(), CLEAN.iter().any(|(name, ..)| *name == case), "{case}: {checked:?}");
        let shown = match &checked {
            Ok(compilation) => format!("{}{compilation}", compilation.warnings()),
            Err(diagnostics) => diagnostics.to_string(),
        };
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new("..").join(&directory));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("diagnostics", shown));
    }
}

#[test]
fn the_dialect_is_found_out() {
    for (case, ..) in CLEAN {
        let compilation = Compiler::new(format!("tests/dialects/{case}")).check();
        // sqlx's plain names are ours as well.
        let (dialect, found) = match compilation {
            Ok(compilation) => (dialect_of(case), compilation.warnings().dialect()),
            Err(diagnostics) => (Dialect::Bootproof, diagnostics.dialect()),
        };
        assert_eq!(found, dialect, "{case}");
    }
    let found = |files: &[(&str, &str)]| match Compiler::new(directory(files).path()).check() {
        Ok(compilation) => compilation.warnings().dialect(),
        Err(diagnostics) => diagnostics.dialect(),
    };
    assert_eq!(found(&[("1_a.sql", "CREATE TABLE a(x)"), ("1_a.down.sql", "DROP TABLE a")]), Dialect::Bootproof);
    assert_eq!(found(&[("V1__a.sql", "SELECT 1"), ("R__b.sql", "SELECT 1")]), Dialect::Flyway);
    assert_eq!(found(&[("V1__a.sql", "SELECT 1"), ("U1__a.sql", "SELECT 1")]), Dialect::Flyway);
    assert_eq!(found(&[("V1__a.sql", "SELECT 1"), ("U2__a.sql", "SELECT 1")]), Dialect::Refinery);
    assert_eq!(found(&[("0000_a.sql", "SELECT 1;--> statement-breakpoint")]), Dialect::Drizzle);
    let files = [("2025_a/migration.sql", "SELECT 1;--> statement-breakpoint"), ("2025_a/snapshot.json", "{}")];
    assert_eq!(found(&files), Dialect::Drizzle);
    assert_eq!(found(&files[..1]), Dialect::Prisma);
    // One among others is rather a slip.
    assert_eq!(found(&[("1_a.sql", "SELECT 1"), ("2_b.up.sql", "SELECT 1")]), Dialect::Bootproof);
    let files = [("1_a.up.sql", "SELECT 1"), ("2_b_up.sql", "SELECT 1"), ("3_c.up.sql", "SELECT 1")];
    assert_eq!(found(&files), Dialect::GolangMigrate);
}

#[test]
fn the_schema_is_what_sqlite_makes_of_the_files() {
    for (case, down, files) in CLEAN {
        let directory = format!("tests/dialects/{case}");
        let compilation = Compiler::new(&directory).dialect(dialect_of(case)).check().unwrap();
        let plain = Connection::open_in_memory().unwrap();
        // As the shell has it.
        plain.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
        for file in files {
            let text = fs::read_to_string(format!("{directory}/{file}")).unwrap();
            let text = if down.is_empty() { &text } else { text.split(down).next().unwrap() };
            // drizzle runs each piece by itself.
            for piece in text.trim_start_matches('\u{feff}').split("--> statement-breakpoint") {
                plain.execute_batch(piece).unwrap_or_else(|error| panic!("{file}: {error}"));
            }
            plain.execute_batch("PRAGMA legacy_alter_table = OFF").unwrap();
        }
        let expected = Catalog::read(&plain).unwrap();
        let differences = difference::between(&expected, &catalog(&compilation));
        assert!(differences.is_empty(), "{case}: {differences:?}");
        assert!(!expected.tables.is_empty());
        // And so is the one that is printed.
        let printed = Connection::open_in_memory().unwrap();
        printed.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
        printed.execute_batch(&compilation.schema().join(";\n")).unwrap();
        let differences = difference::between(&expected, &Catalog::read(&printed).unwrap());
        assert!(differences.is_empty(), "{case}: {differences:?}");
    }
}

/// The schema of an empty database at head.
fn catalog(compilation: &Compilation) -> Catalog {
    let mut connection = Connection::open_in_memory().unwrap();
    let image = compilation.image();
    connection.deserialize_read_exact("main", image, image.len(), false).unwrap();
    Catalog::read(&connection).unwrap()
}

#[test]
fn statements_of_a_section_are_those_of_the_whole_file() {
    let up = "-- ä\n-- +goose Up\nCREATE TABLE a(x);\n\n";
    let down = "-- +goose Down\n  DROP TABLE a;\n";
    let code = compile(Dialect::Goose, &[("1_a b.sql", &format!("{up}{down}"))]).emit();
    assert!(code.contains("name: \"a_b\""), "{code}");
    assert!(code.contains("file: \"1_a b.sql\""), "{code}");
    let start = up.find("CREATE").unwrap();
    assert!(code.contains(&format!("statement({start}, {}, 3)", start + 18)), "{code}");
    let start = down.find("DROP").unwrap();
    assert!(code.contains(&format!("statement({start}, {}, 6)", start + 13)), "{code}");
    assert!(code.contains(&format!("sql: r#\"{up}\"#")), "{code}");
    assert!(code.contains(&format!("sql: r#\"{down}\"#")), "{code}");
}

#[test]
fn a_way_back_in_the_same_file_is_no_part_of_the_checksum() {
    let checksum = |down: &str| {
        let text = format!("-- +goose Up\nCREATE TABLE a(x);\n-- +goose Down\n{down}\n");
        let code = compile(Dialect::Goose, &[("1_a.sql", &text)]).emit();
        code.lines().find(|line| line.contains("checksum: ")).unwrap().to_owned()
    };
    assert_eq!(checksum("DROP TABLE a;"), checksum("DROP TABLE nothing;"));
}

#[test]
fn checksums_of_refinery_are_its_own() {
    let sql = "CREATE TABLE a(x);\n";
    let code = compile(Dialect::Refinery, &[("V1__create_a.sql", sql)]).emit();
    let theirs = refinery_core::Migration::unapplied("V1__create_a", sql).unwrap().checksum().to_string();
    let ours = code.lines().find_map(|line| line.trim().strip_prefix("checksum: ")).unwrap();
    assert_eq!(ours.replace(['_', ','], ""), theirs);
}

#[test]
fn whatever_a_name_is_the_history_can_hold_it() {
    for name in ["two words", "add-column", "größe", "ajouté (2)", "²", ""] {
        let file = format!("7_{name}.up.sql");
        let code = compile(Dialect::Sqlx, &[(&file, "CREATE TABLE a(x);")]).emit();
        let ours = code.lines().find_map(|line| line.trim().strip_prefix("name: \"")).unwrap().trim_end_matches("\",");
        let theirs = refinery_core::Migration::unapplied(&format!("V7__{ours}"), "").unwrap();
        assert_eq!(theirs.name(), ours, "{name}");
    }
}

#[test]
fn a_way_back_that_does_nothing_is_none() {
    let up = "-- +goose Up\nCREATE TABLE a(id INTEGER PRIMARY KEY);\n";
    for down in ["", "-- +goose Down\n", "-- +goose Down\nSELECT 'no way back';\n"] {
        let text = format!("-- +goose Up\nINSERT INTO a(id) VALUES (1);\n{down}");
        let compilation = compile(Dialect::Goose, &[("1_a.sql", up), ("2_b.sql", &text)]);
        assert!(compilation.warnings().iter().next().is_none(), "{down}: {}", compilation.warnings());
        let code = compilation.emit();
        let (_, second) = code.split_once("V2_B: Migration").unwrap();
        assert!(second.contains("revert: None"), "{down}");
    }
}

#[test]
fn directives_and_contracts_are_understood_in_every_layout() {
    let compilation = compile(
        Dialect::Goose,
        &[
            (
                "1_a.sql",
                "-- bootproof: maintenance \"stop the import first\"\n-- +goose Up\nCREATE TABLE a(x);\nCREATE INDEX i ON a(x);",
            ),
            ("queries/q.sql", "-- bootproof: index i\n-- bootproof: budget 1 ms\nSELECT x FROM a WHERE x = :x"),
        ],
    );
    assert_eq!(compilation.contracts(), 1);
    assert!(compilation.emit().contains("maintenance: Some(\"stop the import first\")"));
}

#[test]
fn a_function_of_the_application_can_be_stood_in_for() {
    let files = [(
        "1_a.sql",
        "CREATE TABLE a(id TEXT, y AS (clean(id, 1)));\nCREATE INDEX i ON a(clean(id, 2));\n\
         CREATE VIEW v AS SELECT uuid() AS id;\nINSERT INTO a(id) SELECT id FROM v;",
    )];
    assert_eq!(
        complaints(None, &files),
        ["1_a.sql:1:31: no such function: clean [sqlite]"],
        "the function is named where it is called"
    );
    let directory = directory(&files);
    let compiler = Compiler::new(directory.path()).stub_function("clean", 2).stub_function("uuid", -1);
    let compilation = compiler.check().unwrap();
    assert_eq!(compilation.migrations(), 1);
    // What it inserted is not what the application would have: no database is made of it, and no file.
    assert_eq!(compilation.stand_ins(), ["clean", "uuid"]);
    assert!(compilation.emit().contains(r#"stand_ins: &["clean", "uuid"]"#));
    let squashed = compiler.squash(1).unwrap_err().to_string();
    assert!(squashed.contains("what `clean` gives"), "{squashed}");
    for (name, arguments) in [("", 0), ("a\0b", 0), ("uuid", -2), ("uuid", 1000)] {
        let rules = compiler.clone().stub_function(name, arguments).check().unwrap_err();
        assert_eq!(rules.iter().map(bootproof_build::Diagnostic::rule).collect::<Vec<_>>(), ["stub-function"]);
    }
}

#[test]
fn in_our_own_layout_wrappers_stay_errors() {
    let found = complaints(None, &[("1_a.sql", "PRAGMA foreign_keys = OFF; BEGIN; CREATE TABLE a(x); COMMIT;")]);
    let rules: Vec<_> = found.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(rules, ["[pragma]", "[transaction-control]", "[transaction-control]"]);
}

#[test]
fn wrappers_of_every_kind_are_left_out() {
    for sql in [
        "BEGIN; CREATE TABLE a(x); COMMIT;",
        "BEGIN DEFERRED TRANSACTION; CREATE TABLE a(x); END TRANSACTION",
        "/* one */ BEGIN EXCLUSIVE /* two */;\n\nCREATE TABLE a(x);\n\nCOMMIT TRANSACTION -- three",
        "PRAGMA foreign_keys=0; BEGIN; CREATE TABLE a(x); COMMIT; PRAGMA foreign_keys=1; PRAGMA foreign_key_check;",
        "PRAGMA foreign_keys(off); CREATE TABLE a(x); PRAGMA main.foreign_key_check(a); PRAGMA foreign_keys(on);",
        "PRAGMA main.synchronous = NORMAL; PRAGMA encoding = 'utf-8'; CREATE TABLE a(x); PRAGMA foreign_keys;",
        "BEGIN; CREATE TABLE a(x); PRAGMA foreign_key_check; COMMIT; PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);",
        "SAVEPOINT one; CREATE TABLE a(x); RELEASE SAVEPOINT one;",
        "BEGIN; CREATE TABLE b(x); ALTER TABLE b RENAME TO a; COMMIT; BEGIN; COMMIT;",
    ] {
        let files = [("1_a.up.sql", sql)];
        let found = complaints(Some(Dialect::GolangMigrate), &files);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(found[0].ends_with("[redundant-wrapper]"), "{sql}: {found:?}");
        let compilation = compile(Dialect::GolangMigrate, &files);
        assert_eq!(compilation.schema().len(), 1, "{sql}");
        let code = compilation.emit();
        let statements: Vec<_> = code.split("statement(").skip(2).collect();
        assert!((1..=2).contains(&statements.len()), "{sql}: {statements:?}");
    }
}

#[test]
fn what_real_migrations_hold_works() {
    let text = "\
        CREATE TEMP TABLE kept AS SELECT 1 AS id;
        CREATE TABLE a(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES a ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            data TEXT CHECK (json_valid(data)), kind TEXT GENERATED ALWAYS AS (data ->> '$.kind') STORED, \"größe\" REAL) STRICT;
        CREATE TABLE log(what ANY, PRIMARY KEY (what)) STRICT, WITHOUT ROWID;
        CREATE TRIGGER t AFTER UPDATE OF data ON a FOR EACH ROW WHEN new.kind IS NOT old.kind BEGIN
            INSERT INTO log(what) VALUES (CASE WHEN new.kind = 'x;' THEN 'END;' ELSE new.kind END) ON CONFLICT DO NOTHING;
            DELETE FROM log WHERE what = 'BEGIN; COMMIT;';
        END;
        CREATE VIEW v(id, depth) AS WITH RECURSIVE d(id, n) AS (SELECT id, 0 FROM a WHERE parent IS NULL UNION ALL
            SELECT a.id, n + 1 FROM a JOIN d ON a.parent = d.id) SELECT id, n FROM d;
        CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN INSERT INTO a(id) VALUES (new.id); END;
        CREATE UNIQUE INDEX p ON a(kind COLLATE NOCASE DESC) WHERE parent IS NULL;
        CREATE INDEX e ON a(lower(kind), json_extract(data, '$.n'));
        CREATE INDEX c ON a(parent);
        INSERT INTO a(id, data) SELECT value, json_object('kind', 'k' || value, 'n', value) FROM json_each('[1,2,3]') WHERE true
            ON CONFLICT(id) DO UPDATE SET data = excluded.data RETURNING id;
        INSERT INTO v(id, depth) VALUES (9, 0);
        ALTER TABLE a ADD COLUMN note TEXT DEFAULT 'it''s; fine';
        ALTER TABLE a RENAME COLUMN note TO remark;
        ALTER TABLE a DROP COLUMN remark;
        ALTER TABLE log RENAME TO journal;
        CREATE VIRTUAL TABLE f USING fts5(body, tokenize = 'porter ascii');
        INSERT INTO f(body) VALUES ('größer');
        CREATE VIRTUAL TABLE g USING fts4(body);
        CREATE VIRTUAL TABLE r USING rtree_i32(id, x0, x1);
        REINDEX a; ANALYZE a; DROP TABLE kept; PRAGMA user_version = 7; SELECT 1;
        -- the end";
    let compilation = compile(Dialect::Sqlx, &[("20250131120000_everything.sql", text)]);
    assert!(compilation.warnings().iter().next().is_none(), "{}", compilation.warnings());
    assert_eq!(compilation.schema().len(), 11, "{:#?}", compilation.schema());
}

#[test]
fn a_place_for_what_a_program_puts_in_is_an_error() {
    for (sql, column) in [
        ("CREATE TABLE ${prefix}a(x);", 14),
        ("INSERT INTO a VALUES ({{ seed }});", 23),
        ("INSERT INTO a VALUES (:seed);", 23),
        ("INSERT INTO a VALUES ($1);", 23),
        ("INSERT INTO a VALUES (%s);", 23),
    ] {
        let text = format!("CREATE TABLE a(x);\n{sql}");
        let found = complaints(Some(Dialect::Flyway), &[("V1__a.sql", &text)]);
        assert!(found.iter().all(|line| line.starts_with(&format!("V1__a.sql:2:{column}: "))), "{sql}: {found:?}");
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
    }
    // Within a text SQLite sees nothing wrong: the tool would have put something there.
    let text = [("V1__a.sql", "CREATE TABLE a(x, y, z);\nINSERT INTO a VALUES ('for ${owner}', '$1 {}', '${}');")];
    let found = complaints(Some(Dialect::Flyway), &text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("V1__a.sql:2:28: ") && found[0].ends_with("[placeholder]"), "{found:?}");
    assert_eq!(complaints(Some(Dialect::Refinery), &text), Vec::<String>::new());
    let text = "-- migrate:up env-var:OWNER\nCREATE TABLE a(x);\nINSERT INTO a VALUES ('{{ .OWNER }}');\n-- migrate:down\nDROP TABLE a;\n";
    let found = complaints(Some(Dialect::Dbmate), &[("1_a.sql", text)]);
    assert!(found[0].starts_with("1_a.sql:1:1: ") && found[0].contains("known to dbmate alone"), "{found:?}");
}

#[test]
fn a_schema_can_be_had_at_any_version() {
    let files = [("1_a.sql", "CREATE TABLE a(x)"), ("2_b.sql", "CREATE TABLE b(x)"), ("3_c.sql", "nonsense")];
    let directory = directory(&files);
    let at = |version| Compiler::new(directory.path()).up_to(version).check().unwrap().schema().to_vec();
    assert_eq!(at(1), ["CREATE TABLE a(x)"]);
    assert_eq!(at(2), ["CREATE TABLE a(x)", "CREATE TABLE b(x)"]);
}

#[test]
fn a_name_that_a_tool_reads_all_the_same_is_read_with_a_warning() {
    for dialect in [Dialect::GolangMigrate, Dialect::Sqlx] {
        let files = [
            ("1_a.up.sql", "CREATE TABLE a(x);"),
            ("2_b..up.sql", "CREATE TABLE b(x);"),
            ("3_c.up.sql", "DROP TABLE b;"),
        ];
        let compilation = compile(dialect, &files);
        assert_eq!(compilation.schema().len(), 1, "{dialect}");
        let odd: Vec<_> = compilation.warnings().iter().filter(|finding| finding.rule() == "file-name").collect();
        assert_eq!(odd.len(), 1, "{dialect}");
        assert!(odd[0].file().unwrap().ends_with("2_b..up.sql"), "{dialect}");
    }
}

#[test]
fn what_is_lost_is_told_where_the_table_that_had_it_is_dropped() {
    let base = "CREATE TABLE a(x); CREATE INDEX a_x ON a(x); CREATE TABLE b(y); CREATE INDEX b_y ON b(y);";
    let rebuild =
        "ALTER TABLE a RENAME TO a_old;\nALTER TABLE b RENAME TO b_old;\nCREATE TABLE a(x, z);\nCREATE TABLE b(y, z);
INSERT INTO a(x) SELECT x FROM a_old;\nINSERT INTO b(y) SELECT y FROM b_old;\nDROP TABLE a_old;\nDROP TABLE b_old;";
    let found = complaints(Some(Dialect::Sqlx), &[("1_a.sql", base), ("2_b.sql", rebuild)]);
    let lost: Vec<_> = found.iter().filter(|line| line.ends_with("[lost-object]")).collect();
    assert!(
        lost.len() == 2 && lost[0].starts_with("2_b.sql:7:1: ") && lost[1].starts_with("2_b.sql:8:1: "),
        "{found:?}"
    );
}
