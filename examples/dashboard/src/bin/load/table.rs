//! What was measured, as a table in Markdown.

use std::fmt::Write as _;
use std::thread::available_parallelism;
use std::time::Duration;

use bootproof::figure::{bytes, duration, grouped};
use worklog_schema::query;

use crate::clients::{Outcome, Times};
use crate::{Arguments, Measured};

/// Everything that somebody needs to judge the figures, and the figures.
pub(crate) fn markdown(arguments: &Arguments, before: &Measured, after: &Measured) -> String {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let (rows, clients) = (grouped(arguments.rows as u64), arguments.clients);
    let mut text = format!(
        "{rows} worklogs, {} as found and {} after the boot. {clients} clients on loopback, server and clients on the same {cores} \
         cores; one request in {} is a synchronisation. SQLite {}.\n\n",
        bytes(before.bytes),
        bytes(after.bytes),
        arguments.sync_every,
        bootproof::rusqlite::version(),
    );
    text.push_str("| load | view | allowed | before: median | 95% | after: median | 95% | answers a second | |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---|\n");
    let pauses = format!("a pause of {}", duration(Duration::from_millis(arguments.pause).as_secs_f64()));
    let loads =
        [(pauses.as_str(), &before.with_pauses, &after.with_pauses), ("no pause", &before.without, &after.without)];
    for (load, before, after) in loads {
        let user = query::USER_WORKLOGS_RANGE.budget;
        row(&mut text, load, "user", user, (before, &before.user), (after, &after.user));
        let sync = query::INSTANCE_SYNC.budget;
        row(&mut text, load, "sync", sync, (before, &before.sync), (after, &after.sync));
    }
    let failures = [&before.with_pauses, &before.without, &after.with_pauses, &after.without]
        .map(|outcome| outcome.user.failures + outcome.sync.failures);
    let _ = write!(
        text,
        "\nRequests without an answer: {} before, {} after.",
        grouped((failures[0] + failures[1]) as u64),
        grouped((failures[2] + failures[3]) as u64)
    );
    text
}

fn row(
    text: &mut String,
    load: &str,
    view: &str,
    allowed: Duration,
    before: (&Outcome, &Times),
    after: (&Outcome, &Times),
) {
    let time = |time: Option<Duration>| time.map_or_else(|| "none".to_owned(), |time| duration(time.as_secs_f64()));
    let rate = |(outcome, times): (&Outcome, &Times)| {
        let count = u32::try_from(times.count()).unwrap_or(u32::MAX);
        format!("{:.1}", f64::from(count) / outcome.time.as_secs_f64().max(f64::MIN_POSITIVE))
    };
    let verdict = match after.1.percentile(95) {
        Some(time) if time <= allowed => "within",
        Some(_) => "over",
        None => "",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "| {load} | {view} | {} | {} | {} | {} | {} | {} → {} | {verdict} |",
        duration(allowed.as_secs_f64()),
        time(before.1.percentile(50)),
        time(before.1.percentile(95)),
        time(after.1.percentile(50)),
        time(after.1.percentile(95)),
        rate(before),
        rate(after),
    );
}
