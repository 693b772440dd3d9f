//! The proven queries, and what is made of their rows.
//!
//! Whatever a page shows comes from [`worklog_schema::query`]: the build proved that each of these queries uses its index,
//! and the boot proved it again on this data. Every one is bound to one company.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use worklog_schema::query::{self, company_month, instance_sync, user_month};

use crate::parameters::{self, Days};

/// One entry of somebody's time.
#[derive(Serialize)]
pub(crate) struct Worklog {
    pub(crate) issue_key: String,
    pub(crate) author_email: String,
    pub(crate) started: String,
    /// The day under which SQLite's `date(started)` finds it: that of UTC where `started` has an offset.
    pub(crate) day: String,
    pub(crate) time_spent_seconds: i64,
}

impl Worklog {
    fn new(issue_key: String, author_email: String, started: String, time_spent_seconds: i64) -> Self {
        Self { issue_key, author_email, day: day_of(&started), started, time_spent_seconds }
    }
}

/// A company's worklogs.
pub(crate) fn of_company(connection: &Connection, company: i64, days: Days) -> rusqlite::Result<Vec<Worklog>> {
    let (from, to) = (days.from.to_string(), days.to.to_string());
    let params = company_month::Params { company_id: company, from_day: &from, to_day: &to };
    let worklog =
        |row: company_month::Row| Worklog::new(row.issue_key, row.author_email, row.started, row.time_spent_seconds);
    Ok(query::company_month(connection, &params)?.into_iter().map(worklog).collect())
}

/// One person's worklogs, however the address is capitalised.
pub(crate) fn of_user(
    connection: &Connection,
    company: i64,
    email: &str,
    days: Days,
) -> rusqlite::Result<Vec<Worklog>> {
    let (from, to) = (days.from.to_string(), days.to.to_string());
    // As SQLite's LOWER does it: ASCII only.
    let email = email.to_ascii_lowercase();
    let params = user_month::Params { company_id: company, email: &email, from_day: &from, to_day: &to };
    let worklog =
        |row: user_month::Row| Worklog::new(row.issue_key, email.clone(), row.started, row.time_spent_seconds);
    Ok(query::user_month(connection, &params)?.into_iter().map(worklog).collect())
}

/// The worklogs of one Jira instance of a company.
pub(crate) fn of_instance(
    connection: &Connection,
    company: i64,
    instance: &str,
    days: Days,
) -> rusqlite::Result<Vec<Worklog>> {
    let (from, to) = (days.from.to_string(), days.to.to_string());
    let params = instance_sync::Params { company_id: company, jira_instance: instance, from_day: &from, to_day: &to };
    let worklog =
        |row: instance_sync::Row| Worklog::new(row.issue_key, row.author_email, row.started, row.time_spent_seconds);
    Ok(query::instance_sync(connection, &params)?.into_iter().map(worklog).collect())
}

fn day_of(started: &str) -> String {
    let date = match started.parse::<Timestamp>() {
        Ok(moment) => Ok(TimeZone::UTC.to_datetime(moment).date()),
        Err(_) => started.parse::<DateTime>().map(DateTime::date),
    };
    date.map_or_else(|_| started.to_owned(), |date| date.to_string())
}

/// The sum of their time, in hours.
pub(crate) fn hours(worklogs: &[Worklog]) -> f64 {
    in_hours(worklogs.iter().map(|worklog| worklog.time_spent_seconds).sum())
}

/// The hours of every day, or of every author.
pub(crate) fn hours_by(worklogs: &[Worklog], key: impl Fn(&Worklog) -> &String) -> BTreeMap<&String, f64> {
    let mut seconds = BTreeMap::new();
    for worklog in worklogs {
        *seconds.entry(key(worklog)).or_insert(0) += worklog.time_spent_seconds;
    }
    seconds.into_iter().map(|(key, seconds)| (key, in_hours(seconds))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
fn in_hours(seconds: i64) -> f64 {
    (seconds as f64 / 36.0).round() / 100.0
}

// Defaults for a request without parameters. These are no contracts: each is one step into an index that the contracts
// declare, and no page of a real application needs them.

/// The company with the lowest number that has worklogs.
pub(crate) fn first_company(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT min(company_id) FROM worklogs")?.query_row([], |row| row.get(0))
}

/// The first instance of a company, by name.
pub(crate) fn first_instance(connection: &Connection, company: i64) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT min(jira_instance) FROM worklogs WHERE company_id = ?1";
    connection.prepare_cached(sql)?.query_row([company], |row| row.get(0))
}

/// The latest day on which somebody of a company worked.
pub(crate) fn latest_day(connection: &Connection, company: i64) -> rusqlite::Result<Option<Date>> {
    let sql = "SELECT max(date(started)) FROM worklogs WHERE company_id = ?1";
    let day: Option<String> = connection.prepare_cached(sql)?.query_row([company], |row| row.get(0))?;
    Ok(day.as_deref().and_then(parameters::day))
}

/// Asks the database for anything, to know that it still answers.
pub(crate) fn answers(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT 1 FROM sqlite_schema LIMIT 1";
    connection.prepare_cached(sql)?.query_row([], |_| Ok(())).optional().map(drop)
}
