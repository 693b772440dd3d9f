//! What compiles, and to what.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

#[path = "support/directory.rs"]
mod directory;

use std::fs;

use bootproof_build::{Compilation, Severity, check};
use directory::directory;

fn compile(files: &[(&str, &str)]) -> Compilation {
    check(directory(files).path()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The diagnostics, one a line, without the name of the directory.
fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    let directory = directory(files);
    let root = format!("{}/", directory.path().display());
    check(directory.path()).unwrap_err().one_liners().map(|line| line.replace(&root, "")).collect()
}

/// The value of a field of a migration in generated code.
fn field<'a>(code: &'a str, migration: &str, name: &str) -> &'a str {
    let (_, migration) = code.split_once(&format!("const {migration}: Migration")).unwrap();
    let (_, value) = migration.split_once(&format!("\n        {name}: ")).unwrap();
    // The next line that is indented no deeper, and closes nothing, begins another field or ends the migration.
    let mut ends = value.match_indices(",\n").map(|(end, _)| end);
    let closes = |line: &str| ["         ", "        }", "        ]"].iter().any(|start| line.starts_with(start));
    let end = ends.find(|end| !closes(&value[end + 2..])).unwrap();
    &value[..end]
}

#[test]
fn generated_code_reads_like_the_migrations() {
    let code = check("tests/schema").unwrap().emit();
    // The image differs from one version of SQLite to the next.
    let (before, rest) = code.split_once("static IMAGE: &[u8] = b\"").unwrap();
    let (_, after) = rest.rsplit_once("\";").unwrap();
    insta::assert_snapshot!(
        "generated",
        format!("{before}static IMAGE: &[u8] = b\"…\";{after}").replace(rusqlite::version(), "SQLITE_VERSION")
    );
}

#[test]
fn the_same_files_give_the_same_code() {
    let first = check("tests/schema").unwrap().emit();
    assert_eq!(first, check("tests/schema").unwrap().emit());
    let changed = compile(&[("001_a.sql", "CREATE TABLE a(x)")]).emit();
    assert_ne!(changed, compile(&[("001_a.sql", "CREATE TABLE a(y)")]).emit());
}

#[test]
fn checksums_are_refinerys() {
    let sql = "-- Größe\nCREATE TABLE \"größe\"(x);\n";
    let code = compile(&[("20250131120000_add_size_2.sql", sql)]).emit();
    let theirs = refinery_core::Migration::unapplied("V20250131120000__add_size_2", sql).unwrap();
    let ours = field(&code, "V20250131120000_ADD_SIZE_2", "checksum").replace('_', "");
    assert_eq!(ours, theirs.checksum().to_string());
}

#[test]
fn a_windows_checkout_compiles_to_the_same_code() {
    let unix = [
        ("1_a.sql", "-- ä\nCREATE TABLE a(x);\n\nCREATE INDEX i ON a(x);\n"),
        ("queries/q.sql", "-- bootproof: index i\n-- bootproof: budget 1 ms\nSELECT x\nFROM a WHERE x = :x;\n"),
    ];
    let windows = unix.map(|(name, text)| (name, format!("\u{feff}{}", text.replace('\n', "\r\n"))));
    let windows = windows.each_ref().map(|(name, text)| (*name, text.as_str()));
    assert_eq!(compile(&unix).emit(), compile(&windows).emit());
    assert_eq!(
        complaints(&[("1_a.sql", "\u{feff}-- ä\r\nCREATE TABLE a(x);\r\n/* ß\r\n */ SELECT 'é', y FROM a;\r\n")]),
        ["1_a.sql:4:17: no such column: y [sqlite]"]
    );
}

#[test]
fn statements_are_split_where_sqlite_splits_them() {
    let sql = "-- first; comment\nCREATE TABLE a(x DEFAULT ';', \"y;\" TEXT);; /* ; */\n\
               CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT ';--'; END;\nSELECT ':x ?', x FROM a -- the end;";
    let code = compile(&[("1_a.sql", sql)]).emit();
    let statements = field(&code, "V1_A", "statements");
    let numbers: Vec<usize> = statements
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap())
        .collect();
    let found: Vec<(&str, usize)> = numbers.chunks(3).map(|n| (&sql[n[0]..n[1]], n[2])).collect();
    assert_eq!(
        found,
        [
            ("CREATE TABLE a(x DEFAULT ';', \"y;\" TEXT);", 2),
            ("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT ';--'; END;", 3),
            ("SELECT ':x ?', x FROM a -- the end;", 4),
        ]
    );
}

#[test]
fn versions_count_as_numbers() {
    let compilation = compile(&[
        ("10_c.sql", "CREATE INDEX i ON a(y)"),
        ("9_b.sql", "ALTER TABLE a ADD COLUMN y"),
        ("008_a.sql", "CREATE TABLE a(x)"),
    ]);
    assert!(compilation.emit().contains("pub const HEAD: i64 = 10;"));
    let warnings: Vec<_> = compilation.warnings().iter().map(|warning| (warning.severity(), warning.rule())).collect();
    assert_eq!(warnings, [(Severity::Warning, "mixed-widths")]);
    let quiet = compile(&[("01_a.sql", "CREATE TABLE a(x)"), ("02_b.sql", "CREATE TABLE b(x)")]);
    assert_eq!(quiet.warnings().iter().count(), 0);
}

#[test]
fn other_files_are_ignored() {
    let compilation = compile(&[
        ("1_a.sql", "CREATE TABLE a(x)"),
        ("README.md", "# Migrations"),
        (".gitkeep", ""),
        (".#1_a.sql", "being edited"),
        ("1_a.sql~", "CREATE TABLE before(x)"),
        ("notes/idea.txt", "…"),
        ("queries/README.md", "# Query contracts"),
    ]);
    assert!(!compilation.emit().contains("BEFORE"));
}

#[test]
fn an_additive_migration_can_be_taken_back() {
    let base = ("1_a.sql", "CREATE TABLE a(x, y); CREATE VIEW before AS SELECT x FROM a;");
    let revert = |sql: &str| {
        let code = compile(&[base, ("2_b.sql", sql)]).emit();
        assert!(code.contains("const V1_A: Migration"));
        assert_eq!(field(&code, "V1_A", "fingerprint").len(), 41);
        field(&code, "V2_B", "revert").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        revert(
            "CREATE TABLE child(a REFERENCES \"the \"\"parent\"\"\"(id)); CREATE TABLE \"the \"\"parent\"\"\"(id PRIMARY KEY, me);
             CREATE TABLE ring_a(x UNIQUE REFERENCES ring_b(x)); CREATE TABLE ring_b(x UNIQUE REFERENCES ring_a(x));
             CREATE INDEX i ON child(a); ALTER TABLE a ADD COLUMN z DEFAULT 1; CREATE VIEW v AS SELECT z FROM a;
             CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT new.z; END; INSERT INTO child DEFAULT VALUES;"
        ),
        "Some(Revert { sql: r#\"DROP VIEW \"v\"; DROP TRIGGER \"t\"; DROP INDEX IF EXISTS \"i\"; \
         ALTER TABLE \"a\" DROP COLUMN \"z\"; DROP TABLE \"child\"; DROP TABLE \"the \"\"parent\"\"\"; DROP TABLE \"ring_a\"; \
         DROP TABLE \"ring_b\"; \"#, file: None, statements: &[ statement(0, 14, 1), statement(15, 32, 2), \
         statement(33, 58, 3), statement(59, 91, 4), statement(92, 111, 5), statement(112, 140, 6), statement(141, 161, 7), \
         statement(162, 182, 8), ], writes: &[\"child\", \"ring_a\", \"ring_b\", \"the \\\"parent\\\"\"], })"
    );
    // Neither what is gone nor what was overwritten comes back; and SQLite drops no column that another is made of.
    for sql in [
        "CREATE TABLE b(x); DROP VIEW before",
        "UPDATE a SET y = 1 WHERE x = 0",
        "CREATE TABLE b(x); INSERT INTO a VALUES (1, 2)",
        "ALTER TABLE a RENAME COLUMN y TO z",
        "DROP VIEW before; CREATE VIEW before AS SELECT y FROM a",
        "ALTER TABLE a ADD COLUMN g; ALTER TABLE a ADD COLUMN z AS (g)",
        "CREATE TABLE new(x, y); INSERT INTO new(x, y) SELECT x, y FROM a; DROP VIEW before; DROP TABLE a;
         ALTER TABLE new RENAME TO a; CREATE VIEW before AS SELECT x FROM a",
    ] {
        assert_eq!(revert(sql), "None", "{sql}");
    }
}

#[test]
fn the_first_migration_is_only_taken_back_by_hand() {
    let up = ("1_a.sql", "CREATE TABLE a(x)");
    assert!(compile(&[up]).emit().contains("revert: None"));
    let code = compile(&[up, ("1_a.down.sql", "DROP TABLE a -- all of it")]).emit();
    let (_, revert) = code.split_once("revert: Some").unwrap();
    assert!(
        revert.contains("DROP TABLE a -- all of it") && revert.contains("file: Some(\"1_a.down.sql\")"),
        "{revert}"
    );
}

/// What the compiler knows of a way back, field by field.
fn way_back(files: &[(&str, &str)], migration: &str) -> (String, String) {
    let code = compile(files).emit();
    let revert = field(&code, migration, "revert").to_owned();
    let value = |name: &str| {
        let (_, value) = revert.split_once(&format!("\n            {name}: ")).unwrap();
        value
            .split_once(",\n        ")
            .map_or(value, |(value, _)| value)
            .trim_end_matches([',', '}', ')', '\n', ' '])
            .to_owned()
    };
    (value("statements"), value("writes"))
}

#[test]
fn a_way_back_is_as_well_known_as_the_way_there() {
    let base = ("1_a.sql", "CREATE TABLE a(x); CREATE TABLE b(y); CREATE TABLE log(n)");
    let writes = |up: &str, down: &str| way_back(&[base, ("2_b.sql", up), ("2_b.down.sql", down)], "V2_B").1;
    assert_eq!(writes("CREATE INDEX i ON a(x)", "DROP INDEX i"), "&[]");
    assert_eq!(writes("UPDATE a SET x = 1 WHERE x = 0", "UPDATE \"A\" SET x = 0"), "&[\"a\"]");
    assert_eq!(
        writes("-- bootproof: allow destroys-data \"nobody reads it\"\nDROP TABLE b", "CREATE TABLE B(y)"),
        "&[\"b\"]"
    );
    assert_eq!(writes("CREATE TABLE c(z)", "DROP TABLE c"), "&[\"c\"]");
    assert_eq!(writes("ALTER TABLE a RENAME TO z", "ALTER TABLE z RENAME TO a"), "&[\"a\", \"z\"]");
    assert_eq!(writes("ALTER TABLE a ADD COLUMN z", "ALTER TABLE a DROP COLUMN z"), "&[]");
    // A trigger of the schema that the script starts from writes, too.
    let up = "CREATE TRIGGER t AFTER DELETE ON a BEGIN INSERT INTO log(n) VALUES (old.x); END";
    assert_eq!(writes(up, "DELETE FROM a WHERE x = 'new'; DROP TRIGGER t"), "&[\"a\", \"log\"]");
    // What comes and goes within the script is neither there before nor afterwards.
    let rebuild = "CREATE TABLE new(x); INSERT INTO new(x) SELECT x FROM a; DROP TABLE a; ALTER TABLE new RENAME TO a";
    assert_eq!(writes("ALTER TABLE a ADD COLUMN z", rebuild), "&[\"a\"]");
    let down = "-- ä; not yet\nDROP INDEX i;\n\n  DROP TABLE c -- the end";
    let files = [base, ("2_b.sql", "CREATE TABLE c(z); CREATE INDEX i ON c(z)"), ("2_b.down.sql", down)];
    let (statements, _) = way_back(&files, "V2_B");
    let (first, second) = (down.find("DROP INDEX").unwrap(), down.find("DROP TABLE").unwrap());
    let expected = format!("&[statement({first}, {}, 2), statement({second}, {}, 4)]", first + 13, down.len());
    assert_eq!(
        statements
            .replace("statement(", " statement(")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("&[ ", "&["),
        expected
    );
}

#[test]
fn an_index_that_is_gone_already_is_no_obstacle_on_the_way_back() {
    let directory = directory(&[
        ("1_a.sql", "CREATE TABLE a(x)"),
        ("2_b.sql", "CREATE INDEX i ON a(x); CREATE INDEX j ON a(x) WHERE x > 0"),
    ]);
    let code = check(directory.path()).unwrap().emit();
    let (_, sql) = field(&code, "V2_B", "revert").split_once("r#\"").unwrap();
    let (sql, _) = sql.split_once("\"#").unwrap();
    let connection = rusqlite::Connection::open(directory.path().join("live.db")).unwrap();
    connection.execute_batch("CREATE TABLE a(x); CREATE INDEX i ON a(x)").unwrap();
    connection.execute_batch(sql).unwrap();
    let left: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'index'", [], |r| r.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_migration_can_wait_for_an_operator() {
    let code = compile(&[
        ("1_a.sql", "CREATE TABLE a(x)"),
        ("2_b.sql", "UPDATE a SET x = x + 1;\n  --bootproof:  maintenance   \" says \"soon\", at {night} \"  \r\n"),
        ("3_c.sql", "-- maintenance \"of another kind\"\n-- see bootproof: maintenance\nDELETE FROM a WHERE x > 1"),
    ])
    .emit();
    assert_eq!(field(&code, "V1_A", "maintenance"), "None");
    assert_eq!(field(&code, "V2_B", "maintenance"), r#"Some("says \"soon\", at {night}")"#);
    assert_eq!(field(&code, "V3_C", "maintenance"), "None");
}

#[test]
fn a_rule_is_broken_on_purpose_with_a_reason() {
    compile(&[
        (
            "1_a.sql",
            "-- bootproof: allow dangling-foreign-key \"the application makes the table\"\n\
             CREATE TABLE a(x REFERENCES elsewhere(x)); CREATE INDEX i ON a(x);",
        ),
        ("2_b.sql", "-- bootproof: allow pragma \"old tools set it too\"\nPRAGMA foreign_keys = OFF;"),
        (
            "3_c.sql",
            "-- bootproof: allow lost-object \"nobody searches by x\"\n-- bootproof: allow dangling-foreign-key \"still so\"\n\
             CREATE TABLE b(x REFERENCES nowhere(x)); INSERT INTO b(x) SELECT x FROM a; DROP TABLE a; ALTER TABLE b RENAME TO a;",
        ),
    ]);
}

#[test]
fn a_table_that_changes_its_name_changes_its_rows() {
    let base = ("1_a.sql", "CREATE TABLE a(x); CREATE TABLE b(y); CREATE TABLE c(z)");
    let writes = |sql: &str| field(&compile(&[base, ("2_b.sql", sql)]).emit(), "V2_B", "writes").to_owned();
    assert_eq!(writes("ALTER TABLE a RENAME TO other"), "&[\"a\", \"other\"]");
    assert_eq!(writes("alter table main.a rename to 'Other' -- name\n;"), "&[\"a\", \"other\"]");
    let swap = "ALTER TABLE a RENAME TO spare; ALTER TABLE b RENAME TO a; ALTER TABLE spare RENAME TO b";
    assert_eq!(writes(swap), "&[\"a\", \"b\"]");
    assert_eq!(
        writes("-- bootproof: allow destroys-data \"nobody reads it\"\nDROP TABLE a; CREATE TABLE fresh(x)"),
        "&[\"a\"]"
    );
    assert_eq!(writes("ALTER TABLE a RENAME COLUMN x TO b"), "&[]");
}

#[test]
fn only_copies_that_depend_on_the_order_of_columns_are_refused() {
    let base = "CREATE TABLE a(x, y); CREATE TABLE b(x, y); CREATE TABLE log(n);";
    let rules = |sql: &str| complaints(&[("1_a.sql", &format!("{base}\n{sql}"))]);
    for sql in [
        "INSERT INTO a VALUES (1, 2)",
        "INSERT INTO a DEFAULT VALUES",
        "INSERT INTO a VALUES ((SELECT x FROM b), 2)",
        "INSERT INTO a(x, y) SELECT x, y * 2 FROM b",
        "INSERT INTO log(n) SELECT count(*) FROM a",
        "WITH c AS (SELECT * FROM b) INSERT INTO a(x, y) SELECT x, y FROM c",
        "INSERT INTO a(x, y) SELECT replace(x, 'into', 'select *'), y FROM (SELECT * FROM b)",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO log(n) SELECT new.x; SELECT * FROM log; END",
    ] {
        compile(&[("1_a.sql", &format!("{base}\n{sql}"))]);
    }
    for (sql, column) in [
        ("INSERT INTO a SELECT x, y FROM b", 13),
        ("INSERT INTO main.a AS t WITH c AS (SELECT 1 AS x) SELECT x, x FROM c", 18),
        ("REPLACE INTO a SELECT x, y FROM b", 14),
        ("INSERT OR IGNORE INTO \"a\"(x, y) SELECT b.* FROM b", 24),
        ("WITH c AS (SELECT x, y FROM b) INSERT INTO a(x, y) SELECT * FROM c", 44),
        ("INSERT INTO log(n) SELECT 1 FROM a UNION SELECT * FROM log", 13),
        ("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; INSERT INTO b SELECT new.x, new.y; END", 64),
    ] {
        let found = rules(sql);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(found[0].starts_with(&format!("1_a.sql:2:{column}: the copy into ")), "{sql}: {found:?}");
    }
    compile(&[(
        "1_a.sql",
        &format!("-- bootproof: allow positional-copy \"b was made above\"\n{base} INSERT INTO a SELECT * FROM b"),
    )]);
}

#[test]
fn a_double_quoted_text_is_never_data() {
    let sql = "CREATE TABLE a(x, y); CREATE INDEX i ON a(\"z\");";
    assert_eq!(complaints(&[("1_a.sql", sql)]).len(), 1);
}

#[test]
fn a_contract_counts_from_the_version_whose_index_is_the_one_at_head() {
    let code = compile(&[
        ("1_a.sql", "CREATE TABLE a(x, y); CREATE INDEX i ON a(y);"),
        ("2_b.sql", "DROP INDEX i; CREATE INDEX i ON a(x);"),
        ("3_c.sql", "CREATE TABLE b(x)"),
        ("queries/q.sql", "-- bootproof: index i\n-- bootproof: budget 1 ms\nSELECT y FROM a WHERE x = :x"),
    ])
    .emit();
    assert!(code.contains("since: 2,"));
}

#[test]
fn what_a_migration_does_to_a_column_is_done_to_its_field() {
    let query =
        "-- bootproof: index i\n-- bootproof: budget 1 ms\nSELECT placed AS day, note FROM a WHERE placed = :day";
    let compiled = |sql: &str, query: &str| {
        let table = "CREATE TABLE a(placed TEXT NOT NULL, note TEXT); CREATE INDEX i ON a(placed);";
        compile(&[("1_a.sql", table), ("2_b.sql", sql), ("queries/q.sql", query)]).emit()
    };
    let before = compiled("CREATE TABLE b(x)", query);
    assert!(before.contains("pub day: &'a str,") && before.contains("pub day: String,"), "{before}");
    assert!(before.contains("pub note: Option<String>,"));

    let retyped = "-- bootproof: allow destroys-data \"there are no rows\"\nDROP TABLE a; \
                   CREATE TABLE a(placed INTEGER, note TEXT NOT NULL); CREATE INDEX i ON a(placed);";
    let after = compiled(retyped, query);
    assert!(after.contains("pub day: i64,") && after.contains("pub day: Option<i64>,"), "{after}");
    assert!(after.contains("pub note: String,"));

    // The contract has to follow, and with it every line that names the field.
    let renamed = "ALTER TABLE a RENAME COLUMN note TO remark";
    let files = [("1_a.sql", "CREATE TABLE a(placed TEXT NOT NULL, note TEXT); CREATE INDEX i ON a(placed);")];
    let stale = complaints(&[files[0], ("2_b.sql", renamed), ("queries/q.sql", query)]);
    assert_eq!(stale, ["queries/q.sql:3:23: no such column: note [sqlite]"]);
    let after = compiled(renamed, &query.replace("note", "remark"));
    assert!(after.contains("pub remark: Option<String>,") && !after.contains("pub note:"), "{after}");
}

#[test]
fn the_image_is_an_empty_database_at_head() {
    let directory = directory(&[(
        "1_a.sql",
        "-- bootproof: allow pragma \"to see that it has no effect\"\n\
         CREATE TABLE a(x); INSERT INTO a VALUES ('seed'); PRAGMA page_size = 8192;",
    )]);
    let compilation = check(directory.path()).unwrap();
    let image = compilation.image();
    assert_eq!(&image[..16], b"SQLite format 3\0");
    assert_eq!(u16::from_be_bytes([image[16], image[17]]), 4096);
    let path = directory.path().join("image.db");
    fs::write(&path, image).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let rows = |table: &str| -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("a"), rows("refinery_schema_history"), rows("bootproof_audit")), (1, 0, 0));
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn older_programs_can_go_on_beside_new_indexes_and_what_is_marked() {
    let is_compatible = |sql: &str| {
        let code = compile(&[("001_a.sql", "CREATE TABLE a(x, y); CREATE INDEX i ON a(x)"), ("002_b.sql", sql)]).emit();
        field(&code, "V2_B", "compatible") == "true"
    };
    assert!(is_compatible("CREATE INDEX j ON a(y); ANALYZE;"));
    assert!(is_compatible("DROP INDEX IF EXISTS j; CREATE INDEX j ON a(y) WHERE y > 0;"));
    assert!(is_compatible("CREATE INDEX j ON a(date(y), lower(x) DESC) WHERE NOT (x IN (1, 2)) AND \"x\" > 0;"));
    assert!(!is_compatible("CREATE UNIQUE INDEX j ON a(y);"), "it refuses rows");
    for sql in ["a(json_extract(y, '$.b'))", "a(y->>'$.b')", "a(y) WHERE abs(y) > 1", "a(\"abs\"(y))"] {
        assert!(!is_compatible(&format!("CREATE INDEX j ON {sql};")), "it refuses rows whose {sql} has no result");
    }
    assert!(!is_compatible("DROP INDEX i; CREATE INDEX j ON a(x);"), "an older program would build it again");
    assert!(!is_compatible("CREATE INDEX j ON a(y); UPDATE a SET x = 1 WHERE y = 0;"));
    assert!(!is_compatible("ALTER TABLE a ADD COLUMN z;"), "an INSERT without a list of columns fails");
    assert!(is_compatible("-- bootproof: compatible \"every INSERT lists its columns\"\nALTER TABLE a ADD COLUMN z;"));
}

#[test]
fn a_step_in_rust_is_emitted_with_what_it_writes_and_its_name_as_a_constant() {
    let tables = "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, twice TEXT AS (email || email));
                  CREATE TABLE changes(what TEXT); CREATE TABLE others(a);
                  CREATE TRIGGER t AFTER UPDATE OF email ON users BEGIN INSERT INTO changes VALUES ('x'); END;";
    let step = "-- bootproof: rust hash_emails \"no such function\"\n-- bootproof: writes Users\n";
    let compilation = compile(&[("001_a.sql", tables), ("002_hash.sql", step)]);
    let code = compilation.emit();
    let declared = "RustStep {\n            name: \"hash_emails\",\n            line: 1,\n            \
                    writes: &[\"changes\", \"users\"],\n        }";
    assert!(field(&code, "V2_HASH", "step").contains(declared), "{code}");
    assert_eq!(field(&code, "V2_HASH", "writes"), "&[\"changes\", \"users\"]");
    assert_eq!(field(&code, "V2_HASH", "revert"), "None");
    assert_eq!(field(&code, "V1_A", "step"), "None");
    assert!(code.contains("pub mod step {") && code.contains("pub const HASH_EMAILS: &str = \"hash_emails\";"));
    assert!(!compile(&[("001_a.sql", tables)]).emit().contains("pub mod step"));
}

#[test]
fn what_runs_outside_the_transaction_says_why_and_has_no_derived_way_back() {
    let outside =
        "-- bootproof: no-transaction \"larger pages\"\nPRAGMA page_size = 8192;\nVACUUM;\nCREATE TABLE b(x);\n";
    let compilation = compile(&[("001_a.sql", "CREATE TABLE a(x);"), ("002_pages.sql", outside)]);
    assert_eq!(compilation.warnings().iter().count(), 0);
    let code = compilation.emit();
    assert_eq!(field(&code, "V2_PAGES", "no_transaction"), "Some(\"larger pages\")");
    assert_eq!(field(&code, "V2_PAGES", "revert"), "None");
    assert_eq!(field(&code, "V1_A", "no_transaction"), "None");

    let needless = "-- bootproof: no-transaction \"because\"\nCREATE TABLE b(x);\n";
    let compilation = compile(&[("001_a.sql", "CREATE TABLE a(x);"), ("002_b.sql", needless)]);
    let warnings: Vec<_> = compilation.warnings().iter().map(|warning| (warning.rule(), warning.line())).collect();
    assert_eq!(warnings, [("no-transaction", Some(1))]);
}

#[test]
fn what_another_tool_runs_outside_a_transaction_runs_inside_where_it_can() {
    let table = "-- +goose Up\nCREATE TABLE a(x);\n-- +goose Down\nDROP TABLE a;\n";
    let compiled = |statements: &str| {
        let file = format!("-- +goose NO TRANSACTION\n-- +goose Up\n{statements}\n-- +goose Down\nSELECT 1;\n");
        compile(&[("00001_a.sql", table), ("00002_b.sql", &file)])
    };
    let outside = compiled("PRAGMA page_size = 8192;\nVACUUM;");
    let code = outside.emit();
    let why = "Some(\"goose runs this file outside a transaction\")";
    assert_eq!(field(&code, "V2_B", "no_transaction"), why);
    assert!(outside.warnings().iter().all(|warning| warning.rule() != "no-transaction"));

    let inside = compiled("CREATE TABLE b(x);");
    assert_eq!(field(&inside.emit(), "V2_B", "no_transaction"), "None");
    assert!(inside.warnings().iter().any(|warning| warning.rule() == "no-transaction"));
}

#[test]
fn what_is_found_is_told_file_by_file_from_top_to_bottom() {
    let lines = complaints(&[
        (
            "9_a.sql",
            "-- bootproof: allow destroys-data \"nothing is destroyed\"\nCREATE TABLE a(id INTEGER PRIMARY KEY, n TEXT);\n\
             CREATE INDEX IF NOT EXISTS by_n ON a(n);\n",
        ),
        (
            "10_b.sql",
            "-- bootproof: allow lost-object \"nothing is lost\"\n\
             CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES c(id));\n\
             CREATE INDEX IF NOT EXISTS by_a ON b(a);\n",
        ),
        ("10_b.down.sql", "-- bootproof: allow lost-object \"nothing is lost\"\nDROP TABLE b;\n"),
        ("queries/a.sql", "-- bootproof: index by_none\n-- bootproof: budget 10 ms\nSELECT id FROM a WHERE n = :n\n"),
    ]);
    let places: Vec<(String, usize, usize)> = lines
        .iter()
        .map(|line| {
            let mut parts = line.splitn(4, ':');
            let mut next = || parts.next().unwrap_or_default().to_owned();
            (next(), next().parse().unwrap_or(1), next().parse().unwrap_or(1))
        })
        .collect();
    let files = ["9_a.sql", "10_b.sql", "10_b.down.sql", "queries/a.sql"];
    let key = |(file, line, column): &(String, usize, usize)| {
        (files.iter().position(|known| known == file).unwrap(), *line, *column)
    };
    assert!(places.is_sorted_by_key(key), "{lines:#?}");
    // Of every file something, and of the first what its last statement and its first line are found guilty of.
    assert!(files.iter().all(|file| places.iter().any(|(found, ..)| found == file)), "{lines:#?}");
    assert!(lines[0].contains("[unused-allow]") && lines[1].contains("[if-not-exists]"), "{lines:#?}");
}
