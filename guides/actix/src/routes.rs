//! What is answered.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError, web};
use bootproof::Verdict;
use pools::with_r2d2::Pool;
use rusqlite::Connection;
use serde::Deserialize;
use tasks::SOME_DAY;

/// What every request may use.
pub(crate) struct Database {
    pub(crate) verdict: Verdict,
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

pub(crate) fn of(config: &mut web::ServiceConfig) {
    config
        .route("/tasks", web::get().to(list))
        .route("/tasks", web::post().to(add))
        .route("/healthz", web::get().to(health));
}

/// Waits for a connection, and works with it, on a thread where blocking is allowed.
async fn with<T: Send + 'static>(
    pool: Pool,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, Unanswered> {
    let worked = web::block(move || {
        let mut connection = pool.get().map_err(Unanswered::Busy)?;
        work(&mut connection).map_err(Unanswered::Sqlite)
    });
    worked.await.map_err(|_| Unanswered::Ended)?
}

async fn list(database: web::Data<Database>, asked: web::Query<Until>) -> Result<HttpResponse, Unanswered> {
    let until = asked.into_inner().until.unwrap_or_else(|| SOME_DAY.to_owned());
    let tasks = with(database.readers.clone(), move |connection| tasks::open(connection, &until)).await?;
    Ok(HttpResponse::Ok().json(tasks))
}

async fn add(database: web::Data<Database>, new: web::Json<NewTask>) -> Result<HttpResponse, Unanswered> {
    let NewTask { title, due } = new.into_inner();
    let due = due.unwrap_or_else(|| SOME_DAY.to_owned());
    let id = with(database.writer.clone(), move |connection| tasks::add(connection, &title, &due)).await?;
    Ok(HttpResponse::Created().json(id))
}

async fn health(database: web::Data<Database>) -> HttpResponse {
    HttpResponse::Ok().body(match database.verdict {
        Verdict::Degraded => "degraded\n",
        _ => "ready\n",
    })
}

/// Why a request was not answered.
#[derive(Debug)]
enum Unanswered {
    Busy(r2d2::Error),
    Sqlite(rusqlite::Error),
    Ended,
}

/// The client is told what it can act on; the rest is in the log.
impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.status_code() {
            StatusCode::UNPROCESSABLE_ENTITY => "this is no task\n",
            StatusCode::SERVICE_UNAVAILABLE => "busy\n",
            _ => "the database did not answer\n",
        })
    }
}

impl ResponseError for Unanswered {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Sqlite(error) if error.sqlite_error_code() == Some(tasks::CONSTRAINT) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Sqlite(error) if error.sqlite_error_code() == Some(tasks::BUSY) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Sqlite(_) | Self::Ended => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Busy(error) => log::error!("{error}"),
            Self::Sqlite(error) => log::error!("{error}"),
            Self::Ended => log::error!("work with the database panicked"),
        }
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response.body(self.to_string())
    }
}
