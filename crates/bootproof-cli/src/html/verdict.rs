//! The head of the page: what came out, in words; after a refusal what to do, before anything else.

use bootproof::{BootReport, ErrorReport, Outcome, Verdict};
use maud::{Markup, html};

use super::{Page, moment, summary, text};

/// The verdict in a line.
pub(super) fn headline(report: &BootReport) -> String {
    let at = report.to_version.map_or_else(String::new, |version| format!(" at version {version}"));
    match report.verdict {
        Verdict::Ready => format!("Ready{at}"),
        Verdict::Degraded => format!("Degraded{at}"),
        Verdict::Refused => "Refused".to_owned(),
    }
}

pub(super) fn head(page: &Page<'_>) -> Markup {
    let report = page.report;
    let (mark, lead) = match report.verdict {
        Verdict::Ready => ("✓", "The database is proven to be what the program needs."),
        Verdict::Degraded => ("!", "The database is correct and can be used; a hot query is slower than agreed."),
        Verdict::Refused => ("✕", "The database is not proven to be what the program needs."),
    };
    html! {
        header {
            p class="eyebrow" { (page.schema_name) " · database report" }
            div class="verdict" {
                span class="mark" aria-hidden="true" { (mark) }
                div {
                    h1 { (headline(report)) }
                    p { (lead) }
                }
            }
            @if let Some(error) = &report.error { (refusal(report, error)) }
            @if report.verdict == Verdict::Degraded { (degradation(report)) }
            (facts(page))
            @if let Some(summary) = summary::paragraph(report) { p class="summary" { (summary) } }
        }
    }
}

/// What happened, how the database is now, what to do.
fn refusal(report: &BootReport, error: &ErrorReport) -> Markup {
    let (first, rest) = error.message.split_once('\n').unwrap_or((&error.message, ""));
    let rest = without_margin(rest);
    html! {
        section class="reason" aria-labelledby="reason-title" {
            h2 id="reason-title" { "Why" }
            p class="message" { (text::sentence(first)) }
            @if !rest.is_empty() { pre tabindex="0" role="region" aria-label="The rest of the message" { (rest) } }
            dl {
                dt { "The database now" }
                dd { (text::sentence(&report.state())) }
                dt { "What to do" }
                dd { strong { (text::sentence(error.hint)) } }
                dt { "For programs" }
                dd { "exit code " (error.code) ", " code { (error.kind) } }
            }
        }
    }
}

/// The lines without the indentation they have in common.
fn without_margin(text: &str) -> String {
    let margin = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let common = text.lines().filter(|line| !line.trim().is_empty()).map(margin).min().unwrap_or_default();
    let lines: Vec<_> = text.lines().map(|line| line.get(common..).unwrap_or_default()).collect();
    lines.join("\n")
}

fn degradation(report: &BootReport) -> Markup {
    let failed: Vec<_> = report.checks.iter().filter(|check| check.outcome == Outcome::Failed).collect();
    html! {
        @if !failed.is_empty() {
            section class="reason" aria-labelledby="reason-title" {
                h2 id="reason-title" { "Why" }
                @for check in failed { p class="message" { (text::sentence(&check.detail)) } }
            }
        }
    }
}

fn facts(page: &Page<'_>) -> Markup {
    let report = page.report;
    html! {
        dl class="facts" {
            div { dt { "Database" } dd { (text::name(&report.database)) } }
            div { dt { "Version" } dd { (versions(report)) } }
            div { dt { "When" } dd { (moment(page.generated_at)) } }
            div { dt { "Took" } dd { (text::time(report.duration_ms)) } }
        }
    }
}

/// From which version to which.
fn versions(report: &BootReport) -> Markup {
    let word = |version: Option<i64>| version.map_or_else(|| "unmanaged".to_owned(), |version| version.to_string());
    let to = word(report.to_version);
    html! {
        @if report.verdict == Verdict::Refused {
            @match report.to_version { Some(version) => (version), None => "unknown or unmanaged" }
        } @else if report.created {
            "new → " (to)
        } @else if report.from_version == report.to_version {
            (to) ", as before"
        } @else {
            (word(report.from_version)) " → " (to)
        }
    }
}
