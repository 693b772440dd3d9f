//! The files that every page uses; part of the program, so that nothing is fetched from elsewhere.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// Another build may have others; a reload within the hour needs none.
const CACHE: &str = "max-age=3600, must-revalidate";

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, CACHE)], text).into_response()
}

pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

pub(crate) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("page.js"))
}

pub(crate) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("icon.svg"))
}
