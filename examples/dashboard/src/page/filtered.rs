//! What the two pages of worklogs have in common: a form, and what it asks for.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;

use super::form::{Chosen, Field, form};
use super::{Place, nothing, page, problem};
use crate::app::App;
use crate::parameters::{Ask, Days};
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, Choice};

/// What a page knows before it looks for worklogs.
pub(super) struct Setting {
    pub(super) ask: Ask,
    /// Why the form means nothing. It is shown all the same, to be filled in again.
    fault: Option<Fault>,
    companies: Vec<(i64, String)>,
    pub(super) company: i64,
    pub(super) choice: Arc<Choice>,
    days: Option<Days>,
}

/// What a page chooses besides company and days, and the worklogs of that, if there are any.
pub(super) type Show = for<'s> fn(&Connection, &'s Setting) -> Result<(Field<'s>, Option<Markup>), Fault>;

/// The page of a form with these fields.
pub(super) async fn answer((state, query): Asked, fields: &[&str], here: Place, show: Show) -> Response {
    let app = state.0;
    let (ask, fault) = Ask::of_form(query.0.as_deref(), fields);
    let fault = fault.map(Fault::BadRequest);
    let status = fault.as_ref().map_or(StatusCode::OK, Fault::status);
    let content = app.clone().read(move |app, connection| match Setting::read(app, connection, ask, fault)? {
        Some(setting) => setting.content(connection, here, show),
        None => Ok(no_worklogs()),
    });
    match content.await {
        Ok(content) => page(&app, status, here, &content),
        Err(fault) => page(&app, fault.status(), here, &problem(&fault)),
    }
}

impl Setting {
    /// None where there are no worklogs at all.
    fn read(app: &App, connection: &Connection, ask: Ask, fault: Option<Fault>) -> Result<Option<Self>, Fault> {
        let companies = worklogs::companies(connection)?;
        let Some(company) = found(worklogs::company(connection, &ask))? else { return Ok(None) };
        let choice = app.choices.of(connection, company)?;
        let days = found(worklogs::days(connection, &ask, company))?;
        Ok(Some(Self { ask, fault, companies, company, choice, days }))
    }

    /// The days to show, unless there are none, or the form has first to be filled in again.
    pub(super) fn days(&self) -> Option<Days> {
        self.days.filter(|_| self.fault.is_none())
    }

    fn content(&self, connection: &Connection, here: Place, show: Show) -> Result<Markup, Fault> {
        let (field, shown) = show(connection, self)?;
        let Self { ask, fault, companies, company, choice, days } = self;
        let (path, typed) = (here.path(), ask.typed);
        let chosen = Chosen { path, company: *company, companies, choice, field, days: *days, typed };
        Ok(html! {
            h1 { (here.name()) }
            @if let Some(fault) = fault { (problem(fault)) }
            (form(&chosen))
            @match shown {
                Some(shown) => (shown),
                None if fault.is_none() => (nothing("This company has no worklogs.", &html! {
                    "Or none with a date that can be read. Choose another one."
                })),
                None => {}
            }
        })
    }
}

fn found<T>(looked_for: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match looked_for {
        Err(Fault::NotFound(_)) => Ok(None),
        looked_for => looked_for.map(Some),
    }
}

/// An installation that has just begun.
fn no_worklogs() -> Markup {
    html! {
        h1 { "Worklogs" }
        (nothing("There are no worklogs yet.", &html! {
            "They appear here after the first synchronisation with Jira. The "
            a href="/admin/database" { "database" } " is ready for them."
        }))
    }
}
