//! Which path answers what, and what every answer says besides.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bootproof::query::ColumnError;
use rusqlite::ErrorCode;
use serde_json::json;
use tokio::sync::watch;

use crate::app::{App, PATIENCE};
use crate::{api, health, page};

/// Whether the boot found every query on its index: on every answer, for whoever watches only answers.
const DATABASE_VERDICT: HeaderName = HeaderName::from_static("database-verdict");

/// Nothing comes from elsewhere, nothing is run that is not a file of ours, and nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    BadRequest(String),
    NotFound(&'static str),
    MethodNotAllowed,
    Busy,
    /// A row that is not as the schema says.
    Unfit(ColumnError),
    Internal,
}

#[derive(Clone)]
struct Every {
    app: Arc<App>,
    draining: watch::Receiver<bool>,
}

/// Everything there is.
pub(crate) fn router(app: Arc<App>, draining: watch::Receiver<bool>) -> Router {
    let every = Every { app: Arc::clone(&app), draining };
    let only_get = || async { Fault::MethodNotAllowed };
    Router::new()
        .route("/", get(page::worklogs::answer).fallback(only_get))
        .route("/sync", get(page::sync::answer).fallback(only_get))
        .route("/admin/database", get(page::database::answer).fallback(only_get))
        .route("/assets/style.css", get(page::assets::style).fallback(only_get))
        .route("/assets/page.js", get(page::assets::script).fallback(only_get))
        .route("/assets/icon.svg", get(page::assets::icon).fallback(only_get))
        .route("/api/dashboard", get(api::dashboard).fallback(only_get))
        .route("/api/sync", get(api::sync).fallback(only_get))
        .route("/healthz", get(health::healthz).fallback(only_get))
        .route("/metrics", get(health::metrics).fallback(only_get))
        .fallback(|| async {
            Fault::NotFound("there are /, /sync, /admin/database, /api/dashboard, /api/sync, /healthz and /metrics")
        })
        .layer(from_fn_with_state(every, complete))
        .with_state(app)
}

/// What a handler gets: the application, and what is behind the question mark.
pub(crate) type Asked = (State<Arc<App>>, RawQuery);

async fn complete(State(every): State<Every>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if response.status().is_server_error() {
        log::error!("{path}: {}", response.status());
    }
    let is_busy = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    if is_busy {
        headers.insert(RETRY_AFTER, HeaderValue::from(PATIENCE.as_secs()));
    }
    headers.insert(DATABASE_VERDICT, HeaderValue::from_static(every.app.verdict()));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Addresses of pages have addresses of people in them.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if *every.draining.borrow() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unfit(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn message(&self) -> Cow<'_, str> {
        match self {
            Self::BadRequest(message) => message.into(),
            Self::NotFound(message) => (*message).into(),
            Self::MethodNotAllowed => "only GET".into(),
            Self::Busy => "the database is busy; try again".into(),
            // It names the column, and does not quote what is there.
            Self::Unfit(error) => format!("a row cannot be read: {error}").into(),
            Self::Internal => "internal error".into(),
        }
    }
}

/// For programs; pages say it in words of their own.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = format!("{}\n", json!({ "error": self.message() }));
        let mut response = (self.status(), [(CONTENT_TYPE, "application/json")], body).into_response();
        if matches!(self, Self::MethodNotAllowed) {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::BadRequest(message)
    }
}

impl From<rusqlite::Error> for Fault {
    /// What SQLite says may quote SQL and data: it goes to the log, not to the client.
    fn from(error: rusqlite::Error) -> Self {
        log::error!("{error}");
        if let rusqlite::Error::FromSqlConversionFailure(_, _, reason) = &error
            && let Some(unfit) = reason.downcast_ref::<ColumnError>()
        {
            return Self::Unfit(unfit.clone());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Internal,
        }
    }
}
