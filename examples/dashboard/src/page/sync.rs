//! `/sync`: what a synchronisation of one Jira instance compares with what Jira reports.

use axum::response::Response;
use bootproof::figure::{duration, grouped};
use maud::{Markup, html};
use rusqlite::Connection;

use super::filtered::{self, Setting};
use super::form::Field;
use super::worklogs::entries;
use super::{Place, chart, hours, nothing, tiles};
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, View};

pub(crate) async fn answer(asked: Asked) -> Response {
    filtered::answer(asked, &["company_id", "instance", "from", "to"], Place::Sync, shown).await
}

fn shown<'s>(connection: &Connection, setting: &'s Setting) -> Result<(Field<'s>, Option<Markup>), Fault> {
    let instances = &setting.choice.instances;
    // The form keeps the instance when the company changes: one that the new company does not have is not meant.
    let asked = setting.ask.instance.as_deref().filter(|asked| instances.iter().any(|known| known == asked));
    let instance = asked.or(instances.first().map(String::as_str));
    let shown = match (setting.days(), instance) {
        (Some(days), Some(instance)) => {
            let view = worklogs::of_instance(connection, setting.company, instance, days)?;
            Some(show(&view, instance))
        }
        _ => None,
    };
    Ok((Field::Instance(instance), shown))
}

fn show(view: &View, instance: &str) -> Markup {
    if view.count == 0 {
        let what = html! { (instance) " has no worklogs between " (view.days.from) " and " (view.days.to) "." };
        return nothing("Nothing in these days.", &what);
    }
    let updated = view.latest.iter().filter_map(|worklog| worklog.updated_at.as_deref()).max().unwrap_or("never");
    // To the minute.
    let updated: String = updated.chars().take(16).collect();
    html! {
        (tiles(&[
            ("Worklogs", grouped(view.count)),
            ("Hours", hours(view.seconds)),
            ("People", grouped(view.by_person.len() as u64)),
            ("Newest update", updated),
        ]))
        section.card aria-labelledby="per-day" {
            h2 #per-day { "Hours per day" }
            (chart::days(view))
        }
        (entries(view, &html! { "Worklogs of " (instance) }))
        p.aside { "Found in " (duration(view.took.as_secs_f64())) " by a query that is proven to use its index." }
    }
}
