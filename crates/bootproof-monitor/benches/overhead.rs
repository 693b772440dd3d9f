//! What it costs to watch a query: `cargo bench -p bootproof-monitor`.
//!
//! The same query, plain and watched, in turn in one run: batch by batch, so that whatever else the machine does falls on both.
//! What is printed is the median of the ratios of neighbouring batches.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that fails stops")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bootproof::compiled::Contract;
use bootproof_monitor::Monitor;
use rusqlite::{Connection, ToSql, named_params};
use worklog_fixture::Fixture;
use worklog_schema::{SCHEMA, query};

/// As long as a query takes that is as fast as an index makes it.
const SHORT: Duration = Duration::from_micros(20);
const BATCH: u32 = 500;
const BATCHES: usize = 801;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worklog.db");
    Fixture::new(20_000).create(&path).unwrap();
    worklog_schema::migrate_on_boot(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    let monitor = Monitor::new(&SCHEMA);
    let contract: &Contract = &query::USER_MONTH;
    let sql = "SELECT company_id, lower(author_email) FROM worklogs WHERE company_id IS NOT NULL LIMIT 1";
    let (company, email) =
        connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();

    // As many days as take a query so long.
    let mut days = 0;
    let from_day = loop {
        let from = format!("date('2025-12-31', '-{days} days')");
        let day: String = connection.query_row(&format!("SELECT {from}"), [], |row| row.get(0)).unwrap();
        let parameters =
            named_params! { ":company_id": company, ":email": email, ":from_day": day, ":to_day": "2025-12-31" };
        if batch(|| run(&connection, contract, parameters)) / BATCH >= SHORT || days > 365 {
            break day;
        }
        days += 1;
    };
    let parameters =
        named_params! { ":company_id": company, ":email": email, ":from_day": from_day, ":to_day": "2025-12-31" };
    let plain = || run(&connection, contract, parameters);
    let watched = || monitor.query(contract).on(&connection).with(parameters).time(plain);
    tell("a query", &measure(plain, watched));
    // The least that can be watched: what watching costs by itself.
    let nothing = || Ok(black_box(0));
    tell("nothing", &measure(nothing, || monitor.time(contract, nothing)));
}

fn run(connection: &Connection, contract: &Contract, parameters: &[(&str, &dyn ToSql)]) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(contract.sql)?;
    let mut rows = statement.query(parameters)?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        black_box(row.get_ref(0)?);
        count += 1;
    }
    Ok(count)
}

fn batch(mut run: impl FnMut() -> rusqlite::Result<usize>) -> Duration {
    let start = Instant::now();
    for _ in 0..BATCH {
        black_box(run().unwrap());
    }
    start.elapsed()
}

/// The medians of plain and watched runs, and of their ratios.
struct Measured {
    plain: f64,
    watched: f64,
    ratio: f64,
}

fn measure(plain: impl Fn() -> rusqlite::Result<usize>, watched: impl Fn() -> rusqlite::Result<usize>) -> Measured {
    let (mut plains, mut watcheds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..BATCHES {
        // Who begins changes from turn to turn.
        let (one, other) = if turn % 2 == 0 {
            let one = batch(&plain);
            (one, batch(&watched))
        } else {
            let other = batch(&watched);
            (batch(&plain), other)
        };
        let nanoseconds = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(BATCH);
        plains.push(nanoseconds(one));
        watcheds.push(nanoseconds(other));
        ratios.push(other.as_secs_f64() / one.as_secs_f64());
    }
    Measured { plain: median(plains), watched: median(watcheds), ratio: median(ratios) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn tell(what: &str, Measured { plain, watched, ratio }: &Measured) {
    println!("{what:<8} plain {plain:>8.0} ns   watched {watched:>8.0} ns   ratio {ratio:.4}");
}
