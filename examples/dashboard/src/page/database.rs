//! `/admin/database`: what the boot proved, and how the database has been since.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bootproof::figure::{bytes, duration, float, grouped, percent, to_the_second};
use bootproof::inspect::Health;
use bootproof::{BootReport, Outcome, QueryReport, Timing, Verdict};
use bootproof_monitor::{Alert, Diagnosis, Severity};
use maud::{Markup, html};

use super::latency::latency;
use super::{Place, bar, nothing, page, problem};
use crate::app::App;

/// The largest indexes; the others are small.
const INDEXES: usize = 20;

pub(crate) async fn answer(State(app): State<Arc<App>>) -> Response {
    let content = Arc::clone(&app).tell(|app| {
        let diagnosis = app.checkup.latest().map_err(|failure| {
            log::error!("the health of the database cannot be measured: {failure}");
            crate::routes::Fault::Internal
        })?;
        let mut alerts = diagnosis.alerts.clone();
        alerts.extend(app.monitor.alerts());
        Ok(html! {
            h1 { "Database" }
            (verdict(&app.boot))
            (facts(app, &diagnosis.health))
            (alert_list(&alerts))
            (notes(&app.boot))
            (latency(&app.monitor.queries()))
            (before_and_after(&app.boot))
            div.columns { (checks(&app.boot)) (timeline(&app.boot)) }
            (boots(&diagnosis.health))
            (sizes(&diagnosis))
        })
    });
    match content.await {
        Ok(content) => page(&app, StatusCode::OK, Place::Database, &content),
        Err(fault) => page(&app, fault.status(), Place::Database, &problem(&fault)),
    }
}

fn verdict(boot: &BootReport) -> Markup {
    let version = boot.to_version.map_or_else(String::new, |version| format!(" at version {version}"));
    let (class, mark, word, why) = match boot.verdict {
        Verdict::Degraded => (
            "degraded",
            "!",
            "Degraded",
            "It is correct and served; a hot query misses its index. The checks below say which.",
        ),
        Verdict::Ready | Verdict::Refused => (
            "ready",
            "✓",
            "Ready",
            "Schema, indexes, rows, keys, integrity and the plan of every hot query were proven when this process started.",
        ),
    };
    html! {
        div.verdict.(class) {
            div.mark aria-hidden="true" { span { (mark) } }
            div { strong { (word) (version) } p { (why) } }
        }
    }
}

fn facts(app: &App, health: &Health) -> Markup {
    let boot = &app.boot;
    let from = match (boot.from_version, boot.created) {
        (_, true) => "new".to_owned(),
        (None, _) => "unmanaged".to_owned(),
        (Some(version), _) => format!("version {version}"),
    };
    let backup = health.last_backup.as_ref().map_or_else(
        || "none beside the database".to_owned(),
        |backup| {
            let age = match backup.age_seconds {
                Some(..60) => ", just made".to_owned(),
                Some(age) => format!(", {} old", duration(float(age))),
                None => String::new(),
            };
            format!("{}{age}", bytes(backup.bytes))
        },
    );
    let facts = [
        ("Booted", to_the_second(&app.started.to_string())),
        ("Boot took", duration(boot.duration_ms.0 / 1e3)),
        ("Found", from),
        ("Size", bytes(health.bytes)),
        ("Journal", health.journal_mode.clone().unwrap_or_default()),
        ("Newest backup", backup),
        ("SQLite", health.sqlite_version.clone()),
    ];
    // Long ones have a line of their own.
    let long = [("Program", &health.binary), ("File", &health.database)];
    html! {
        section.card aria-label="Facts" {
            dl.facts {
                @for (name, value) in &facts { div { dt { (name) } dd { (value) } } }
                @for (name, value) in long { div.wide { dt { (name) } dd { (value) } } }
            }
        }
    }
}

fn alert_list(alerts: &[Alert]) -> Markup {
    html! {
        section aria-labelledby="alerts" {
            h2.hidden #alerts { "Alerts" }
            @if alerts.is_empty() {
                div.notice.good { strong { "No alerts." } " Nothing measured is over its threshold." }
            }
            @for alert in alerts {
                @let (class, word) = match alert.severity { Severity::Critical => ("bad", "Critical"), Severity::Warning => ("warn", "Warning") };
                div.notice.(class) {
                    strong { (word) ": " code { (alert.object) } }
                    p { (alert.message) "." }
                    p.quiet { "What to do: " (alert.remedy) "." }
                }
            }
        }
    }
}

/// What the boot left for a person to decide, or to know.
fn notes(boot: &BootReport) -> Markup {
    html! {
        @if !boot.held.is_empty() || !boot.notes.is_empty() {
            section.card aria-labelledby="notes" {
                h2 #notes { "To know" }
                ul.notes {
                    @for held in &boot.held {
                        li { "Migration " code { (format!("{:03}_{}", held.version, held.name)) } " was not applied: it " (held.why) "." }
                    }
                    @for note in &boot.notes { li { (note) "." } }
                }
            }
        }
    }
}

/// Each query as it was timed around the migration of this boot, its bars as long as the slower of the two.
fn before_and_after(boot: &BootReport) -> Markup {
    let timed: Vec<_> = boot.queries.iter().filter_map(|query| Some((query, query.before?, query.after?))).collect();
    html! {
        section.card aria-labelledby="before-after" {
            h2 #before-after { "Before and after this boot" }
            @if timed.is_empty() {
                (nothing("Nothing was timed.", &html! { "A boot that migrates times every query before and after when it is asked to, as " code { "--demo" } " and " code { "worklog-migrate boot --benchmark" } " do." }))
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="before-after" {
                    table.pair {
                        caption { "The median of each query, timed with parameters sampled from the data. Both bars of a query have one scale." }
                        thead { tr { th scope="col" { "Query" } th scope="col" { "Index" } th.bars scope="col" { "Before and after" } th.number scope="col" { "Before" } th.number scope="col" { "After" } th.number scope="col" { "Change" } } }
                        tbody { @for (query, before, after) in &timed { (pair(query, before, after)) } }
                    }
                }
            }
        }
    }
}

fn pair(query: &QueryReport, before: &Timing, after: &Timing) -> Markup {
    let (before, after) = (before.median_ms.0, after.median_ms.0);
    let slower = before.max(after).max(f64::MIN_POSITIVE);
    let (class, change) = match before / after.max(f64::MIN_POSITIVE) {
        factor if factor >= 1.2 => ("good", format!("{factor:.1}x faster")),
        factor if factor <= 0.8 => ("warn", format!("{:.1}x slower", 1.0 / factor)),
        _ => ("quiet", "as before".to_owned()),
    };
    let was = query.index_before.as_deref().filter(|before| Some(*before) != query.index_used.as_deref());
    html! {
        tr {
            th scope="row" { code { (query.name) } }
            td {
                code { (query.index_used.as_deref().unwrap_or("none")) }
                @if let Some(was) = was { span.under { "was " code { (was) } } }
            }
            td.bars { (bar(before / slower, "before")) (bar(after / slower, "")) }
            td.number { (duration(before / 1e3)) }
            td.number.strong { (duration(after / 1e3)) }
            td.number { span.word.(class) { (change) } }
        }
    }
}

fn checks(boot: &BootReport) -> Markup {
    let rows = html! {
        thead { tr { th scope="col" { "Check" } th scope="col" { "Outcome" } th.number scope="col" { "Took" } } }
        tbody {
            @for check in &boot.checks {
                @let (class, word) = outcome(check.outcome);
                tr {
                    th scope="row" { (check.name.name().replace('_', " ")) span.under { (check.detail) } }
                    td { span.word.(class) { (word) } }
                    td.number { @if check.duration_ms.is_measured() { (duration(check.duration_ms.0 / 1e3)) } }
                }
            }
        }
    };
    table_card("checks", "What this boot proved", "The validations of this boot", &rows)
}

fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Passed => ("good", "✓ passed"),
        Outcome::Failed => ("bad", "✗ failed"),
        Outcome::Skipped => ("quiet", "skipped"),
    }
}

fn timeline(boot: &BootReport) -> Markup {
    let whole = boot.timeline.iter().map(|step| step.duration_ms.0).sum::<f64>().max(f64::MIN_POSITIVE);
    let rows = html! {
        thead {
            tr {
                th scope="col" { "Step" }
                th.bars scope="col" { span.hidden { "Share" } }
                th.number scope="col" { "Took" }
            }
        }
        tbody {
            @for step in &boot.timeline {
                tr {
                    th scope="row" { (step.step) }
                    td.bars { (bar(step.duration_ms.0 / whole, "")) }
                    td.number { (duration(step.duration_ms.0 / 1e3)) }
                }
            }
        }
    };
    table_card("timeline", "Where its time went", "The steps of this boot", &rows)
}

/// A card that is one table, with a caption for those who hear it.
fn table_card(id: &str, title: &str, caption: &str, rows: &Markup) -> Markup {
    html! {
        section.card aria-labelledby=(id) {
            h2 id=(id) { (title) }
            div.scroll tabindex="0" role="region" aria-labelledby=(id) {
                table {
                    caption.hidden { (caption) }
                    (rows)
                }
            }
        }
    }
}

fn boots(health: &Health) -> Markup {
    let version = |version: Option<i64>| version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    html! {
        section.card aria-labelledby="boots" {
            h2 #boots { "Boots that changed the database" }
            @if health.boots.is_empty() {
                (nothing("None yet.", &html! { "Every boot that creates, migrates or repairs the database is recorded in it." }))
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="boots" {
                    table {
                        caption { "From the audit table of the database, the newest first. Boots that found nothing to do leave no row." }
                        thead { tr { th scope="col" { "When" } th scope="col" { "What" } th.number scope="col" { "From" } th.number scope="col" { "To" } th scope="col" { "Program" } } }
                        tbody {
                            @for boot in &health.boots {
                                tr {
                                    td.when { time datetime=(boot.at) { (to_the_second(&boot.at)) } }
                                    th scope="row" { (boot.event) }
                                    td.number { (version(boot.from_version)) }
                                    td.number { (version(boot.to_version)) }
                                    td { (boot.binary) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sizes(diagnosis: &Diagnosis) -> Markup {
    let health = &diagnosis.health;
    let mut indexes: Vec<_> = health.indexes.iter().filter_map(|index| Some((index, index.space?))).collect();
    indexes.sort_by_key(|(_, space)| Reverse(space.bytes));
    let all: u64 = indexes.iter().map(|(_, space)| space.bytes).sum();
    let largest = indexes.first().map_or(1, |(_, space)| space.bytes.max(1));
    html! {
        section.card aria-labelledby="sizes" {
            h2 #sizes { "Indexes" }
            @if indexes.is_empty() {
                (nothing("Being measured.", &html! { "Sizes are measured when the program has started, and once a day. Load this page again in a moment." }))
            } @else {
                div.scroll tabindex="0" role="region" aria-labelledby="sizes" {
                    table {
                        caption {
                            (grouped(indexes.len() as u64)) " indexes have " (bytes(all)) " of the file's " (bytes(health.bytes))
                            @if indexes.len() > INDEXES { "; the " (INDEXES) " largest" } "."
                        }
                        thead { tr { th scope="col" { "Index" } th scope="col" { "Table" } th.bars scope="col" { span.hidden { "Compared with the largest" } } th.number scope="col" { "Size" } th.number scope="col" { "Unused" } th.number scope="col" { "Fragmented" } } }
                        tbody {
                            @for (index, space) in indexes.iter().take(INDEXES) {
                                tr {
                                    th scope="row" { code { (index.name) } }
                                    td { code { (index.table) } }
                                    td.bars { (bar(float(space.bytes) / float(largest), "")) }
                                    td.number.strong { (bytes(space.bytes)) }
                                    td.number { (percent(bootproof::figure::share(space.unused_bytes, space.bytes))) }
                                    td.number { (percent(space.fragmentation())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
