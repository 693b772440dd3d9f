//! How SQLite runs each query, before and after, as trees side by side.

use bootproof::{PlanStep, QueryReport};
use maud::{Markup, html};

use super::text;

pub(super) fn body(queries: &[QueryReport]) -> Option<Markup> {
    let planned: Vec<_> =
        queries.iter().filter(|query| !query.plan_before.is_empty() || !query.plan_after.is_empty()).collect();
    if planned.is_empty() {
        return None;
    }
    Some(html! {
        p {
            (tag("SEARCH", "good")) " goes straight to the rows it needs. "
            (tag("SCAN", "warn")) " reads a table or an index from end to end: the work grows with it."
            @if planned.iter().flat_map(|query| &query.plan_after).any(|step| is_virtual(&step.detail)) {
                " A virtual table, such as a list handed over as JSON, is no table of the database and is always scanned."
            }
        }
        @for query in planned {
            details class="plan" open[is_changed(query) || misses(query)] {
                summary { (text::name(query.name)) " " span class="aside" { (remark(query)) } }
                div class="sides" {
                    @if is_changed(query) {
                        (side(query, "before", &query.plan_before))
                        (side(query, "after", &query.plan_after))
                    } @else if query.plan_after.is_empty() {
                        (side(query, "before", &query.plan_before))
                    } @else {
                        (side(query, "now", &query.plan_after))
                    }
                }
            }
        }
    })
}

/// Whether SQLite chose another index than the contract asks for, or none.
fn misses(query: &QueryReport) -> bool {
    !query.index_used.as_deref().is_some_and(|used| used.eq_ignore_ascii_case(query.expected_index))
}

/// Whether there are two plans to compare. The numbers of the steps mean nothing by themselves.
fn is_changed(query: &QueryReport) -> bool {
    let (before, after) = (&query.plan_before, &query.plan_after);
    let same =
        || before.len() == after.len() && before.iter().zip(after).all(|(one, other)| one.detail == other.detail);
    !before.is_empty() && !after.is_empty() && !same()
}

/// What changed: the work, or where that is the same kind of work the index.
fn remark(query: &QueryReport) -> Markup {
    let (before, after) = (work(&query.plan_before), work(&query.plan_after));
    let index =
        |index: &Option<String>| html! { @match index { Some(name) => (text::name(name)), None => "no index" } };
    html! {
        @if is_changed(query) {
            @if before != after { (before) " → " (after) }
            @else if query.index_before != query.index_used {
                (index(&query.index_before)) " → " (index(&query.index_used))
            }
            @else { (after) ", in another way" }
        } @else if query.plan_after.is_empty() { (before) }
        @else { (after) @if !query.plan_before.is_empty() { ", as before" } }
    }
}

/// `2 SEARCH, 1 SCAN`
fn work(plan: &[PlanStep]) -> String {
    let told = ["SEARCH", "SCAN"].map(|verb| {
        let is_it = |step: &&PlanStep| split(&step.detail).0 == Some(verb) && !is_virtual(&step.detail);
        let number = plan.iter().filter(is_it).count();
        (number > 0).then(|| format!("{number} {verb}"))
    });
    let told: Vec<_> = told.into_iter().flatten().collect();
    if told.is_empty() { "no table read".to_owned() } else { told.join(", ") }
}

fn side(query: &QueryReport, word: &str, plan: &[PlanStep]) -> Markup {
    let levels: Vec<_> = levels(plan).into_iter().zip(plan).collect();
    html! {
        div class="side" {
            h3 { span class="hidden" { (query.name) ", " } (word) }
            (branch(&levels))
        }
    }
}

/// How deep each step lies. A step whose parent was not told before it lies at the top.
fn levels(plan: &[PlanStep]) -> Vec<usize> {
    let mut known: Vec<(i64, usize)> = Vec::new();
    for step in plan {
        let parent = known.iter().rev().find(|(id, _)| *id == step.parent && step.parent != 0);
        known.push((step.id, parent.map_or(0, |(_, level)| level + 1)));
    }
    known.into_iter().map(|(_, level)| level).collect()
}

/// Steps of one level, each with the deeper ones that follow it.
fn branch(steps: &[(usize, &PlanStep)]) -> Markup {
    let Some((level, _)) = steps.first() else { return html! {} };
    html! {
        ul class="tree" {
            @for group in steps.chunk_by(|_, (next, _)| next > level) {
                @if let Some(((_, step), inside)) = group.split_first() { li { (one(step)) (branch(inside)) } }
            }
        }
    }
}

fn one(step: &PlanStep) -> Markup {
    let (verb, rest) = split(&step.detail);
    let class = match verb {
        _ if is_virtual(&step.detail) => "quiet",
        Some("SEARCH") => "good",
        _ => "warn",
    };
    html! { span class="step" { @if let Some(verb) = verb { (tag(verb, class)) " " } code { (rest) } } }
}

/// The word that says how rows are found, and the rest. A constant row is no table.
fn split(detail: &str) -> (Option<&'static str>, &str) {
    match detail.split_once(' ') {
        Some(("SEARCH", rest)) => (Some("SEARCH"), rest),
        Some(("SCAN", rest)) if rest != "CONSTANT ROW" => (Some("SCAN"), rest),
        _ => (None, detail),
    }
}

/// `SCAN` is the only word SQLite has for reading a virtual table, whatever that does.
fn is_virtual(detail: &str) -> bool {
    detail.contains(" VIRTUAL TABLE INDEX ")
}

fn tag(verb: &'static str, class: &str) -> Markup {
    let mark = if verb == "SEARCH" { "→" } else { "≡" };
    html! { span class={ "tag " (class) } { span aria-hidden="true" { (mark) } " " (verb) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steps: &[(i64, i64, &str)]) -> Vec<PlanStep> {
        steps
            .iter()
            .map(|(id, parent, detail)| PlanStep { id: *id, parent: *parent, detail: (*detail).to_owned() })
            .collect()
    }

    #[test]
    fn a_plan_is_a_tree() {
        let plan = plan(&[(2, 0, "CO-ROUTINE c"), (5, 2, "SCAN t"), (9, 2, "SEARCH u"), (20, 0, "SCAN c")]);
        assert_eq!(levels(&plan), [0, 1, 1, 0]);
        let told: Vec<_> = levels(&plan).into_iter().zip(&plan).collect();
        let tree = branch(&told).into_string();
        assert_eq!((tree.matches("<ul").count(), tree.matches("<li").count()), (2, 4));
        assert_eq!(work(&plan), "1 SEARCH, 2 SCAN");
    }

    #[test]
    fn a_plan_that_is_no_tree_loses_no_step() {
        let plan = plan(&[(1, 1, "a"), (2, 7, "b"), (7, 2, "c"), (2, 2, "d"), (0, 0, "e")]);
        let told: Vec<_> = levels(&plan).into_iter().zip(&plan).collect();
        assert_eq!(branch(&told).into_string().matches("<li").count(), 5);
    }
}
