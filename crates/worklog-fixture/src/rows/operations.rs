//! What the application writes about itself: its log of the last 30 days and the history of its syncs.

use rusqlite::{Result, ToSql};

use super::Target;
use super::organisation::{Company, Organisation};
use crate::calendar;
use crate::random::Random;

const LOGGED_DAYS: u32 = 30;
const ENDPOINTS: [&str; 6] =
    ["/api/dashboard", "/api/worklogs", "/api/sync", "/api/users", "/api/teams", "/api/billing/invoices"];

pub(super) fn insert(target: &Target<'_>, organisation: &Organisation, worklogs: usize) -> Result<()> {
    insert_logs(target, organisation, (worklogs / 10).max(1_000))?;
    insert_syncs(target, organisation)
}

/// Evenly over the days, oldest first.
fn insert_logs(target: &Target<'_>, organisation: &Organisation, count: usize) -> Result<()> {
    let mut random = Random::new(target.seed, "logs");
    let mut logs = target.insert_owned(
        "logs",
        "timestamp, level, logger_name, message, request_id, endpoint, method, status_code, duration_ms, created_at",
    )?;
    let first = calendar::LAST.minus(LOGGED_DAYS - 1);
    let days = LOGGED_DAYS as usize;
    for number in 0..count {
        let second = number * days * 86_400 / count;
        let day = first.plus(u32::try_from(second / 86_400).unwrap_or(0));
        let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        let (timestamp, created) = (format!("{day}T{time}.{:06}", random.below(1_000_000)), format!("{day} {time}"));
        let (level, status) = match random.below(100) {
            0 => ("ERROR", 500),
            1..=5 => ("WARNING", 404),
            _ => ("INFO", 200),
        };
        let endpoint = random.pick_skewed(&ENDPOINTS).copied().unwrap_or_default();
        let method = if endpoint == "/api/sync" { "POST" } else { "GET" };
        let duration = f64::from(random.skewed_below(40_000)) / 10.0;
        let request = format!("req-{number:08x}");
        let message = format!("{method} {endpoint} answered {status}");
        let company = random.pick_skewed(&organisation.companies).map(|company: &Company| company.id);
        let values: [&dyn ToSql; 10] =
            [&timestamp, &level, &"app.requests", &message, &request, &endpoint, &method, &status, &duration, &created];
        logs.owned_row(company, &values)?;
    }
    Ok(())
}

/// One a day for every company over the last months.
fn insert_syncs(target: &Target<'_>, organisation: &Organisation) -> Result<()> {
    let mut random = Random::new(target.seed, "syncs");
    let mut syncs = target.insert_owned(
        "sync_history",
        "start_date, end_date, jira_instances, worklogs_synced, worklogs_updated, status, error_message, started_at, \
         completed_at",
    )?;
    for back in (0..90).rev() {
        let day = calendar::LAST.minus(back);
        for company in &organisation.companies {
            let names: Vec<String> =
                company.instances.iter().map(|instance| format!("\"{}\"", instance.name)).collect();
            let failure = random.one_in(30).then_some("Jira did not answer");
            let status = if failure.is_some() { "failed" } else { "completed" };
            let (from, to) = (day.minus(7).to_string(), day.to_string());
            let (start, end) = (format!("{day} 02:00:00"), format!("{day} 02:01:30"));
            let list = format!("[{}]", names.join(","));
            let (synced, updated) = (random.below(500), random.below(50));
            syncs.owned_row(company.id, &[&from, &to, &list, &synced, &updated, &status, &failure, &start, &end])?;
        }
    }
    Ok(())
}
