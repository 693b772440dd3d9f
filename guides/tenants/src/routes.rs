//! What is answered.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use pools::with_deadpool::{Error, with};
use tasks::{SOME_DAY, Task};

use crate::tenants::{Tenants, Unavailable};

pub(crate) fn of(tenants: Arc<Tenants>) -> Router {
    Router::new()
        .route("/{tenant}", axum::routing::put(create))
        .route("/{tenant}/tasks", get(list).post(add))
        .with_state(tenants)
}

/// In earnest only for whoever may.
async fn create(State(tenants): State<Arc<Tenants>>, Path(tenant): Path<String>) -> Result<StatusCode, Unanswered> {
    tenants.create(&tenant).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(tenants): State<Arc<Tenants>>, Path(tenant): Path<String>) -> Result<Json<Vec<Task>>, Unanswered> {
    let database = tenants.get(&tenant).await?;
    Ok(Json(with(&database.readers, |connection| tasks::open(connection, SOME_DAY)).await?))
}

async fn add(
    State(tenants): State<Arc<Tenants>>,
    Path(tenant): Path<String>,
    Json(title): Json<String>,
) -> Result<(StatusCode, Json<i64>), Unanswered> {
    let database = tenants.get(&tenant).await?;
    let id = with(&database.writer, move |connection| tasks::add(connection, &title, SOME_DAY)).await?;
    Ok((StatusCode::CREATED, Json(id)))
}

enum Unanswered {
    Unavailable(Unavailable),
    Failed(Error),
}

impl From<Unavailable> for Unanswered {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Unanswered {
    fn into_response(self) -> Response {
        match self {
            Self::Unavailable(Unavailable::Unknown) => (StatusCode::NOT_FOUND, "no such tenant\n").into_response(),
            Self::Unavailable(Unavailable::Refused(refused)) => {
                // Only a lock goes away by itself.
                let again = [(header::RETRY_AFTER, if refused.code == 3 { "60" } else { "600" })];
                (StatusCode::SERVICE_UNAVAILABLE, again, "this tenant is not served at present\n").into_response()
            }
            Self::Failed(Error::Busy) => {
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "busy\n").into_response()
            }
            Self::Failed(error) => {
                log::error!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "the database did not answer\n").into_response()
            }
        }
    }
}
