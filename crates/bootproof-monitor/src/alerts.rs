//! What is too much, or amiss. Pure: numbers and thresholds in, alerts out.

use bootproof::figure::{bytes, duration, float, grouped, percent, share};
use bootproof::inspect::{DifferenceSeverity, Health, IndexHealth, QueryHealth};
use serde::Serialize;

use crate::latency::QueryLatency;
use crate::thresholds::Thresholds;

/// One thing that somebody should look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// Which threshold, in one stable word.
    pub name: &'static str,
    /// How soon.
    pub severity: Severity,
    /// The table, index, query or file concerned.
    pub object: String,
    /// What is amiss.
    pub message: String,
    /// What was measured, in the unit of the message's object: bytes, rows, seconds, a share.
    pub value: Option<f64>,
    /// What it may be.
    pub limit: Option<f64>,
    /// What to do.
    pub remedy: String,
}

/// With fewer runs in the last minutes a 95th percentile is one run's bad luck.
pub const FEWEST_RUNS: u64 = 20;

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The application would not start.
    Critical,
    /// It works, but not as it should, or not for ever.
    Warning,
}

impl Severity {
    /// The word that JSON and metrics have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// Every alert about a database as it was measured, the gravest first.
#[must_use]
pub fn health_alerts(health: &Health, thresholds: &Thresholds) -> Vec<Alert> {
    let mut alerts = Alerts(Vec::new());
    alerts.refusal(health);
    alerts.structure(health);
    for query in &health.queries {
        alerts.query(query, thresholds);
    }
    alerts.sizes(health, thresholds);
    alerts.rows(health, thresholds);
    alerts.space(health, thresholds);
    alerts.upkeep(health, thresholds);
    alerts.0
}

/// Every alert about the queries as the application has run them in the last minutes.
#[must_use]
pub fn query_alerts(queries: &[QueryLatency], thresholds: &Thresholds) -> Vec<Alert> {
    let mut alerts = Alerts(Vec::new());
    for query in queries {
        alerts.latency(query, thresholds);
    }
    alerts.0
}

struct Alerts(Vec<Alert>);

impl Alerts {
    fn add(&mut self, alert: Alert) {
        self.0.push(alert);
    }

    fn refusal(&mut self, health: &Health) {
        if let Some(error) = &health.error {
            let alert = Alert::warning("refused", &health.database, error.message.clone(), error.hint);
            let value = Some(f64::from(error.code));
            self.add(Alert { severity: Severity::Critical, value, ..alert });
        }
        for problem in &health.problems {
            self.add(Alert::warning("unmeasured", &health.database, problem.clone(), "`verify` checks the whole file"));
        }
    }

    fn structure(&mut self, health: &Health) {
        let repairable = |severity| severity == DifferenceSeverity::Repairable;
        for difference in health.differences.iter().filter(|difference| repairable(difference.severity)) {
            let remedy = "restart the application, or run `boot`: it rebuilds the index";
            self.add(Alert::warning("index", &difference.object, difference.message.clone(), remedy));
        }
    }

    fn query(&mut self, query: &QueryHealth, thresholds: &Thresholds) {
        let (name, index) = (query.name, query.expected_index);
        if let Some(error) = &query.error {
            self.add(Alert::warning(
                "query_failed",
                name,
                format!("query {name} cannot be run: {error}"),
                "`verify` tells what is wrong with the database",
            ));
        }
        if let Some(plan) = &query.missed {
            let remedy = "run `ANALYZE` in the sqlite3 shell, or restart: a boot gathers statistics anew";
            self.add(Alert::warning("query_plan", name, format!("query {name} does not use {index}: {plan}"), remedy));
        }
        let Some(timing) = &query.timing else { return };
        let (median, longest) = (timing.median_ms.0 / 1e3, timing.max_ms.0 / 1e3);
        if let Some(factor) = thresholds.budget_factor {
            let limit = query.budget_ms.0 / 1e3 * factor;
            if median > limit {
                let message = format!("query {name} takes {}, over its {}", duration(median), duration(limit));
                let remedy = "see its plan with `bench --report`; then index, statistics, or a larger budget";
                self.add(Alert::warning("query_budget", name, message, remedy).measured(median, limit));
            }
        }
        if let Some(limit) = thresholds.query_time.map(|limit| limit.as_secs_f64())
            && longest > limit
        {
            let message = format!("a run of query {name} took {}, over {}", duration(longest), duration(limit));
            self.add(
                Alert::warning("query_time", name, message, "look for a missing index, or a busy disk")
                    .measured(longest, limit),
            );
        }
    }

    fn latency(&mut self, query: &QueryLatency, thresholds: &Thresholds) {
        let name = query.name;
        let limit = query.budget_ms.0 / 1e3 * thresholds.budget_factor.unwrap_or(f64::INFINITY);
        let p95 = query.recent.p95_ms.0 / 1e3;
        if query.recent.runs >= FEWEST_RUNS && p95 > limit {
            let message = format!(
                "one run of query {name} in twenty takes {} or more, over its {}",
                duration(p95),
                duration(limit)
            );
            let remedy = "see the log of slow queries for its plan; then index, statistics, or a larger budget";
            self.add(Alert::warning("query_latency", name, message, remedy).measured(p95, limit));
        }
        let failed = query.recent.errors;
        if failed > 0 {
            let runs = query.recent.runs + failed;
            let message =
                format!("{} of {} runs of query {name} failed in the last minutes", grouped(failed), grouped(runs));
            self.add(
                Alert::warning("query_errors", name, message, "the application's log has their errors")
                    .counted(failed, 0),
            );
        }
    }

    fn sizes(&mut self, health: &Health, thresholds: &Thresholds) {
        let archive = "delete or archive old rows, then `VACUUM`; or allow more in the configuration";
        let fold = "end the reader that holds it, then `PRAGMA wal_checkpoint(TRUNCATE)`";
        for (name, what, size, limit, remedy) in [
            ("database_size", "the database", health.bytes, thresholds.database_size, archive),
            ("wal_size", "the write-ahead log", health.wal_bytes, thresholds.wal_size, fold),
        ] {
            if let Some(limit) = limit.filter(|limit| size > *limit) {
                let message = format!("{what} has {}, over {}", bytes(size), bytes(limit));
                self.add(Alert::warning(name, &health.database, message, remedy).counted(size, limit));
            }
        }
    }

    fn rows(&mut self, health: &Health, thresholds: &Thresholds) {
        for table in &health.tables {
            let configured = thresholds.rows.iter().find(|(name, _)| name.eq_ignore_ascii_case(&table.name));
            let limit = configured.map_or(table.row_limit, |(_, rows)| rows.0);
            if let (Some(rows), Some(limit)) = (table.rows, limit)
                && rows > limit
            {
                let message = format!("table {} has {} rows, over {}", table.name, grouped(rows), grouped(limit));
                let remedy = "delete or archive old rows; or allow more in the configuration";
                self.add(Alert::warning("table_rows", &table.name, message, remedy).counted(rows, limit));
            }
        }
        // A misspelt table would never raise anything.
        let known = |name: &String| health.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
        for name in thresholds.rows.keys().filter(|name| !health.tables.is_empty() && !known(name)) {
            let message = format!("the configuration limits the rows of {name}, and there is no such table");
            self.add(Alert::warning("unknown_table", name, message, "correct the name under [rows]"));
        }
        let limit = |rows: u64| thresholds.undated_rows.filter(|limit| rows > *limit);
        for undated in &health.undated {
            if let Some(limit) = limit(undated.rows) {
                let object = format!("{}.{}", undated.table, undated.column);
                let remedy = "give them a date SQLite reads: the offset as +01:00, with a colon";
                self.add(
                    Alert::warning("undated_rows", &object, undated.to_string(), remedy).counted(undated.rows, limit),
                );
            }
        }
    }

    fn space(&mut self, health: &Health, thresholds: &Thresholds) {
        if let (Some(free), Some(pages), Some(limit)) = (health.free_pages, health.page_count, thresholds.free_share)
            && pages >= thresholds.least_pages
        {
            let share = share(free, pages);
            if share > limit {
                let message = format!("{} of the file hold nothing, over {}", percent(share), percent(limit));
                let remedy = "`VACUUM` gives them back; it needs the space of a copy, and nobody may write";
                self.add(Alert::warning("free_pages", &health.database, message, remedy).measured(share, limit));
            }
        }
        for index in &health.indexes {
            self.fragmentation(index, thresholds);
        }
    }

    fn fragmentation(&mut self, index: &IndexHealth, thresholds: &Thresholds) {
        let (Some(space), Some(limit), Some(unused_limit)) =
            (index.space, thresholds.fragmentation, thresholds.unused_share)
        else {
            return;
        };
        let (fragmentation, unused) = (space.fragmentation(), share(space.unused_bytes, space.bytes));
        if space.pages >= thresholds.least_pages && fragmentation > limit && unused > unused_limit {
            let (name, fragmented) = (&index.name, percent(fragmentation));
            let message =
                format!("index {name} is {fragmented} fragmented, and {} of it hold nothing", percent(unused));
            let quoted = name.replace('"', "\"\"");
            let remedy = format!("`REINDEX \"{quoted}\"` in the sqlite3 shell, when nobody writes");
            self.add(Alert::warning("index_fragmentation", name, message, remedy).measured(fragmentation, limit));
        }
    }

    fn upkeep(&mut self, health: &Health, thresholds: &Thresholds) {
        let pending = health.pending as u64;
        if let Some(limit) = thresholds.pending_migrations.filter(|limit| pending > *limit) {
            let noun = if pending == 1 { "migration is" } else { "migrations are" };
            let remedy = "restart the application, or run `boot`; `plan` tells beforehand what happens";
            self.add(
                Alert::warning("pending", &health.database, format!("{pending} {noun} pending"), remedy)
                    .counted(pending, limit),
            );
        }
        let Some(limit) = thresholds.backup_age.map(|age| age.as_secs()) else { return };
        match &health.last_backup {
            None => {
                let message = "there is no backup beside the database".to_owned();
                let alert = Alert::warning("backup_age", &health.database, message, "run `backup`");
                self.add(Alert { limit: Some(float(limit)), ..alert });
            }
            Some(backup) => {
                if let Some(age) = backup.age_seconds.filter(|age| *age > limit) {
                    let (shown, most) = (duration(float(age)), duration(float(limit)));
                    let message = format!("the newest backup is {shown} old, over {most}");
                    self.add(Alert::warning("backup_age", &backup.path, message, "run `backup`").counted(age, limit));
                }
            }
        }
    }
}

impl Alert {
    fn warning(name: &'static str, object: &str, message: String, remedy: impl Into<String>) -> Self {
        let (object, remedy) = (object.to_owned(), remedy.into());
        Self { name, severity: Severity::Warning, object, message, value: None, limit: None, remedy }
    }

    fn measured(self, value: f64, limit: f64) -> Self {
        Self { value: Some(value), limit: Some(limit), ..self }
    }

    fn counted(self, value: u64, limit: u64) -> Self {
        self.measured(float(value), float(limit))
    }
}
