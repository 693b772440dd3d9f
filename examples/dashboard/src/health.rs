//! The answers for whoever watches.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bootproof_monitor::PROMETHEUS_CONTENT_TYPE;
use serde_json::json;

use crate::api;
use crate::app::App;
use crate::routes::Fault;
use crate::worklogs;

/// `/healthz`: the verdict of the boot, if the database still answers. `degraded` is 200: slow is better than down.
pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let answer = app.look(|app, connection| {
        worklogs::answers(connection)?;
        let process = std::process::id();
        Ok(json!({ "status": app.verdict(), "version": app.boot.to_version, "process": process }).to_string())
    });
    answer.await.map(api::json)
}

/// `/metrics`: the queries of this process, its boot, and the database.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let text = app.tell(|app| {
        // What can be told is told, also of a database that is gone.
        let health = app.checkup.prometheus().unwrap_or_else(|failure| {
            log::error!("the health of the database cannot be measured: {failure}");
            String::new()
        });
        Ok(app.monitor.prometheus() + &health)
    });
    text.await.map(|text| ([(CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE)], text).into_response())
}
