//! What was applied, reverted, held, repaired and backed up, and what a newer binary had applied.

use bootproof::{AppliedMigration, BackupReport, BootReport};
use maud::{Markup, html};

use super::text;

pub(super) fn body(report: &BootReport) -> Option<Markup> {
    let BootReport { applied, reverted, held, ahead, repaired, backup, .. } = report;
    let is_still = applied.is_empty() && reverted.is_empty() && held.is_empty() && ahead.is_empty();
    if is_still && repaired.is_empty() && backup.is_none() {
        return None;
    }
    Some(html! {
        table class="changes" {
            caption class="hidden" { "Changes made now" }
            thead { tr { th scope="col" { "What" } th scope="col" { "Which" } th scope="col" { "Remark" } } }
            tbody {
                @for migration in applied { (ran("applied", migration, report.created)) }
                @for migration in reverted { (ran("reverted", migration, false)) }
                @for migration in held {
                    tr {
                        td { "held back" }
                        th scope="row" { (title(migration.version, &migration.name)) }
                        td { (text::prose(&migration.why)) }
                    }
                }
                @for migration in ahead {
                    tr {
                        td { "ahead" }
                        th scope="row" { (title(migration.version, &migration.name)) }
                        td { "of a newer binary, compatible with this one" }
                    }
                }
                @for index in repaired {
                    tr { td { "repaired" } th scope="row" { (text::name(index)) } td { "index rebuilt" } }
                }
                @if let Some(backup) = backup { (backed_up(backup)) }
            }
        }
    })
}

fn ran(what: &str, migration: &AppliedMigration, is_image: bool) -> Markup {
    html! {
        tr {
            td { (what) }
            th scope="row" { (title(migration.version, &migration.name)) }
            td {
                @if is_image && !migration.duration_ms.is_measured() { "part of the compiled image" }
                @else { "in " (text::time(migration.duration_ms)) }
            }
        }
    }
}

fn title(version: i64, name: &str) -> Markup {
    html! { (format!("{version:03}")) " " (text::name(name)) }
}

fn backed_up(backup: &BackupReport) -> Markup {
    html! {
        tr {
            td { "backed up" }
            th scope="row" { (text::name(&backup.path.display().to_string())) }
            td {
                (text::bytes(backup.bytes)) ", "
                @if backup.verified { "read back and found equal" } @else { "not verified" }
            }
        }
    }
}
