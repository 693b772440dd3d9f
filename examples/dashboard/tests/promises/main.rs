//! What the dashboard promises, through the real program, over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say when they are skipped"
)]

mod support;

mod answers;
mod escapes_what_it_shows;
#[cfg(unix)]
mod restarts_without_dropping_a_request;
mod shows_itself_in_a_browser;
mod tells_how_it_is;
mod withstands;
