//! `/`: the worklogs of a company, or of one person.

use axum::http::StatusCode;
use axum::response::Response;
use bootproof::figure::{duration, grouped};
use maud::{Markup, html};

use super::form::{Chosen, Field, form, page_address};
use super::{Place, bar, chart, hours, nothing, page, problem, tiles};
use crate::parameters::Ask;
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, View, Worklog};

/// More rows than somebody reads; the API has more.
pub(super) const SHOWN: usize = 100;

pub(crate) async fn answer((state, query): Asked) -> Response {
    let app = state.0;
    let ask = Ask::of_form(query.0.as_deref(), &["company_id", "email", "from", "to"]);
    let (fault, ask) = match ask {
        Ok(ask) => (None, ask),
        // The form is shown all the same, to be filled in again.
        Err(message) => (Some(Fault::BadRequest(message)), Ask::default()),
    };
    let status = fault.as_ref().map_or(StatusCode::OK, Fault::status);
    let content = app.clone().read(move |app, connection| {
        let companies = worklogs::companies(connection)?;
        let company = match worklogs::company(connection, &ask) {
            Err(Fault::NotFound(_)) => return Ok(no_worklogs()),
            company => company?,
        };
        let choice = app.choices.of(connection, company)?;
        let days = match worklogs::days(connection, &ask, company) {
            Err(Fault::NotFound(_)) => None,
            days => Some(days?),
        };
        let email = ask.email.as_deref().map(str::trim);
        let field = Field::Person(email);
        let chosen = Chosen { path: "/", company, companies: &companies, choice: &choice, field, days };
        let view = match (days, email) {
            _ if fault.is_some() => None,
            (None, _) => None,
            (Some(days), Some(email)) => Some(worklogs::of_user(connection, company, &choice.spellings(email), days)?),
            (Some(days), None) => Some(worklogs::of_company(connection, company, days)?),
        };
        Ok(html! {
            h1 { "Worklogs" }
            @if let Some(fault) = &fault { (problem(fault)) }
            (form(&chosen))
            @match &view {
                Some(view) => (show(view, email)),
                None if fault.is_none() => (nothing("This company has no worklogs.", &html! { "Choose another one." })),
                None => {}
            }
        })
    });
    match content.await {
        Ok(content) => page(&app, status, Place::Worklogs, "Worklogs", &content),
        Err(fault) => page(&app, fault.status(), Place::Worklogs, "Worklogs", &problem(&fault)),
    }
}

/// An installation that has just begun.
pub(super) fn no_worklogs() -> Markup {
    html! {
        h1 { "Worklogs" }
        (nothing("There are no worklogs yet.", &html! {
            "They appear here after the first synchronisation with Jira. The " a href="/admin/database" { "database" } " is ready for them."
        }))
    }
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
    people.sort_by_key(|(_, person)| std::cmp::Reverse(person.seconds));
    let most = people.first().map_or(1, |(_, share)| share.seconds.max(1));
    html! {
        section.card aria-labelledby="people-title" {
            h2 #people-title { "People" }
            div.scroll tabindex="0" role="region" aria-labelledby="people-title" {
                table data-search="Find a person" {
                    caption.hidden { "Hours of each person in these days" }
                    thead { tr {
                        th scope="col" { "Person" }
                        th.number scope="col" { "Worklogs" }
                        th.number scope="col" { "Hours" }
                        th.bars scope="col" { span.hidden { "Compared with the most" } }
                    } }
                    tbody {
                        @for (email, share) in people {
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
                                th scope="row" {
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
