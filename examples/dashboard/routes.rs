//! Which path answers what.

use std::time::Instant;

use bootproof::{BootReport, Verdict};
use rusqlite::{Connection, ErrorCode};
use serde_json::{Value, json};
use tiny_http::Method;

use crate::parameters::{Days, Parameters};
use crate::worklogs::{self, Worklog};

/// More rows than a page shows; totals count all of them.
const MOST_ROWS: usize = 500;

/// What a worker needs to answer.
pub(crate) struct Dashboard {
    connection: Connection,
    verdict: Verdict,
    version: Option<i64>,
}

/// An answer: JSON.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Why a request has no answer.
enum Fault {
    BadRequest(String),
    NotFound(&'static str),
    MethodNotAllowed,
    Database(rusqlite::Error),
}

impl Dashboard {
    pub(crate) fn new(connection: Connection, report: &BootReport) -> Self {
        Self { connection, verdict: report.verdict, version: report.to_version }
    }
}

/// Answers one request.
pub(crate) fn reply(dashboard: &Dashboard, method: &Method, url: &str) -> Reply {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let answer = match (path, method) {
        ("/healthz" | "/api/dashboard" | "/api/sync", method) if *method != Method::Get => Err(Fault::MethodNotAllowed),
        ("/healthz", _) => health(dashboard),
        ("/api/dashboard", _) => company_or_user(&dashboard.connection, query),
        ("/api/sync", _) => sync(&dashboard.connection, query),
        _ => Err(Fault::NotFound("there are /healthz, /api/dashboard and /api/sync")),
    };
    answer.map_or_else(|fault| fault.reply(path), |body| Reply { status: 200, body })
}

/// The verdict of the boot, if the database still answers.
fn health(dashboard: &Dashboard) -> Result<Value, Fault> {
    worklogs::answers(&dashboard.connection)?;
    Ok(json!({ "status": dashboard.verdict, "version": dashboard.version }))
}

/// A company's month, or one user's.
fn company_or_user(connection: &Connection, query: &str) -> Result<Value, Fault> {
    let parameters = Parameters::read(query, &["company_id", "from", "to", "email"])?;
    let company = company(connection, &parameters)?;
    let days = days(connection, &parameters, company)?;
    let email = parameters.text("email")?;
    let started = Instant::now();
    let worklogs = match email {
        Some(email) => worklogs::of_user(connection, company, email, days)?,
        None => worklogs::of_company(connection, company, days)?,
    };
    let mut body = summary(&worklogs, company, days, started);
    match email {
        Some(email) => extend(&mut body, json!({ "email": email, "worklogs": page(&worklogs) })),
        None => extend(&mut body, json!({ "authors": worklogs::hours_by(&worklogs, |worklog| &worklog.author_email) })),
    }
    Ok(body)
}

/// What a synchronisation compares with Jira: an instance's worklogs.
fn sync(connection: &Connection, query: &str) -> Result<Value, Fault> {
    let parameters = Parameters::read(query, &["company_id", "instance", "from", "to"])?;
    let company = company(connection, &parameters)?;
    let instance = match parameters.text("instance")? {
        Some(instance) => instance.to_owned(),
        None => worklogs::first_instance(connection, company)?.ok_or_else(no_worklogs)?,
    };
    let days = days(connection, &parameters, company)?;
    let started = Instant::now();
    let worklogs = worklogs::of_instance(connection, company, &instance, days)?;
    let mut body = summary(&worklogs, company, days, started);
    extend(&mut body, json!({ "instance": instance, "worklogs": page(&worklogs) }));
    Ok(body)
}

fn no_worklogs() -> Fault {
    Fault::NotFound("no worklogs to choose defaults from; give every parameter")
}

/// The company asked for. A real application takes it from the session: this example has no users, so it trusts the
/// request; every query is bound to exactly one company all the same.
fn company(connection: &Connection, parameters: &Parameters<'_>) -> Result<i64, Fault> {
    match parameters.company()? {
        Some(company) => Ok(company),
        None => worklogs::first_company(connection)?.ok_or_else(no_worklogs),
    }
}

/// The days asked for, or the latest month of the company.
fn days(connection: &Connection, parameters: &Parameters<'_>, company: i64) -> Result<Days, Fault> {
    match parameters.days()? {
        Some(days) => Ok(days),
        None => worklogs::latest_day(connection, company)?.map(Days::month_of).ok_or_else(no_worklogs),
    }
}

fn summary(worklogs: &[Worklog], company: i64, days: Days, started: Instant) -> Value {
    json!({
        "company_id": company,
        "from": days.from.to_string(),
        "to": days.to.to_string(),
        "count": worklogs.len(),
        "hours": worklogs::hours(worklogs),
        "days": worklogs::hours_by(worklogs, |worklog| &worklog.day),
        "query_ms": (started.elapsed().as_secs_f64() * 1e6).round() / 1e3,
    })
}

fn page(worklogs: &[Worklog]) -> Value {
    json!(worklogs.iter().take(MOST_ROWS).collect::<Vec<_>>())
}

fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

impl Fault {
    fn reply(self, path: &str) -> Reply {
        let (status, error) = match self {
            Self::BadRequest(message) => (400, message),
            Self::NotFound(message) => (404, message.to_owned()),
            Self::MethodNotAllowed => (405, "only GET".to_owned()),
            // What SQLite says may quote SQL and data: it goes to the log, not to the client.
            Self::Database(error) => {
                log::error!("{path}: {error}");
                match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                        (503, "the database is busy; try again".to_owned())
                    }
                    _ => (500, "internal error".to_owned()),
                }
            }
        };
        Reply { status, body: json!({ "error": error }) }
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::BadRequest(message)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}
