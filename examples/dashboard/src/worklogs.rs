//! The proven queries, and what is made of their rows.
//!
//! Whatever a page shows comes from [`worklog_schema::query`]: the build proved that each of these queries uses its index,
//! and the boot proved it again on this data. Every one is bound to one company.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use worklog_schema::query::{company_month, instance_sync, user_worklogs_range};

use crate::parameters::{self, Ask, Days};
use crate::routes::Fault;

/// More rows than an answer shows; totals count all of them.
pub(crate) const MOST_ROWS: usize = 500;

/// One entry of somebody's time.
#[derive(Debug, Serialize)]
pub(crate) struct Worklog {
    pub(crate) issue_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issue_summary: Option<String>,
    pub(crate) author_email: String,
    pub(crate) started: String,
    /// The day under which SQLite's `date(started)` finds it: that of UTC where `started` has an offset.
    pub(crate) day: String,
    pub(crate) time_spent_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jira_instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<String>,
}

/// Worklogs between two days, summed up.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) company: i64,
    pub(crate) days: Days,
    pub(crate) count: u64,
    pub(crate) seconds: i64,
    pub(crate) by_day: BTreeMap<String, i64>,
    /// By address, however it is capitalised.
    pub(crate) by_person: BTreeMap<String, Share>,
    /// The newest, the newest first; none of a whole company.
    pub(crate) latest: VecDeque<Worklog>,
    pub(crate) took: Duration,
}

/// What one person has of a whole.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) name: Option<String>,
    pub(crate) count: u64,
    pub(crate) seconds: i64,
}

impl View {
    fn new(company: i64, days: Days) -> Self {
        Self {
            company,
            days,
            count: 0,
            seconds: 0,
            by_day: BTreeMap::new(),
            by_person: BTreeMap::new(),
            latest: VecDeque::new(),
            took: Duration::ZERO,
        }
    }

    fn add(&mut self, started: &str, email: &str, name: Option<String>, seconds: i64) {
        self.count += 1;
        self.seconds = self.seconds.saturating_add(seconds);
        add(self.by_day.entry(day_of(started)).or_default(), seconds);
        // As SQLite's LOWER does it: ASCII only.
        let share = self.by_person.entry(email.to_ascii_lowercase()).or_default();
        share.name = share.name.take().or(name);
        share.count += 1;
        add(&mut share.seconds, seconds);
    }
}

fn add(sum: &mut i64, seconds: i64) {
    *sum = sum.saturating_add(seconds);
}

/// A company's worklogs.
pub(crate) fn of_company(connection: &Connection, company: i64, days: Days) -> rusqlite::Result<View> {
    let (from_day, to_day) = (&days.from.to_string(), &days.to.to_string());
    let params = company_month::Params { company_id: company, from_day, to_day };
    let (mut view, begun) = (View::new(company, days), Instant::now());
    company_month::stream(connection, &params, |rows| {
        for row in rows {
            let row = row?;
            view.add(&row.started, &row.author_email, row.author_display_name, row.time_spent_seconds);
        }
        Ok(())
    })?;
    view.took = begun.elapsed();
    Ok(view)
}

/// One person's worklogs, under each of the ways in which the address is written.
pub(crate) fn of_user(
    connection: &Connection,
    company: i64,
    spellings: &BTreeSet<String>,
    days: Days,
) -> rusqlite::Result<View> {
    let (from_day, to_day) = (&days.from.to_string(), &days.to.to_string());
    let (mut view, begun) = (View::new(company, days), Instant::now());
    let mut worklogs = Vec::new();
    for author_email in spellings {
        let params = user_worklogs_range::Params { company_id: company, author_email, from_day, to_day };
        user_worklogs_range::stream(connection, &params, |rows| {
            // They come newest first: behind so many there is none that is shown.
            for (place, row) in rows.enumerate() {
                let row = row?;
                view.add(&row.started, &row.author_email, row.author_display_name, row.time_spent_seconds);
                if place >= MOST_ROWS {
                    continue;
                }
                worklogs.push(Worklog {
                    issue_key: row.issue_key,
                    issue_summary: row.issue_summary,
                    author_email: row.author_email,
                    day: day_of(&row.started),
                    started: row.started,
                    time_spent_seconds: row.time_spent_seconds,
                    jira_instance: Some(row.jira_instance),
                    updated_at: None,
                });
            }
            Ok(())
        })?;
        worklogs.sort_by(|one, other| other.started.cmp(&one.started));
        worklogs.truncate(MOST_ROWS);
    }
    view.latest = worklogs.into();
    view.took = begun.elapsed();
    Ok(view)
}

/// The worklogs of one Jira instance of a company.
pub(crate) fn of_instance(connection: &Connection, company: i64, instance: &str, days: Days) -> rusqlite::Result<View> {
    let (from_day, to_day) = (&days.from.to_string(), &days.to.to_string());
    let params = instance_sync::Params { company_id: company, jira_instance: instance, from_day, to_day };
    let (mut view, begun) = (View::new(company, days), Instant::now());
    instance_sync::stream(connection, &params, |rows| {
        // They come in the order of the index, day by day: the newest are the last.
        for row in rows {
            let row = row?;
            view.add(&row.started, &row.author_email, None, row.time_spent_seconds);
            if view.latest.len() == MOST_ROWS {
                view.latest.pop_front();
            }
            view.latest.push_back(Worklog {
                issue_key: row.issue_key,
                issue_summary: None,
                author_email: row.author_email,
                day: day_of(&row.started),
                started: row.started,
                time_spent_seconds: row.time_spent_seconds,
                jira_instance: None,
                updated_at: row.updated_at,
            });
        }
        Ok(())
    })?;
    view.latest.make_contiguous().sort_by(|one, other| other.started.cmp(&one.started));
    view.took = begun.elapsed();
    Ok(view)
}

fn day_of(started: &str) -> String {
    let date = match started.parse::<Timestamp>() {
        Ok(moment) => Ok(TimeZone::UTC.to_datetime(moment).date()),
        Err(_) => started.parse::<DateTime>().map(DateTime::date),
    };
    date.map_or_else(|_| started.to_owned(), |date| date.to_string())
}

/// Seconds in hours, as they are shown.
#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
pub(crate) fn in_hours(seconds: i64) -> f64 {
    (seconds as f64 / 36.0).round() / 100.0
}

/// How long what there is to choose from is good for.
const FRESH: Duration = Duration::from_mins(1);

/// More people than a list of suggestions is of use for.
const MOST_CHOICES: usize = 2_000;

/// As many companies are remembered.
const MOST_COMPANIES: usize = 200;

/// What there is to choose from. These are no contracts: each goes along an index that the contracts declare, one step for
/// each of what differs (where there are statistics, SQLite skips what is alike), and is kept for a minute.
#[derive(Debug, Default)]
pub(crate) struct Choices(Mutex<HashMap<i64, Arc<Choice>>>);

/// What there is to choose from in one company.
#[derive(Debug)]
pub(crate) struct Choice {
    at: Instant,
    /// Addresses as they are written, sorted; so many as can be suggested.
    pub(crate) people: Vec<String>,
    /// Whether none is behind the end of that list.
    has_everybody: bool,
    pub(crate) instances: Vec<String>,
    /// How those who were asked for are written, where the list has not everybody; by the address in small letters.
    spelt: Mutex<HashMap<String, BTreeSet<String>>>,
}

impl Choices {
    pub(crate) fn of(&self, connection: &Connection, company: i64) -> rusqlite::Result<Arc<Choice>> {
        if let Some(choice) = self.known().get(&company).filter(|choice| choice.is_fresh()) {
            return Ok(Arc::clone(choice));
        }
        // Not under the lock: while one waits for a busy database, others do not wait for him.
        let choice = Arc::new(Choice::read(connection, company)?);
        let mut known = self.known();
        known.retain(|_, choice| choice.is_fresh());
        if known.len() >= MOST_COMPANIES {
            // Whoever asks for companies that do not exist fills no memory.
            known.clear();
        }
        known.insert(company, Arc::clone(&choice));
        Ok(choice)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, Arc<Choice>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Choice {
    fn read(connection: &Connection, company: i64) -> rusqlite::Result<Self> {
        let distinct = |column| -> rusqlite::Result<Vec<Option<String>>> {
            let sql = format!(
                "SELECT DISTINCT {column} FROM worklogs WHERE company_id = ?1 ORDER BY {column} LIMIT {MOST_CHOICES}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            // What is no text, or longer than anybody may ask for, cannot be chosen, and keeps nobody from choosing another.
            let text = |row: &Row<'_>| {
                let text = row.get_ref(0)?.as_str().ok().filter(|text| text.len() <= parameters::LONGEST_TEXT);
                Ok(text.map(str::to_owned))
            };
            statement.query_map([company], text)?.collect()
        };
        let at = Instant::now();
        let (people, instances) = (distinct("author_email")?, distinct("jira_instance")?);
        // Counted with those that cannot be chosen: they have taken others' places.
        let has_everybody = people.len() < MOST_CHOICES;
        let chosen = |texts: Vec<Option<String>>| texts.into_iter().flatten().collect();
        Ok(Self { at, people: chosen(people), has_everybody, instances: chosen(instances), spelt: Mutex::default() })
    }

    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH
    }

    /// The ways in which somebody's address is written here, the one that was asked for among them.
    pub(crate) fn spellings(
        &self,
        connection: &Connection,
        company: i64,
        email: &str,
    ) -> rusqlite::Result<BTreeSet<String>> {
        let small = email.to_ascii_lowercase();
        // Somebody may have begun to work within the last minute.
        let mut spellings = BTreeSet::from([email.to_owned(), small.clone()]);
        if self.has_everybody {
            spellings.extend(self.people.iter().filter(|known| known.eq_ignore_ascii_case(email)).cloned());
        } else {
            spellings.append(&mut self.looked_up(connection, company, small)?);
        }
        Ok(spellings)
    }

    /// The same from the index, which knows everybody, of an address in small letters.
    fn looked_up(&self, connection: &Connection, company: i64, small: String) -> rusqlite::Result<BTreeSet<String>> {
        if let Some(known) = self.spelt().get(&small) {
            return Ok(known.clone());
        }
        // Materialised, because SQLite skips only behind a row that it has found: with the condition inside it would read all
        // rows of the company.
        let sql = format!(
            "WITH addresses AS MATERIALIZED (SELECT DISTINCT author_email FROM worklogs WHERE company_id = ?1)
             SELECT author_email FROM addresses WHERE lower(author_email) = ?2 LIMIT {MOST_CHOICES}"
        );
        let mut found = BTreeSet::new();
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![company, small])?;
        while let Some(row) = rows.next()? {
            found.extend(row.get_ref(0)?.as_str().ok().map(str::to_owned));
        }
        let mut spelt = self.spelt();
        if spelt.values().map(|found| found.len() + 1).sum::<usize>() + found.len() >= MOST_CHOICES {
            // Whoever asks for people who do not exist fills no memory either.
            spelt.clear();
        }
        spelt.insert(small, found.clone());
        Ok(found)
    }

    fn spelt(&self) -> MutexGuard<'_, HashMap<String, BTreeSet<String>>> {
        self.spelt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A company and its name. One whose name is no text is told by its number: it is in a list that every company sees.
pub(crate) fn companies(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let sql = "SELECT id, name FROM companies WHERE is_active ORDER BY name, id LIMIT 1000";
    let named = |row: &Row<'_>| {
        let id: i64 = row.get(0)?;
        let name = row.get_ref(1)?.as_str().map_or_else(|_| format!("Number {id}"), str::to_owned);
        Ok((id, name))
    };
    connection.prepare_cached(sql)?.query_map([], named)?.collect()
}

/// The company asked for, or the one with the lowest number that has worklogs. A real application takes it from the session:
/// this one has no users, so it trusts the request; every query is bound to exactly one company all the same.
pub(crate) fn company(connection: &Connection, ask: &Ask) -> Result<i64, Fault> {
    if let Some(company) = ask.company {
        return Ok(company);
    }
    let sql = "SELECT min(company_id) FROM worklogs";
    // What is no number, and before all numbers, is no company.
    let first = connection.prepare_cached(sql)?.query_row([], |row| Ok(row.get_ref(0)?.as_i64().ok()))?;
    first.ok_or(NO_WORKLOGS)
}

/// The days asked for, or the latest month of the company.
pub(crate) fn days(connection: &Connection, ask: &Ask, company: i64) -> Result<Days, Fault> {
    if let Some(days) = ask.days {
        return Ok(days);
    }
    let sql = "SELECT max(date(started)) FROM worklogs WHERE company_id = ?1";
    let day: Option<String> = connection.prepare_cached(sql)?.query_row([company], |row| row.get(0))?;
    let day: Option<Date> = day.as_deref().and_then(parameters::day);
    day.map(Days::month_of).ok_or(NO_WORKLOGS)
}

pub(crate) const NO_WORKLOGS: Fault = Fault::NotFound("no worklogs to choose defaults from; give every parameter");

/// Asks the database for anything, to know that it still answers.
pub(crate) fn answers(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("SELECT count(*) FROM sqlite_schema")?.query_row([], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_behind_the_list_is_looked_up_once_a_minute() {
        let connection = Connection::open_in_memory().unwrap();
        // The first is longer than anybody may ask for, and has a place in the list.
        let sql = format!(
            "CREATE TABLE worklogs(company_id INTEGER, author_email TEXT, jira_instance TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MOST_CHOICES})
             INSERT INTO worklogs SELECT 1, format('p%05d@b.example', i), 'Main' FROM n;
             UPDATE worklogs SET author_email = printf('a%0400d', 1) WHERE author_email = 'p00001@b.example';
             INSERT INTO worklogs VALUES (1, 'zoe.LAST@b.example', 'Main'), (2, 'zoe.Last@b.example', 'Main')"
        );
        connection.execute_batch(&sql).unwrap();
        let choice = Choice::read(&connection, 1).unwrap();
        let expected = ["Zoe.last@b.example", "zoe.LAST@b.example", "zoe.last@b.example"].map(str::to_owned);
        let spellings = || choice.spellings(&connection, 1, "Zoe.last@b.example").unwrap();
        assert_eq!(spellings(), BTreeSet::from(expected.clone()));
        connection.execute_batch("DROP TABLE worklogs").unwrap();
        assert_eq!(spellings(), BTreeSet::from(expected), "nothing is read");
    }

    #[test]
    fn what_is_asked_for_in_vain_is_not_kept_without_end() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE worklogs(company_id INTEGER, author_email TEXT, jira_instance TEXT)")
            .unwrap();
        let choice = Choice { has_everybody: false, ..Choice::read(&connection, 1).unwrap() };
        for number in 0..2 * MOST_CHOICES {
            choice.spellings(&connection, 1, &format!("p{number}@b.example")).unwrap();
        }
        assert!(choice.spelt().len() <= MOST_CHOICES, "{}", choice.spelt().len());
    }
}
