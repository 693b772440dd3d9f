//! `/sync`: what a synchronisation of one Jira instance compares with what Jira reports.

use axum::http::StatusCode;
use axum::response::Response;
use bootproof::figure::{duration, grouped};
use maud::{Markup, html};

use super::form::{Chosen, Field, form};
use super::worklogs::{entries, no_worklogs};
use super::{Place, chart, hours, nothing, page, problem, tiles};
use crate::parameters::Ask;
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, View};

pub(crate) async fn answer((state, query): Asked) -> Response {
    let app = state.0;
    let ask = Ask::of_form(query.0.as_deref(), &["company_id", "instance", "from", "to"]);
    let (fault, ask) = match ask {
        Ok(ask) => (None, ask),
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
        // The form keeps the instance when the company changes: one that the new company does not have is not meant.
        let asked = ask.instance.as_deref().filter(|asked| choice.instances.iter().any(|known| known == asked));
        let instance = asked.or(choice.instances.first().map(String::as_str));
        let days = match worklogs::days(connection, &ask, company) {
            Err(Fault::NotFound(_)) => None,
            days => Some(days?),
        };
        let field = Field::Instance(instance);
        let chosen = Chosen { path: "/sync", company, companies: &companies, choice: &choice, field, days };
        let view = match (days, instance) {
            (Some(days), Some(instance)) if fault.is_none() => {
                Some(worklogs::of_instance(connection, company, instance, days)?)
            }
            _ => None,
        };
        Ok(html! {
            h1 { "Sync" }
            @if let Some(fault) = &fault { (problem(fault)) }
            (form(&chosen))
            @match (&view, instance) {
                (Some(view), Some(instance)) => (show(view, instance)),
                _ if fault.is_none() => (nothing("This company has no worklogs.", &html! { "Choose another one." })),
                _ => {}
            }
        })
    });
    match content.await {
        Ok(content) => page(&app, status, Place::Sync, "Sync", &content),
        Err(fault) => page(&app, fault.status(), Place::Sync, "Sync", &problem(&fault)),
    }
}

fn show(view: &View, instance: &str) -> Markup {
    if view.count == 0 {
        let what = html! { (instance) " has no worklogs between " (view.days.from) " and " (view.days.to) "." };
        return nothing("Nothing in these days.", &what);
    }
    let updated = view.latest.iter().filter_map(|worklog| worklog.updated_at.as_deref()).max().unwrap_or("never");
    html! {
        (tiles(&[
            ("Worklogs", grouped(view.count)),
            ("Hours", hours(view.seconds)),
            ("People", grouped(view.by_person.len() as u64)),
            ("Newest update", updated.to_owned()),
        ]))
        section.card aria-labelledby="per-day" {
            h2 #per-day { "Hours per day" }
            (chart::days(view))
        }
        (entries(view, &html! { "Worklogs of " (instance) }))
        p.aside { "Found in " (duration(view.took.as_secs_f64())) " by a query that is proven to use its index." }
    }
}
