//! What is answered.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bootproof::Verdict;
use pools::with_deadpool::{Error, Pool, with};
use serde::Deserialize;
use tasks::{SOME_DAY, Task};

/// What every request may use.
pub(crate) struct App {
    pub(crate) verdict: Verdict,
    pub(crate) version: Option<i64>,
    pub(crate) readers: Pool,
    pub(crate) writer: Pool,
}

#[derive(Deserialize)]
struct Until {
    until: Option<String>,
}

#[derive(Deserialize)]
struct NewTask {
    title: String,
    due: Option<String>,
}

pub(crate) fn of(app: Arc<App>) -> Router {
    Router::new()
        .route("/tasks", get(list).post(add))
        .route("/healthz", get(health))
        .layer(middleware::from_fn_with_state(app.clone(), tell_verdict))
        .with_state(app)
}

async fn list(State(app): State<Arc<App>>, Query(asked): Query<Until>) -> Result<Json<Vec<Task>>, Unanswered> {
    let until = asked.until.unwrap_or_else(|| SOME_DAY.to_owned());
    Ok(Json(with(&app.readers, move |connection| tasks::open(connection, &until)).await?))
}

async fn add(State(app): State<Arc<App>>, Json(new): Json<NewTask>) -> Result<(StatusCode, Json<i64>), Unanswered> {
    let due = new.due.unwrap_or_else(|| SOME_DAY.to_owned());
    let id = with(&app.writer, move |connection| tasks::add(connection, &new.title, &due)).await?;
    Ok((StatusCode::CREATED, Json(id)))
}

async fn health(State(app): State<Arc<App>>) -> String {
    format!("{} at version {}\n", word(app.verdict), app.version.unwrap_or_default())
}

/// A degraded database is served, and said so in every answer.
async fn tell_verdict(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-database", HeaderValue::from_static(word(app.verdict)));
    response
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "ready",
        Verdict::Degraded => "degraded",
        Verdict::Refused => "refused",
    }
}

struct Unanswered(Error);

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The client is told what it can act on; the rest is in the log.
impl IntoResponse for Unanswered {
    fn into_response(self) -> Response {
        log::error!("{}", self.0);
        match self.0 {
            Error::Sqlite(error) if error.sqlite_error_code() == Some(tasks::CONSTRAINT) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "this is no task\n").into_response()
            }
            Error::Busy => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "busy\n").into_response(),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "the database did not answer\n").into_response(),
        }
    }
}
