//! How large each table and index is, the largest first.

use maud::{Markup, html};

use super::{ObjectKind, ObjectSize, text};

/// So many are shown at once; of the rest, there are many and they are small.
const SHOWN: usize = 12;

pub(super) fn body(sizes: &[ObjectSize]) -> Option<Markup> {
    let mut sorted: Vec<_> = sizes.iter().collect();
    sorted.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.name.cmp(&other.name)));
    let largest = sorted.first()?.bytes;
    let whole = sum(sizes.iter());
    // To hide one or two is no help.
    let (first, rest) = if sorted.len() <= SHOWN + 2 { (sorted.as_slice(), &[][..]) } else { sorted.split_at(SHOWN) };
    let table = |objects: &[&ObjectSize], caption: &str| {
        html! {
            table class="sizes" {
                caption class="hidden" { (caption) }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Kind" }
                        th scope="col" class="number" { "Rows" }
                        th scope="col" class="number" { "Size" }
                        th scope="col" class="number" { "Share" }
                        td class="meter" {}
                    }
                }
                tbody { @for object in objects { (row(object, largest, whole)) } }
            }
        }
    };
    Some(html! {
        p { (totals(sizes, whole)) }
        (table(first, "Tables and indexes by size"))
        @if !rest.is_empty() {
            details class="tail" {
                summary {
                    (rest.len()) " smaller ones, " (text::bytes(sum(rest.iter().copied()))) " together ("
                    (share(sum(rest.iter().copied()), whole)) ")"
                }
                (table(rest, "The smaller tables and indexes by size"))
            }
        }
    })
}

fn totals(sizes: &[ObjectSize], whole: u64) -> String {
    let of = |kind| sizes.iter().filter(move |object| object.kind == kind);
    let (tables, indexes) = (sum(of(ObjectKind::Table)), sum(of(ObjectKind::Index)));
    format!(
        "{} in all: {} in {}, {} ({}) in {}.",
        text::bytes(whole),
        text::bytes(tables),
        text::count(of(ObjectKind::Table).count(), "table", "tables"),
        text::bytes(indexes),
        share(indexes, whole),
        text::count(of(ObjectKind::Index).count(), "index", "indexes"),
    )
}

fn row(object: &ObjectSize, largest: u64, whole: u64) -> Markup {
    let (class, kind) = match object.kind {
        ObjectKind::Table => ("table", html! { "table" }),
        ObjectKind::Index => ("index", html! { "index on " (text::name(&object.table)) }),
    };
    let width = format!("{:.2}%", ratio(object.bytes, largest) * 100.0);
    html! {
        tr {
            th scope="row" { (text::name(&object.name)) }
            td class="kind" { (kind) }
            td class="number" { @if let Some(rows) = object.rows { (text::grouped(rows)) } }
            td class="number strong" { (text::bytes(object.bytes)) }
            td class="number" { (share(object.bytes, whole)) }
            td class="meter" {
                svg width="100%" height="12" aria-hidden="true" {
                    rect class=(class) x="0" y="0" width=(width) height="12" rx="2" {}
                }
            }
        }
    }
}

fn share(part: u64, whole: u64) -> String {
    text::share(ratio(part, whole), 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a bar and two digits are made of it")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn sum<'a>(objects: impl Iterator<Item = &'a ObjectSize>) -> u64 {
    objects.fold(0, |sum, object| sum.saturating_add(object.bytes))
}
