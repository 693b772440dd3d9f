//! The answers for programs: JSON.

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::parameters::Ask;
use crate::routes::{Asked, Fault};
use crate::worklogs::{self, View, Worklog, in_hours};

/// A company's days, or one person's; or those of one of its Jira instances.
#[derive(Serialize)]
struct Answer<'a> {
    company_id: i64,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    count: u64,
    hours: f64,
    days: BTreeMap<&'a str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<BTreeMap<&'a str, f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worklogs: Option<Vec<&'a Worklog>>,
    query_ms: f64,
}

impl<'a> Answer<'a> {
    fn of(view: &'a View) -> Self {
        Self {
            company_id: view.company,
            from: view.days.from.to_string(),
            to: view.days.to.to_string(),
            email: None,
            instance: None,
            count: view.count,
            hours: in_hours(view.seconds),
            days: view.by_day.iter().map(|(day, seconds)| (day.as_str(), in_hours(*seconds))).collect(),
            authors: None,
            worklogs: None,
            query_ms: bootproof::Milliseconds::from(view.took).0,
        }
    }

    fn to_json(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| {
            log::error!("an answer cannot be written: {error}");
            Fault::Internal
        })
    }
}

/// `/api/dashboard`: a company's range of days, or one person's.
pub(crate) async fn dashboard((state, query): Asked) -> Result<Response, Fault> {
    let ask = Ask::read(query.0.as_deref(), &["company_id", "from", "to", "email"])?;
    let answer = state.0.read(move |app, connection| {
        let company = worklogs::company(connection, &ask)?;
        let days = worklogs::days(connection, &ask, company)?;
        let Some(email) = &ask.email else {
            let view = worklogs::of_company(connection, company, days)?;
            let authors = view.by_person.iter().map(|(email, share)| (email.as_str(), in_hours(share.seconds)));
            return Answer { authors: Some(authors.collect()), ..Answer::of(&view) }.to_json();
        };
        let spellings = app.choices.of(connection, company)?.spellings(connection, company, email)?;
        let view = worklogs::of_user(connection, company, &spellings, days)?;
        let worklogs = Some(view.latest.iter().collect());
        Answer { email: Some(email), worklogs, ..Answer::of(&view) }.to_json()
    });
    answer.await.map(json)
}

/// `/api/sync`: what a synchronisation compares with Jira.
pub(crate) async fn sync((state, query): Asked) -> Result<Response, Fault> {
    let ask = Ask::read(query.0.as_deref(), &["company_id", "instance", "from", "to"])?;
    let answer = state.0.read(move |app, connection| {
        let company = worklogs::company(connection, &ask)?;
        let choice = app.choices.of(connection, company)?;
        let instance = ask.instance.as_ref().or(choice.instances.first()).ok_or(worklogs::NO_WORKLOGS)?;
        let days = worklogs::days(connection, &ask, company)?;
        let view = worklogs::of_instance(connection, company, instance, days)?;
        let worklogs = Some(view.latest.iter().collect());
        Answer { instance: Some(instance), worklogs, ..Answer::of(&view) }.to_json()
    });
    answer.await.map(json)
}

/// JSON, with the newline that a terminal wants.
pub(crate) fn json(mut body: String) -> Response {
    body.push('\n');
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
