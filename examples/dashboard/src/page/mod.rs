//! The answers for people: pages that are whole without JavaScript, without a network, and without a mouse.

pub(crate) mod assets;
mod chart;
pub(crate) mod database;
mod filtered;
mod form;
mod latency;
pub(crate) mod sync;
pub(crate) mod worklogs;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bootproof::figure::grouped;
use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::routes::Fault;
use crate::worklogs::in_hours;

/// The pages that the head of each leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Worklogs,
    Sync,
    Database,
}

const PLACES: [Place; 3] = [Place::Worklogs, Place::Sync, Place::Database];

impl Place {
    fn path(self) -> &'static str {
        match self {
            Self::Worklogs => "/",
            Self::Sync => "/sync",
            Self::Database => "/admin/database",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Worklogs => "Worklogs",
            Self::Sync => "Sync",
            Self::Database => "Database",
        }
    }
}

/// A whole page.
fn page(app: &App, status: StatusCode, here: Place, content: &Markup) -> Response {
    let verdict = app.verdict();
    let version = app.boot.to_version.map_or_else(String::new, |version| format!(", version {version}"));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (here.name()) " · Worklogs" }
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/page.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    div.bounds {
                        a.brand href="/" { img src="/assets/icon.svg" alt="" width="28" height="28"; "Worklogs" }
                        nav aria-label="Pages" {
                            ul {
                                @for place in PLACES {
                                    li { a href=(place.path()) aria-current=[(place == here).then_some("page")] { (place.name()) } }
                                }
                            }
                        }
                        a.badge.(verdict) href="/admin/database" { span.dot aria-hidden="true" {} "Database " (verdict) (version) }
                    }
                }
                main #content.bounds tabindex="-1" { (content) }
            }
        }
    };
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

/// What is said in the place of an answer.
fn problem(fault: &Fault) -> Markup {
    html! {
        div.notice.bad role="alert" {
            strong { @match fault { Fault::BadRequest(_) => "That cannot be shown.", _ => "Something went wrong." } }
            " " (fault.message()) "."
        }
    }
}

/// What is said where there is nothing.
fn nothing(title: &str, why: &Markup) -> Markup {
    html! { div.empty { strong { (title) } p { (why) } } }
}

/// A few figures in large type.
fn tiles(tiles: &[(&str, String)]) -> Markup {
    html! { dl.tiles { @for (name, value) in tiles { div { dt { (name) } dd { (value) } } } } }
}

/// `1,234 h`, `7.5 h`, `0.25 h`
fn hours(seconds: i64) -> String {
    match u64::try_from(seconds.saturating_add(1_800) / 3_600) {
        Ok(whole) if whole >= 100 => format!("{} h", grouped(whole)),
        _ => format!("{} h", in_hours(seconds)),
    }
}

/// A bar of so many hundredths of its place; what it says is said beside it.
fn bar(share: f64, class: &str) -> Markup {
    let width = format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0);
    html! {
        svg.bar.(class) width="100%" height="10" aria-hidden="true" focusable="false" {
            rect.place width="100%" height="10" rx="3" {}
            rect.value width=(width) height="10" rx="3" {}
        }
    }
}
