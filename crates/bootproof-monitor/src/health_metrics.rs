//! Health as metrics, in base units.

use std::collections::{BTreeMap, BTreeSet};

use bootproof::figure::float;
use bootproof::inspect::{Health, QueryHealth, Space, TableHealth};
use jiff::Timestamp;

use crate::alerts::Alert;
use crate::metric::{Kind, Metric, Sample};

/// What was measured of a database, and the alerts about it, as gauges.
#[must_use]
pub fn health_metrics(health: &Health, alerts: &[Alert]) -> Vec<Metric> {
    let mut metrics = Metrics(Vec::new());
    metrics.state(health);
    metrics.0.push(raised(alerts));
    metrics.file(health);
    metrics.tables(health);
    metrics.indexes(health);
    metrics.queries(health);
    metrics.past(health);
    metrics.0
}

/// The alerts that are raised. Two about one object are one series: Prometheus refuses a page that has one twice.
fn raised(alerts: &[Alert]) -> Metric {
    let series = |alert: &Alert| (alert.name, alert.object.clone(), alert.severity.name());
    let raised: BTreeSet<_> = alerts.iter().map(series).collect();
    let samples = raised.into_iter().map(|(name, object, severity)| {
        Sample::of(1.0).label("name", name).label("object", object).label("severity", severity)
    });
    Metric::new(Kind::Gauge, "alert", "An alert that is raised.", samples)
}

struct Metrics(Vec<Metric>);

impl Metrics {
    fn gauge(&mut self, name: &'static str, help: &'static str, samples: impl IntoIterator<Item = Sample>) {
        self.0.push(Metric::new(Kind::Gauge, name, help, samples));
    }

    fn number(&mut self, name: &'static str, help: &'static str, value: impl Into<Option<f64>>) {
        self.gauge(name, help, value.into().map(Sample::of));
    }

    fn state(&mut self, health: &Health) {
        self.number("up", "Whether the database could be opened and read.", f64::from(u8::from(health.is_readable)));
        let refusal = match &health.error {
            Some(error) => Sample::of(f64::from(error.code)).label("kind", error.kind),
            None => Sample::of(0.0).label("kind", "none"),
        };
        self.gauge("refusal_code", "The exit code with which a boot would refuse; 0 where it would not.", [refusal]);
        let mode = health.journal_mode.as_deref().unwrap_or("unknown");
        let info = Sample::of(1.0).label("binary", &health.binary).label("sqlite", &health.sqlite_version);
        self.gauge("info", "What measured, and the journal mode.", [info.label("journal_mode", mode)]);
        #[expect(clippy::cast_precision_loss, reason = "a version is below 2^53, also one that is a time")]
        let version = |version: i64| version as f64;
        self.number("schema_version", "The version of the database.", health.version.map(version));
        self.number("schema_head", "The newest version of the binary.", version(health.head));
        let pending = health.is_readable.then_some(float(health.pending as u64));
        self.number("pending_migrations", "Migrations that a boot would apply.", pending);
        let differing = health.is_readable.then_some(float(health.differences.len() as u64));
        self.number("schema_differences", "Differences from the compiled schema, additions included.", differing);
        self.number("measure_duration_seconds", "How long measuring took.", health.duration_ms.0 / 1e3);
    }

    fn file(&mut self, health: &Health) {
        if health.exists {
            self.number("database_size_bytes", "The size of the database file.", float(health.bytes));
            self.number("wal_size_bytes", "The size of the write-ahead log.", float(health.wal_bytes));
            self.number("journal_size_bytes", "The size of the rollback journal.", float(health.journal_bytes));
        }
        self.number("page_size_bytes", "The size of a page.", health.page_size.map(float));
        self.number("pages", "The pages of the database.", health.page_count.map(float));
        self.number("free_pages", "The pages that hold nothing.", health.free_pages.map(float));
    }

    fn tables(&mut self, health: &Health) {
        let each = |value: &dyn Fn(&TableHealth) -> Option<u64>| -> Vec<Sample> {
            let sample = |table| value(table).map(|value| Sample::of(float(value)).label("table", &table.name));
            health.tables.iter().filter_map(sample).collect()
        };
        self.gauge("table_rows", "The rows of a table.", each(&|table| table.rows));
        let limit = "The rows that the application expects a table to have at most.";
        self.gauge("table_limit_rows", limit, each(&|table| table.row_limit));
        self.gauge("table_size_bytes", "The pages of a table.", each(&|table| table.space.map(|space| space.bytes)));
        let undated = health.undated.iter().map(|undated| {
            let sample = Sample::of(float(undated.rows)).label("table", &undated.table);
            sample.label("column", &undated.column).label("function", undated.function)
        });
        self.gauge("undated_rows", "Rows that no query by date finds.", undated);
    }

    fn indexes(&mut self, health: &Health) {
        let mut each = |name, help, value: &dyn Fn(Space) -> f64| {
            let samples = health.indexes.iter().filter_map(|index| {
                Some(Sample::of(value(index.space?)).label("index", &index.name).label("table", &index.table))
            });
            self.gauge(name, help, samples);
        };
        each("index_size_bytes", "The pages of an index.", &|space| float(space.bytes));
        each("index_unused_bytes", "What of them holds nothing.", &|space| float(space.unused_bytes));
        let help = "The share of leaf pages that do not directly follow their predecessor.";
        each("index_fragmentation_ratio", help, &|space| space.fragmentation());
    }

    fn queries(&mut self, health: &Health) {
        let mut each = |name, help, value: &dyn Fn(&QueryHealth) -> Option<f64>| {
            let sample = |query| value(query).map(|value| Sample::of(value).label("query", query.name));
            self.gauge(name, help, health.queries.iter().filter_map(sample));
        };
        each("query_median_seconds", "The median of a query contract.", &|query| Some(query.timing?.median_ms.0 / 1e3));
        each("query_p95_seconds", "Its 95th percentile.", &|query| Some(query.timing?.p95_ms.0 / 1e3));
        each("query_max_seconds", "Its longest run.", &|query| Some(query.timing?.max_ms.0 / 1e3));
        each("query_budget_seconds", "Its budget for the median.", &|query| Some(query.budget_ms.0 / 1e3));
        each("query_result_rows", "The rows of its largest result.", &|query| Some(float(query.timing?.rows_returned)));
        let missed = |query: &QueryHealth| Some(f64::from(u8::from(query.missed.is_some())));
        each("query_misses_index", "Whether it misses the index it must use.", &missed);
    }

    fn past(&mut self, health: &Health) {
        let applied =
            health.last_migration.as_ref().and_then(|migration| migration.applied_on.parse::<Timestamp>().ok());
        let applied = applied.map(|time| time.as_duration().as_secs_f64());
        self.number("last_migration_timestamp_seconds", "When a migration was last applied.", applied);
        let age = health.last_backup.as_ref().and_then(|backup| backup.age_seconds).map(float);
        self.number("backup_age_seconds", "The age of the newest backup.", age);
        let size = health.last_backup.as_ref().map(|backup| float(backup.bytes));
        self.number("backup_size_bytes", "The size of the newest backup.", size);
        // Of several changes that differ in their time only, the newest.
        let mut changes = BTreeMap::new();
        for boot in health.boots.iter().rev() {
            let version =
                |version: Option<i64>| version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            let Ok(at) = boot.at.parse::<Timestamp>() else { continue };
            let key = (boot.event.as_str(), version(boot.from_version), version(boot.to_version), boot.binary.as_str());
            changes.insert(key, at.as_duration().as_secs_f64());
        }
        let changes = changes.into_iter().map(|((event, from, to, binary), at)| {
            Sample::of(at).label("event", event).label("from", from).label("to", to).label("binary", binary)
        });
        self.gauge("change_timestamp_seconds", "When a boot last changed the database so; the newest ten.", changes);
    }
}
