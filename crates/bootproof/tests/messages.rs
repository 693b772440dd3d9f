//! Every message an operator can meet, as a reviewed snapshot.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use bootproof::{
    AppliedMigration, BackupReport, BootReport, Check, CheckName, Difference, Error, ErrorReport, HeldMigration,
    Milliseconds, NewerMigration, Outcome, PlanStep, QueryReport, StepReport, Timing, Verdict,
};

fn text(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

fn missing(message: &str) -> Vec<Difference> {
    vec![Difference::missing("", message)]
}

fn foreign_keys(violation: &str, total: usize, are_new: bool) -> Error {
    Error::ForeignKeys { violations: text(violation), total, are_new }
}

/// One of each.
fn errors() -> Vec<Error> {
    vec![
        Error::Locked { waited: Duration::from_mins(5), holders: text("process 4711 (dashboard)") },
        Error::Locked { waited: Duration::from_millis(500), holders: Vec::new() },
        Error::InUse { holders: text("process 4711 (dashboard)") },
        Error::Moved,
        Error::Divergent { migrations: text("001_add_composite_indexes was applied under the name `other`") },
        Error::Missing { migrations: text("3 later was applied, and this binary does not have it") },
        Error::BelowBaseline { version: 7, baseline: "040_baseline", last: "040_add_tags".to_owned() },
        Error::Newer { version: 3, head: 2, obstacle: "003_later".to_owned() },
        // The page of errors has one entry for both.
        Error::BackupUnfit {
            backup: PathBuf::from("w.db.backup-20260210_093000"),
            reason: Box::new(Error::Newer { version: 3, head: 2, obstacle: "003_later".to_owned() }),
        },
        Error::Malformed { table: "refinery_schema_history", problems: text("version is NULL, not an integer") },
        Error::NotAdoptable { baseline: "000_baseline", differences: missing("table `companies` is missing") },
        Error::HalfMigrated {
            tool: "golang-migrate",
            table: "schema_migrations",
            migrations: text("3: the history is dirty: a migration failed midway"),
        },
        Error::NotTakenOver {
            tool: "sqlx",
            version: 3,
            migration: "3_add_index",
            differences: missing("table `companies` is missing"),
        },
        Error::Drifted { differences: missing("column `logs.duration_ms` is missing") },
        Error::Behind { work: text("migration 002_add_company_day_index is pending") },
        Error::Unrepaired { version: 2, work: text("index `by_day` is missing") },
        Error::Incompatible { doing: "counting rows", message: "no such function: tax".to_owned() },
        Error::SourcesDisagree { files: text("`001_a.sql` differs from what was compiled") },
        Error::MigrationFailed {
            migration: "001_add_composite_indexes",
            file: "001_add_composite_indexes.sql",
            line: 14,
            statement: 2,
            statements: 8,
            message: "non-deterministic use of date() in an index".to_owned(),
            notes: text("3 rows of `worklogs` have `started` = 'now'"),
        },
        Error::StepsMissing { steps: text("004_hash_emails calls `hash_emails`") },
        Error::StepFailed {
            migration: "004_hash_emails",
            file: "004_hash_emails.sql",
            line: 2,
            step: "hash_emails",
            message: "user 7 has no email".to_owned(),
        },
        Error::NotAlone { migration: "005_page_size", message: "backups are switched off" },
        Error::RepairFailed { index: "idx_users_email".to_owned(), message: "UNIQUE constraint failed".to_owned() },
        Error::RowCountsChanged { tables: text("`users`: 200 before, 199 after") },
        Error::AdditionsLost { objects: text("column `teams.owner_id` is not part of the compiled schema") },
        Error::ContractBroken { contracts: text("`sync` must use `i`, and the plan is: SCAN worklogs") },
        Error::Integrity { problems: text("row 7 missing from index idx_users_email") },
        foreign_keys("`users` row 7: team_id = 42 has no parent in `teams`", 2, false),
        foreign_keys("`teams` row 1: owner_id = 99 has no parent in `users`", 1, true),
        Error::CommitUncertain { message: "disk I/O error".to_owned() },
        Error::BackupFailed { path: PathBuf::from("w.db.backup-20260210_093000"), message: "disk full".to_owned() },
        Error::ReportUnwritable { path: PathBuf::from("boot.html"), message: "permission denied".to_owned() },
        Error::DiskFull { message: "1.5 MB free in `/data`, about 1.2 GB needed".to_owned() },
        Error::OutOfMemory { doing: "checking the integrity" },
        Error::Storage { action: "opened", message: "`w.db` is not a regular file".to_owned() },
        Error::InTransaction,
        Error::Environment { variable: "BOOTPROOF_BACKUP", value: "no".to_owned(), expected: "`on` or `off`" },
        Error::Cancelled,
        Error::NotRevertable { to: 0, migrations: text("001_a has no revert: it changes more than it adds") },
        Error::RevertFailed {
            migration: "001_add_composite_indexes",
            place: "001_add_composite_indexes.down.sql:3".to_owned(),
            statement: 2,
            statements: 5,
            message: "no such index: idx_a".to_owned(),
        },
        Error::NoSuchVersion { version: 7, reason: "is none of this binary's; there are 0, 1, 2".to_owned() },
        Error::RestoreRefused { backup: PathBuf::from("b.db"), message: "it does not exist".to_owned() },
        Error::DigestDiffers {
            backup: PathBuf::from("w.db.backup-20260210_093000"),
            recorded: "ba78".repeat(16),
            found: "15ad".repeat(16),
        },
        Error::BackupDamaged {
            backup: PathBuf::from("w.db.backup-20260210_093000"),
            problems: text("row 7 missing from index idx_users_email"),
        },
        Error::RestoreInterrupted { backup: PathBuf::from("w.db.backup-20260210_093000"), message: String::new() },
        Error::RestoreInterrupted {
            backup: PathBuf::from("w.db.backup-20260210_093000"),
            message: "disk I/O error".to_owned(),
        },
        Error::BackupNotRemoved {
            path: PathBuf::from("w.db.backup-20260210_093000"),
            message: "permission denied".to_owned(),
        },
        Error::Unexpected { doing: "counting rows", source: rusqlite::Error::QueryReturnedNoRows },
    ]
}

#[test]
fn every_error() {
    let mut listing = String::new();
    for error in errors() {
        writeln!(listing, "{} {}\nerror: {error}\nhint: {}\n", error.exit_code(), error.kind(), error.hint()).unwrap();
    }
    insta::assert_snapshot!(listing);
}

/// The page of errors, as it must stand in `docs/`.
fn page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Every refusal and failure, by exit code: the exit code is the operator's next act. The word after it is `error.kind` in the\n\
         JSON of `--json`. Unless the message says otherwise, the database is as it was before, and no backup is kept.\n\n\
         This page is made from the code; `UPDATE_DOCS=1 cargo test -p bootproof --test messages` writes it anew.\n",
    );
    let mut errors = errors();
    errors.sort_by_key(Error::exit_code);
    let (mut code, mut kind) = (None, None);
    for error in errors {
        if code.replace(error.exit_code()) != Some(error.exit_code()) {
            writeln!(page, "\n## {}: {}", error.exit_code(), next_act(error.exit_code())).unwrap();
        }
        if kind.replace(error.kind()) == Some(error.kind()) {
            continue;
        }
        writeln!(page, "\n### {}\n\n```text\nerror: {error}\n```", error.kind()).unwrap();
        writeln!(page, "\n**Cause:** {}.\n\n**Remedy:** {}.", error.cause(), error.hint()).unwrap();
    }
    page
}

fn next_act(code: u8) -> &'static str {
    match code {
        1 => "report a bug",
        2 => "correct the command or a variable",
        3 => "retry",
        4 => "deploy the right build",
        5 => "correct the rows or the migration",
        6 => "restore a backup, or correct the rows",
        7 => "a person must look",
        8 => "correct the machine",
        130 => "start again when it suits",
        other => panic!("the exit code {other} has no meaning yet"),
    }
}

#[test]
fn the_page_of_errors_tells_the_truth() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "docs/errors.md is not what the code says: UPDATE_DOCS=1 cargo test -p bootproof");
}

/// A report in which everything happened.
fn report() -> BootReport {
    let timing = |median: f64| Timing {
        median_ms: Milliseconds(median),
        p95_ms: Milliseconds(median * 1.5),
        max_ms: Milliseconds(median * 2.0),
        cold_ms: Milliseconds(median * 3.0),
        rows_returned: 637,
        vm_steps: 9_000,
        pages_read: 650,
    };
    let check = |name, outcome, detail: &str| Check {
        name,
        outcome,
        detail: detail.to_owned(),
        duration_ms: Milliseconds(12.345),
    };
    BootReport {
        verdict: Verdict::Ready,
        database: "worklog.db".to_owned(),
        from_version: None,
        to_version: Some(2),
        created: false,
        adopted: true,
        applied: vec![AppliedMigration {
            version: 1,
            name: "add_composite_indexes".to_owned(),
            duration_ms: Milliseconds(5110.0),
        }],
        reverted: Vec::new(),
        held: vec![HeldMigration {
            version: 3,
            name: "multi_tenant_constraints".to_owned(),
            why: "waits for permission: it rebuilds three tables".to_owned(),
        }],
        ahead: vec![NewerMigration { version: 4, name: "add_audit_index".to_owned() }],
        repaired: text("idx_users_email"),
        backup: Some(BackupReport {
            path: PathBuf::from("worklog.db.backup-20260210_093000"),
            bytes: 933_400_000,
            verified: true,
        }),
        checks: vec![
            check(CheckName::Schema, Outcome::Passed, "32 tables as compiled"),
            check(CheckName::RowCounts, Outcome::Skipped, "nothing was migrated"),
        ],
        queries: vec![QueryReport {
            name: "user_worklogs_range",
            expected_index: "idx_worklogs_user_range",
            index_used: Some("idx_worklogs_user_range".to_owned()),
            index_before: Some("idx_worklogs_company".to_owned()),
            budget_ms: Milliseconds(200.0),
            before: Some(timing(114.0)),
            after: Some(timing(1.6)),
            plan_before: Vec::new(),
            plan_after: vec![PlanStep { id: 1, parent: 0, detail: "SEARCH worklogs USING INDEX i".to_owned() }],
        }],
        timeline: vec![StepReport { step: "backing up".to_owned(), duration_ms: Milliseconds(812.0) }],
        notes: text("table `mine` is not part of the compiled schema"),
        error: None,
        duration_ms: Milliseconds(63_100.0),
    }
}

#[test]
fn a_report_for_people() {
    insta::assert_snapshot!(report().to_string());
}

#[test]
fn a_report_for_programs() {
    insta::assert_snapshot!(report().to_json());
}

#[test]
fn a_refusal_for_people() {
    let error = Error::Newer { version: 3, head: 2, obstacle: "003_later".to_owned() };
    let refused = BootReport {
        verdict: Verdict::Refused,
        from_version: Some(3),
        to_version: Some(3),
        error: Some(ErrorReport::of(&error)),
        backup: None,
        applied: Vec::new(),
        repaired: Vec::new(),
        queries: Vec::new(),
        ..report()
    };
    insta::assert_snapshot!(refused.to_string());
}
