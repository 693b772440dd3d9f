//! The page as a whole.

use std::path::PathBuf;

use bootproof::{
    AppliedMigration, BackupReport, BootReport, Check, CheckName, ErrorReport, HeldMigration, Milliseconds,
    NewerMigration, Outcome, PlanStep, QueryReport, StepReport, Timing, Verdict,
};
use log::Level;

use super::{ObjectKind, ObjectSize, Page, STYLE, render, write};
use crate::logging::LogLine;

/// What somebody may call a table who means harm.
const HOSTILE: &str = "</style><script>alert(\"1\")</script> & 'x' `<img src=x onerror=alert(1)>` \u{1b}[31m\u{202e}";

fn page(report: &BootReport) -> Page<'_> {
    Page {
        report,
        schema_name: "worklog",
        build: "worklog-schema 1.0.0",
        generated_at: "2025-12-31T12:00:05Z",
        sizes: &[],
        log: &[],
    }
}

fn check(name: CheckName, outcome: Outcome, detail: &str) -> Check {
    Check { name, outcome, detail: detail.to_owned(), duration_ms: Milliseconds(12.5) }
}

fn step(step: &str, duration_ms: f64) -> StepReport {
    StepReport { step: step.to_owned(), duration_ms: Milliseconds(duration_ms) }
}

fn timing(median_ms: f64, vm_steps: u64) -> Timing {
    Timing {
        median_ms: Milliseconds(median_ms),
        p95_ms: Milliseconds(median_ms * 1.5),
        max_ms: Milliseconds(median_ms * 2.0),
        cold_ms: Milliseconds(median_ms * 1.25),
        rows_returned: 985,
        vm_steps,
        pages_read: vm_steps / 100,
    }
}

fn plan(steps: &[(i64, i64, &str)]) -> Vec<PlanStep> {
    let step =
        |(id, parent, detail): &(i64, i64, &str)| PlanStep { id: *id, parent: *parent, detail: (*detail).into() };
    steps.iter().map(step).collect()
}

fn query(name: &'static str, before_ms: f64, after_ms: f64) -> QueryReport {
    QueryReport {
        name,
        expected_index: "idx_worklogs_instance_range",
        index_used: Some("idx_worklogs_instance_range".to_owned()),
        index_before: None,
        budget_ms: Milliseconds(100.0),
        before: Some(timing(before_ms, 550_428)),
        after: Some(timing(after_ms, 11_837)),
        plan_before: plan(&[(3, 0, "SCAN worklogs"), (9, 0, "USE TEMP B-TREE FOR ORDER BY")]),
        plan_after: plan(&[
            (3, 0, "SEARCH worklogs USING INDEX idx_worklogs_instance_range (company_id=? AND <expr>>?)"),
            (7, 0, "LIST SUBQUERY 1"),
            (9, 7, "SCAN json_each VIRTUAL TABLE INDEX 1:"),
        ]),
    }
}

fn migration(version: i64, name: &str) -> AppliedMigration {
    AppliedMigration { version, name: name.to_owned(), duration_ms: Milliseconds(406.0) }
}

/// A boot of which every part has something to show.
fn complete() -> BootReport {
    BootReport {
        verdict: Verdict::Ready,
        from_version: Some(0),
        to_version: Some(2),
        applied: vec![migration(1, "add_composite_indexes"), migration(2, "add_company_day_index")],
        held: vec![HeldMigration {
            version: 3,
            name: "shrink".to_owned(),
            why: "waits for `--maintenance`".to_owned(),
        }],
        ahead: vec![NewerMigration { version: 4, name: "add_audit_index".to_owned() }],
        repaired: vec!["idx_worklogs_started_date".to_owned()],
        backup: Some(BackupReport {
            path: PathBuf::from("/srv/worklog.db.backup-20251231_120000"),
            bytes: 96_800_000,
            verified: true,
        }),
        checks: vec![
            check(CheckName::Schema, Outcome::Passed, "34 tables as compiled"),
            check(CheckName::ForeignKeys, Outcome::Skipped, "not asked for"),
            check(CheckName::QueryPlans, Outcome::Passed, "2 queries use their index"),
        ],
        queries: vec![query("instance_sync", 114.0, 1.6), query("recent_logs", 0.026, 0.047)],
        timeline: vec![step("checking the integrity", 3_200.0), step("committing", 120.0), step("counting rows", 0.4)],
        notes: vec!["table `generic_issues` is not part of the compiled schema".to_owned()],
        duration_ms: Milliseconds(3_500.0),
        ..BootReport::new("/srv/worklog.db".to_owned())
    }
}

fn refusal() -> BootReport {
    BootReport {
        from_version: Some(1),
        to_version: Some(1),
        checks: vec![check(CheckName::Integrity, Outcome::Passed, "every page and index entry is sound")],
        error: Some(ErrorReport {
            code: 6,
            kind: "foreign_keys",
            message: "2 rows violate a foreign key\n    `a` row 1\n      of `b`".to_owned(),
            hint: "correct or delete those rows",
        }),
        duration_ms: Milliseconds(36.6),
        ..BootReport::new("/srv/worklog.db".to_owned())
    }
}

/// The largest table, its index and more small tables than are shown at once.
fn sizes(name: &str) -> Vec<ObjectSize> {
    let size = |name: String, kind, rows, bytes| ObjectSize { name, kind, table: "worklogs".to_owned(), rows, bytes };
    let mut sizes = vec![
        size("idx_worklogs_started_date".to_owned(), ObjectKind::Index, None, 1_900_000),
        size(name.to_owned(), ObjectKind::Table, Some(100_000), 73_600_000),
    ];
    sizes.extend((1..=14).map(|number| size(format!("small_{number:02}"), ObjectKind::Table, Some(0), 4_096)));
    sizes
}

fn log(text: &str) -> Vec<LogLine> {
    let line = |level| LogLine { at: "12:00:02.113".to_owned(), level, text: text.to_owned() };
    [Level::Info, Level::Warn, Level::Warn, Level::Debug].map(line).into()
}

/// The markup without the style, which would bury it.
fn markup(html: &str) -> String {
    html.replace(STYLE, "\n").replace("><", ">\n<")
}

/// What the page is, to a program that reads HTML: every element that is opened is closed, in order, and every attribute
/// is quoted.
fn assert_well_formed(html: &str) {
    const VOID: [&str; 2] = ["meta", "wbr"];
    let body = html.strip_prefix("<!DOCTYPE html>").unwrap().replace(STYLE, "");
    let (mut open, mut rest) = (Vec::new(), body.as_str());
    while let Some((text, tail)) = rest.split_once('<') {
        assert!(!text.contains('>'), "a stray `>` in {text:?}");
        let (tag, tail) = tail.split_once('>').unwrap();
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "before {:?}", &rest[..rest.len().min(80)]);
            continue;
        }
        let name = tag.split(' ').next().unwrap();
        let unquoted: String = tag.split('"').step_by(2).collect();
        let is_markup = |letter: char| letter.is_ascii_alphanumeric() || " -=".contains(letter);
        assert!(tag.matches('"').count().is_multiple_of(2) && unquoted.chars().all(is_markup), "{tag:?}");
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?}, {rest:?}");
}

/// Everything there is, with one text in the place of every string that is not the program's own.
fn filled_with(text: &'static str) -> String {
    let mut report = complete();
    report.verdict = Verdict::Degraded;
    report.database = text.to_owned();
    report.applied = vec![migration(1, text)];
    report.reverted = vec![migration(1, text)];
    report.held = vec![HeldMigration { version: 2, name: text.to_owned(), why: text.to_owned() }];
    report.repaired = vec![text.to_owned()];
    report.backup = Some(BackupReport { path: PathBuf::from(text), bytes: 1, verified: false });
    report.checks = vec![check(CheckName::QueryPlans, Outcome::Failed, text)];
    let mut slow = query(text, 1.0, 900.0);
    (slow.expected_index, slow.index_used, slow.index_before) = (text, Some(format!("{text}2")), Some(text.to_owned()));
    (slow.plan_before, slow.plan_after) = (plan(&[(1, 0, text)]), plan(&[(1, 0, "SCAN t"), (2, 1, text)]));
    report.queries = vec![slow];
    report.timeline = vec![step(text, 100.0)];
    report.notes = vec![text.to_owned()];
    report.error = Some(ErrorReport { code: 1, kind: text, message: format!("{text}\n{text}"), hint: text });
    let (mut sizes, mut log) = (sizes(text), log(text));
    sizes[0].table = text.to_owned();
    log[0].at = text.to_owned();
    render(&Page { schema_name: text, build: text, generated_at: text, sizes: &sizes, log: &log, report: &report })
}

#[test]
fn a_complete_page() {
    let report = complete();
    let html = render(&Page { sizes: &sizes("worklogs"), log: &log("going on"), ..page(&report) });
    assert_well_formed(&html);
    insta::assert_snapshot!("complete", markup(&html));
}

#[test]
fn the_page_is_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, html) = (directory.path().join("boot.html"), render(&page(&complete())));
    write(&path, &html, None).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), html);
}

#[test]
fn a_refusal_says_first_what_happened_and_what_to_do() {
    let html = render(&page(&refusal()));
    assert_well_formed(&html);
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text:?} in {html}"));
    let order =
        ["Refused</h1>", "2 rows violate", "unchanged at version 1", "Correct or delete", "<dt>Took", "id=\"checks\""];
    assert!(order.map(place).is_sorted());
    insta::assert_snapshot!("refusal", markup(&html));
}

#[test]
fn whatever_a_thing_is_called_the_page_stays_a_page() {
    let (hostile, harmless) = (filled_with(HOSTILE), filled_with("name"));
    assert_well_formed(&hostile);
    // Not one element or attribute more than with a harmless name, but for names that may be broken or are code.
    for tag in ["<script", "<img", "</script", "</style"] {
        assert_eq!(hostile.matches(tag).count(), harmless.matches(tag).count(), "{tag}");
    }
    assert!(hostile.matches("&lt;script&gt;").count() > 30);
    assert!(hostile.matches("&quot;").count() > 30 && hostile.contains("&amp; 'x'"));
    assert!(!hostile.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn nothing_is_loaded_or_run() {
    let report = complete();
    let html = render(&Page { sizes: &sizes("worklogs"), log: &log("going on"), ..page(&report) });
    for way_out in
        ["http:", "https:", "//", "src=", "href=\"h", "url(", "@import", "<script", "<link", "<iframe", " on"]
    {
        // Attributes of events begin with ` on`; the words of the page do too, and are followed by other things.
        let found = html.match_indices(way_out).filter(|(at, _)| way_out != " on" || is_attribute(&html[at + 1..]));
        assert_eq!(found.count(), 0, "{way_out}");
    }
    assert!(html.contains("default-src 'none'"));
}

fn is_attribute(text: &str) -> bool {
    text.find(|letter: char| !letter.is_ascii_alphabetic()).is_some_and(|end| text[end..].starts_with("=\""))
}

#[test]
fn a_part_without_data_is_left_out_heading_and_all() {
    let bare = BootReport { verdict: Verdict::Ready, ..BootReport::new("worklog.db".to_owned()) };
    let html = render(&page(&bare));
    assert_well_formed(&html);
    assert_eq!(
        (html.matches("<h2").count(), html.matches("<section").count(), html.matches("<nav").count()),
        (0, 0, 0)
    );

    let report = complete();
    let all = Page { sizes: &sizes("worklogs"), log: &log("going on"), ..page(&report) };
    let sections = ["changes", "checks", "queries", "figures", "plans", "timeline", "sizes", "notes", "log"];
    let shown = |html: &str| sections.map(|section| html.contains(&format!("<section id=\"{section}\"")));
    assert_eq!(shown(&render(&all)), [true; 9]);

    let untimed = |query| QueryReport { before: None, after: None, ..query };
    let queries: Vec<_> = report.queries.iter().cloned().map(untimed).collect();
    let verified = BootReport { queries, ..report.clone() };
    let html = render(&Page { report: &verified, sizes: &[], log: &[], ..all });
    assert_eq!(shown(&html), [true, true, false, false, true, true, false, true, false]);
    let navigation = html.split_once("</nav>").unwrap().0;
    assert!(!navigation.contains("#queries") && navigation.contains("#plans"));
}

#[test]
fn what_is_over_its_budget_or_slower_is_said_in_words() {
    let mut report = complete();
    report.queries = vec![query("instance_sync", 50.0, 130.0), query("recent_logs", 90.0, 3.0)];
    let html = render(&page(&report));
    assert!(html.contains("Of 2 hot queries timed, <code>instance_<wbr>sync</code> is over budget."));
    assert!(html.contains("Slower than before: <code>instance_<wbr>sync</code> (from 50.0 ms to 130 ms)."));
    assert!(html.contains("before 50.0 ms, after 130 ms, budget 100 ms, exceeded"));
    assert!(html.contains("130 ms · over"));
}
