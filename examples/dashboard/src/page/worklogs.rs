//! `/`: the worklogs of a company, or of one person.

use std::cmp::Reverse;

use axum::response::Response;
use bootproof::figure::{duration, grouped};
use maud::{Markup, html};
use rusqlite::Connection;

use super::filtered::{self, Setting};
use super::form::{Field, page_address};
use super::{Place, bar, chart, hours, nothing, tiles};
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, View, Worklog};

/// More rows than somebody reads; the API has more.
pub(super) const SHOWN: usize = 100;

/// More people than anybody reads of; each has his page, and the API has all.
const MOST_PEOPLE: usize = 500;

pub(crate) async fn answer(asked: Asked) -> Response {
    filtered::answer(asked, &["company_id", "email", "from", "to"], Place::Worklogs, shown).await
}

fn shown<'s>(connection: &Connection, setting: &'s Setting) -> Result<(Field<'s>, Option<Markup>), Fault> {
    let Setting { ask, company, choice, .. } = setting;
    let email = ask.email.as_deref().map(str::trim);
    let view = match (setting.days(), email) {
        (None, _) => None,
        (Some(days), Some(email)) => {
            let spellings = choice.spellings(connection, *company, email)?;
            Some(worklogs::of_user(connection, *company, &spellings, days)?)
        }
        (Some(days), None) => Some(worklogs::of_company(connection, *company, days)?),
    };
    Ok((Field::Person(email), view.map(|view| show(&view, email))))
}

fn show(view: &View, email: Option<&str>) -> Markup {
    if view.count == 0 {
        let who = email.map_or_else(|| "Nobody".to_owned(), |email| format!("{email} has not"));
        let what = html! { (who) " logged time between " (view.days.from) " and " (view.days.to) "." };
        return nothing("Nothing in these days.", &what);
    }
    let days = view.by_day.values().filter(|seconds| **seconds > 0).count();
    let mut figures = vec![
        ("Hours", hours(view.seconds)),
        ("Worklogs", grouped(view.count)),
        ("Days with work", grouped(days as u64)),
    ];
    if email.is_none() {
        figures.push(("People", grouped(view.by_person.len() as u64)));
    }
    html! {
        (tiles(&figures))
        section.card aria-labelledby="per-day" {
            h2 #per-day { "Hours per day" }
            (chart::days(view))
        }
        @match email {
            Some(email) => (entries(view, &html! { "Worklogs of " (email) })),
            None => (people(view)),
        }
        p.aside { "Found in " (duration(view.took.as_secs_f64())) " by a query that is proven to use its index." }
    }
}

fn people(view: &View) -> Markup {
    let mut people: Vec<_> = view.by_person.iter().collect();
    people.sort_by_key(|(_, share)| Reverse(share.seconds));
    let shown = people.len().min(MOST_PEOPLE);
    let most = people.first().map_or(1, |(_, share)| share.seconds.max(1));
    html! {
        section.card aria-labelledby="people-title" {
            h2 #people-title { "People" }
            div.scroll tabindex="0" role="region" aria-labelledby="people-title" {
                table data-search="Find a person" {
                    @if shown < people.len() {
                        caption { "The " (grouped(shown as u64)) " of " (grouped(people.len() as u64)) " people with the most hours." }
                    } @else {
                        caption.hidden { "Hours of each person in these days" }
                    }
                    thead { tr {
                        th scope="col" { "Person" }
                        th.number scope="col" { "Worklogs" }
                        th.number scope="col" { "Hours" }
                        th.bars scope="col" { span.hidden { "Compared with the most" } }
                    } }
                    tbody {
                        @for (email, share) in people.iter().take(shown) {
                            tr {
                                th scope="row" {
                                    a href=(page_address("/", view.company, Some(("email", email)), Some(view.days))) {
                                        (share.name.as_deref().unwrap_or(email))
                                    }
                                    @if share.name.is_some() { span.under { (email) } }
                                }
                                td.number { (grouped(share.count)) }
                                td.number.strong { (hours(share.seconds)) }
                                td.bars { (bar(ratio(share.seconds, most), "")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The newest worklogs of a view.
pub(super) fn entries(view: &View, title: &Markup) -> Markup {
    let shown = view.latest.len().min(SHOWN);
    let has = |given: fn(&Worklog) -> bool| view.latest.iter().take(SHOWN).any(given);
    let (has_instance, has_update) =
        (has(|worklog| worklog.jira_instance.is_some()), has(|worklog| worklog.updated_at.is_some()));
    let has_author = view.by_person.len() > 1;
    html! {
        section.card aria-labelledby="entries-title" {
            h2 #entries-title { (title) }
            div.scroll tabindex="0" role="region" aria-labelledby="entries-title" {
                table data-search="Find a worklog" {
                    caption { @if view.count > shown as u64 { "The newest " (grouped(shown as u64)) " of " (grouped(view.count)) ", the newest first." } @else { "The newest first." } }
                    thead { tr {
                        th scope="col" { "Started" }
                        th scope="col" { "Issue" }
                        @if has_author { th scope="col" { "Person" } }
                        @if has_instance { th scope="col" { "Instance" } }
                        @if has_update { th scope="col" { "Updated" } }
                        th.number scope="col" { "Time" }
                    } }
                    tbody {
                        @for worklog in view.latest.iter().take(SHOWN) {
                            tr {
                                td.when { (worklog.day) span.under { (time_of(&worklog.started)) } }
                                th.issue scope="row" {
                                    (worklog.issue_key)
                                    @if let Some(summary) = &worklog.issue_summary { span.under { (summary) } }
                                }
                                @if has_author { td { (worklog.author_email) } }
                                @if has_instance { td { (worklog.jira_instance.as_deref().unwrap_or_default()) } }
                                @if has_update { td.when { (worklog.updated_at.as_deref().unwrap_or_default()) } }
                                td.number.strong { (hours(worklog.time_spent_seconds)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is behind the day: the time, and the offset if there is one.
fn time_of(started: &str) -> &str {
    started.split_once(['T', ' ']).map_or("", |(_, time)| time)
}

#[expect(clippy::cast_precision_loss, reason = "the width of a bar")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}
