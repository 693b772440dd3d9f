//! The files that every page uses; part of the program, so that nothing is fetched from elsewhere.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// A browser keeps it, and asks each time whether it is still this one: after an upgrade no page has the style of the program
/// before.
const CACHE: &str = "no-cache";

fn asset(asked: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let tag = format!("\"{:016x}\"", digest(text));
    let is_known = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let head = [(CACHE_CONTROL, CACHE.to_owned()), (ETAG, tag)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(CONTENT_TYPE, kind)], text).into_response()
}

/// Tells two builds of a file apart: FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub(crate) async fn style(asked: HeaderMap) -> Response {
    asset(&asked, "text/css; charset=utf-8", include_str!("style.css"))
}

pub(crate) async fn script(asked: HeaderMap) -> Response {
    asset(&asked, "text/javascript; charset=utf-8", include_str!("page.js"))
}

pub(crate) async fn icon(asked: HeaderMap) -> Response {
    asset(&asked, "image/svg+xml", include_str!("icon.svg"))
}
