//! Every validation and how it ended: by a mark and a word, never by colour alone.

use bootproof::{BootReport, Check, CheckName, Outcome};
use maud::{Markup, html};

use super::text;

pub(super) fn body(report: &BootReport) -> Option<Markup> {
    (!report.checks.is_empty()).then(|| {
        html! {
            table class="checks" {
                caption class="hidden" { "Every validation, in order" }
                thead {
                    tr {
                        th scope="col" { "Outcome" }
                        th scope="col" { "Check" }
                        th scope="col" { "Found" }
                        th scope="col" class="number" { "Took" }
                    }
                }
                tbody { @for check in &report.checks { (row(check)) } }
            }
        }
    })
}

fn row(check: &Check) -> Markup {
    let (class, mark, word) = match check.outcome {
        Outcome::Passed => ("good", "✓", "passed"),
        Outcome::Failed => ("bad", "✕", "failed"),
        Outcome::Skipped => ("quiet", "–", "skipped"),
    };
    html! {
        tr {
            td { span class={ "outcome " (class) } { span aria-hidden="true" { (mark) } " " (word) } }
            th scope="row" { (question(check.name)) " " code class="aside" { (check.name.name()) } }
            td class="prose" { (text::prose(&check.detail)) }
            td class="number" { @if check.outcome != Outcome::Skipped && check.duration_ms.is_measured() { (text::time(check.duration_ms)) } }
        }
    }
}

/// The check in words of everyday.
fn question(name: CheckName) -> &'static str {
    match name {
        CheckName::Schema => "The structure is the compiled one",
        CheckName::Indexes => "Every index is there",
        CheckName::RowCounts => "No row lost or gained",
        CheckName::ForeignKeys => "No row without its parent",
        CheckName::Integrity => "No damage in the file",
        CheckName::QueryPlans => "Hot queries use their index",
    }
}
